"""What the domain asks of the world.

A store that appends and remembers, and a feed that hands out what was stored.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from domain.calendar import HolidayCalendar
from domain.envelope import Envelope, Position, RecordedEvent, StreamId
from domain.events.registry import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """The caller's name for one command. The same key with another body is an error."""

    scope: str  # the client's id, or the CloudEvents source
    key: str
    request_hash: bytes  # SHA-256 of the canonical command


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a command was refused; kept, chained and answered again under its key."""

    code: str
    detail: str
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """One command's outcome, to be made durable.

    Events on one stream, or a refusal and no event.
    """

    stream: StreamId
    expected_version: int  # 0: the stream must not exist
    events: tuple[Event, ...]
    envelope: Envelope
    command: str  # the command's name, such as `loan.receive_payment`
    key: IdempotencyKey | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a command.

    `version` and `position` are those of its last event; None when refused.
    """

    stream: StreamId
    version: int | None
    position: Position | None
    refusal: Refusal | None = None
    repeated: bool = False  # answered from the idempotency row


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """The stream has moved on: load again, decide again."""

    stream: StreamId
    actual_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reused:
    """The idempotency key is known with another body."""

    scope: str
    key: str


AppendResult = Outcome | Conflict | Reused


class EventStore(Protocol):
    """The record. Appends are durable when their future answers; positions follow commit order."""

    def submit(self, append: Append) -> "Future[AppendResult]":
        """Queue one append for the next group commit.

        The future raises Unavailable when the database could not be reached (the outcome may then
        be unknown: ask again with the same key), or says why the append cannot be stored. Raises
        Overloaded at once when the queue is full.
        """
        ...

    def append_many(self, appends: Sequence[Append]) -> list[AppendResult]:
        """Append a bulk in order, in chunks; appends may follow one another on one stream."""
        ...

    def load(self, streams: Mapping[StreamId, int]) -> dict[StreamId, list[RecordedEvent]]:
        """Read many streams in one round trip, each from after the given version on."""
        ...

    def events(self, streams: Iterable[StreamId]) -> Iterator[tuple[StreamId, list[Event]]]:
        """Read many streams whole in one round trip, the events alone: all that a fold needs."""
        ...

    def read(self, after: Position, limit: int) -> list[RecordedEvent]:
        """Read a page of a shard in position order, from after a position."""
        ...

    def head(self, shard: int = 0) -> Position:
        """Tell the last position of a shard."""
        ...

    def outcome(self, scope: str, key: str) -> Outcome | None:
        """Look up what became of a command by its key."""
        ...


class Calendars(Protocol):
    """Which days are worked: of countries, and of the lender itself."""

    def calendar(self, code: str, on: date) -> HolidayCalendar:
        """Return a calendar that knows the life of a loan paid out on a day.

        Raises Rejected `unknown_calendar`.
        """
        ...


class Feed(Protocol):
    """What was recorded, handed out in batches after a position.

    Every event comes at least once and those of one stream in order of version. The store's feed
    hands out each event once and all in position order; a broker's may repeat after a restart.
    """

    def poll(self) -> Sequence[RecordedEvent]:
        """Hand out the next batch; wait a bounded moment for one, then answer with none.

        Raises Unavailable; the next call goes on from the same place.
        """
        ...

    def seek(self, after: Position) -> None:
        """Go on after another position, usually the one that a read model has committed."""
        ...

    def confirm(self, position: Position) -> None:
        """Take note that all that was handed out is committed, and where the reader stands."""
        ...

    def close(self) -> None:
        """Let go of connections and wake a waiting poll."""
        ...
