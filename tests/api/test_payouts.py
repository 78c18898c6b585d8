"""Money out over HTTP: tranches, each checked by a second person, and one that comes back."""

from typing import Any

from tests.api.conftest import ON, REQUIRED_CHECKS, Api


def accepted(
    api: Api, amount: str = "10000.00", instalments: int = 6, *, rate: str = "0.12"
) -> str:
    """A loan whose offer was accepted; its path."""
    ann = api.as_("ann")
    at = f"/v1/loans/{api.apply(amount, instalments)}"
    on = {"effective_on": ON}
    ann.done(f"{at}/reviews", on | {"decision": "approved", "rate_annual": rate})
    cost = {"annual_cost": "0.13", "method": "irr", "charges": ["LATE"]}
    ann.done(f"{at}/cost-disclosures", on | cost)
    ann.done(f"{at}/offer-acceptances", on)
    return at


def money(name: str, amount: str, on: str = ON, **more: str) -> dict[str, Any]:
    body = {"effective_on": on, "disbursement_id": name, "amount": amount, "currency": "USD"}
    return body | more


def checked(api: Api, at: str, body: dict[str, Any]) -> None:
    """Lay a payout out and let another person check it."""
    prepared = body | {"payee_account_hash": "f00d"}
    api.as_("ann").done(f"{at}/disbursement-preparations", prepared)
    check = {
        "effective_on": body["effective_on"],
        "disbursement_id": body["disbursement_id"],
        "payload_hash": api.get(f"{at}/state")["preparation"]["payload_hash"],
        "checks": sorted(REQUIRED_CHECKS),
    }
    api.as_("bob").done(f"{at}/disbursement-checks", check)


def test_a_loan_is_paid_out_in_tranches(api: Api) -> None:
    api.define_product(payouts_max=2, outstanding_max="9000.00", method="equal_principal")
    at, ann = accepted(api), api.as_("ann")
    first, second = money("d-1", "6000.00"), money("d-2", "3000.00", "2018-02-20")
    checked(api, at, first)
    ann.done(f"{at}/disbursements", first)
    more = second | {"amount": "3000.01"}
    assert ann.refused(f"{at}/disbursements", more) == ("above_outstanding_max", "amount")
    assert ann.refused(f"{at}/disbursements", second) == ("not_prepared", "disbursement_id")
    checked(api, at, second)
    version = api.get(f"{at}/state")["version"]
    seen = ann.preview(f"{at}/disbursements", second)
    done = ann.done(f"{at}/disbursements", second, key="k-1")
    again = ann.done(f"{at}/disbursements", second, key="k-1")
    assert (again["version"], again["repeated"]) == (done["version"], True)
    loan = at.removeprefix("/v1/loans/")
    assert [event["topic"] for event in seen] == api.topics(loan, version)
    assert seen[0]["topic"] == "loan.tranche_disbursed.v1"
    assert seen[0]["amount"] == seen[0]["principal"] == "3000.00"
    more = money("d-3", "1.00", "2018-02-20")
    assert ann.refused(f"{at}/disbursements", more) == ("too_many_payouts", "disbursement_id")
    api.catch_up()
    assert (api.get(at)["amount"], api.get(at)["principal"]) == ("9000.00", "9000.00")
    assert api.accounts() == {"loan_portfolio": 9_000, "fund_source": -9_000}
    moved = api.get(f"{at}/transactions")["rows"]
    assert [(row["kind"], row["transaction_id"], row["amount"]) for row in moved] == [
        ("disbursement", "d-1", "6000.00"),
        ("disbursement", "d-2", "3000.00"),
    ]
    audited = api.get("/v1/audit/four-eyes")["rows"]
    assert {row["disbursement_id"]: row["disbursed_on"] for row in audited} == {
        "d-1": ON,
        "d-2": "2018-02-20",
    }
    assert not any(row["exception"] for row in audited)


