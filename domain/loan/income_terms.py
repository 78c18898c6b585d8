"""What a product says of income that is not earned by the day: taken at once, recognised evenly.

It judges no loan. Sources: domain rules 9.2 P-72, P-73; 9.9 S-27, S-28. An amount is agreed each
time (FLAT), and its recognition is equal by day to maturity: there is no other calculation.
"""

from dataclasses import dataclass

from domain.servicing.values import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalisedIncome:
    """Income that may be added to principal after the payout (资本化收入)."""

    code: str  # one of the product's charges: the borrower pays it, so the cost table lists it
    income: Component = Component.FEE  # what it is recognised as: a fee, or interest
    total_max_minor: int | None = None  # on one loan; None: as much as was approved leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyDownFee:
    """A fee for a lower price of the loan, which the borrower does not owe (贴息)."""

    income: Component = Component.INTEREST  # what it is recognised as: a fee, or interest
    merchant_paid: bool = True  # money that came in; false: the lender bears it, as an expense
    total_max_minor: int | None = None  # on one loan; None: as much as went out
