"""What a command looks up of other aggregates: the product it names, the reference a loan follows.

Looked up means read anew: an aggregate's own state is checked by version when its events are
appended, what stands beside it is not.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from domain.commands.application import ApplyForLoan, ReviewLoan
from domain.commands.ending import RepriceLoan
from domain.commands.registry import Command
from domain.context import Context
from domain.envelope import StreamId
from domain.loan.state import Loan
from domain.product import Product, product_stream
from domain.reference import Reference, reference_stream


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


def looked_up(command: Command, context: Context, states: Mapping[StreamId, Stands]) -> Context:
    """Bring in what was looked up; `states` holds all that was named and is followed."""
    for stream in named_by(command, context):
        product = states[stream].state
        current = product.current if isinstance(product, Product) else None
        context = replace(context, product=current)
    for stream in followed_by(command, states[command.stream].state):
        reference = states[stream].state
        if isinstance(reference, Reference):
            context = replace(context, publications=reference.publications)
    return context
