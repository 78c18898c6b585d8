"""Interest that is past due is given up when a loan is re-aged or re-amortised.

A rule of ours: interest of instalments due up to the day is past due and is waived; interest of
the running instalment is not, and is planned anew. Sources: domain rules 9.9 S-10, S-13.
"""

from collections.abc import Iterable
from datetime import date

from domain.servicing.ledger import Entry, Ledger
from domain.servicing.period import Period
from domain.servicing.row import I, Row
from domain.servicing.values import Kind


def waive_past_due(ledger: Ledger, rows: Iterable[Row], cause: Entry) -> int:
    """Waive unpaid interest of rows due up to the day; the sum, as a transaction of its own."""
    waived = 0
    for row in rows:
        if row.due_on <= cause.on:
            amount = row.outstanding_of(I)
            row.beside.waived[I] += amount
            row.update_met(cause.on)
            waived += amount
    if waived:
        entry = Entry(
            id=f"{cause.id}:waived",
            kind=Kind.INTEREST_WAIVER,
            on=cause.on,
            amount=waived,
            entered_on=cause.entered_on,
        )
        entry.parts[I] = waived
        ledger.entries.append(entry)
    return waived


def forget_interest(periods: Iterable[Period], on: date) -> None:
    """Let periods due up to the day ask for the interest that was paid, and carry none on."""
    for period in periods:
        if period.due_on <= on:
            period.fixed_interest = period.future_interest = 0
            period.moved_down = True
