"""Rebuilds the read models from the record into a new generation, then switches to it.

Streams are read whole, folded in memory and written with COPY, a chunk while the next is folded;
then the live way catches up, and one transaction applies the rest and moves the views: readers see
the old generation or the new one. Killed at any point, it goes on where it was. Live projection is
not disturbed until then.
"""

import logging
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from typing import Final

from consumers.log_feed import LogFeed
from consumers.projector import CAUSE_CHARACTERS_MAX, Projector, Transactions, admitted
from domain.envelope import Position, StreamId
from infra.failpoints import failpoint
from infra.garbage import collected_rarely
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

    Its tables have no keys and no indexes. The caller drops it (`projections.schema.drop`).
    """
    with pool.transaction() as db:
        schema.drop(db, name)
        until = record_log.head(db)
        _create(db, name, until)
    _copy(pool, name, until, progress)
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
    """Fold every stream up to a position into a schema, from where it was left, and index it."""
    with pool.transaction() as db:
        schema.enter(db, name)
        row = db.row("SELECT copied FROM rebuild_progress")
    assert row is not None
    if not row["copied"]:
        _copy(pool, name, until, progress)
        with pool.transaction() as db:
            schema.enter(db, name)
            schema.index(db, name)
            applied.reach(db, until)
            db.execute("UPDATE rebuild_progress SET copied = true")


def _copy(pool: Transactions, name: str, until: Position, progress: Progress | None) -> None:
    """Fold every stream up to a position into tables without keys, from where it was left."""
    with pool.transaction() as db:
        schema.enter(db, name)
        row = db.row("SELECT last_stream, events FROM rebuild_progress")
    assert row is not None
    done = row["events"]
    with pool.transaction() as reading, collected_rarely():
        pages = record_log.by_stream(reading, until, StreamId(row["last_stream"]), CHUNK_EVENTS)
        for events in _written(pool, name, map(_folded, record_log.whole_streams(pages))):
            done += events
            if progress:
                progress(done, until.number)


@dataclass(slots=True)
class _Folded:
    """A chunk's rows in memory, the versions of its streams, and what has to be parked."""

    last_stream: StreamId
    events: int
    fold: Fold = field(default_factory=lambda: Fold(whole_streams=True))
    heads: dict[StreamId, int] = field(default_factory=dict[StreamId, int])
    parked: list[StoredRecord] = field(default_factory=list[StoredRecord])
    causes: list[str] = field(default_factory=list[str])


def _written(pool: Transactions, name: str, chunks: Iterable[_Folded]) -> Generator[int]:
    """Write each chunk while the next one is folded; hand out how many events it had."""
    with ThreadPoolExecutor(1, "rebuild-writer") as writer:
        before: Future[int] | None = None
        for chunk in chunks:
            if before is not None:
                yield before.result()
            before = writer.submit(_write, pool, name, chunk)
        if before is not None:
            yield before.result()


def _write(pool: Transactions, name: str, chunk: _Folded) -> int:
    """Write a chunk's rows with the progress, in one transaction; return how many events it had."""
    with pool.transaction() as db:
        schema.enter(db, name)
        chunk.fold.save(db)
        applied.insert(db, chunk.heads)
        applied.park(db, chunk.parked, chunk.causes)
        db.execute(
            "UPDATE rebuild_progress SET last_stream = %s, events = events + %s",
            [chunk.last_stream, chunk.events],
        )
    failpoint("rebuild.after_chunk")
    return chunk.events


def _folded(records: Sequence[StoredRecord]) -> _Folded:
    """Fold whole streams; those with an event that cannot be applied are cut there and parked."""
    folded = _Folded(records[-1].stream, len(records))
    try:
        apply = folded.fold.apply
        for record in records:
            apply(read(record))
    except Exception as error:  # noqa: BLE001 - whatever one event breaks, the rebuild goes on
        _log.warning("a stream will be parked: %s", error)
        return _folded_around(records)
    folded.heads = {record.stream: record.version for record in records}
    return folded


def _folded_around(records: Sequence[StoredRecord]) -> _Folded:
    folded = _Folded(records[-1].stream, len(records))
    for stream, group in groupby(records, key=lambda record: record.stream):
        members = list(group)
        entries, trouble = _sound(members)
        folded.heads[stream] = len(entries)
        for entry in entries:
            folded.fold.apply(entry)
        if trouble is not None:
            bad = members[len(entries) :]
            folded.parked += bad
            before = bad[0].version - 1
            folded.causes += [trouble, *(f"after version {before}" for _ in bad[1:])]
    return folded


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
