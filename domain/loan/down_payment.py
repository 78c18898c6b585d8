"""What of a payout is due on its own day (首付), and which instalments are such down payments.

It refuses nothing. Sources: domain rules P-51, T-24.
"""

from collections.abc import Iterable
from datetime import date

from domain.loan.contract import loan_terms
from domain.loan.terms import Conditions, Terms
from domain.servicing.down_payment import down_payment_of
from domain.servicing.ledger import Ledger
from domain.servicing.row import Row
from domain.servicing.timeline import Timeline


def down_payment_id(disbursement_id: str) -> str:
    """Name the down payment that is taken with a payout: there is at most one."""
    return f"{disbursement_id}:down_payment"


def due_at_once(conditions: Conditions, terms: Terms, amount_minor: int, on: date) -> int:
    """Return what of a payout is due on its day, minor units."""
    if conditions.down_payment is None:
        return 0
    return down_payment_of(loan_terms(conditions, terms, from_on=on), amount_minor)


def down_payments_in(timeline: Timeline | None) -> frozenset[int]:
    """Return the numbers of the instalments that are down payments."""
    if timeline is None or timeline.terms.down_payment is None:
        return frozenset()
    return timeline.read(lambda ledger: frozenset(row.number for row in _rows(ledger)))


def open_down_payments(timeline: Timeline, on: date) -> int:
    """Return what is left to pay on a day of the down payments due by it, minor units."""
    return timeline.read(
        lambda ledger: sum(row.outstanding for row in _rows(ledger) if row.due_on <= on), on
    )


def _rows(ledger: Ledger) -> Iterable[Row]:
    return (row for row in ledger.rows if row.down_payment)
