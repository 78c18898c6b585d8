"""Parts of a loan's terms that have several values of their own."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


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
