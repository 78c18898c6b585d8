"""What a command looks up of other aggregates: the product it names, the reference a loan follows.

Looked up means read anew: an aggregate's own state is checked by version when its events are
appended, what stands beside it is not.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

from domain.calendar import HolidayCalendar
from domain.commands.application import ApplyForLoan, ReviewLoan
from domain.commands.changes import DeferPayments, ExtendTerm, GrantGrace, MoveDueDate
from domain.commands.disbursement import DisburseLoan
from domain.commands.ending import RepriceLoan, RestructureLoan
from domain.commands.product import DefineProductVersion
from domain.commands.registry import Command
from domain.context import Context
from domain.envelope import StreamId
from domain.errors import Rejected
from domain.loan.state import Loan
from domain.ports import Calendars
from domain.product import Product, product_stream
from domain.reference import Reference, reference_stream

MOVED_BY_CALENDAR = (
    DisburseLoan,
    ExtendTerm,
    GrantGrace,
    MoveDueDate,
    DeferPayments,
    RestructureLoan,
)


class Stands(Protocol):
    """An aggregate as it was read."""

    @property
    def state(self) -> Any:  # noqa: ANN401 - of any aggregate
        """Its state; None: there is none."""
        ...


def named_by(command: Command, context: Context) -> list[StreamId]:
    """Name the streams that a command names beside its own."""
    if isinstance(command, ApplyForLoan) and context.product is None:
        return [product_stream(command.product_code)]
    return []


def followed_by(command: Command, state: object) -> list[StreamId]:
    """Name the streams that a command needs because of its aggregate's state."""
    if isinstance(command, ReviewLoan | RepriceLoan) and isinstance(state, Loan):
        floating = state.conditions.floating
        return [] if floating is None else [reference_stream(floating.reference)]
    return []


def calendar_of(command: Command, state: object) -> str | None:
    """Name the calendar that a command moves due dates by; None: by none."""
    if isinstance(command, DefineProductVersion):
        return command.conditions.calendar
    if isinstance(command, MOVED_BY_CALENDAR) and isinstance(state, Loan):
        return state.conditions.calendar
    return None


class NoCalendars:
    """Knows no calendar, where no product has one."""

    def calendar(self, code: str, on: date) -> HolidayCalendar:
        """Refuse. Raises Rejected `unknown_calendar`."""
        raise Rejected("unknown_calendar", f"there is no calendar {code} from {on}", "calendar")


def looked_up(
    command: Command,
    context: Context,
    states: Mapping[StreamId, Stands],
    calendars: Calendars,
) -> Context:
    """Bring in what was looked up; `states` holds all that was named and is followed.

    Raises Rejected `unknown_calendar`.
    """
    code = calendar_of(command, states[command.stream].state)
    if code is not None and context.calendar is None:
        context = replace(context, calendar=calendars.calendar(code, command.effective_on))
    for stream in named_by(command, context):
        product = states[stream].state
        current = product.current if isinstance(product, Product) else None
        context = replace(context, product=current)
    for stream in followed_by(command, states[command.stream].state):
        reference = states[stream].state
        if isinstance(reference, Reference):
            context = replace(context, publications=reference.publications)
    return context
