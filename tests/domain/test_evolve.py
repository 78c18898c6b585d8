"""Evolve applies results: it never runs the engine and never judges."""

from datetime import timedelta

import pytest

from domain.events.ending import LoanSettled
from domain.loan.evolve import evolve
from domain.loan.state import Loan
from domain.servicing import timeline
from tests.support.lives import close, days_after, disbursed, month, pay, reverse


def test_folding_a_history_never_runs_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    life = disbursed().when(pay(40_000, month(2), "second")).when(pay(33_214, month(1), "first"))
    life.when(close(days_after(month(2), 1))).when(reverse("second", days_after(month(2), 2)))

    def no_engine(*_: object) -> None:
        raise AssertionError("evolve ran the engine")

    monkeypatch.setattr(timeline, "apply", no_engine)
    loan: Loan | None = None
    for event in life.events:
        loan = evolve(loan, event)
    assert loan is not None
    assert loan.rows == life.state.rows


def test_a_history_that_cannot_be_is_our_bug_and_stops() -> None:
    with pytest.raises(ValueError, match="cannot begin"):
        evolve(None, LoanSettled(effective_on=month(1) + timedelta(days=1), how="paid"))
