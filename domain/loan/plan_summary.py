"""A plan in a line, for the before and the after of a loan that is planned anew."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """Where a schedule stood."""

    instalments_left: int
    rate_annual: Decimal
    last_due_on: date
    owed_minor: int
    days_past_due: int
