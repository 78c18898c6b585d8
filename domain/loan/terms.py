"""The terms a loan is granted on, frozen at the review.

A later change of the product does not touch them.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class RepaymentMethod(StrEnum):
    """How principal comes back (domain rules, section 5.1)."""

    ANNUITY = "annuity"  # 等额本息
    EQUAL_PRINCIPAL = "equal_principal"  # 等额本金


class ScheduleDayCount(StrEnum):
    """How a period earns interest. Unqualified "30/360" is a bug (domain rules, section 5.2)."""

    THIRTY_360_PROPORTIONAL = "30/360-proportional"  # a whole month earns a twelfth of the rate
    ACT_365F = "act/365f"


class Rounding(StrEnum):
    """How an amount becomes whole minor units; the values are Python's decimal modes."""

    HALF_UP = "ROUND_HALF_UP"
    HALF_EVEN = "ROUND_HALF_EVEN"
    UP = "ROUND_CEILING"
    DOWN = "ROUND_FLOOR"


class Component(StrEnum):
    """What an amount is owed for."""

    PENALTY = "penalty"
    FEE = "fee"
    INTEREST = "interest"
    PRINCIPAL = "principal"


DEFAULT_ALLOCATION = (
    Component.PENALTY,
    Component.FEE,
    Component.INTEREST,
    Component.PRINCIPAL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was agreed: amount, price, shape and conventions."""

    currency: str  # ISO 4217
    principal_minor: int
    rate_annual: Decimal  # fraction per year: 0.12 is 12 %
    instalments: int  # number of monthly instalments
    method: RepaymentMethod = RepaymentMethod.ANNUITY
    day_count: ScheduleDayCount = ScheduleDayCount.THIRTY_360_PROPORTIONAL
    interest_rounding: Rounding = Rounding.HALF_UP
    instalment_rounding: Rounding = Rounding.HALF_UP
    allocation: tuple[Component, ...] = DEFAULT_ALLOCATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a product version says about its loans: conventions and bounds.

    Pinned by the application.
    """

    currency: str
    method: RepaymentMethod = RepaymentMethod.ANNUITY
    day_count: ScheduleDayCount  # no default: the product must say (domain rules, 0.4)
    interest_rounding: Rounding = Rounding.HALF_UP
    instalment_rounding: Rounding = Rounding.HALF_UP
    allocation: tuple[Component, ...] = DEFAULT_ALLOCATION
    amount_min_minor: int = 1
    amount_max_minor: int
    rate_annual_max: Decimal  # fraction per year
    instalments_max: int
    four_eyes_from_minor: int = 0  # payouts of at least this need a maker and a checker
    backdating_days_max: int = 365  # how far before the business date a fact may lie
    arrears_tolerance_minor: int = 0  # an instalment short by no more than this is not overdue
    charges: tuple[str, ...] = ()  # charge codes that the cost table may list
