"""Income that is recognised over time, over HTTP: added, given back, taken back, explained."""

from typing import Any

from tests.api.conftest import Api
from tests.api.test_payouts import accepted, money

ON = "2018-02-15"
BODY: dict[str, Any] = {
    "effective_on": ON, "income_id": "i-1", "amount": "300.00", "currency": "USD",
}  # fmt: skip
BACK: dict[str, Any] = {
    "effective_on": ON, "adjustment_id": "a-1", "income_id": "i-1", "amount": "120.00",
    "currency": "USD", "reason_code": "complaint",
}  # fmt: skip


def lent(api: Api) -> str:
    """A loan of which 9,000.00 of the approved 10,000.00 went out; its path."""
    api.define_product(
        four_eyes_from="1000000.00", capitalised_income={"code": "LATE", "total_max": "500.00"}
    )
    at = accepted(api)
    api.as_("ann").done(f"{at}/disbursements", money("d-1", "9000.00"))
    return at


def test_income_is_capitalised_given_back_and_explained(api: Api) -> None:
    at = lent(api)
    ann, version = api.as_("ann"), api.get(f"{at}/state")["version"]
    assert api.get("/v1/products/P")["conditions"]["capitalised_income"] == {
        "code": "LATE", "income": "fee", "total_max": "500.00",
    }  # fmt: skip
    more = BODY | {"amount": "500.01"}
    assert ann.refused(f"{at}/capitalised-incomes", more) == ("above_income_max", "amount")
    seen = ann.preview(f"{at}/capitalised-incomes", BODY)
    ann.done(f"{at}/capitalised-incomes", BODY)
    loan = at.removeprefix("/v1/loans/")
    assert [event["topic"] for event in seen] == api.topics(loan, version)
    assert (seen[0]["topic"], seen[0]["principal"]) == ("loan.income_capitalised.v1", "300.00")
    ann.done(f"{at}/capitalised-income-adjustments", BACK)
    api.catch_up()
    assert api.accounts()["deferred_capitalised_income"] == -180
    rows = api.get(f"{at}/transactions")["rows"]
    assert [(row["kind"], row["amount"]) for row in rows if row["effective_on"] == ON] == [
        ("capitalised_income", "300.00"),
        ("capitalised_income_adjustment", "120.00"),
    ]
    (said,) = api.get(f"{at}/explanation", {"as_of": "2018-04-15"})["deferred"]
    assert said == {
        "kind": "capitalised_income", "on": "2018-04-15", "maturity_on": "2018-07-15",
        "ended": False, "rounding": "ROUND_HALF_UP", "recognised": "72.00", "deferred": "108.00",
        "parts": [
            {"id": "i-1", "from_on": ON, "amount": "300.00", "days": 60, "days_to_maturity": 150,
             "earned_minor": "12000"},
            {"id": "a-1", "from_on": ON, "amount": "-120.00", "days": 60,
             "days_to_maturity": 150, "earned_minor": "-4800"},
        ],
    }  # fmt: skip


def test_a_buy_down_fee_is_recorded_given_back_and_taken_back(api: Api) -> None:
    api.define_product(buy_down_fee={"merchant_paid": False, "income": "fee"})
    at = f"/v1/loans/{api.open_loan()}"
    ann, before = api.as_("ann"), api.get(f"{at}/state")["rows"]
    fee = {"effective_on": ON, "fee_id": "b-1", "amount": "60.00", "currency": "USD"}
    assert ann.preview(f"{at}/buy-down-fees", fee)[0]["merchant_paid"] is False
    ann.done(f"{at}/buy-down-fees", fee)
    given = {key: BACK[key] for key in ("effective_on", "adjustment_id", "currency", "reason_code")}
    given |= {"fee_id": "b-1", "amount": "60.01"}
    refused = ann.refused(f"{at}/buy-down-fee-adjustments", given)
    assert refused == ("more_than_paid", "amount")
    ann.done(f"{at}/buy-down-fee-adjustments", given | {"amount": "10.00"})
    assert api.get(f"{at}/state")["rows"] == before
    api.catch_up()
    assert api.accounts()["deferred_buy_down_fees"] == -50
    assert api.accounts()["buy_down_expense"] == 50
    gone = {"effective_on": ON, "cause": "error"}
    ann.done(f"{at}/buy-down-adjustment-reversals", gone | {"adjustment_id": "a-1"})
    ann.done(f"{at}/buy-down-fee-reversals", gone | {"fee_id": "b-1"})
    api.catch_up()
    rows = api.get(f"{at}/transactions")["rows"]
    assert [row["kind"] for row in rows if row["effective_on"] == ON] == [
        "buy_down_fee",
        "buy_down_fee_adjustment",
        "buy_down_adjustment_reversal",
        "buy_down_fee_reversal",
    ]
    assert "deferred_buy_down_fees" not in api.accounts()


def test_income_is_taken_back_once_nothing_of_it_is_given_back(api: Api) -> None:
    at = lent(api)
    ann, before = api.as_("ann"), api.get(f"{at}/state")["rows"]
    ann.done(f"{at}/capitalised-incomes", BODY)
    ann.done(f"{at}/capitalised-income-adjustments", BACK)
    back = {"effective_on": ON, "income_id": "i-1", "cause": "error"}
    refused = ann.refused(f"{at}/capitalised-income-reversals", back)
    assert refused == ("income_adjusted", "income_id")
    gone = {"effective_on": ON, "payment_id": "a-1", "cause": "error"}
    ann.done(f"{at}/payment-reversals", gone)
    ann.done(f"{at}/capitalised-income-reversals", back)
    assert api.get(f"{at}/state")["rows"] == before
    api.catch_up()
    assert api.accounts() == {"loan_portfolio": 9_000, "fund_source": -9_000}
    assert api.get(f"{at}/explanation")["deferred"] == []
