"""A shard's business day as an aggregate: it is closed once. State, evolve and decide together."""

from dataclasses import dataclass

from domain.commands.day import CloseDay
from domain.commands.registry import Command
from domain.context import Context
from domain.errors import Rejected
from domain.events.day import DayClosed, DeferredIncomeRecognised, InterestAccrued
from domain.events.registry import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDay:
    """A day that is over, or that has its income posted and is about to be."""

    closed: bool


def evolve(day: BusinessDay | None, event: Event) -> BusinessDay:
    """Apply one event. Raises ValueError for an event that cannot follow."""
    match day, event:
        case None, InterestAccrued() | DeferredIncomeRecognised():
            return BusinessDay(closed=False)
        case BusinessDay(closed=False), DeferredIncomeRecognised():
            return day
        case None | BusinessDay(closed=False), DayClosed():
            return BusinessDay(closed=True)
        case _:
            raise ValueError(f"{type(event).__name__} cannot follow {day}")


def decide(day: BusinessDay | None, command: Command, context: Context) -> list[Event]:
    """Post what the day's loans earned and close it, once."""
    if not isinstance(command, CloseDay):
        raise TypeError(f"{type(command).__name__} is no command to a day")
    if day is not None:
        raise Rejected("day_closed", f"{command.business_date} is closed")
    if command.business_date > context.business_date:
        raise Rejected("effective_in_future", "the day is not over", "business_date")
    closed = DayClosed(
        effective_on=command.effective_on,
        business_date=command.business_date,
        loans_open=command.loans_open,
        loans_acted_on=command.loans_acted_on,
        loans_parked=command.loans_parked,
        principal_minor_by_currency=command.principal_minor_by_currency,
    )
    on, earned = command.effective_on, list[Event]()
    if command.accruals:
        earned.append(InterestAccrued(effective_on=on, accruals=command.accruals))
    if command.recognitions:
        earned.append(DeferredIncomeRecognised(effective_on=on, recognitions=command.recognitions))
    return [*earned, closed]
