"""Earned income: cumulative interest and charges to a day, minus what is posted already.

Source: domain rules 9.11 G-01 to G-06.
"""

from datetime import date
from decimal import Decimal

from domain.servicing.dates import ONE_DAY
from domain.servicing.ledger import Charge, Ledger
from domain.servicing.movements import earn_on_overdue
from domain.servicing.period import to_minor
from domain.servicing.plan import Plan
from domain.servicing.row import F, I, N, Row
from domain.servicing.values import (
    ChargeAccrual,
    ChargeTime,
    Component,
    OverdueInterest,
    YearBoundary,
)
from domain.servicing.views import interest_of_period

Parts = dict[Component, int]


def earned(ledger: Ledger, on: date, accrual: ChargeAccrual) -> Parts:
    """Interest, fees and penalties earned up to a day, minor units."""
    until = on
    if ledger.terms.year_boundary is YearBoundary.JANUARY_1:
        until += ONE_DAY  # interest is recognised on the day it starts to be earned
    parts = {I: earned_interest(ledger, until), F: 0, N: 0}
    for charge in ledger.charges:
        parts[charge.component] += _earned_charge(charge, on, accrual)
    return parts


def earned_in_full(ledger: Ledger) -> Parts:
    """All that a closed account earned."""
    parts = {
        I: sum(_earned_of_due(row) for row in ledger.rows),
        F: 0,
        N: 0,
    }
    for charge in ledger.charges:
        if charge.time is not ChargeTime.DISBURSEMENT:
            parts[charge.component] += charge.amount - charge.waived
    return parts


def earned_interest(ledger: Ledger, on: date) -> int:
    """Interest of every row up to a day; rows that have not begun earn nothing.

    The running row earns on overdue principal up to the day; past rows stand as they are.
    """
    plan = ledger.plan
    if ledger.recalculates and ledger.terms.overdue_interest is OverdueInterest.EARNS:
        plan = plan.copy()
        earn_on_overdue(plan, on, prepays_all=ledger.prepays_all)
    rows = (row for row in ledger.rows if not row.down_payment)
    return sum(_earned_by_row(ledger, plan, row, on) for row in rows)


def _earned_by_row(ledger: Ledger, plan: Plan, row: Row, on: date) -> int:
    if on >= row.due_on:
        return _earned_of_due(row)
    if on <= row.from_on:
        return 0
    index = plan.period_of(row.from_on, row.due_on)
    follows_plan = index is not None and not (row.re_aged and not ledger.terms.recalculates)
    if index is not None and follows_plan:
        period = plan.periods[index]
        earned = interest_of_period(plan, period, on, credited=False, prorate_fixed=True)
        return earned - row.waived[I]
    share = Decimal((on - row.from_on).days) / (row.due_on - row.from_on).days
    return to_minor(share * row.due[I])


def _earned_of_due(row: Row) -> int:
    """Interest of a row that is its own: not credited, never below zero once it moved on."""
    return max(0, row.due[I] - row.waived[I] - row.credited[I])


def _earned_charge(charge: Charge, on: date, accrual: ChargeAccrual) -> int:
    if charge.time is ChargeTime.DISBURSEMENT:
        return 0
    if charge.time is ChargeTime.INSTALMENT:
        return sum(share for due_on, share in charge.shares.items() if due_on <= on)
    since = charge.submitted_on if accrual is ChargeAccrual.SUBMITTED_DATE else charge.due_on
    assert since is not None, "a dated charge has a due date"
    return charge.amount - charge.waived if since <= on else 0
