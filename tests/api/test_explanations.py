"""Why a stored loan's figures are what they are."""

from decimal import Decimal

from tests.api.conftest import Api


def test_every_figure_of_a_loan_explains_itself(api: Api) -> None:
    loan = api.open_loan()
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    api.pay(loan, "900.00", "2018-03-15", "second")
    goodwill = {
        "effective_on": "2018-02-20", "credit_id": "first", "amount": "50.00", "currency": "USD",
        "reason_code": "complaint",
    }  # fmt: skip
    ann.done(f"{at}/goodwill-credits", goodwill)
    said = api.get(f"{at}/explanation")
    state = api.get(f"{at}/state")
    assert said["version"] == state["version"]
    assert [one["due"] for one in said["interest"]] == [row["interest"] for row in state["rows"]]
    for one in said["interest"]:
        exact = sum((Decimal(each["interest_minor"]) for each in one["stretches"]), Decimal(0))
        assert abs(exact / 100 - Decimal(one["earned"])) <= Decimal("0.005")
        named = ("earned", "fixed", "from_later", "carried_in", "kept", "by_action")
        total = sum(Decimal(one[name]) for name in named) - Decimal(one["carried_out"])
        assert total == Decimal(one["due"])
    paid = [part for part in said["parts"] if part["transaction_id"] == "second"]
    assert sum(Decimal(part["amount"]) for part in paid) == 900
    assert {part["rule"] for part in paid} >= {paid[0]["rule"]} != {None}
    assert {part["kind"] for part in said["parts"]} == {"repayment", "goodwill_credit"}
    changed = said["restatements"]
    assert {(one["cause_id"], one["transaction_id"]) for one in changed} == {("first", "second")}
    assert [(one["instalment"], one["part"], one["before"], one["after"]) for one in changed] == [
        (1, "interest", "100.00", "50.00"),
        (2, "interest", "11.51", "61.51"),
    ]


def test_an_explanation_knows_only_what_was_true_and_known(api: Api) -> None:
    loan = api.open_loan()
    at = f"/v1/loans/{loan}"
    api.pay(loan, "888.49", "2018-02-15")
    then = api.get(f"{at}/explanation", {"as_of": "2018-02-01"})
    assert then["parts"] == then["restatements"] == []
    assert then["interest"][0]["due"] == "100.00"
    applied = api.apply()
    assert api.get(f"/v1/loans/{applied}/explanation")["interest"] == []
    before = api.ask(f"{at}/explanation", {"as_of": "2017-01-01"})
    assert (before.status_code, before.json()["code"]) == (404, "unknown_loan")
    nobody = api.ask("/v1/loans/nobody/explanation")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown_loan")