def test_the_last_tranche_comes_back(api: Api) -> None:
    api.define_product(payouts_max=3, four_eyes_from="1000000.00")
    at, ann = accepted(api), api.as_("ann")
    ann.done(f"{at}/disbursements", money("d-1", "6000.00"))
    rows = api.get(f"{at}/state")["rows"]
    ann.done(f"{at}/disbursements", money("d-2", "3000.00", "2018-01-20"))
    back = {"effective_on": "2018-01-22", "disbursement_id": "d-1", "cause": "account closed"}
    refused = ann.refused(f"{at}/disbursement-returns", back)
    assert refused == ("not_last_payout", "disbursement_id")
    ann.done(f"{at}/disbursement-returns", back | {"disbursement_id": "d-2"})
    assert api.get(f"{at}/state")["rows"] == rows
    api.catch_up()
    shown = api.get(at)
    assert (shown["status"], shown["amount"], shown["principal"]) == (
        "active",
        "6000.00",
        "6000.00",
    )
    assert api.accounts() == {"loan_portfolio": 6_000, "fund_source": -6_000}
    kinds = [row["kind"] for row in api.get(f"{at}/transactions")["rows"]]
    assert kinds == ["disbursement", "disbursement", "disbursement_return"]


def test_a_line_of_credit_is_drawn_repaid_and_drawn_again(api: Api) -> None:
    """10,000.00 at 36 % a year on 360 days is 10.00 a day."""
    api.define_product(
        method="revolving", day_count="act/360", payouts_max=100, four_eyes_from="1000000.00"
    )
    at, ann = accepted(api, "10000.00", 12, rate="0.36"), api.as_("ann")
    room = api.get(f"{at}/headroom", {"on": ON})
    assert (room["limit"], room["available"], room["currency"]) == ("10000.00", "10000.00", "USD")
    ann.done(f"{at}/disbursements", money("d-1", "10000.00"))
    over = money("d-2", "0.01", "2018-01-20")
    assert ann.refused(f"{at}/disbursements", over) == ("limit_exceeded", "amount")
    api.pay(at.removeprefix("/v1/loans/"), "4050.00", "2018-01-20", "p-1")
    assert api.get(f"{at}/headroom", {"on": "2018-01-20"}) == {
        "on": "2018-01-20", "limit": "10000.00", "drawn": "6000.00", "outstanding": "6000.00",
        "available": "4000.00", "payouts_left": 99, "currency": "USD",
        "loan_id": at.removeprefix("/v1/loans/"),
    }  # fmt: skip
    again = money("d-2", "4000.00", "2018-01-20")
    assert ann.preview(f"{at}/disbursements", again)[0]["principal"] == "4000.00"
    ann.done(f"{at}/disbursements", again)
    api.catch_up()
    shown = api.get(at)
    assert (shown["method"], shown["amount"], shown["principal"]) == (
        "revolving",
        "14000.00",
        "10000.00",
    )
    assert api.accounts()["loan_portfolio"] == 10_000
    statement = api.get(f"{at}/state")["rows"][0]
    assert (statement["due_on"], statement["interest"], statement["principal"]) == (
        "2018-02-15",
        "310.00",
        "0.00",
    )


def test_headroom_is_asked_of_loans_that_may_be_paid_out(api: Api) -> None:
    loan = api.open_loan()
    answer = api.ask(f"/v1/loans/{loan}/headroom")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")
    assert api.ask("/v1/loans/none/headroom").json()["code"] == "unknown_loan"


def test_a_loan_is_paid_out_as_planned(api: Api) -> None:
    api.define_product(payouts_max=3, payout_plan="tranches", four_eyes_from="1000000.00")
    ann = api.as_("ann")
    at = accepted(api)
    land = {"tranche_id": "land", "expected_on": "2018-01-15", "amount": "6000.00"}
    walls = {"tranche_id": "walls", "expected_on": "2018-03-01", "amount": "4000.00"}
    body: dict[str, Any] = {"effective_on": ON, "currency": "USD", "tranches": [walls, land]}
    for tranches, code, field in (
        ([land | {"amount": "10000.01"}], "above_approved", "tranches"),
        ([land | {"amount": "6000.001"}], "too_many_decimals", "tranches.0.amount"),
    ):
        bad = ann.post(f"{at}/tranche-plans", body | {"tranches": tranches}).json()
        assert (bad["code"], bad["field"]) == (code, field)
    (seen,) = ann.preview(f"{at}/tranche-plans", body)
    assert (seen["topic"], seen["tranches"]) == ("loan.tranches_planned.v1", [land, walls])
    ann.done(f"{at}/tranche-plans", body)
    assert api.get(f"{at}/state")["tranches"] == [land, walls]
    first = money("d-1", "6000.00", tranche_id="land")
    missing = ann.refused(f"{at}/disbursements", money("d-1", "6000.00"))
    assert missing == ("tranche_missing", "tranche_id")
    ann.done(f"{at}/disbursements", first)
    state = api.get(f"{at}/state")
    assert (state["paid_out"], state["tranches"]) == ("6000.00", [walls])
    api.catch_up()
    told = [line["summary"] for line in api.get(f"{at}/timeline")["rows"]]
    assert "Still to be paid out: 6000.00 USD on 2018-01-15, 4000.00 USD on 2018-03-01" in told


