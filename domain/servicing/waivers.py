"""Giving up part of an instalment: interest, fees or penalties, never principal (减免).

Source: domain rules 9.5 T-04, T-09.
"""

from domain.servicing.charges import charges_of
from domain.servicing.facts import Waived
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.movements import pay_interest
from domain.servicing.row import I, Row


def waive(ledger: Ledger, fact: Waived, entry: Entry) -> None:
    """Give up as much of a component as the row still asks for, at most the amount."""
    row = next((row for row in ledger.rows if row.number == fact.instalment), None)
    if row is None:
        entry.amount = 0
        return
    used = min(fact.amount_minor, row.outstanding_of(fact.component))
    if fact.component is I:
        _waive_interest(ledger, row, entry, used)
        row.waived_in_plan += used
    else:
        _waive_charges(ledger, row, fact, used)
    row.beside.waived[fact.component] += used
    row.check_met(entry.on)
    entry.amount = entry.parts[fact.component] = used


def _waive_interest(ledger: Ledger, row: Row, entry: Entry, amount: int) -> None:
    """To a plan that follows payments interest that is given up is as good as paid."""
    period = ledger.period_of(row) if ledger.recalculates and row.regular else None
    if period is not None:
        pay_interest(ledger.plan, period, entry.on, amount)
        ledger.sync_rows(entry.on)


def _waive_charges(ledger: Ledger, row: Row, fact: Waived, amount: int) -> None:
    for charge in charges_of(ledger, row):
        if charge.component is fact.component:
            part = min(amount, charge.outstanding)
            charge.waived += part
            charge.given_up += part
            amount -= part
