"""A business day of one shard and its close."""

from datetime import date

from domain.events.registry import Event, event


@event("day.closed.v1")
class DayClosed(Event):
    """Every loan of the shard was looked at for this business date; the totals tie to the loans."""

    business_date: date
    loans_open: int
    loans_acted_on: int
    loans_parked: int
    principal_minor_by_currency: dict[str, int]
