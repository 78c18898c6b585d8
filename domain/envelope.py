"""What stands around an event: who, when, why, under which policy.

The domain's event classes do not know it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NewType

from domain.actors import Actor, Approval
from domain.events.registry import Event

StreamId = NewType("StreamId", str)
"""One aggregate's stream: `loan-0190…`, `product-LC36`, `case-0190…`, `day-0-2018-06-30`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in a shard's commit order; outside the store it is the text `shard:position`."""

    shard: int
    number: int  # dense from 1; 0 is before the first event

    def __str__(self) -> str:
        """Write the opaque form."""
        return f"{self.shard}:{self.number}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read the opaque form. Raises ValueError for anything else."""
        shard, _, number = text.partition(":")
        if not (shard.isascii() and shard.isdigit() and number.isascii() and number.isdigit()):
            raise ValueError(f"{text!r} is not a position")
        return cls(shard=int(shard), number=int(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The circumstances of one event, stored with it and covered by its hash."""

    actor: Actor
    reason_code: str | None = None
    on_behalf_of: str | None = None
    approvals: tuple[Approval, ...] = ()
    policy_versions: dict[str, int] = field(default_factory=dict)
    command_id: str | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    source_recorded_at: datetime | None = None  # when an imported history learned it


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event as the store holds it.

    `state` are the stored bytes: envelope and event, UTF-8 JSON.
    """

    position: Position
    stream: StreamId
    version: int  # gapless from 1 in its stream
    topic: str
    effective_on: date
    recorded_at: datetime  # with zone; never goes back
    state: bytes
    prev_hash: bytes  # hash of the stream's event before; 32 zero bytes before the first
    hash: bytes
    envelope: Envelope
    event: Event
