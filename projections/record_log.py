"""Reads the record as raw rows, for feeds, gaps, sweeps and rebuilds. Decodes and writes nothing.

Undecoded, because a page with one corrupt event must still reach the projector.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter

import msgspec

from domain.envelope import Position, StreamId
from projections.ports import Database


class StoredRecord(msgspec.Struct, frozen=True, gc=False):
    """One stored event, undecoded; the fields are the columns that are read."""

    shard: int
    number: int
    stream: StreamId
    version: int
    topic: str
    effective_on: date
    recorded_at: datetime
    state: bytes

    @property
    def position(self) -> Position:
        """Its place in the shard."""
        return Position(shard=self.shard, number=self.number)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Versions `first`..`last` of a stream."""

    stream: StreamId
    first: int
    last: int


_COLUMNS = "shard, position, stream, version, topic, effective_on, recorded_at, state"

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
BY_STREAM = f"""
SELECT {_COLUMNS} FROM events WHERE shard = %s AND position <= %s AND stream > %s
ORDER BY stream, version
"""
# Sorted here: the server carries whole rows through its sort, which takes it twice as long.
BETWEEN_STREAMS = f"""
SELECT {_COLUMNS} FROM events WHERE shard = %s AND position <= %s AND stream > %s AND stream <= %s
"""
_STREAM, _VERSION = 2, 3  # among the columns
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
UNAPPLIED = """
SELECT min(e.position) FROM events e LEFT JOIN applied_versions a ON a.stream = e.stream
WHERE e.shard = %s AND e.position > %s AND e.position <= %s
    AND e.version > coalesce(a.version, 0) AND NOT coalesce(a.parked, false)
"""


def page(db: Database, after: Position, limit: int) -> list[StoredRecord]:
    """Read a page of a shard in position order, from after a position."""
    return [StoredRecord(*row) for row in db.tuples(PAGE, [after.shard, after.number, limit])]


def stretches(db: Database, wanted: Iterable[Stretch]) -> list[StoredRecord]:
    """Read stretches of streams, each in order of version."""
    parts = list(wanted)
    if not parts:
        return []
    parameters = [[p.stream for p in parts], [p.first for p in parts], [p.last for p in parts]]
    return [StoredRecord(*row) for row in db.tuples(STRETCHES, parameters)]


def head(db: Database, shard: int = 0) -> Position:
    """Tell the last position of a shard."""
    rows = db.tuples(HEAD, [shard])
    return Position(shard=shard, number=rows[0][0] if rows else 0)


def behind(db: Database, after: Position, until: Position, limit: int) -> list[Stretch]:
    """Find streams with events between two positions that have not been applied."""
    rows = db.tuples(BEHIND, [after.shard, after.number, until.number, limit])
    return [Stretch(stream, applied + 1, version) for stream, applied, version in rows]


def settled(db: Database, after: Position, events_max: int) -> Position:
    """Tell up to where everything is applied or parked, at most so many events further."""
    until = min(head(db, after.shard).number, after.number + events_max)
    ((first,),) = db.tuples(UNAPPLIED, [after.shard, after.number, until])
    return Position(shard=after.shard, number=until if first is None else first - 1)


def by_stream(
    db: Database, until: Position, after: StreamId, rows_max: int
) -> Iterator[list[StoredRecord]]:
    """Read every stream after a name whole, up to a position, in pages; streams in order of name.

    The order is the database's own; where to go on is compared by the same.
    """
    for rows in db.pages(BY_STREAM, [until.shard, until.number, after], rows_max=rows_max):
        yield [StoredRecord(*row) for row in rows]


def between(db: Database, until: Position, after: StreamId, last: StreamId) -> list[StoredRecord]:
    """Read every stream after a name and up to another whole, up to a position.

    Streams come in order of name, by their bytes; each in order of version.
    """
    rows = db.tuples(BETWEEN_STREAMS, [until.shard, until.number, after, last])
    rows.sort(key=itemgetter(_STREAM, _VERSION))
    return [StoredRecord(*row) for row in rows]


def whole_streams(pages: Iterable[list[StoredRecord]]) -> Iterator[list[StoredRecord]]:
    """Cut pages where a stream ends, so that no chunk holds a part of one."""
    chunk: list[StoredRecord] = []
    for page in pages:
        chunk += page
        last = chunk[-1].stream
        end = next(n for n in range(len(chunk), 0, -1) if n == 1 or chunk[n - 2].stream != last) - 1
        if end:
            yield chunk[:end]
            chunk = chunk[end:]
    if chunk:
        yield chunk
