"""How much deferred income stands on a loan, less what was given back of it. It records nothing."""

from domain.loan.state import Loan
from domain.servicing.facts import Paid
from domain.servicing.timeline import Timeline
from domain.servicing.values import Kind


def capitalised_minor(loan: Loan) -> int:
    """Return what stands of all income that became principal, minor units (S-27)."""
    if not loan.incomes or loan.timeline is None:
        return 0
    return sum(one.amount_minor for one in loan.incomes) - given_back(loan.timeline)


def given_back(timeline: Timeline, income_id: str | None = None) -> int:
    """Return what was given back of an income, or of all; minor units."""
    return sum(
        fact.amount_minor
        for fact in timeline.facts
        if isinstance(fact, Paid)
        and fact.kind is Kind.CAPITALISED_INCOME_ADJUSTMENT
        and income_id in (None, fact.income_id)
    )


def bought_down_minor(loan: Loan) -> int:
    """Return what stands of all buy-down fees, minor units (S-28)."""
    return sum(fee.amount_minor for fee in loan.buy_down_fees) - buy_down_given_back(loan)


def buy_down_given_back(loan: Loan, fee_id: str | None = None) -> int:
    """Return what was given back of a buy-down fee, or of all; minor units."""
    return sum(
        one.amount_minor for one in loan.buy_down_adjustments if fee_id in (None, one.fee_id)
    )
