"""Ends before their time: charge-off, contract termination, write-off.

Sources: domain rules 9.9 S-21, S-22, S-24.
"""

from datetime import date
from decimal import Decimal

from domain.servicing.ledger import Entry, Ledger
from domain.servicing.period import to_minor
from domain.servicing.row import COMPONENTS, I, P, Row
from domain.servicing.values import ChargeOffBehaviour
from domain.servicing.views import interest_of_period


def charge_off(ledger: Ledger, entry: Entry) -> None:
    """Move the account to expense; amount and split are what is outstanding afterwards."""
    on = entry.on
    if any(not row.met for row in ledger.rows):
        if ledger.terms.charge_off is ChargeOffBehaviour.ZERO_INTEREST:
            _stop_interest(ledger, on)
        elif ledger.terms.charge_off is ChargeOffBehaviour.ACCELERATE_MATURITY:
            accelerate(ledger, on)
    ledger.charged_off_on = on
    ledger.earned_at_end = _interest_at_end(ledger, on)
    _take_outstanding(ledger, entry)
    if not entry.amount:
        ledger.charged_off_on = ledger.earned_at_end = None


def terminate(ledger: Ledger, entry: Entry) -> None:
    """Interest to the day, all principal due then, later instalments removed."""
    if any(not row.met for row in ledger.rows):
        accelerate(ledger, entry.on)
    ledger.earned_at_end = _interest_at_end(ledger, entry.on)
    ledger.terminated_on = entry.on
    _take_outstanding(ledger, entry)
    if not entry.amount:
        ledger.terminated_on = ledger.earned_at_end = None


def _interest_at_end(ledger: Ledger, on: date) -> int:
    """Interest of past rows, and of the running one up to the day."""
    total = 0
    for row in ledger.rows:
        if row.additional or row.from_on > on:
            continue
        if row.due_on <= on:
            total += row.due[I] - row.credited[I]
        elif ledger.terms.recalculates:
            total += _interest_by(ledger, row, on)
        elif ledger.terms.charge_off is ChargeOffBehaviour.REGULAR:
            total += _share_of_outstanding(row, on)
        else:
            total += row.outstanding_of(I)
    return total


def _take_outstanding(ledger: Ledger, entry: Entry) -> None:
    entry.parts = ledger.outstanding()
    entry.amount = sum(entry.parts.values())
    entry.void = entry.amount == 0


def write_off(ledger: Ledger, entry: Entry) -> None:
    """Give up all that is outstanding and close the account."""
    if ledger.terms.recalculates and not ledger.charged_off_on and not ledger.terminated_on:
        ledger.sync_interest()
    ledger.written_off = True
    for row in ledger.rows:
        if row.outstanding:
            for component, amount in row.write_off(entry.on).items():
                entry.parts[component] += amount
    entry.amount = sum(entry.parts.values())


def _interest_by(ledger: Ledger, row: Row, on: date) -> int:
    """Interest of a running row up to a day."""
    period = ledger.period_of(row)
    if ledger.terms.recalculates and period is not None:
        return interest_of_period(ledger.plan, period, on)
    return _share_of_outstanding(row, on)


def _share_of_outstanding(row: Row, on: date) -> int:
    days = (row.due_on - row.from_on).days
    elapsed = (on - row.from_on).days
    return to_minor(Decimal(row.outstanding_of(I)) / days * elapsed)


def _stop_interest(ledger: Ledger, on: date) -> None:
    """Nothing is earned after the day; instalments stay, so principal moves forward."""
    for row in ledger.rows:
        if row.from_on <= on < row.due_on:
            interest = _interest_by(ledger, row, on)
            if row.outstanding_of(I) > 0 or (ledger.terms.recalculates and interest > 0):
                row.due[P] += row.due[I] - interest
                row.due[I] = interest
        elif row.from_on > on and not row.met:
            unpaid = row.outstanding_of(I)
            row.due[P] += max(0, unpaid)
            row.due[I] -= max(0, unpaid)
    _close_principal_gap(ledger, on)


def _close_principal_gap(ledger: Ledger, on: date) -> None:
    """Take principal that is too much or missing from the last rows backwards."""
    credited = sum(row.credited[P] for row in ledger.rows)
    out = ledger.plan.total_money_out + sum(r.due[P] for r in ledger.rows if r.down_payment)
    gap = out + credited - sum(row.due[P] for row in ledger.rows if not row.additional)
    for row in reversed(ledger.rows[1:]):
        if not gap:
            return
        if row.additional or row.met:
            continue
        before = row.due[P]
        row.due[P] = max(0, before + gap)
        row.check_met(on)
        gap -= row.due[P] - before


def accelerate(ledger: Ledger, on: date) -> None:
    """End the current row on the day with all remaining principal; later rows disappear."""
    regular = [row for row in ledger.rows if row.regular]
    current = next((r for r in regular if r.from_on < on <= r.due_on), None)
    if current is None and on == regular[0].from_on:
        current = regular[0]
    last = regular[-1]
    if current is None or on >= last.due_on:
        return
    fixed = ledger.re_aged_equally_on is not None  # interest is owed whole: nothing is earned
    if not fixed and (not current.met or ledger.terms.recalculates):
        interest = _interest_by(ledger, current, on)
        if current.outstanding_of(I) > 0 or interest > 0:
            current.due[I] = max(interest, current.paid[I])
    later = [row for row in ledger.rows if row.from_on >= on and row is not current]
    later = [row for row in later if row.due_on > on]
    current.due_on = on
    for row in later:
        _take_over(current, row, interest=row.due[I] if fixed else row.paid[I])
    ledger.rows = [row for row in ledger.rows if row not in later]
    current.check_met(on)
    ledger.renumber()


def _take_over(current: Row, row: Row, *, interest: int) -> None:
    for component in COMPONENTS:
        if component is I:
            current.due[I] += interest
        else:
            current.due[component] += row.due[component]
        current.paid[component] += row.paid[component]
        current.waived[component] += row.waived[component]
        current.credited[component] += row.credited[component]
    current.in_advance += row.in_advance
