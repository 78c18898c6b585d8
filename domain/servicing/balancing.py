"""Principal of all rows adds up to what was paid out and put back; the last open row gives way."""

from datetime import date

from domain.servicing.ledger import Ledger
from domain.servicing.row import P
from domain.servicing.values import Kind

MONEY_OUT = (Kind.DISBURSEMENT, Kind.CAPITALISED_INCOME, Kind.RESTRUCTURE)
"""What becomes principal: money paid out, income added, interest that a new plan capitalised."""


def principal_gap(ledger: Ledger) -> int:
    """Principal that the rows do not ask for, or ask for too much; minor units."""
    out = sum(entry.amount for entry in ledger.entries if entry.kind in MONEY_OUT)
    back = sum(row.credited[P] for row in ledger.rows)
    return out + back - sum(row.due[P] for row in ledger.rows)


def close_principal_gap(ledger: Ledger, on: date) -> None:
    """Let the last rows that are not met ask for what is missing, never for less than was paid.

    If all are met, the last one asks for it.
    """
    gap = principal_gap(ledger)
    for row in reversed(ledger.rows):
        if not gap:
            return
        if row.regular and not row.met:
            change = max(gap, -row.outstanding_of(P))
            row.ask(P, change, on)
            gap -= change
    if gap > 0:
        next(row for row in reversed(ledger.rows) if row.regular).ask(P, gap, on)
