"""Income that is taken at once and recognised by the day; the close of day says what is earned."""

from dataclasses import dataclass

from domain.events.registry import Event, event
from domain.loan.terms import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalisedParts(Event):
    """What an income added to the debt, and what credit of the borrower's paid of it at once.

    Credit may also pay what fell due with the new principal: then a part is below zero.
    """

    income_id: str
    code: str  # of the cost table
    income: Component  # what it is recognised as: a fee, or interest
    amount_minor: int  # the sum of the parts
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    overpaid_minor: int  # of the borrower's credit


@event("loan.income_capitalised.v1")
class IncomeCapitalised(CapitalisedParts):
    """A fact: income of the lender's became principal. It is earned evenly until maturity."""


@event("loan.capitalised_income_reversed.v1")
class CapitalisedIncomeReversed(CapitalisedParts):
    """An income is taken back, from its own day on: it never was. Both stay visible."""

    cause: str


@event("loan.capitalised_income_adjusted.v1")
class CapitalisedIncomeAdjusted(Event):
    """A fact: part of a capitalised income is given back, and will not be earned."""

    adjustment_id: str
    income_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyDown(Event):
    """An amount of a buy-down fee. The borrower owes nothing of it: no result follows."""

    fee_id: str
    income: Component  # what it is recognised as: a fee, or interest
    merchant_paid: bool  # money that moved; false: an expense of the lender's
    amount_minor: int


@event("loan.buy_down_fee_recorded.v1")
class BuyDownFeeRecorded(BuyDown):
    """A fact: somebody paid for a lower price of the loan. It is earned evenly until maturity."""


@event("loan.buy_down_fee_reversed.v1")
class BuyDownFeeReversed(BuyDown):
    """A buy-down fee is taken back, from its own day on: it never was. Both stay visible."""

    cause: str


@event("loan.buy_down_fee_adjusted.v1")
class BuyDownFeeAdjusted(BuyDown):
    """A fact: part of a buy-down fee is given back, and will not be earned."""

    adjustment_id: str


@event("loan.buy_down_adjustment_reversed.v1")
class BuyDownAdjustmentReversed(BuyDown):
    """An adjustment is taken back, from its own day on: nothing was given back."""

    adjustment_id: str
    cause: str
