"""A loan's whole life over HTTP, told by the people who live it."""

from decimal import Decimal

from tests.api.conftest import ON, Api


def balances(api: Api, loan: str) -> dict[str, str]:
    return api.get(f"/v1/loans/{loan}/state")["balances"]


def test_from_application_to_the_last_cent(api: Api) -> None:
    loan = api.open_loan("1000.00", instalments=3)
    schedule = api.get(f"/v1/loans/{loan}/state")["rows"]
    assert [row["due_on"] for row in schedule] == ["2018-02-15", "2018-03-15", "2018-04-15"]
    assert [row["unpaid"] for row in schedule] == ["340.02", "340.02", "340.03"]
    for row in schedule[:2]:
        answer = api.pay(loan, row["unpaid"], row["due_on"])
        assert answer["repeated"] is False
    quote = api.get(f"/v1/loans/{loan}/payoff-quote", {"on": "2018-04-15"})
    assert (quote["amount"], quote["principal"], quote["interest"]) == ("340.03", "336.66", "3.37")
    assert (quote["per_diem"], quote["valid_until"]) == ("0.00", "2018-04-15")
    last = api.pay(loan, quote["amount"], "2018-04-15")
    assert api.get(f"/v1/loans/{loan}/state")["status"] == "settled"
    api.catch_up()
    row = api.get(f"/v1/loans/{loan}", headers={"If-Position": last["position"]})
    assert (row["status"], row["settled_on"], row["principal"]) == ("settled", "2018-04-15", "0.00")
    assert row["version"] == last["version"]
    moved = api.get(f"/v1/loans/{loan}/transactions")["rows"]
    assert [one["kind"] for one in moved] == ["disbursement", "payment", "payment", "payment"]
    assert sum(Decimal(one["principal"]) for one in moved[1:]) == Decimal("1000.00")


def test_a_cent_less_than_the_quote_does_not_settle(api: Api) -> None:
    loan = api.open_loan("1000.00", instalments=3)
    quote = api.get(f"/v1/loans/{loan}/payoff-quote", {"on": "2018-02-01"})
    # 17 of the first period's 31 days have earned: 10.00 x 17 / 31; one more day makes it 5.81.
    assert (quote["principal"], quote["interest"], quote["per_diem"]) == ("1000.00", "5.48", "0.33")
    assert quote["valid_until"] == "2018-02-15"
    amount = Decimal(quote["amount"])
    api.pay(loan, str(amount - Decimal("0.01")), "2018-02-01")
    assert api.get(f"/v1/loans/{loan}/state")["status"] == "active"
    rest = api.get(f"/v1/loans/{loan}/payoff-quote", {"on": "2018-02-01"})["amount"]
    api.pay(loan, rest, "2018-02-01")
    assert api.get(f"/v1/loans/{loan}/state")["status"] == "settled"
    refused = api.ask(f"/v1/loans/{loan}/payoff-quote", {"on": "2018-02-01"})
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_owed")


def test_the_maker_cannot_check_what_the_maker_prepared(api: Api) -> None:
    loan = api.apply()
    ann, at = api.as_("boss"), f"/v1/loans/{loan}"
    approved = {"effective_on": ON, "decision": "approved", "rate_annual": "0.1"}
    ann.done(f"{at}/reviews", approved)
    shown = {"effective_on": ON, "annual_cost": "0.13", "method": "irr"}
    ann.done(f"{at}/cost-disclosures", shown)
    ann.done(f"{at}/offer-acceptances", {"effective_on": ON})
    money = {
        "effective_on": ON, "disbursement_id": "d", "amount": "10000.00", "currency": "USD",
    }  # fmt: skip
    ann.done(f"{at}/disbursement-preparations", money | {"payee_account_hash": "f00d"})
    check = {
        "effective_on": ON,
        "disbursement_id": "d",
        "payload_hash": api.payload_hash(loan),
        "checks": ["conditions", "contract", "payee_account", "payee_name", "terms"],
    }
    own = ann.post(f"{at}/disbursement-checks", check)
    assert (own.status_code, own.json()["code"]) == (403, "checker_is_maker")
    unchecked = ann.post(f"{at}/disbursements", money)
    assert (unchecked.status_code, unchecked.json()["code"]) == (409, "not_checked")
    other = {**check, "payload_hash": "0" * 64}
    changed = api.as_("bob").post(f"{at}/disbursement-checks", other)
    assert (changed.status_code, changed.json()["code"]) == (409, "payload_changed")
    api.as_("bob").done(f"{at}/disbursement-checks", check)
    ann.done(f"{at}/disbursements", money)
    api.catch_up()
    (action,) = api.get("/v1/audit/four-eyes")["rows"]
    assert (action["prepared_by"], action["checked_by"]) == ("boss", "bob")
    assert action["exception"] is None


