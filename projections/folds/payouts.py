"""Folds what goes out into `transactions`: payouts, their fees and return, credit paid back."""

from typing import Any, Final, Protocol

from projections.loan_summary import LoanSummary
from projections.reading import Entry

PARTS: Final = ("principal_minor", "interest_minor", "fee_minor", "penalty_minor")


class Adds(Protocol):
    """What takes new transactions."""

    def add(self, entry: Entry, loan: LoanSummary, **fields: Any) -> None:  # noqa: ANN401 - the row's own
        """Add a transaction of an event; `fields` are its row's own."""
        ...


def parts_of(of: Any) -> dict[str, int]:  # noqa: ANN401 - an event, or a row
    """Return amounts by component; 0 for one that it does not have."""
    return {name: getattr(of, name, 0) for name in PARTS}


def disbursed(money: Adds, entry: Entry, loan: LoanSummary) -> None:
    """The money went out: `principal_minor` is new debt, the rest came from credit."""
    money.add(entry, loan, kind="disbursement", **_moved(entry))
    _fees(money, entry, loan, "payout_fee")


def returned(money: Adds, entry: Entry, loan: LoanSummary) -> None:
    """The money came back."""
    cause = entry.event.cause
    money.add(entry, loan, kind="disbursement_return", cause=cause, **_moved(entry))
    _fees(money, entry, loan, "payout_fee_return")


def credit_refunded(money: Adds, entry: Entry, loan: LoanSummary) -> None:
    """Overpaid money went back."""
    event = entry.event
    money.add(
        entry,
        loan,
        transaction_id=event.refund_id,
        kind="refund",
        amount_minor=event.amount_minor,
        overpaid_minor=event.amount_minor,
    )


def _moved(entry: Entry) -> dict[str, Any]:
    event = entry.event
    fields = {"transaction_id": event.disbursement_id, "amount_minor": event.amount_minor}
    if entry.topic in {"loan.tranche_disbursed.v1", "loan.tranche_returned.v1"}:
        return fields | parts_of(event) | {"overpaid_minor": event.overpaid_minor}
    return fields | {"principal_minor": event.amount_minor}


def _fees(money: Adds, entry: Entry, loan: LoanSummary, kind: str) -> None:
    """Show what was kept back from a payout, or that it was given back."""
    payout = entry.event.disbursement_id
    for fee in entry.event.fees:
        money.add(
            entry,
            loan,
            transaction_id=f"{payout}:{fee.code}",
            kind=kind,
            amount_minor=fee.amount_minor,
            fee_minor=fee.amount_minor,
            tax_minor=fee.tax_minor,
            code=fee.code,
            cause_id=payout,
        )
