"""Credits given back and taken back: chargebacks, refunds of overpayment, refunds of interest.

Sources: domain rules 9.9 S-15, S-16, S-18; 9.7 A-11.
"""

from datetime import date

from domain.servicing.allocation import allocate
from domain.servicing.charges import add_row_after_maturity
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.movements import credit, pay_principal
from domain.servicing.row import COMPONENTS, F, I, N, P, Row
from domain.servicing.values import ChargeOffBehaviour, Component

Parts = dict[Component, int]


def charge_back(ledger: Ledger, entry: Entry, payment_id: str) -> None:
    """Undo part of a payment as new debt on the row that contains the day, after maturity N+1."""
    order = ledger.terms.chargeback_order
    if ledger.terms.recalculates or order:
        parts = _chargeback_parts(ledger, entry, payment_id)
        entry.overpayment = min(ledger.overpaid, entry.amount)
        entry.parts = dict(parts)
        _add_debt(ledger, entry.on, parts)
        _use_overpayment(ledger, entry)
    else:
        return_principal(ledger, entry)


def _chargeback_parts(ledger: Ledger, entry: Entry, payment_id: str) -> Parts:
    """Split by the product's order, each part up to what the payment covered (A-11)."""
    parts = dict.fromkeys(COMPONENTS, 0)
    order = ledger.terms.chargeback_order
    if not order:
        parts[P] = entry.amount
        return parts
    payment = next((e for e in ledger.entries if e.id == payment_id), None)
    if payment is None:  # it does not count by now: nothing of it covered anything
        parts[P] = entry.amount
        return parts
    covered = dict(payment.parts)
    for earlier in ledger.entries:
        if earlier.source_id == payment_id and earlier is not entry:
            for component in COMPONENTS:
                covered[component] -= earlier.parts[component]
    left = entry.amount
    for component in order:
        taken = min(left, max(0, covered[component]))
        parts[component] = taken
        left -= taken
    return parts


def _add_debt(ledger: Ledger, on: date, parts: Parts) -> None:
    if _plan_leads(ledger) and on <= ledger.plan.maturity:
        if parts[P]:
            credit(ledger.plan, on, principal=parts[P])
        if parts[I]:
            credit(ledger.plan, on, interest=parts[I])
        ledger.sync_rows(on)
        row = _row_for_credit(ledger, on)
        charged = {c: parts[c] for c in (F, N)}
    else:
        row = _row_for_credit(ledger, on)
        charged = parts
    if row is None:
        row = ledger.additional_row() or add_row_after_maturity(ledger, on)
        row.due_on = max(row.due_on, on)
    for component, amount in charged.items():
        if amount:
            row.beside.credited[component] += amount
            row.ask(component, amount, on)


def _plan_leads(ledger: Ledger) -> bool:
    """Whether rows ask for what the plan says; once interest has stopped there are rows only."""
    stops = ledger.terms.charge_off is not ChargeOffBehaviour.REGULAR
    stopped = ledger.terminated_on is not None or (ledger.charged_off_on is not None and stops)
    return ledger.terms.recalculates and not stopped


def _row_for_credit(ledger: Ledger, on: date) -> Row | None:
    rows = [row for row in ledger.rows if row.regular]
    if on == rows[-1].due_on:
        return rows[-1]
    return next((row for row in rows if row.due_on > on), None)


def _use_overpayment(ledger: Ledger, entry: Entry) -> None:
    """New debt is first paid from what was overpaid."""
    if ledger.overpaid > 0:
        parts = dict(entry.parts)
        ledger.overpaid = allocate(ledger, entry, ledger.overpaid, ledger.terms.rule_for(None))
        entry.parts = parts


def use_overpayment(ledger: Ledger, entry: Entry) -> None:
    """Money paid out later is first paid back from what was overpaid."""
    if ledger.overpaid > 0:
        entry.overpayment = min(entry.amount, ledger.overpaid)
        _use_overpayment(ledger, entry)


def return_principal(ledger: Ledger, entry: Entry) -> None:
    """Pay out overpayment; what exceeds it becomes principal on the row after the day, or N+1."""
    from_overpaid = min(ledger.overpaid, entry.amount)
    ledger.overpaid -= from_overpaid
    entry.overpayment = from_overpaid
    owed = entry.amount - from_overpaid
    entry.parts[P] = owed
    if not owed:
        return
    row = _row_for_credit(ledger, entry.on)
    if _plan_leads(ledger) and row is not None:
        credit(ledger.plan, entry.on, principal=entry.amount)
        ledger.sync_rows(entry.on)
        if from_overpaid:
            _repay(ledger, entry, row, from_overpaid)
        return
    if row is None:
        row = ledger.additional_row() or add_row_after_maturity(ledger, entry.on)
        row.due_on = max(row.due_on, entry.on)
    row.beside.credited[P] += entry.amount
    row.ask(P, entry.amount, entry.on)
    if from_overpaid:
        row.pay(P, from_overpaid, entry.on)


def _repay(ledger: Ledger, entry: Entry, row: Row, amount: int) -> None:
    period = ledger.period_of(row)
    if period is not None:
        pay_principal(ledger.plan, period, entry.on, amount)
        ledger.sync_rows(entry.on)
    row.pay(P, amount, entry.on)
