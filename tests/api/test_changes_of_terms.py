"""Changes of terms over HTTP: another rate, a pause of interest, more instalments."""

from decimal import Decimal

from tests.api.conftest import Api


def schedule(api: Api, loan: str) -> list[dict[str, str]]:
    return api.get(f"/v1/loans/{loan}/state")["rows"]


def test_a_new_rate_is_previewed_decided_and_shown(api: Api) -> None:
    loan = api.open_loan()
    at = f"/v1/loans/{loan}"
    api.pay(loan, "888.49", "2018-02-15")
    change = {
        "effective_on": "2018-02-15", "change_id": "lpr-2018", "rate_annual": "0.06",
        "reason_code": "lpr",
    }  # fmt: skip
    ann, path = api.as_("ann"), f"{at}/rate-changes"
    silent = {name: value for name, value in change.items() if name != "reason_code"}
    assert ann.refused(path, silent, status=422) == ("reason_missing", "reason_code")
    before, version = schedule(api, loan), api.get(f"{at}/state")["version"]
    seen = [event["topic"] for event in ann.preview(path, change)]
    assert schedule(api, loan) == before
    ann.done(path, change)
    assert api.topics(loan, version) == seen == ["loan.rate_changed.v1", "loan.schedule_changed.v1"]
    state = api.get(f"{at}/state")
    assert state["rate_annual"] == "0.06"
    assert Decimal(state["rows"][1]["interest"]) * 2 - Decimal(before[1]["interest"]) < 1
    assert sum(Decimal(row["principal"]) for row in state["rows"]) == 10_000
    assert ann.refused(path, change) == ("already_recorded", "change_id")
    high = change | {"rate_annual": "0.41", "change_id": "r-2"}
    assert ann.refused(path, high) == ("rate_outside_product", "rate_annual")
    api.catch_up()
    assert api.get(at)["rate_annual"] == "0.06"
    told = api.get(f"{at}/timeline")["rows"]
    assert [entry["summary"] for entry in told if entry["topic"] == "loan.rate_changed.v1"] == [
        "Rate 0.12 to 0.06 a year"
    ]


def test_a_rate_dated_back_restates_the_payment_since(api: Api) -> None:
    loan = api.open_loan()
    at = f"/v1/loans/{loan}"
    api.pay(loan, "888.49", "2018-02-15", "p-1")
    change = {
        "effective_on": "2018-01-20", "change_id": "r-1", "rate_annual": "0.24",
        "reason_code": "our_error",
    }  # fmt: skip
    api.as_("ann").done(f"{at}/rate-changes", change)
    assert api.topics(loan)[-1] == "loan.allocations_restated.v1"
    api.catch_up()
    paid = api.get(f"{at}/transactions", {"restated": "true"})["rows"][1:]
    assert [(one["transaction_id"], one["revision"]) for one in paid] == [("p-1", 0), ("p-1", 1)]
    assert Decimal(paid[1]["interest"]) > Decimal(paid[0]["interest"])


def test_paused_days_earn_nothing_and_the_pause_stays_inside_the_term(api: Api) -> None:
    loan = api.open_loan()
    at = f"/v1/loans/{loan}"
    pause = {
        "effective_on": "2018-01-15", "change_id": "s-1", "until_on": "2018-02-14",
        "reason_code": "hardship",
    }  # fmt: skip
    beyond = pause | {"until_on": "2030-01-01"}
    refused = api.as_("ann").refused(f"{at}/interest-pauses", beyond)
    assert refused == ("pause_out_of_range", "until_on")
    api.as_("ann").done(f"{at}/interest-pauses", pause)
    first = schedule(api, loan)[0]
    assert (first["interest"], first["unpaid"]) == ("0.00", "888.49")


