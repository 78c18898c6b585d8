"""Conventions that the products of random lives keep: each changes one thing of a plain product."""

from decimal import Decimal
from typing import Any

from domain.loan.terms import (
    ArrearsConditions,
    Compounding,
    DayInclusion,
    Direction,
    FutureRule,
    InterestPeriod,
    OverdueInterest,
    PenaltyConditions,
    RoundingPlace,
)
from tests.support.charge_rules import CHARGE_RULES

COMPOUND = PenaltyConditions(
    overdue_markup=Decimal("0.5"),
    misuse_markup=Decimal(1),
    compounds=Compounding.INTEREST_AND_PENALTY,
)
CONVENTIONS: list[dict[str, Any]] = [
    {"interest_period": InterestPeriod.SAME_AS_REPAYMENT_PERIOD},
    {"interest_rounding_scope": RoundingPlace.PER_SEGMENT},
    {"day_inclusion": DayInclusion.LAST_NOT_FIRST},
    {"fixed_length": 40},
    {"future_instalments": FutureRule.LAST_INSTALMENT},
    {"future_instalments": FutureRule.NEXT_LAST_INSTALMENT},
    {"future_instalments": FutureRule.REAMORTISATION},
    {"allocation_direction": Direction.VERTICAL},
    {"arrears": ArrearsConditions(tolerance_percent=Decimal(1), tolerance_days=5)},
    {"rate_cap_annual": Decimal("0.4"), "charge_rules": CHARGE_RULES},
    {"overdue_interest": OverdueInterest.DOES_NOT_EARN, "penalty": COMPOUND},
]
