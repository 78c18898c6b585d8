"""Evolve applies results: it runs no engine and judges nothing. A fold is many of its steps."""

from datetime import timedelta

import pytest

from domain.events import TOPICS
from domain.events.application import LoanApplied
from domain.events.ending import LoanSettled
from domain.events.registry import Event
from domain.loan.evolve import evolve, fold
from domain.loan.facts import FACTS, fact_of
from domain.servicing import timeline
from domain.servicing.facts import Reversed
from tests.support.golden_events import sample
from tests.support.lives import (
    Life,
    close,
    days_after,
    disbursed,
    folded_all_ways,
    month,
    pay,
    reverse,
    told_of,
)


def _paid_out_of_order() -> Life:
    life = disbursed().when(pay(40_000, month(2), "second")).when(pay(33_214, month(1), "first"))
    return life.when(close(days_after(month(2), 1))).when(
        reverse("second", days_after(month(2), 2))
    )


def test_folding_a_history_never_runs_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    life = _paid_out_of_order()

    def no_engine(*_: object) -> None:
        raise AssertionError("evolve ran the engine")

    monkeypatch.setattr(timeline, "apply", no_engine)
    assert folded_all_ways(life.events).rows == life.state.rows


def test_a_fold_goes_on_from_any_step() -> None:
    events = _paid_out_of_order().events
    whole = fold(None, events)
    for count in range(len(events) + 1):
        continued = fold(fold(None, events[:count]), events[count:])
        assert told_of(continued) == told_of(whole)


def test_without_events_nothing_changes() -> None:
    loan = disbursed().state
    assert fold(None, []) is None
    assert fold(loan, []) == loan


def test_a_history_that_cannot_be_is_our_bug_and_stops() -> None:
    life = disbursed().when(pay(40_000, month(1)))
    with pytest.raises(ValueError, match="cannot begin"):
        evolve(None, LoanSettled(effective_on=month(1) + timedelta(days=1), how="paid"))
    before = told_of(life.state)
    with pytest.raises(ValueError, match="LoanApplied cannot follow"):
        fold(life.state, [*life.events[-1:], life.events[0]])
    assert told_of(life.state) == before, "the loan it began with was changed"


FOLLOWING = [
    kind for topic, kind in TOPICS.items() if topic.startswith("loan.") and kind is not LoanApplied
]


@pytest.mark.parametrize("kind", FOLLOWING, ids=lambda kind: kind.__name__)
def test_every_event_of_a_loan_changes_it_alike_in_a_step_and_in_a_fold(kind: type[Event]) -> None:
    event, before = sample(kind), disbursed()
    if kind in FACTS and isinstance(fact_of(event), Reversed):
        with pytest.raises(KeyError):
            evolve(before.state, event)  # it takes back what was never told
        return
    after = evolve(before.state, event)
    at_once = fold(None, [*before.events, event])
    assert told_of(at_once) == told_of(after)
