"""Rebuilds the read models from the record into a new generation, then switches to it.

Streams are read whole with COPY, folded in memory and written in bulk; then the live way catches
up, and one transaction applies the rest and moves the views: readers see the old generation or the
new one. Killed at any point, it goes on where it was. Live projection is not disturbed until then.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Final

from consumers.log_feed import LogFeed
from consumers.projector import CAUSE_CHARACTERS_MAX, Projector, Transactions, admitted
from domain.envelope import Position, StreamId
from infra.errors import Unavailable
from infra.failpoints import failpoint
from projections import applied, record_log, schema
from projections.ports import Database
from projections.read_models import Fold
from projections.reading import Entry, read
from projections.record_log import StoredRecord

CHUNK_EVENTS: Final = 20_000
# Below this distance to the head the rest is applied in the switching transaction.
SWITCH_EVENTS_MAX: Final = 1_000

PROGRESS_TABLE = """
CREATE TABLE rebuild_progress (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    shape text NOT NULL,
    until bigint NOT NULL,
    last_stream text NOT NULL DEFAULT '',
    events bigint NOT NULL DEFAULT 0,
    copied boolean NOT NULL DEFAULT false
)
"""

Progress = Callable[[int, int], None]
"""Called with events folded so far and events in all."""

_log = logging.getLogger(__name__)


def rebuild(pool: Transactions, *, progress: Progress | None = None) -> int:
    """Rebuild the read models of shard 0 and switch to them; return the new generation.

    Raises Unavailable; call again to go on.
    """
    generation, until = _begin(pool)
    name = schema.schema_of(generation)
    fill(pool, name, until, progress)
    projector = Projector(pool, LogFeed(pool), enter=lambda db: schema.enter(db, name))
    while _distance(pool, projector.position) > SWITCH_EVENTS_MAX:
        projector.step()
    failpoint("rebuild.before_switch")
    old = _switched(pool, generation)
    with pool.transaction() as db:
        schema.drop(db, old)
    return generation


def fold_from_zero(pool: Transactions, name: str, progress: Progress | None = None) -> Position:
    """Fill a scratch schema with a fold of the whole record, to compare hashes; return until where.

    The caller drops the schema (`projections.schema.drop`).
    """
    with pool.transaction() as db:
        schema.drop(db, name)
        until = record_log.head(db)
        _create(db, name, until)
    fill(pool, name, until, progress)
    return until


def _begin(pool: Transactions) -> tuple[int, Position]:
    """Make the next generation's schema, or find one that was begun with the same shape."""
    with pool.transaction() as db:
        generation = schema.current(db) + 1
        name = schema.schema_of(generation)
        begun = db.row("SELECT to_regclass(%s) IS NOT NULL AS there", [f"{name}.rebuild_progress"])
        if begun and begun["there"]:
            with schema.within(db, name):
                row = db.row("SELECT shape, until FROM rebuild_progress")
            if row and row["shape"] == _shape():
                return generation, Position(shard=0, number=row["until"])
        schema.drop(db, name)
        until = record_log.head(db)
        _create(db, name, until)
    return generation, until


def _create(db: Database, name: str, until: Position) -> None:
    schema.create(db, name)
    with schema.within(db, name):
        db.script(PROGRESS_TABLE)
        db.execute(
            "INSERT INTO rebuild_progress (shape, until) VALUES (%s, %s)", [_shape(), until.number]
        )


def _shape() -> str:
    """Fingerprint the tables: what was begun by another version is not gone on with."""
    return sha256(schema.definition().encode()).hexdigest()


def fill(pool: Transactions, name: str, until: Position, progress: Progress | None = None) -> None:
    """Fold every stream up to a position into a schema, from where it was left."""
    with pool.transaction() as db:
        schema.enter(db, name)
        row = db.row("SELECT last_stream, events, copied FROM rebuild_progress")
    assert row is not None
    if not row["copied"]:
        done = row["events"]
        with pool.transaction() as reading:
            records = record_log.by_stream(reading, until, StreamId(row["last_stream"]))
            for chunk in _chunks(records):
                _write(pool, name, chunk)
                done += len(chunk)
                failpoint("rebuild.after_chunk")
                if progress:
                    progress(done, until.number)
        with pool.transaction() as db:
            schema.enter(db, name)
            schema.index(db, name)
            applied.reach(db, until)
            db.execute("UPDATE rebuild_progress SET copied = true")


