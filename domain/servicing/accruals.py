"""Earned income: cumulative interest and charges to a day, minus what is posted already.

Source: domain rules 9.11 G-01 to G-06.
"""

from datetime import date
from decimal import Decimal

from domain.servicing.ledger import Charge, Ledger
from domain.servicing.period import to_minor
from domain.servicing.row import F, I, N, Row
from domain.servicing.values import ChargeAccrual, ChargeTime, Component
from domain.servicing.views import interest_of_period

Parts = dict[Component, int]


def earned(ledger: Ledger, on: date, accrual: ChargeAccrual) -> Parts:
    """Interest, fees and penalties earned up to a day, minor units."""
    parts = {I: earned_interest(ledger, on), F: 0, N: 0}
    for charge in ledger.charges:
        parts[charge.component] += _earned_charge(ledger, charge, on, accrual)
    return parts


def earned_in_full(ledger: Ledger) -> Parts:
    """All that a closed account earned."""
    parts = {I: sum(row.due[I] - row.waived[I] - row.credited[I] for row in ledger.rows), F: 0, N: 0}
    for charge in ledger.charges:
        if charge.time is not ChargeTime.DISBURSEMENT:
            parts[charge.component] += charge.amount - charge.waived
    return parts


def earned_interest(ledger: Ledger, on: date) -> int:
    """Interest of every row up to a day; rows that have not begun earn nothing."""
    return sum(_earned_by_row(ledger, row, on) for row in ledger.rows if not row.down_payment)


def _earned_by_row(ledger: Ledger, row: Row, on: date) -> int:
    if on >= row.due_on:
        return row.due[I] - row.waived[I] - row.credited[I]
    if on <= row.from_on:
        return 0
    index = ledger.plan.period_of(row.from_on, row.due_on)
    follows_plan = index is not None and not (row.re_aged and not ledger.terms.recalculates)
    if index is not None and follows_plan:
        period = ledger.plan.periods[index]
        earned = interest_of_period(ledger.plan, period, on, credited=False, prorate_fixed=True)
        return earned - row.waived[I]
    share = Decimal((on - row.from_on).days) / (row.due_on - row.from_on).days
    return to_minor(share * row.due[I])


def _earned_charge(ledger: Ledger, charge: Charge, on: date, accrual: ChargeAccrual) -> int:
    if charge.time is ChargeTime.DISBURSEMENT:
        return 0
    if charge.time is ChargeTime.INSTALMENT:
        return sum(share for due_on, share in charge.shares.items() if due_on <= on)
    since = charge.submitted_on if accrual is ChargeAccrual.SUBMITTED_DATE else charge.due_on
    assert since is not None, "a dated charge has a due date"
    return charge.amount - charge.waived if since <= on else 0


def activity_of(ledger: Ledger, row: Row) -> Parts:
    """What a row's due date recognises in one figure."""
    return {I: row.due[I], F: row.due[F], N: row.due[N]}


