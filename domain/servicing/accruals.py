"""Earned income: interest and charges earned to a day, in all, to an end, and row by row.

It says what was earned; `closing` posts the difference to what is posted already.
Source: domain rules 9.11 G-01 to G-06.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from domain.servicing.charges import row_bearing
from domain.servicing.dates import ONE_DAY
from domain.servicing.ledger import Charge, Ledger
from domain.servicing.movements import earn_on_overdue
from domain.servicing.period import to_minor
from domain.servicing.plan import Plan
from domain.servicing.row import I, Row
from domain.servicing.values import (
    AccrualBasis,
    ChargeAccrual,
    ChargeTime,
    OverdueInterest,
    YearBoundary,
)
from domain.servicing.views import interest_of_period


@dataclass(slots=True, kw_only=True)
class Earned:
    """Interest, and every charge by its id; minor units."""

    interest: int = 0
    charges: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True, kw_only=True)
class EarnedByRow:
    """What a row of a cumulative loan earned, recognised on a day of its own."""

    from_on: date
    due_on: date
    first: bool
    earned: Earned

    def holds(self, on: date) -> bool:
        """Whether a day belongs to the row; the first row also takes its first day."""
        return self.from_on < on <= self.due_on or (self.first and on == self.from_on)


def earned(ledger: Ledger, on: date, accrual: ChargeAccrual) -> Earned:
    """Interest and charges earned up to a day."""
    until = on
    if ledger.terms.year_boundary is YearBoundary.JANUARY_1:
        until += ONE_DAY  # interest is recognised on the day it starts to be earned
    return Earned(
        interest=earned_interest(ledger, until),
        charges={c.id: _earned_charge(c, on, accrual) for c in ledger.charges},
    )


def earned_in_full(ledger: Ledger) -> Earned:
    """All that a closed account earned."""
    total = Earned(interest=sum(_earned_of_due(row) for row in ledger.rows))
    for charge in ledger.charges:
        if charge.time is ChargeTime.INSTALMENT and ledger.terms.cumulative:
            total.charges |= {f"{charge.id}@{on}": share for on, share in charge.shares.items()}
        else:
            total.charges[charge.id] = _recognisable(charge)
    return total


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
    if on > row.due_on or (on == row.due_on and ledger.terms.cumulative):
        return _earned_of_due(row)
    if on <= row.from_on:
        return 0
    if ledger.terms.accrual_basis is AccrualBasis.PRORATED_PERIOD_INTEREST:
        return _prorated(row, on)
    index = plan.period_of(row.from_on, row.due_on)
    follows_plan = index is not None and not (row.re_aged and not ledger.terms.recalculates)
    if index is not None and follows_plan and not ledger.terms.cumulative:
        period = plan.periods[index]
        interest = interest_of_period(plan, period, on, credited=False, prorate_fixed=True)
        return interest - row.waived[I]
    return _prorated(row, on)


def _prorated(row: Row, on: date) -> int:
    share = Decimal((on - row.from_on).days) / (row.due_on - row.from_on).days
    return to_minor(share * row.due[I])


def _earned_of_due(row: Row) -> int:
    """Interest of a row that is its own: not credited, never below zero once it moved on."""
    return max(0, row.due[I] - row.waived[I] - row.credited[I])


def _earned_charge(charge: Charge, on: date, accrual: ChargeAccrual) -> int:
    if charge.time is ChargeTime.INSTALMENT:
        return sum(share for due_on, share in charge.shares.items() if due_on <= on)
    since = _counts_since(charge, accrual)
    return _recognisable(charge) if since is not None and since <= on else 0


def _recognisable(charge: Charge) -> int:
    """What of a charge is income: not what is taken at disbursement, nor what was given up."""
    if charge.time is ChargeTime.DISBURSEMENT:
        return 0
    return charge.amount - charge.given_up


def _counts_since(charge: Charge, accrual: ChargeAccrual) -> date | None:
    """Day a charge is earned: its due date, or the day it was added if that is earlier."""
    if charge.due_on is None or accrual is ChargeAccrual.DUE_DATE:
        return charge.due_on
    return min(charge.submitted_on, charge.due_on)


def earned_by_rows(ledger: Ledger, on: date, accrual: ChargeAccrual) -> Iterator[EarnedByRow]:
    """What every row of a cumulative loan earned up to a day, charges with the row they fall in."""
    first = True
    for row in ledger.rows:
        if row.down_payment:
            continue
        part = EarnedByRow(from_on=row.from_on, due_on=row.due_on, first=first, earned=Earned())
        part.earned.interest = _earned_by_row(ledger, ledger.plan, row, on)
        for charge in ledger.charges:
            if charge.time is ChargeTime.INSTALMENT:
                share = charge.shares.get(row.due_on, 0)
                part.earned.charges[f"{charge.id}@{row.due_on}"] = share if row.due_on <= on else 0
            elif charge.due_on is not None and row_bearing(ledger, charge) is row:
                part.earned.charges[charge.id] = _earned_charge(charge, on, accrual)
        yield part
        first = False
