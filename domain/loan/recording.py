"""Puts the fact that an event tells on its loan's time line; what else it changes is `evolve`'s."""

from collections.abc import Mapping
from typing import Any

from domain.events.registry import Event
from domain.loan.facts import fact_of
from domain.loan.state import Loan
from domain.servicing.timeline import Timeline

Changes = Mapping[str, Any]
"""Fields of a loan and what an event sets them to; values are never changed in place."""


def recorded(loan: Loan, event: Event) -> Timeline:
    """Record the fact that an event tells. Raises ValueError for a loan without a payout."""
    if loan.timeline is None:
        raise ValueError("money moved on a loan that was never paid out")
    return loan.timeline.record(fact_of(event))
