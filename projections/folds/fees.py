"""Folds what instalments ask for of the contract's fees into `transactions`."""

from projections.folds.payouts import Adds
from projections.loan_summary import LoanSummary
from projections.reading import Entry


def changed(money: Adds, entry: Entry, loan: LoanSummary) -> None:
    """Fees that instalments ask for, more or less than before: a transaction each."""
    for fee in entry.event.changes:
        money.add(
            entry,
            loan,
            transaction_id=f"v{entry.version}:{fee.code}",
            kind="instalment_fees",
            amount_minor=fee.amount_minor,
            fee_minor=fee.amount_minor,
            tax_minor=fee.tax_minor,
            code=fee.code,
        )
