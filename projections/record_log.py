"""Reads the record as raw rows, for feeds, gaps, sweeps and rebuilds. Decodes and writes nothing.

Undecoded, because a page with one corrupt event must still reach the projector.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain.envelope import Position, StreamId
from projections.ports import Database


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One stored event, undecoded."""

    position: Position
    stream: StreamId
    version: int
    topic: str
    effective_on: date
    recorded_at: datetime
    state: bytes


@dataclass(frozen=True, slots=True)
class Stretch:
    """Versions `first`..`last` of a stream."""

    stream: StreamId
    first: int
    last: int


_COLUMNS = "shard, position, stream, version, topic, effective_on, recorded_at, state"
TYPES = ("int4", "int8", "text", "int8", "text", "date", "timestamptz", "bytea")

PAGE = f"""
SELECT {_COLUMNS} FROM events WHERE shard = %s AND position > %s ORDER BY position LIMIT %s
"""
STRETCHES = f"""
SELECT {", ".join(f"e.{column}" for column in _COLUMNS.split(", "))}
FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) WITH ORDINALITY AS w (stream, first, last, i)
CROSS JOIN LATERAL (
    SELECT * FROM events e WHERE e.stream = w.stream AND e.version BETWEEN w.first AND w.last
    ORDER BY e.version OFFSET 0
) AS e
ORDER BY w.i, e.version
"""
HEAD = "SELECT position FROM log_head WHERE shard = %s"
BEHIND = """
SELECT e.stream, coalesce(a.version, 0), e.version
FROM (
    SELECT stream, max(version) AS version FROM events
    WHERE shard = %s AND position > %s AND position <= %s GROUP BY stream
) AS e
LEFT JOIN applied_versions a ON a.stream = e.stream
WHERE e.version > coalesce(a.version, 0) AND NOT coalesce(a.parked, false)
ORDER BY e.stream LIMIT %s
"""


def record_of(row: Sequence[Any]) -> StoredRecord:
    """Make a record of a row of `TYPES`."""
    shard, position, stream, version, topic, effective_on, recorded_at, state = row
    return StoredRecord(
        Position(shard=shard, number=position),
        stream,
        version,
        topic,
        effective_on,
        recorded_at,
        state,
    )


def page(db: Database, after: Position, limit: int) -> list[StoredRecord]:
    """Read a page of a shard in position order, from after a position."""
    return [record_of(row) for row in db.tuples(PAGE, [after.shard, after.number, limit])]


def stretches(db: Database, wanted: Iterable[Stretch]) -> list[StoredRecord]:
    """Read stretches of streams, each in order of version."""
    parts = list(wanted)
    if not parts:
        return []
    parameters = [[p.stream for p in parts], [p.first for p in parts], [p.last for p in parts]]
    return [record_of(row) for row in db.tuples(STRETCHES, parameters)]


def head(db: Database, shard: int = 0) -> Position:
    """Tell the last position of a shard."""
    rows = db.tuples(HEAD, [shard])
    return Position(shard=shard, number=rows[0][0] if rows else 0)


def behind(db: Database, after: Position, until: Position, limit: int) -> list[Stretch]:
    """Find streams with events between two positions that have not been applied."""
    rows = db.tuples(BEHIND, [after.shard, after.number, until.number, limit])
    return [Stretch(stream, applied + 1, version) for stream, applied, version in rows]


def by_stream(db: Database, until: Position, after: StreamId) -> Iterator[StoredRecord]:
    """Read every stream after a name whole, up to a position, with COPY; streams in order of name.

    The order is the database's own; where to go on is compared by the same.
    """
    # COPY takes no parameters: the numbers are numbers, the name goes as hexadecimal.
    name = after.encode().hex()
    sql = (
        f"SELECT {_COLUMNS} FROM events WHERE shard = {int(until.shard)}"
        f" AND position <= {int(until.number)}"
        f" AND stream > convert_from('\\x{name}'::bytea, 'UTF8')"
        " ORDER BY stream, version"
    )
    return (record_of(row) for row in db.copy_out(sql, TYPES))
