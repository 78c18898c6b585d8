"""Parts of a loan's terms that have several values of their own."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Unsound(StrEnum):
    """Codes of the reasons why terms are refused; stable, for programs."""

    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    BUCKET_REPEATED = "bucket_repeated"
    CALENDAR_MISSING = "calendar_missing"
    COUNT_OUT_OF_RANGE = "count_out_of_range"
    CUSTOM_INCONSISTENT = "custom_inconsistent"
    DATES_GIVEN_TWICE = "dates_given_twice"
    DATE_OUT_OF_RANGE = "date_out_of_range"
    DEFAULT_RULE_MISSING = "default_rule_missing"
    DUE_DATES_OUT_OF_ORDER = "due_dates_out_of_order"
    DUE_DATE_MISSING = "due_date_missing"
    DUE_DAY_NEEDS_MONTHS = "due_day_needs_months"
    FIELD_MISSING = "field_missing"
    FLOOR_ABOVE_CAP = "floor_above_cap"
    GRACE_TOO_LONG = "grace_too_long"
    INSTALMENT_TOO_SMALL = "instalment_too_small"
    NEEDS_LEVEL_INSTALMENTS = "needs_level_instalments"
    NEEDS_REGULAR_PERIODS = "needs_regular_periods"
    NOT_OFFERED = "not_offered"
    NOT_USED = "not_used"
    PENALTY_RATE_OUTSIDE_BAND = "penalty_rate_outside_band"
    PERCENT_OUT_OF_RANGE = "percent_out_of_range"
    PRECISION_OUT_OF_RANGE = "precision_out_of_range"
    RATE_GIVEN_TWICE = "rate_given_twice"
    RATE_OUT_OF_RANGE = "rate_out_of_range"
    RECALCULATION_MISSING = "recalculation_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why terms cannot be accepted."""

    field: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomInstalment:
    """An agreed instalment: its principal, or the whole of it. The last one has neither."""

    due_on: date
    principal_minor: int | None = None
    instalment_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateStep:
    """A rate that holds once so many instalments have fallen due."""

    after_instalments: int
    rate_annual: Decimal