def test_a_reversed_payment_was_never_paid_and_both_stay_visible(api: Api) -> None:
    loan, never_paid = api.open_loan(), api.open_loan()
    before = balances(api, loan)
    api.pay(loan, "888.49", "2018-02-15", "p-1")
    assert balances(api, loan) != before
    reversal = {"effective_on": "2018-02-20", "payment_id": "p-1", "cause": "bounced"}
    api.as_("ann").done(f"/v1/loans/{loan}/payment-reversals", reversal)
    # Five days late by now: 788.49 of principal earned 788.49 x 1 % x 5/28 = 1.41 more, and that
    # earns 0.14 until the end, because overdue interest is continuous (architecture, section 4).
    assert before["interest"] == "661.86"
    assert balances(api, loan) == before | {"interest": "663.41"}
    owed = [
        api.get(f"/v1/loans/{each}/payoff-quote", {"on": "2018-02-20"})
        for each in (loan, never_paid)
    ]
    assert owed[0] == owed[1] | {"loan_id": owed[0]["loan_id"]}
    api.catch_up()
    moved = api.get(f"/v1/loans/{loan}/transactions")["rows"]
    assert [(one["kind"], one["transaction_id"]) for one in moved[1:]] == [
        ("payment", "p-1"),
        ("reversal", "p-1"),
    ]
    assert moved[1]["reversed_on"] == "2018-02-20"


def test_a_model_may_suggest_and_not_decide(api: Api) -> None:
    loan = api.apply()
    robot = api.as_("robot")
    score = {
        "effective_on": ON, "model_id": "m", "model_version": "1", "score": "0.31",
        "features_hash": "f", "recommends": "declined",
    }  # fmt: skip
    robot.done(f"/v1/loans/{loan}/model-scores", score)
    review = {"effective_on": ON, "decision": "approved", "rate_annual": "0.1"}
    assert robot.post(f"/v1/loans/{loan}/reviews", review).json()["code"] == "forbidden"
    silent = api.as_("ann").post(f"/v1/loans/{loan}/reviews", review)
    assert (silent.status_code, silent.json()["field"]) == (422, "reason_code")
    api.as_("ann").done(f"/v1/loans/{loan}/reviews", review | {"reason_code": "collateral"})
    api.catch_up()
    (override,) = api.get("/v1/audit/overrides")["rows"]
    assert (override["direction"], override["actor_id"]) == ("low_side", "ann")
    (count,) = api.get("/v1/audit/override-counts")["rows"]
    assert (count["reason_code"], count["overrides"]) == ("collateral", 1)


def test_two_collectors_cannot_have_one_case(api: Api) -> None:
    loan = api.open_loan()
    at = f"/v1/cases/{loan}"
    api.as_("cal").done(f"{at}/open", {"tier": "call"})
    first = api.as_("cal").done(f"{at}/claim")
    second = api.as_("dee").post(f"{at}/claim")
    assert (second.status_code, second.json()["code"]) == (409, "case_claimed")
    api.catch_up()
    case = api.ask(at)
    assert case.json()["claimed_by"] == "cal"
    assert case.headers["etag"] == f'"{first["version"]}"'
    not_hers = api.as_("dee").post(f"{at}/release", {"cause": "lunch"})
    assert (not_hers.status_code, not_hers.json()["code"]) == (403, "not_your_case")
    api.as_("sue").done(f"{at}/release", {"cause": "handover"})
    api.as_("dee").done(f"{at}/claim")
