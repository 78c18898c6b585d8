"""Ends over HTTP: a charge-off reversed, a contract terminated, a loan written off."""

from decimal import Decimal

from tests.api.conftest import Api


def test_a_charge_off_is_reversed_when_the_money_was_only_lost_in_the_post(api: Api) -> None:
    loan = api.open_loan()
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    undo = {"effective_on": "2018-07-01", "cause": "found", "reason_code": "found"}
    assert ann.refused(f"{at}/charge-off-reversals", undo)[0] == "wrong_status"
    ann.done(f"{at}/charge-offs", {"effective_on": "2018-06-20", "cause": "hopeless"})
    recovery = {
        "effective_on": "2018-06-25", "recovery_id": "r-1", "amount": "100.00", "currency": "USD",
    }  # fmt: skip
    api.as_("cal").done(f"{at}/recoveries", recovery)
    assert ann.refused(f"{at}/charge-off-reversals", undo)[0] == "recovered_since"
    back = {"effective_on": "2018-06-26", "payment_id": "r-1", "cause": "misposted"}
    ann.done(f"{at}/payment-reversals", back)
    early = undo | {"effective_on": "2018-06-01"}
    refused = ann.refused(f"{at}/charge-off-reversals", early)
    assert refused == ("before_last_fact", "effective_on")
    seen = ann.preview(f"{at}/charge-off-reversals", undo)
    assert seen[0]["principal"] == "10000.00"
    ann.done(f"{at}/charge-off-reversals", undo)
    api.catch_up()
    row = api.get(at)
    assert (row["status"], row["charged_off_on"], row["principal"]) == ("active", None, "10000.00")
    booked = api.accounts()
    assert booked["loan_portfolio"] == 10_000
    assert not {"charge_off_expense", "recovery_income"} & booked.keys()
    moved = api.get(f"{at}/transactions", {"from": "2018-06-20"})["rows"]
    assert [one["kind"] for one in moved] == [
        "charge_off",
        "recovery",
        "reversal",
        "charge_off_reversal",
    ]


def test_a_terminated_contract_is_due_at_once(api: Api) -> None:
    loan = api.open_loan()
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    api.pay(loan, "888.49", "2018-02-15")
    quote = api.get(f"{at}/payoff-quote", {"on": "2018-03-01"})
    body = {"effective_on": "2018-03-01", "cause": "breach", "reason_code": "breach"}
    silent = {"effective_on": "2018-03-01", "cause": "breach"}
    assert ann.refused(f"{at}/contract-terminations", silent, status=422)[1] == "reason_code"
    before = body | {"effective_on": "2018-02-14"}
    refused = ann.refused(f"{at}/contract-terminations", before)
    assert refused == ("before_last_fact", "effective_on")
    (told, _) = ann.preview(f"{at}/contract-terminations", body)
    assert (told["principal"], told["interest"]) == (quote["principal"], quote["interest"])
    ann.done(f"{at}/contract-terminations", body)
    assert ann.refused(f"{at}/contract-terminations", body)[0] == "contract_terminated"
    rows = api.get(f"{at}/state")["rows"]
    assert [row["due_on"] for row in rows] == ["2018-02-15", "2018-03-01"]
    later = api.get(f"{at}/payoff-quote", {"on": "2018-09-01"})
    assert (later["amount"], later["per_diem"]) == (quote["amount"], "0.00")
    rate = {
        "effective_on": "2018-03-02", "change_id": "r", "rate_annual": "0.1", "reason_code": "x",
    }  # fmt: skip
    assert ann.refused(f"{at}/rate-changes", rate)[0] == "contract_terminated"
    api.catch_up()
    row = api.get(at)
    assert (row["status"], row["terminated_on"]) == ("active", "2018-03-01")
    assert row["last_due_on"] == "2018-03-01"
    api.pay(loan, quote["amount"], "2018-09-01")
    assert api.topics(loan)[-1] == "loan.settled.v1"


def test_a_loan_that_was_written_off_stays_in_memo(api: Api) -> None:
    loan = api.open_loan("1000.00", instalments=3)
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    ann.done(f"{at}/charge-offs", {"effective_on": "2018-06-20", "cause": "hopeless"})
    body = {"effective_on": "2018-07-01", "cause": "insolvent", "reason_code": "insolvent"}
    ann.done(f"{at}/write-offs", body)
    assert ann.refused(f"{at}/charge-off-reversals", body)[0] == "wrong_status"
    assert ann.refused(f"{at}/contract-terminations", body)[0] == "wrong_status"
    state = api.get(f"{at}/state")
    assert state["status"] == "written_off"
    assert Decimal(state["balances"]["principal"]) == 1_000


def test_a_product_may_let_all_be_due_when_a_loan_is_charged_off(api: Api) -> None:
    """12,000.00 at 1 % a month: 120.00 of the first month, 120.00 x 14/28 of the second."""
    api.define_product(method="interest_only", charge_off="accelerate_maturity", instalments_min=2)
    assert api.get("/v1/products/P")["conditions"]["charge_off"] == "accelerate_maturity"
    loan = api.open_loan("12000.00", instalments=12)
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    body = {"effective_on": "2018-03-01", "cause": "hopeless"}
    (told, _) = ann.preview(f"{at}/charge-offs", body)
    assert (told["principal"], told["interest"]) == ("12000.00", "180.00")
    ann.done(f"{at}/charge-offs", body)
    rows = api.get(f"{at}/state")["rows"]
    assert [(row["due_on"], row["unpaid"]) for row in rows] == [
        ("2018-02-15", "120.00"),
        ("2018-03-01", "12060.00"),
    ]
    ann.done(f"{at}/charge-off-reversals", body | {"reason_code": "found"})
    assert len(api.get(f"{at}/state")["rows"]) == 12