def test_a_longer_term_has_smaller_instalments(api: Api) -> None:
    loan = api.open_loan()
    at = f"/v1/loans/{loan}"
    longer = {
        "effective_on": "2018-01-15", "change_id": "x-1", "instalments": 12,
        "reason_code": "request",
    }  # fmt: skip
    ann, path = api.as_("ann"), f"{at}/term-extensions"
    none = ann.refused(path, longer | {"instalments": 0})
    assert none == ("too_many_instalments", "instalments")
    done = ann.done(path, longer)
    rows = schedule(api, loan)
    assert len(rows) == 24
    assert rows[0]["unpaid"] == "470.73"  # 10,000.00 over 24 months at 1 %
    api.catch_up()
    shown = api.get(f"{at}/schedule", headers={"If-Position": done["position"]})["rows"]
    assert [row["due_on"] for row in shown] == [row["due_on"] for row in rows]
    quote = api.get(f"{at}/payoff-quote", {"on": "2018-01-15"})
    api.pay(loan, quote["amount"], "2018-01-15")
    assert api.topics(loan)[-1] == "loan.settled.v1"
    assert ann.refused(path, longer | {"change_id": "x-2"})[0] == "loan_settled"


def test_a_due_date_moves_and_payments_are_deferred(api: Api) -> None:
    loan = api.open_loan()
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    move = {
        "effective_on": "2018-01-20", "change_id": "d-2", "instalment": 1,
        "due_on": "2018-02-28", "reason_code": "payday",
    }  # fmt: skip
    early = ann.refused(f"{at}/due-date-moves", move | {"due_on": "2018-01-20"})
    assert early == ("due_date_out_of_order", "due_on")
    ann.done(f"{at}/due-date-moves", move)
    assert [row["due_on"] for row in schedule(api, loan)][:3] == [
        "2018-02-28",
        "2018-03-28",
        "2018-04-28",
    ]
    defer = {
        "effective_on": "2018-02-01", "change_id": "y-1", "months": 2, "reason_code": "flood",
    }  # fmt: skip
    seen = ann.preview(f"{at}/payment-deferrals", defer)
    assert (seen[0]["due_on_before"], seen[0]["due_on"]) == ("2018-02-28", "2018-04-28")
    done = ann.done(f"{at}/payment-deferrals", defer)
    api.catch_up()
    at_position = {"If-Position": done["position"]}
    now = api.get(f"{at}/schedule", headers=at_position)["rows"]
    then = api.get(f"{at}/schedule", {"as_of": "2018-01-31"})["rows"]
    assert (now[0]["due_on"], then[0]["due_on"]) == ("2018-04-28", "2018-02-28")
    assert api.get(at)["last_due_on"] == now[-1]["due_on"]
    before = defer | {"change_id": "y-2", "effective_on": "2018-01-25"}
    assert ann.refused(f"{at}/payment-deferrals", before) == ("before_last_fact", "effective_on")


def test_the_next_instalments_are_put_under_a_grace(api: Api) -> None:
    loan = api.open_loan("6000.00", instalments=6)
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    grace = {
        "effective_on": "2018-01-20", "change_id": "g-1", "principal": 2, "reason_code": "harvest",
    }  # fmt: skip
    none = ann.refused(f"{at}/grace-periods", grace | {"principal": 0}, status=422)
    assert none == ("no_grace", "principal")
    waits = ann.refused(f"{at}/grace-periods", grace | {"interest": 1}, status=409)
    assert waits == ("grace_not_offered", "interest")
    seen = ann.preview(f"{at}/grace-periods", grace)
    assert [event["topic"] for event in seen] == [
        "loan.grace_granted.v1",
        "loan.schedule_changed.v1",
    ]
    done = ann.done(f"{at}/grace-periods", grace)
    api.catch_up()
    rows = api.get(f"{at}/schedule", headers={"If-Position": done["position"]})["rows"]
    assert [row["principal"] for row in rows[:3]] == ["0.00", "0.00", rows[2]["principal"]]
    assert len(rows) == 8
    assert sum(Decimal(row["principal"]) for row in rows) == 6_000
    told = api.get(f"{at}/timeline")["rows"]
    assert "Grace from instalment 1 on: 2 without principal, 0 without interest" in [
        entry["summary"] for entry in told
    ]
