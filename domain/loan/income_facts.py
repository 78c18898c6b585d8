"""Which facts the events of deferred income tell; `domain.loan.facts` has those of all others."""

from domain.events import income
from domain.servicing import facts as f
from domain.servicing.values import Kind


def capitalised(event: income.IncomeCapitalised) -> f.Fact:
    """Return the new principal."""
    on = event.effective_on
    return f.IncomeCapitalised(
        id=event.income_id, effective_on=on, entered_on=on, amount_minor=event.amount_minor
    )


def adjusted(event: income.CapitalisedIncomeAdjusted) -> f.Fact:
    """Return the credit."""
    on = event.effective_on
    return f.Paid(
        id=event.adjustment_id,
        effective_on=on,
        entered_on=on,
        kind=Kind.CAPITALISED_INCOME_ADJUSTMENT,
        amount_minor=event.amount_minor,
        income_id=event.income_id,
    )


def bought_down(event: income.BuyDownFeeRecorded) -> f.Fact:
    """Return the fee, which is none of the borrower's."""
    on = event.effective_on
    return f.BuyDownFeeTaken(
        id=event.fee_id, effective_on=on, entered_on=on, amount_minor=event.amount_minor
    )


def buy_down_adjusted(event: income.BuyDownFeeAdjusted) -> f.Fact:
    """Return what was given back."""
    on = event.effective_on
    return f.BuyDownFeeAdjusted(
        id=event.adjustment_id, effective_on=on, entered_on=on, amount_minor=event.amount_minor
    )
