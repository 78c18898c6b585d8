"""What the read models have seen: a version per stream, a position per shard, and dead letters.

Rows and these marks commit together; that is the whole of exactly-once effect.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from domain.envelope import Position, StreamId
from projections.pages import Page, decode, limited, page_of
from projections.ports import Database, Record, Row


@dataclass(frozen=True, slots=True)
class Applied:
    """A stream's last applied version; `parked` True: an event of it waits in dead letters."""

    version: int
    parked: bool


LOCK = """
SELECT stream, version, parked FROM applied_versions
WHERE stream = ANY(%s) ORDER BY stream FOR UPDATE
"""
# In order of stream, like LOCK: two projectors then wait for each other and never deadlock.
BEGIN = """
INSERT INTO applied_versions (stream, version)
SELECT w.stream, 0 FROM unnest(%s::text[]) AS w (stream) ORDER BY 1
ON CONFLICT (stream) DO NOTHING
"""
SAVE = """
UPDATE applied_versions a SET version = w.version
FROM unnest(%s::text[], %s::bigint[]) AS w (stream, version)
WHERE a.stream = w.stream AND a.version <> w.version
"""
INSERT = """
INSERT INTO applied_versions (stream, version)
SELECT * FROM unnest(%s::text[], %s::bigint[])
"""
REACH = """
INSERT INTO feed_positions AS f (shard, position) VALUES (%s, %s)
ON CONFLICT (shard) DO UPDATE SET position = GREATEST(f.position, excluded.position)
RETURNING position
"""
BURY = """
INSERT INTO dead_letters (stream, version, shard, position, topic, cause)
SELECT * FROM unnest(%s::text[], %s::bigint[], %s::integer[], %s::bigint[], %s::text[], %s::text[])
ON CONFLICT (stream, version) DO UPDATE SET cause = excluded.cause
"""


def lock(db: Database, streams: Collection[StreamId]) -> dict[StreamId, Applied]:
    """Lock and return the marks of some streams; a stream never seen stands at version 0."""
    names = sorted(streams)
    found = {stream: Applied(v, p) for stream, v, p in db.tuples(LOCK, [names])}
    missing = [name for name in names if name not in found]
    if missing:
        db.execute(BEGIN, [missing])
        found |= {stream: Applied(v, p) for stream, v, p in db.tuples(LOCK, [missing])}
    return found


def save(db: Database, heads: Mapping[StreamId, int]) -> None:
    """Write the versions applied; `lock` has made their rows."""
    if heads:
        db.execute(SAVE, [list(heads), list(heads.values())])


def insert(db: Database, heads: Mapping[StreamId, int]) -> None:
    """Write the versions of streams that have no row yet."""
    if heads:
        db.execute(INSERT, [list(heads), list(heads.values())])


def reach(db: Database, position: Position) -> Position:
    """Write the position up to which every event has been applied; it never goes back.

    Returns the position that now stands, which may be another projector's.
    """
    ((number,),) = db.tuples(REACH, [position.shard, position.number])
    return Position(shard=position.shard, number=number)


def position(db: Database, shard: int = 0) -> Position:
    """Return the position that the read models have reached; a reader may wait for it to come."""
    row = db.row("SELECT position FROM feed_positions WHERE shard = %s", [shard])
    return Position(shard=shard, number=row["position"] if row else 0)


def park(db: Database, records: Sequence[Record], causes: Sequence[str]) -> None:
    """Put records into dead letters and park their streams until they are redriven."""
    if not records:
        return
    db.execute(
        BURY,
        [
            [record.stream for record in records],
            [record.version for record in records],
            [record.position.shard for record in records],
            [record.position.number for record in records],
            [record.topic for record in records],
            list(causes),
        ],
    )
    streams = list({record.stream for record in records})
    db.execute("UPDATE applied_versions SET parked = true WHERE stream = ANY(%s)", [streams])


def unpark(db: Database, stream: StreamId) -> None:
    """Take a stream's dead letters away and let its events through again."""
    db.execute("DELETE FROM dead_letters WHERE stream = %s", [stream])
    db.execute("UPDATE applied_versions SET parked = false WHERE stream = %s", [stream])


DEAD = """
SELECT * FROM dead_letters WHERE (shard, position) > (%(shard)s::integer, %(position)s::bigint)
ORDER BY shard, position LIMIT %(limit)s
"""


def dead_letters(db: Database, *, limit: int = 100, cursor: str = "") -> Page:
    """List what could not be applied, oldest first.

    Raises Rejected: `limit_out_of_range`, `malformed_cursor`.
    """
    shard, number = decode(cursor, tuple[int, int]) if cursor else (-1, 0)
    rows = db.rows(DEAD, {"shard": shard, "position": number, "limit": limited(limit) + 1})
    return page_of(rows, limit, lambda row: (row["shard"], row["position"]))


def dead_letters_of(db: Database, stream: StreamId) -> list[Row]:
    """Return a stream's dead letters in order of version; empty: it is not parked."""
    return db.rows("SELECT * FROM dead_letters WHERE stream = %s ORDER BY version", [stream])


def parked_streams(db: Database) -> list[StreamId]:
    """Return the streams that wait for mending."""
    sql = "SELECT stream FROM applied_versions WHERE parked ORDER BY stream"
    return [StreamId(stream) for (stream,) in db.tuples(sql)]
