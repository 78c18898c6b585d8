"""Plans made anew over HTTP: re-ageing under its guard, re-amortising."""

from decimal import Decimal

from tests.api.conftest import Api

ON = "2019-01-25"
MONTHS = [f"2018-{month:02}-15" for month in range(2, 13)]
RE_AGE = {
    "effective_on": ON, "re_age_id": "a-1", "first_due_on": "2019-02-15", "instalments": 12,
    "interest": "waive_interest", "willing_and_able": True, "reason_code": "困难解除",
}  # fmt: skip


def behind(api: Api) -> str:
    """A loan of 24 months on which two instalments are missing; the last three were paid."""
    loan = api.open_loan(instalments=24)
    for on in [*MONTHS[:6], "2018-11-16", "2018-12-16", "2019-01-16"]:
        api.pay(loan, "470.73", on)
    return loan


def test_a_loan_is_re_aged_once_and_the_guard_says_why_not_twice(api: Api) -> None:
    loan = behind(api)
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    path = f"{at}/re-ageings"
    body = RE_AGE | {"reason_code": "hardship_over"}
    assert ann.refused(path, RE_AGE, status=422)[1] == "reason_code"  # codes are plain letters
    unwilling = body | {"willing_and_able": False}
    assert ann.refused(path, unwilling) == ("willingness_not_shown", "willing_and_able")
    early = body | {"first_due_on": ON}
    assert ann.refused(path, early) == ("first_due_too_early", "first_due_on")
    seen = ann.preview(path, body)
    assert seen[0]["policy_version"] == "65-FR-36903"
    assert Decimal(seen[0]["waived_interest"]) > 0
    assert (seen[0]["before"]["days_past_due"] > 30, seen[0]["after"]["days_past_due"]) == (True, 0)
    version = api.get(f"{at}/state")["version"]
    ann.done(path, body, key="k")
    assert ann.done(path, body, key="k")["repeated"] is True
    assert api.topics(loan, version) == ["loan.reaged.v1", "loan.schedule_changed.v1"]
    rows = [row for row in api.get(f"{at}/state")["rows"] if row["met_on"] is None]
    assert [row["due_on"] for row in rows][:2] == ["2019-02-15", "2019-03-15"]
    assert len(rows) == 12
    assert ann.refused(path, body | {"re_age_id": "a-2"})[0] == "nothing_past_due"
    api.catch_up()
    row = api.get(at)
    assert row["waived"] == seen[0]["waived_interest"]
    assert api.accounts()["loan_portfolio"] == Decimal(row["principal"])
    (moved,) = api.get(f"{at}/transactions", {"from": ON})["rows"]
    assert (moved["kind"], moved["code"]) == ("re_ageing", "waive_interest")
    days = api.get(f"{at}/schedule", {"as_of": "2019-01-24"})["rows"]
    assert len(days) == 24


def test_what_is_past_due_is_spread_and_no_date_moves(api: Api) -> None:
    loan = behind(api)
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    before = api.get(f"{at}/state")["rows"]
    body = {"effective_on": ON, "re_amortisation_id": "m-1", "reason_code": "hardship"}
    seen = ann.preview(f"{at}/re-amortisations", body)
    assert api.get(f"{at}/state")["rows"] == before
    ann.done(f"{at}/re-amortisations", body)
    after = api.get(f"{at}/state")["rows"]
    assert [row["due_on"] for row in after] == [row["due_on"] for row in before]
    assert Decimal(after[-1]["unpaid"]) > Decimal(before[-2]["unpaid"])
    assert Decimal(seen[0]["principal"]) > 0
    again = body | {"re_amortisation_id": "m-2"}
    assert ann.refused(f"{at}/re-amortisations", again)[0] == "nothing_past_due"
    api.catch_up()
    assert api.accounts()["loan_portfolio"] == Decimal(api.get(at)["principal"])
