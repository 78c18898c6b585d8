"""Two counters of days, raw past due and delinquent; grace, pauses, tolerance in its forms."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.servicing import facts as f
from domain.servicing.account import Account
from domain.servicing.arrears import (
    Arrears,
    ArrearsRules,
    DelinquencyPause,
    Tolerance,
    arrears,
    late_from,
    paused_days,
)
from domain.servicing.terms import AllocationRule
from domain.servicing.timeline import Timeline
from domain.servicing.values import ChargeBasis, ChargeKind, ChargeTime, Component, DueClass, Kind
from tests.domain.servicing.plans import START, terms

DUE = date(2024, 2, 15)
PLAIN = ArrearsRules()
PENALTY_LAST = AllocationRule(
    kind=None,
    order=tuple(
        (due, component)
        for due in DueClass
        for component in (Component.INTEREST, Component.PRINCIPAL, Component.FEE, Component.PENALTY)
    ),
)
DAY = timedelta(days=1)


def loan_on(on: date, *paid: tuple[date, int], penalty: int = 0) -> Account:
    """1,000.00 at 12 % in three instalments of 340.02, penalties paid last, as it is on a day."""
    timeline = Timeline.start(terms(instalments=3, allocation=(PENALTY_LAST,))).record(
        f.Disbursed(id="0", effective_on=START, entered_on=START, amount_minor=1_000_00)
    )
    if penalty:
        timeline = timeline.record(
            f.ChargeAdded(
                id="p",
                effective_on=DUE,
                entered_on=DUE,
                code="late",
                kind=ChargeKind.PENALTY,
                time=ChargeTime.SPECIFIED_DUE_DATE,
                basis=ChargeBasis.FLAT,
                due_on=DUE,
                amount_minor=penalty,
            )
        )
    for number, (day, amount) in enumerate(paid, 1):
        timeline = timeline.record(
            f.Paid(
                id=str(number),
                effective_on=day,
                entered_on=day,
                kind=Kind.REPAYMENT,
                amount_minor=amount,
            )
        )
    return timeline.account_as_of(on)


@pytest.mark.parametrize(("days", "counted"), [(-1, 0), (0, 0), (1, 1), (29, 29), (30, 30)])
def test_the_count_is_0_on_the_due_date_and_1_the_day_after(days: int, counted: int) -> None:
    """Source: domain rules, 2.1."""
    on = DUE + DAY * days
    assert arrears(loan_on(on), on, PLAIN).past_due_days == counted


def test_a_partial_payment_does_not_cure_and_the_whole_moves_to_the_next_unpaid_one() -> None:
    """Source: domain rules, 2.1; 10 (invariant 5)."""
    on = date(2024, 3, 20)
    partly = arrears(loan_on(on, (DUE, 340_01)), on, PLAIN)
    assert (partly.past_due_days, partly.oldest_due_on) == (34, DUE)
    wholly = arrears(loan_on(on, (DUE, 340_02)), on, PLAIN)
    assert (wholly.past_due_days, wholly.oldest_due_on) == (5, date(2024, 3, 15))
    assert arrears(loan_on(on, (DUE, 680_04)), on, PLAIN) == Arrears()


def test_what_is_past_due_is_split_by_component() -> None:
    on = date(2024, 3, 20)
    found = arrears(loan_on(on), on, PLAIN).past_due
    assert (found.principal, found.interest) == (330_02 + 333_32, 10_00 + 6_70)


def test_grace_and_pause_hold_the_second_counter_and_never_the_first() -> None:
    """Source: domain rules, 2.2: paused days and grace are taken off the delinquent days alone."""
    on = DUE + DAY * 20
    pause = DelinquencyPause(start=DUE + DAY * 5, end=DUE + DAY * 9)
    found = arrears(loan_on(on), on, ArrearsRules(grace_days=3), [pause])
    assert (found.past_due_days, found.delinquent_days) == (20, 20 - 4 - 3)
    assert found.delinquent_on == DUE + DAY * 3


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [(5, 9, 4), (-9, 4, 4), (15, 40, 5), (-9, -1, 0), (30, 40, 0), (7, 7, 0)],
)
def test_a_pause_counts_between_the_oldest_due_date_and_the_day(
    start: int, end: int, days: int
) -> None:
    """Source: domain rules, 2.2: [start, end), from the oldest unmet due date to the day."""
    pause = DelinquencyPause(start=DUE + DAY * start, end=DUE + DAY * end)
    assert paused_days([pause], DUE, DUE + DAY * 20) == days


@pytest.mark.parametrize(
    ("tolerance", "late"),
    [
        (Tolerance(amount_minor=40_02), False),
        (Tolerance(amount_minor=40_01), True),
        (Tolerance(percent=Decimal(6)), False),  # 6 % of 706.68 is 42.40
        (Tolerance(percent=Decimal(5)), True),
        (Tolerance(days=10), False),
        (Tolerance(days=9), True),
        (Tolerance(monthly_day=25), False),
        (Tolerance(monthly_day=24), True),
    ],
)
def test_tolerance_is_an_amount_a_percentage_or_days(tolerance: Tolerance, *, late: bool) -> None:
    """Source: domain rules, 2.1: 40.02 of the first instalment is unpaid ten days late."""
    on = DUE + DAY * 10
    found = arrears(loan_on(on, (DUE, 300_00)), on, ArrearsRules(tolerance=tolerance))
    assert found.past_due_days == (10 if late else 0)


@pytest.mark.parametrize(
    ("due_on", "day", "late"),
    [
        (date(2024, 2, 15), 20, date(2024, 2, 20)),
        (date(2024, 2, 15), 15, date(2024, 2, 15)),
        (date(2024, 2, 15), 10, date(2024, 3, 10)),
        (date(2024, 12, 20), 5, date(2025, 1, 5)),
        (date(2024, 2, 15), 31, date(2024, 2, 29)),
    ],
)
def test_a_monthly_tolerance_day_is_the_first_on_or_after_the_due_date(
    due_on: date, day: int, late: date
) -> None:
    """Source: domain rules, 2.1 (monthly tolerance day)."""
    assert late_from(due_on, Tolerance(monthly_day=day)) == late


def test_penalty_alone_keeps_no_loan_past_due_unless_the_policy_says_so() -> None:
    """Source: domain rules, 2.1."""
    on = DUE + DAY * 10
    account = loan_on(on, (DUE, 345_02 - 3_00), penalty=5_00)
    assert account.instalments[0].outstanding == 3_00
    assert arrears(account, on, PLAIN) == Arrears()
    assert arrears(account, on, ArrearsRules(penalty_counts=True)).past_due_days == 10
