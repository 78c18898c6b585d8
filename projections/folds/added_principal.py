"""How principal that is added later changes a loan's row: further payouts, capitalised income."""

from collections.abc import Callable
from typing import Final

from projections.loan_summary import LoanSummary
from projections.reading import Entry


def _tranche_disbursed(row: LoanSummary, entry: Entry) -> None:
    row.amount_minor = (row.amount_minor or 0) + entry.event.amount_minor
    _added(row, entry)


def _tranche_returned(row: LoanSummary, entry: Entry) -> None:
    row.amount_minor = (row.amount_minor or 0) - entry.event.amount_minor
    _taken_back(row, entry)


def _added(row: LoanSummary, entry: Entry) -> None:
    row.recalculates = True  # principal rose on the day: published rows do not tell before it
    _paid_from_credit(row, entry, 1)


def _taken_back(row: LoanSummary, entry: Entry) -> None:
    _paid_from_credit(row, entry, -1)


def _paid_from_credit(row: LoanSummary, entry: Entry, sign: int) -> None:
    event = entry.event
    row.principal_paid_minor += sign * (event.amount_minor - event.principal_minor)
    row.interest_paid_minor -= sign * event.interest_minor
    row.fee_paid_minor -= sign * event.fee_minor
    row.penalty_paid_minor -= sign * event.penalty_minor


ADDED_PRINCIPAL: Final[dict[str, Callable[[LoanSummary, Entry], None]]] = {
    "loan.tranche_disbursed.v1": _tranche_disbursed,
    "loan.tranche_returned.v1": _tranche_returned,
    "loan.income_capitalised.v1": _added,
    "loan.capitalised_income_reversed.v1": _taken_back,
}