def test_a_fee_is_kept_back_from_what_goes_out(api: Api) -> None:
    fee = {"code": "LATE", "percent": "1.5", "max": "80.00"}
    api.define_product(payouts_max=2, payout_fees=[fee], four_eyes_from="1000000.00")
    at, ann = accepted(api), api.as_("ann")
    body = money("d-1", "6000.00")
    (seen,) = ann.preview(f"{at}/disbursements", body)
    assert seen["fees"] == [{"code": "LATE", "amount": "80.00", "tax": "0.00"}]
    ann.done(f"{at}/disbursements", body)
    ann.done(f"{at}/disbursements", money("d-2", "2000.00", "2018-01-20"))
    api.catch_up()
    assert api.accounts() == {"loan_portfolio": 8_000, "fund_source": -7_890, "fee_income": -110}
    moved = api.get(f"{at}/transactions")["rows"]
    assert [(one["kind"], one["amount"], one["code"], one["cause_id"]) for one in moved] == [
        ("disbursement", "6000.00", None, None),
        ("payout_fee", "80.00", "LATE", "d-1"),
        ("disbursement", "2000.00", None, None),
        ("payout_fee", "30.00", "LATE", "d-2"),
    ]
    back = {"effective_on": "2018-01-22", "disbursement_id": "d-2", "cause": "account closed"}
    ann.done(f"{at}/disbursement-returns", back)
    api.catch_up()
    assert api.accounts() == {"loan_portfolio": 6_000, "fund_source": -5_920, "fee_income": -80}
    conditions = api.get("/v1/products/P")["conditions"]
    assert conditions["payout_fees"][0]["percent"] == "1.5"


def test_a_limit_is_raised(api: Api) -> None:
    api.define_product(method="revolving", payouts_max=100, four_eyes_from="1000000.00")
    at, ann = accepted(api), api.as_("ann")
    ann.done(f"{at}/disbursements", money("d-1", "10000.00"))
    body = {"effective_on": ON, "amount": "12000.00", "currency": "USD"}
    silent = ann.refused(f"{at}/approved-amounts", body, status=422)
    assert silent == ("reason_missing", "reason_code")
    told = body | {"reason_code": "good_customer"}
    (seen,) = ann.preview(f"{at}/approved-amounts", told)
    assert (seen["before"], seen["amount"]) == ("10000.00", "12000.00")
    ann.done(f"{at}/approved-amounts", told)
    assert api.get(f"{at}/headroom", {"on": ON})["available"] == "2000.00"
    api.catch_up()
    told_so = [line["summary"] for line in api.get(f"{at}/timeline")["rows"]]
    assert "Approved amount changed from 10000.00 USD to 12000.00 USD" in told_so


def test_the_figures_of_a_line_explain_themselves(api: Api) -> None:
    api.define_product(
        method="revolving", day_count="act/360", payouts_max=100, four_eyes_from="1000000.00"
    )
    at, ann = accepted(api, rate="0.36"), api.as_("ann")
    ann.done(f"{at}/disbursements", money("d-1", "6000.00"))
    api.pay(at.removeprefix("/v1/loans/"), "7000.00", "2018-01-25", "p-1")
    ann.done(f"{at}/disbursements", money("d-2", "3000.00", "2018-01-30"))
    said, state = api.get(f"{at}/explanation"), api.get(f"{at}/state")
    assert [one["due"] for one in said["interest"]] == [row["interest"] for row in state["rows"]]
    first = said["interest"][0]["stretches"]
    assert [(one["from_on"], one["balance"]) for one in first] == [
        (ON, "6000.00"), ("2018-01-25", "0.00"), ("2018-01-30", "2060.00"),
    ]  # fmt: skip
