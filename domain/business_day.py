"""A shard's business day as an aggregate: it is closed once. State, evolve and decide together."""

from dataclasses import dataclass

from domain.commands.day import CloseDay
from domain.commands.registry import Command
from domain.context import Context
from domain.errors import Rejected
from domain.events.day import DayClosed
from domain.events.registry import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDay:
    """A day that is over."""

    closed: bool = True


def evolve(day: BusinessDay | None, event: Event) -> BusinessDay:
    """Apply one event. Raises ValueError for an event that cannot follow."""
    if day is not None or not isinstance(event, DayClosed):
        raise ValueError(f"{type(event).__name__} cannot follow {day}")
    return BusinessDay()


def decide(day: BusinessDay | None, command: Command, context: Context) -> list[Event]:
    """Close the day, once."""
    if not isinstance(command, CloseDay):
        raise TypeError(f"{type(command).__name__} is no command to a day")
    if day is not None:
        raise Rejected("day_closed", f"{command.business_date} is closed")
    if command.business_date > context.business_date:
        raise Rejected("effective_in_future", "the day is not over", "business_date")
    return [
        DayClosed(
            effective_on=command.effective_on,
            business_date=command.business_date,
            loans_open=command.loans_open,
            loans_acted_on=command.loans_acted_on,
            loans_parked=command.loans_parked,
            principal_minor_by_currency=command.principal_minor_by_currency,
        )
    ]
