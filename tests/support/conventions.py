"""Conventions that the products of random lives keep: each changes one thing of a plain product."""

from typing import Any

from domain.loan.terms import DayInclusion, Direction, FutureRule, InterestPeriod, RoundingPlace

CONVENTIONS: list[dict[str, Any]] = [
    {"interest_period": InterestPeriod.SAME_AS_REPAYMENT_PERIOD},
    {"interest_rounding_scope": RoundingPlace.PER_SEGMENT},
    {"day_inclusion": DayInclusion.LAST_NOT_FIRST},
    {"fixed_length": 40},
    {"future_instalments": FutureRule.LAST_INSTALMENT},
    {"future_instalments": FutureRule.NEXT_LAST_INSTALMENT},
    {"future_instalments": FutureRule.REAMORTISATION},
    {"allocation_direction": Direction.VERTICAL},
]
