"""Plans and terminations taken back over HTTP, and what the read models make of it."""

from decimal import Decimal

import pytest

from tests.api.conftest import Api
from tests.api.test_replanning import ON, behind

ZERO = Decimal(0)
DONE = {
    "re-ageings": {
        "re_age_id": "a-1",
        "first_due_on": "2019-02-15",
        "instalments": 12,
        "interest": "waive_interest",
        "willing_and_able": True,
    },
    "re-amortisations": {"re_amortisation_id": "m-1", "interest": "waive_interest"},
    "contract-terminations": {"cause": "breach"},
}
ID = {"re-ageings": {"re_age_id": "a-1"}, "re-amortisations": {"re_amortisation_id": "m-1"}}
KIND = {
    "re-ageings": ("re_ageing", "re_ageing_reversal"),
    "re-amortisations": ("re_amortisation", "re_amortisation_reversal"),
    "contract-terminations": ("termination", "termination_reversal"),
}


def plan(api: Api, loan: str) -> tuple[list[str], Decimal]:
    """Due dates, and all principal: parts of an instalment move with the days that are overdue."""
    rows = api.get(f"/v1/loans/{loan}/state")["rows"]
    return [row["due_on"] for row in rows], sum((Decimal(row["principal"]) for row in rows), ZERO)


@pytest.mark.parametrize("what", DONE)
def test_it_is_previewed_taken_back_once_and_shown(api: Api, what: str) -> None:
    loan = behind(api)
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    api.catch_up()
    before, books = plan(api, loan), api.accounts()
    reason = {"effective_on": ON, "reason_code": "hardship"}
    ann.done(f"{at}/{what}", DONE[what] | reason)
    path, body = f"{at}/{what[:-1]}-reversals", ID.get(what, {}) | reason | {"cause": "wrong_loan"}
    silent = {name: value for name, value in body.items() if name != "reason_code"}
    assert ann.refused(path, silent, status=422)[0] == "reason_missing"
    seen = [event["topic"] for event in ann.preview(path, body)]
    version = api.get(f"{at}/state")["version"]
    assert ann.done(path, body, key="undo")["repeated"] is False
    assert ann.done(path, body, key="undo")["repeated"] is True
    assert api.topics(loan, version) == seen
    assert plan(api, loan) == before
    assert ann.refused(path, body)[0] == "nothing_to_reverse"
    api.catch_up()
    assert api.accounts() == books
    row = api.get(at)
    assert (row["waived"], row["terminated_on"]) == ("0.00", None)
    assert Decimal(row["principal"]) == api.accounts()["loan_portfolio"]
    moved = api.get(f"{at}/transactions", {"from": ON})["rows"]
    assert [one["kind"] for one in moved] == list(KIND[what])
    shown = api.get(f"{at}/schedule")["rows"]
    assert [line["due_on"] for line in shown] == before[0]


def test_what_something_followed_on_is_not_taken_back(api: Api) -> None:
    loan = behind(api)
    at, ann = f"/v1/loans/{loan}", api.as_("ann")
    reason = {"effective_on": ON, "reason_code": "hardship"}
    ann.done(f"{at}/re-ageings", DONE["re-ageings"] | reason)
    api.pay(loan, "1.00", ON)
    body = ID["re-ageings"] | reason | {"cause": "wrong_loan"}
    assert ann.refused(f"{at}/re-ageing-reversals", body) == ("not_latest", "re_age_id")
