"""Credits over HTTP: goodwill, refunds with their interest, charges given back."""

from decimal import Decimal

from tests.api.conftest import Api

ON = "2018-02-15"


def test_goods_go_back_and_the_interest_on_them_was_never_owed(api: Api) -> None:
    api.define_product(interest_refunded_with=["merchant"])
    loan = api.open_loan()
    at = f"/v1/loans/{loan}"
    refund = {
        "effective_on": "2018-01-30", "refund_id": "goods-1", "kind": "merchant",
        "amount": "2000.00", "currency": "USD",
    }  # fmt: skip
    ann = api.as_("ann")
    seen = ann.preview(f"{at}/refunds", refund)
    version = api.get(f"{at}/state")["version"]
    first = ann.done(f"{at}/refunds", refund, key="k-1")
    again = ann.done(f"{at}/refunds", refund, key="k-1")
    assert (again["version"], again["repeated"]) == (first["version"], True)
    assert api.topics(loan, version) == [event["topic"] for event in seen]
    assert api.topics(loan, version) == [
        "loan.refund_received.v1",
        "loan.payment_allocated.v1",
        "loan.interest_refunded.v1",
        "loan.payment_allocated.v1",
    ]
    api.catch_up()
    moved = api.get(f"{at}/transactions")["rows"]
    assert [(one["kind"], one["amount"]) for one in moved[1:]] == [
        ("merchant_refund", "2000.00"),
        ("interest_refund", "9.68"),
    ]
    booked = api.accounts()
    assert (booked["interest_income"], booked["fund_source"]) == (Decimal("9.68"), -8_000)
    back = {"effective_on": "2018-01-30", "payment_id": refund["refund_id"], "cause": "kept"}
    api.as_("ann").done(f"{at}/payment-reversals", back)
    api.catch_up()
    assert api.accounts() == {"loan_portfolio": 10_000, "fund_source": -10_000}
    moved = api.get(f"{at}/transactions")["rows"]
    reversed_ = {one["kind"] for one in moved if one["reversed_on"]}
    assert reversed_ == {"merchant_refund", "interest_refund"}


def test_goodwill_is_the_lenders_own_money_and_is_booked_so(api: Api) -> None:
    loan = api.open_loan()
    at = f"/v1/loans/{loan}"
    body = {"effective_on": ON, "credit_id": "g-1", "amount": "100.00", "currency": "USD"}
    ann = api.as_("ann")
    silent = ann.refused(f"{at}/goodwill-credits", body, status=422)
    assert silent == ("reason_missing", "reason_code")
    told = body | {"reason_code": "late_answer"}
    for amount, code, status in (
        ("-1.00", "malformed_field", 422),
        ("0.00", "amount_out_of_range", 422),
        ("99999.00", "more_than_owed", 409),
    ):
        refused = ann.refused(f"{at}/goodwill-credits", told | {"amount": amount}, status=status)
        assert refused == (code, "amount")
    ann.done(f"{at}/goodwill-credits", told)
    api.catch_up()
    booked = api.accounts()
    assert (booked["goodwill_credit_expense"], booked["fund_source"]) == (100, -10_000)
    (credit,) = api.get(f"{at}/transactions", {"from": ON})["rows"]
    assert (credit["kind"], credit["interest"], credit["lines"][0]["instalment"]) == (
        "goodwill",
        "100.00",
        1,
    )


def test_a_charge_is_given_back_no_more_than_once(api: Api) -> None:
    loan = api.open_loan()
    at = f"/v1/loans/{loan}"
    charge = {
        "effective_on": ON, "charge_id": "c-1", "code": "LATE", "component": "penalty",
        "amount": "25.00", "currency": "USD", "instalment": 1,
    }  # fmt: skip
    api.as_("ann").done(f"{at}/charges", charge)
    body = {
        "effective_on": ON, "adjustment_id": "a-1", "charge_id": "c-1", "amount": "25.00",
        "currency": "USD", "reason_code": "our_error",
    }  # fmt: skip
    api.as_("ann").done(f"{at}/charge-adjustments", body)
    more = body | {"adjustment_id": "a-2", "amount": "0.01"}
    assert api.as_("ann").refused(f"{at}/charge-adjustments", more) == (
        "more_than_charged",
        "amount",
    )
    api.catch_up()
    assert api.accounts() == {
        "loan_portfolio": 10_000, "fund_source": -10_000,
        "penalty_income": -25, "charges_given_back": 25,
    }  # fmt: skip


def test_a_bank_takes_a_payment_back_and_pays_it_after_all(api: Api) -> None:
    loan = api.open_loan("1000.00", instalments=3)
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    for row in api.get(f"{at}/state")["rows"]:
        api.pay(loan, row["unpaid"], row["due_on"], f"p-{row['number']}")
    body = {
        "effective_on": "2018-05-02", "chargeback_id": "b-1", "payment_id": "p-3",
        "amount": "40.03", "currency": "USD",
    }  # fmt: skip
    more = body | {"amount": "340.04"}
    assert ann.refused(f"{at}/chargebacks", more) == ("more_than_paid", "amount")
    seen = ann.preview(f"{at}/chargebacks", body)
    assert (seen[0]["principal"], seen[0]["overpaid"]) == ("40.03", "0.00")
    ann.done(f"{at}/chargebacks", body)
    assert api.topics(loan)[-3:] == [event["topic"] for event in seen]
    assert api.topics(loan)[-1] == "loan.reopened.v1"
    last = api.get(f"{at}/state")["rows"][-1]
    assert (last["number"], last["due_on"], last["unpaid"]) == (4, "2018-05-02", "40.03")
    reversal = {"effective_on": "2018-05-02", "payment_id": "p-3", "cause": "bounced"}
    refused = ann.refused(f"{at}/payment-reversals", reversal)
    assert refused == ("payment_charged_back", "payment_id")
    won = {"effective_on": "2018-05-03", "chargeback_id": "b-1", "cause": "bank_paid"}
    ann.done(f"{at}/chargeback-reversals", won)
    api.catch_up()
    assert api.get(at)["status"] == "settled"
    assert api.accounts() == {
        "fund_source": Decimal("20.07"),
        "interest_receivable": Decimal("-20.07"),
    }
    moved = api.get(f"{at}/transactions", {"from": "2018-05-01"})["rows"]
    assert [(one["kind"], one["amount"], one["cause_id"]) for one in moved] == [
        ("chargeback", "40.03", "p-3"),
        ("chargeback_reversal", "40.03", "p-3"),
    ]
