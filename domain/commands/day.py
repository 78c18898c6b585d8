"""The command that ends a shard's business day."""

from datetime import date

from domain.commands.registry import Command, command
from domain.envelope import StreamId
from domain.events.day import Accrual, Recognition


@command("day.close")
class CloseDay(Command):
    """Record that every loan of a shard was looked at for a business date."""

    shard: int
    business_date: date
    loans_open: int
    loans_acted_on: int
    loans_parked: int
    principal_minor_by_currency: dict[str, int]
    accruals: tuple[Accrual, ...] = ()  # what the ledger lacks; products with nothing left out
    recognitions: tuple[Recognition, ...] = ()  # the same of deferred income

    @property
    def stream(self) -> StreamId:
        """The day's stream."""
        return StreamId(f"day-{self.shard}-{self.business_date.isoformat()}")
