"""Fees of instalments, down payments and what they cost, over HTTP."""

from typing import Any

from tests.api.conftest import ON, Api

FEE: dict[str, Any] = {
    "code": "LATE", "component": "fee", "time": "instalment", "basis": "flat", "amount": "3.00",
}  # fmt: skip
DOWN: dict[str, Any] = {"percent": "20", "automatic": True}


def test_the_plan_has_both_and_the_ledger_says_so(api: Api) -> None:
    api.define_product(charge_rules=[FEE], down_payment=DOWN)
    loan = api.open_loan("1000.00", 4)
    rows = api.get(f"/v1/loans/{loan}/state")["rows"]
    assert [row["principal"] for row in rows[:1]] == ["200.00"]
    assert [row["fee"] for row in rows] == ["0.00", *["3.00"] * 4]
    assert (rows[0]["due_on"], rows[0]["met_on"]) == (ON, ON)
    api.catch_up()
    money = api.get(f"/v1/loans/{loan}/transactions")["rows"]
    told = [(row["kind"], row["amount"], row["code"]) for row in money]
    assert told == [
        ("disbursement", "1000.00", None),
        ("payment", "200.00", "down_payment"),
        ("instalment_fees", "12.00", "LATE"),
    ]
    lines = [row["summary"] for row in api.get(f"/v1/loans/{loan}/timeline")["rows"]]
    assert any("200.00 USD of it due at once" in line for line in lines)
    assert any("Instalments ask for 12.00 USD more of LATE" in line for line in lines)


def test_what_an_approved_plan_costs_is_quoted_with_its_fees(api: Api) -> None:
    api.define_product(charge_rules=[FEE])
    ann, loan = api.as_("ann"), api.apply("1000.00", 4)
    at = f"/v1/loans/{loan}"
    assert ann.ask(f"{at}/cost-quote").json()["code"] == "wrong_status"
    ann.done(f"{at}/reviews", {"effective_on": ON, "decision": "approved", "rate_annual": "0.12"})
    quote = api.get(f"{at}/cost-quote", {"on": ON})
    assert (quote["principal"], quote["received"], quote["fee"]) == ("1000.00", "1000.00", "12.00")
    assert quote["charges"] == ["LATE"]
    assert "0.17" < quote["irr_annual"] < "0.20"
    assert quote["simple_annual"] < quote["irr_annual"]
