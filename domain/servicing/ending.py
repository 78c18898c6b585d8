"""Ends before their time: charge-off, contract termination, write-off.

Sources: domain rules 9.9 S-21, S-22, S-24.
"""

from datetime import date

from domain.servicing.acceleration import interest_by
from domain.servicing.balancing import close_principal_gap
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.row import I, P, Row
from domain.servicing.values import ChargeOffBehaviour
from domain.servicing.views import share_of_outstanding


def charge_off(ledger: Ledger, entry: Entry) -> None:
    """Move the account to expense; amount and split are what is outstanding afterwards.

    An accelerated maturity is done before.
    """
    on = entry.on
    open_rows = any(not row.met for row in ledger.rows)
    if open_rows and ledger.terms.charge_off is ChargeOffBehaviour.ZERO_INTEREST:
        _stop_interest(ledger, on)
    ledger.charged_off_on = on
    ledger.earned_at_end = _interest_at_end(ledger, on)
    _take_outstanding(ledger, entry)
    if not entry.amount:
        ledger.charged_off_on = ledger.earned_at_end = None


def terminate(ledger: Ledger, entry: Entry) -> None:
    """End the contract; the maturity is accelerated before."""
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
            total += interest_by(ledger, row, on)
        elif ledger.terms.charge_off is ChargeOffBehaviour.REGULAR:
            total += share_of_outstanding(row, on)
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


def _stop_interest(ledger: Ledger, on: date) -> None:
    """Nothing is earned after the day; level instalments stay, so principal moves forward."""
    for row in ledger.rows:
        unpaid = row.outstanding_of(I)
        if row.from_on <= on < row.due_on:
            interest = interest_by(ledger, row, on)
            if row.met and row.total_paid and ledger.terms.recalculates and interest > 0:
                _split_anew(row, min(interest, row.due[P] + row.due[I]))
            elif unpaid > 0 or (ledger.terms.recalculates and interest > 0):
                _earn_no_more(ledger, row, row.due[I] - max(interest, row.due[I] - unpaid))
                row.update_met(on)  # one that asked for nothing, in an interest grace
        elif row.from_on > on and not row.met:
            _earn_no_more(ledger, row, max(0, unpaid))
    close_principal_gap(ledger, on)


def _split_anew(row: Row, interest: int) -> None:
    """Let a row that is met ask for what was earned, and for so much less principal.

    What was paid keeps its parts, so they may be a little off within the row; it stays met.
    """
    row.due[P] += row.due[I] - interest
    row.due[I] = interest


def _earn_no_more(ledger: Ledger, row: Row, less: int) -> None:
    row.due[I] -= less
    if not ledger.plan.by_principal:
        row.due[P] = max(row.due[P] + less, row.due[P] - row.outstanding_of(P))
