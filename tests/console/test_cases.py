"""Claiming and releasing a case on the queue's page: one person a case, each form once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from consumers.real_book.dataset import PublishedStatus
from projections import worklist
from tests.console.conftest import Console, Visitor
from tests.support.html import Node


def case_of(console: Console, loan_id: str) -> dict[str, Any]:
    found = console.ask(lambda db: worklist.case(db, loan_id))
    assert found is not None
    return found


def form_of(visitor: Visitor, loan_id: str, action: str) -> Node:
    """The form of a loan's row on the queue."""
    return visitor.get("/console/queue").one("form", action=f"/console/queue/{loan_id}/{action}")


@pytest.fixture
def loan_id(console: Console) -> Iterator[str]:
    """A late loan whose case nobody has; it is put back into the queue afterwards."""
    loan = console.loan_with(PublishedStatus.LATE_31)
    assert case_of(console, loan)["claimed_by"] is None
    yield loan
    if case_of(console, loan)["claimed_by"] is not None:
        sue = console.signed_in("sue")
        assert sue.send(form_of(sue, loan, "release")).status_code == 303


def test_a_claimed_case_is_mine_until_i_release_it(console: Console, loan_id: str) -> None:
    cal = console.signed_in("cal")
    answer = cal.send(form_of(cal, loan_id, "claim"))
    assert answer.headers["location"] == f"/console/queue?loan={loan_id}&done=claimed"
    page = cal.get(answer.headers["location"])
    assert page.one("p", role="status").text.startswith("The case is yours")
    mine = cal.get("/console/queue", who="mine").one("tbody").all("tr")
    assert len(mine) == 1
    assert case_of(console, loan_id)["claimed_by"] == "cal"
    loan_page = cal.get(f"/console/loans/{loan_id}")
    assert "you" in loan_page.one("section", aria_labelledby="case").text
    release = loan_page.one("form", action=f"/console/queue/{loan_id}/release")
    back = cal.send(release, cause="promise_taken")
    assert back.headers["location"] == f"/console/loans/{loan_id}?loan={loan_id}&done=released"
    case = case_of(console, loan_id)
    assert (case["claimed_by"], case["release_cause"]) == (None, "promise_taken")
    trail = console.signed_in("aud").get("/console/audit", stream=f"case-{loan_id}", actor_id="cal")
    assert "Case released" in trail.text


def test_a_case_that_somebody_has_is_not_given_away(console: Console, loan_id: str) -> None:
    cal, dee = console.signed_in("cal"), console.signed_in("dee")
    late = form_of(dee, loan_id, "claim")
    cal.send(form_of(cal, loan_id, "claim"))
    answer = dee.send(late)
    page = dee.get(answer.headers["location"])
    assert page.one("p", role="alert").text.startswith("Somebody else works on this case")
    assert case_of(console, loan_id)["claimed_by"] == "cal"
    assert not page.all("form", action=f"/console/queue/{loan_id}/release")


def test_two_people_at_once_never_get_the_same_case(console: Console, loan_id: str) -> None:
    visitors = [console.signed_in(who) for who in ("cal", "dee", "sue")]
    forms = [form_of(visitor, loan_id, "claim") for visitor in visitors]
    with ThreadPoolExecutor(len(visitors)) as at_once:
        answers = list(at_once.map(Visitor.send, visitors, forms))
    places = [answer.headers["location"] for answer in answers]
    assert len([place for place in places if place.endswith("done=claimed")]) == 1
    assert len([place for place in places if place.endswith("refused=case_claimed")]) == 2


def test_a_form_sent_twice_counts_once(console: Console, loan_id: str) -> None:
    cal = console.signed_in("cal")
    form = form_of(cal, loan_id, "claim")
    version = case_of(console, loan_id)["version"]
    answers = [cal.send(form) for _ in range(3)]
    assert {answer.headers["location"] for answer in answers} == {
        f"/console/queue?loan={loan_id}&done=claimed"
    }
    assert case_of(console, loan_id)["version"] == version + 1


def test_filters_are_kept_on_the_way_back(console: Console, loan_id: str) -> None:
    cal = console.signed_in("cal")
    page = cal.get("/console/queue", who="nobody", bucket="")
    form = page.one("form", action=f"/console/queue/{loan_id}/claim")
    answer = cal.send(form)
    assert "who=nobody" in answer.headers["location"]
    assert answer.headers["location"].endswith("done=claimed")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"form_secret": "guessed"}, 403),
        ({"form_secret": "é"}, 403),
        ({"key": ""}, 422),
        ({"cause": "bored"}, 422),
    ],
)
def test_a_form_that_is_not_the_page_s_own_changes_nothing(
    changes: dict[str, str], status: int, console: Console, loan_id: str
) -> None:
    cal = console.signed_in("cal")
    cal.send(form_of(cal, loan_id, "claim"))
    before = case_of(console, loan_id)
    answer = cal.send(form_of(cal, loan_id, "release"), **changes)
    assert answer.status_code == status
    assert case_of(console, loan_id) == before


def test_who_may_not_collect_cannot_claim(console: Console, loan_id: str) -> None:
    rita = console.signed_in("rita")
    secret = rita.get("/console/queue").one("input", name="form_secret").get("value")
    fields = {"form_secret": secret, "key": "0123456789"}
    answer = rita.http.post(f"/console/queue/{loan_id}/claim", data=fields)
    assert answer.status_code == 403
    assert case_of(console, loan_id)["claimed_by"] is None
