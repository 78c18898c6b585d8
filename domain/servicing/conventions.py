"""Named conventions of interest arithmetic: how factors are made, what is rounded, and where."""

from enum import StrEnum


class Factors(StrEnum):
    """How an interest factor is computed.

    ROUNDED is `fineract-progressive` (domain rules, 9.10): every step of it has `precision` digits,
    and the instalment of an irregular period is solved as if the period were regular.
    """

    EXACT = "exact"  # 40 digits, cut to `precision` with the sum: half a cent stays half a cent
    ROUNDED = "rounded"


class Residue(StrEnum):
    """Where the cents go that level instalments leave over."""

    LAST_ABSORBS = "last_absorbs"  # the textbook (domain rules, 5.1)
    SMOOTHED = "smoothed"  # the level instalment moves towards the last one (domain rules, 9.10)


class RoundingPlace(StrEnum):
    """Where interest is rounded (`interest_rounding_scope`; domain rules, 5.3)."""

    PER_PERIOD = "per_period"  # once, on the sum of a period's stretches
    PER_SEGMENT = "per_segment"  # each stretch between changes of balance or rate


class DayInclusion(StrEnum):
    """Which end of a stretch of days earns: it decides from when a new rate or a pause counts."""

    FIRST_NOT_LAST = "first_not_last"  # 算头不算尾: day d stands for [d, d+1)
    LAST_NOT_FIRST = "last_not_first"  # day d stands for (d-1, d]


class FirstPeriod(StrEnum):
    """Which side of the regular first date the product's due day is taken from (stub periods)."""

    SHORT = "short"
    LONG = "long"


class InstalmentRounding(StrEnum):
    """Which way an instalment is rounded, to minor units and then to its multiple."""

    NEAREST = "nearest"
    UP = "up"
    DOWN = "down"
