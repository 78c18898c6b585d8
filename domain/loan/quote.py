"""What a loan would look like: its first schedule, before anything happened. Stores nothing."""

from datetime import date

from domain.loan.booking import instalment
from domain.loan.contract import loan_terms
from domain.loan.instalments import Instalment
from domain.loan.terms import Conditions, Terms
from domain.servicing.timeline import Timeline


def planned(
    conditions: Conditions, terms: Terms, *, from_on: date, first_due_on: date | None = None
) -> tuple[Instalment, ...]:
    """Lay out the schedule of a loan that is paid out whole on a day."""
    agreed = loan_terms(conditions, terms, from_on=from_on, first_due_on=first_due_on)
    ledger = Timeline.start(agreed).planned().ledger
    return tuple(instalment(row, from_on) for row in ledger.rows)