def _chunks(records: Iterable[StoredRecord]) -> Iterator[list[StoredRecord]]:
    """Gather whole streams into chunks of some size."""
    chunk: list[StoredRecord] = []
    for record in records:
        if len(chunk) >= CHUNK_EVENTS and record.stream != chunk[-1].stream:
            yield chunk
            chunk = []
        chunk.append(record)
    if chunk:
        yield chunk


def _write(pool: Transactions, name: str, chunk: Sequence[StoredRecord]) -> None:
    """Fold whole streams and write them with the progress, in one transaction."""
    with pool.transaction() as db:
        schema.enter(db, name)
        heads = _folded(db, chunk)
        applied.insert(db, heads)
        db.execute(
            "UPDATE rebuild_progress SET last_stream = %s, events = events + %s",
            [chunk[-1].stream, len(chunk)],
        )


def _folded(db: Database, chunk: Sequence[StoredRecord]) -> dict[StreamId, int]:
    """Fold a chunk; streams with an event that cannot be applied are cut there and parked."""
    try:
        fold = Fold(whole_streams=True)
        for record in chunk:
            fold.apply(read(record))
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever one event breaks, the rebuild goes on
        _log.warning("a stream will be parked: %s", error)
        return _folded_around(db, chunk)
    fold.save(db)
    return {record.stream: record.version for record in chunk}


def _folded_around(db: Database, chunk: Sequence[StoredRecord]) -> dict[StreamId, int]:
    fold = Fold(whole_streams=True)
    heads: dict[StreamId, int] = {}
    bad: list[tuple[StoredRecord, str]] = []
    for stream, group in groupby(chunk, key=lambda record: record.stream):
        records = list(group)
        entries, trouble = _sound(records)
        heads[stream] = len(entries)
        for entry in entries:
            fold.apply(entry)
        if trouble is not None:
            bad += _parked(records[len(entries) :], trouble)
    fold.save(db)
    applied.insert(db, {record.stream: heads.pop(record.stream, 0) for record, _ in bad})
    applied.park(db, [record for record, _ in bad], [cause for _, cause in bad])
    return heads


def _sound(records: Sequence[StoredRecord]) -> tuple[list[Entry], str | None]:
    """Return a stream's entries up to the first that cannot be read or applied, and its trouble."""
    entries: list[Entry] = []
    trial = Fold(whole_streams=True)
    try:
        for record in records:
            entry = read(record)
            trial.apply(entry)
            entries.append(entry)
    except Exception as error:  # noqa: BLE001 - as in `_folded`
        return entries, f"{type(error).__name__}: {error}"[:CAUSE_CHARACTERS_MAX]
    return entries, None


def _parked(records: Sequence[StoredRecord], trouble: str) -> list[tuple[StoredRecord, str]]:
    before = records[0].version - 1
    causes = [trouble, *(f"after version {before}" for _ in records[1:])]
    return list(zip(records, causes, strict=True))


def _distance(pool: Transactions, position: Position) -> int:
    with pool.transaction() as db:
        return record_log.head(db).number - position.number


def _switched(pool: Transactions, generation: int) -> str:
    """Apply what is left and move the views, in one transaction that holds up live projection."""
    name = schema.schema_of(generation)
    with pool.transaction() as db:
        old = schema.schema_of(schema.hold(db))
        with schema.within(db, name):
            position = applied.position(db)
            while records := record_log.page(db, position, SWITCH_EVENTS_MAX):
                applied.save(db, admitted(db, records))
                position = records[-1].position
                applied.reach(db, position)
        schema.switch(db, generation)
        failpoint("rebuild.before_switch_commits")
    return old
