"""Reads stored events as the read models need them, straight from the bytes.

Live and rebuild read the same way, so they cannot differ, and no engine or aggregate is loaded.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import msgspec

from projections.narrow import Narrow
from projections.ports import Record
from projections.shapes import SHAPES

E = TypeVar("E")


class Unreadable(Exception):
    """No read model can read this event: corrupt bytes, or a topic that nobody knows."""


class Actor(Narrow):
    """Who acted."""

    kind: str
    id: str
    roles: list[str] = msgspec.field(default_factory=list[str])


class Stored(msgspec.Struct, Generic[E], gc=False):
    """The stored object: the envelope's fields, and the event."""

    actor: Actor
    event: E
    reason_code: str | None = None
    on_behalf_of: str | None = None
    approvals: list[dict[str, Any]] = []
    policy_versions: dict[str, int] = {}
    command_id: str | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    source_recorded_at: datetime | None = None


class Entry(msgspec.Struct, gc=False):
    """One event as the folds see it. `key` is the aggregate's id, such as the loan's."""

    kind: str  # of stream: loan, case, product, day
    key: str
    stream: str
    version: int
    shard: int
    position: int
    topic: str
    effective_on: date
    recorded_at: datetime
    stored: Stored[Any]
    event: Any


_READERS: dict[str, Callable[[bytes], Stored[Any]]] = {
    topic: msgspec.json.Decoder(Stored[shape]).decode for topic, shape in SHAPES.items()
}


def read(record: Record) -> Entry:
    """Read one record. Raises Unreadable."""
    reader = _READERS.get(record.topic)
    if reader is None:
        raise Unreadable(f"no read model knows the topic {record.topic}")
    try:
        stored = reader(record.state)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"{record.topic}: {error}") from error
    kind, _, key = record.stream.partition("-")
    position = record.position
    return Entry(
        kind,
        key,
        record.stream,
        record.version,
        position.shard,
        position.number,
        record.topic,
        record.effective_on,
        record.recorded_at,
        stored,
        stored.event,
    )


def read_all(records: Iterable[Record]) -> list[Entry]:
    """Read many records. Raises Unreadable."""
    return [read(record) for record in records]
