"""Terms changed on the way: rate, interest pause, length. What follows is a result of its own."""

from datetime import date
from decimal import Decimal

from domain.events.registry import Event, event


@event("loan.rate_changed.v1")
class RateChanged(Event):
    """Another annual rate is in force from the value date on."""

    change_id: str
    rate_annual: Decimal
    rate_annual_before: Decimal


@event("loan.interest_paused.v1")
class InterestPaused(Event):
    """Nothing is earned from the value date to a day, both included."""

    change_id: str
    until_on: date


@event("loan.term_extended.v1")
class TermExtended(Event):
    """Instalments were added at the end."""

    change_id: str
    instalments: int
