"""Two counters of a stored loan: raw days past due, and delinquent days with grace and pauses.

The first of twelve instalments fell due on 15 February; nothing was paid.
"""

from dataclasses import replace
from datetime import date

import pytest

from domain.commands import servicing as cs
from domain.events.arrears import DelinquencyPaused
from domain.loan.arrears import days_past_due, delinquent_days, overdue
from domain.loan.terms import ArrearsConditions
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    Life,
    close,
    days_after,
    disbursed,
    folded_again,
    month,
    pay,
    product_refused,
)

FEB = month(1)


def by(days: int) -> date:
    return days_after(FEB, days)


def pause(first: int, last: int) -> cs.PauseDelinquency:
    return cs.PauseDelinquency(loan_id=LOAN, effective_on=by(first), until_on=by(last))


def lent(grace: int = 0) -> Life:
    return disbursed(
        instalments=12,
        conditions=replace(CONDITIONS, arrears=ArrearsConditions(grace_days=grace)),
    )


def counted(life: Life, on: date) -> tuple[int, int]:
    late = overdue(life.state.rows, on, life.conditions)
    return days_past_due(late, on), delinquent_days(life.state, late, on)


@pytest.mark.parametrize(
    ("grace", "paused", "days", "delinquent"),
    [
        (0, None, 20, 20),
        (3, None, 20, 17),
        (3, None, 3, 0),
        (0, (5, 9), 5, 5),
        (0, (5, 9), 6, 5),  # it stands still from the day after the first
        (0, (5, 9), 9, 5),  # up to and including the last
        (0, (5, 9), 10, 6),
        (3, (5, 9), 20, 13),
        (0, (-9, 4), 20, 16),  # days before the due date hold nothing
    ],
)
def test_grace_and_pauses_hold_the_second_counter_and_never_the_first(
    grace: int, paused: tuple[int, int] | None, days: int, delinquent: int
) -> None:
    """Source: domain rules, 2.2."""
    life = lent(grace)
    if paused is not None:
        life.when(pause(*paused), reason="hardship").then(DelinquencyPaused)
    assert counted(life, by(days)) == (days, delinquent)
    assert folded_again(life).count_pauses == life.state.count_pauses


def test_a_bucket_is_of_the_raw_days() -> None:
    life = lent(grace=30).when(pause(1, 25), reason="hardship").when(close(by(20)))
    assert (life.state.bucket, life.state.days_past_due) == ("1-29", 20)


def test_a_loan_that_is_not_past_due_is_not_delinquent() -> None:
    life = lent().when(pause(1, 9), reason="hardship").when(pay(88_849, by(10)))
    assert counted(life, by(12)) == (0, 0)


@pytest.mark.parametrize(
    ("command", "reason", "code", "field"),
    [
        (pause(5, 5), "r", "pause_out_of_range", "until_on"),
        (pause(5, 372), "r", "pause_out_of_range", "until_on"),
        (pause(3, 6), "r", "already_paused", "effective_on"),
        (pause(12, 30), "r", "already_paused", "effective_on"),
        (pause(20, 30), None, "reason_missing", "reason_code"),
        (pause(-60, 30), "r", "before_disbursement", "effective_on"),
    ],
)
def test_a_pause_that_cannot_be_is_refused(
    command: cs.PauseDelinquency, reason: str | None, code: str, field: str
) -> None:
    life = lent().when(pause(5, 15), reason="hardship")
    life.now = by(40)
    no = life.refused(command, reason=reason)
    assert (no.code, no.field) == (code, field)


def test_pauses_may_follow_on_each_other() -> None:
    life = lent().when(pause(5, 15), reason="hardship").when(pause(15, 20), reason="hardship")
    assert counted(life, by(25)) == (25, 10)


@pytest.mark.parametrize("grace", [-1, 367])
def test_a_grace_that_cannot_be_is_refused(grace: int) -> None:
    no = product_refused(replace(CONDITIONS, arrears=ArrearsConditions(grace_days=grace)))
    assert (no.code, no.field) == ("bad_bounds", "arrears")
