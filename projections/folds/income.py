"""Folds income that is recognised over time into `transactions`: taken, given back, taken back."""

from collections.abc import Callable
from typing import Final, Protocol

from projections.folds.payouts import Adds, parts_of
from projections.loan_summary import LoanSummary
from projections.reading import Entry
from projections.transactions import Transaction


class Money(Adds, Protocol):
    """What is asked of the fold of transactions."""

    def take_back(self, entry: Entry, transaction_id: str) -> Transaction:
        """Say on a transaction's standing revision that an event takes it back; return it."""
        ...


def capitalised(money: Adds, entry: Entry, loan: LoanSummary) -> None:
    """Income that became principal, less what credit of the borrower's paid of it at once."""
    _capitalised(money, entry, loan, kind="capitalised_income")


def capitalised_taken_back(money: Money, entry: Entry, loan: LoanSummary) -> None:
    """Income that was never added to principal after all."""
    event = entry.event
    money.take_back(entry, event.income_id)
    _capitalised(money, entry, loan, kind="capitalised_income_reversal", cause=event.cause)


def _capitalised(money: Adds, entry: Entry, loan: LoanSummary, **fields: str) -> None:
    event = entry.event
    money.add(
        entry,
        loan,
        transaction_id=event.income_id,
        amount_minor=event.amount_minor,
        overpaid_minor=event.overpaid_minor,
        code=event.code,
        component=event.income,
        **parts_of(event),
        **fields,
    )


def bought_down(money: Money, entry: Entry, loan: LoanSummary) -> None:
    """A fee that the borrower does not owe, or part of one that is given back."""
    _buy_down(money, entry, loan, taken_back=False)


def buy_down_taken_back(money: Money, entry: Entry, loan: LoanSummary) -> None:
    """A fee that was never paid, or never given back, after all."""
    _buy_down(money, entry, loan, taken_back=True)


def _buy_down(money: Money, entry: Entry, loan: LoanSummary, *, taken_back: bool) -> None:
    event = entry.event
    adjustment_id: str | None = getattr(event, "adjustment_id", None)
    name, kind = event.fee_id, "buy_down_fee"
    if adjustment_id is not None:
        name, kind = adjustment_id, "buy_down_fee_adjustment"
    if taken_back:
        money.take_back(entry, name)
        kind = f"{kind}_reversal".replace("fee_adjustment", "adjustment")
    money.add(
        entry,
        loan,
        transaction_id=name,
        kind=kind,
        amount_minor=event.amount_minor,
        component=event.income,
        cause=getattr(event, "cause", None),
        cause_id=None if adjustment_id is None else event.fee_id,
    )


CHANGES: Final[dict[str, Callable[[Money, Entry, LoanSummary], None]]] = {
    "loan.income_capitalised.v1": capitalised,
    "loan.capitalised_income_reversed.v1": capitalised_taken_back,
    "loan.buy_down_fee_recorded.v1": bought_down,
    "loan.buy_down_fee_adjusted.v1": bought_down,
    "loan.buy_down_fee_reversed.v1": buy_down_taken_back,
    "loan.buy_down_adjustment_reversed.v1": buy_down_taken_back,
}
TAKES_BACK: Final = {
    "loan.capitalised_income_reversed.v1": "income_id",
    "loan.buy_down_fee_reversed.v1": "fee_id",
    "loan.buy_down_adjustment_reversed.v1": "adjustment_id",
}
"""Topics of reversals, and the field that names the transaction."""
