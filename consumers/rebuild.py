"""Rebuilds the read models from the record into a new generation, then switches to it.

The record is cut into parts of whole streams. Each part is read, folded in memory and written with
COPY in one transaction, and each table gets its keys and indexes in one, by as many processes as
are let; then the live way catches up, and one transaction applies the rest and moves the views:
readers see the old generation or the new one. Killed at any point, it goes on where it was. Live
projection is not disturbed until then.
"""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, groupby
from multiprocessing import parent_process
from typing import Final

from consumers.log_feed import LogFeed
from consumers.projector import CAUSE_CHARACTERS_MAX, Projector, Transactions, admitted
from domain.envelope import Position, StreamId
from infra.failpoints import failpoint
from infra.garbage import collected_rarely
from infra.spawned import kill, leave_interrupts_to_parent, start
from projections import applied, record_log, schema
from projections.ports import Database, Row
from projections.read_models import Fold
from projections.reading import Entry, read
from projections.record_log import StoredRecord

PART_EVENTS: Final = 10_000
# A process costs about a second of a core before it folds; a part takes as long.
PARTS_A_HELPER: Final = 4
# Below this distance to the head the rest is applied in the switching transaction.
SWITCH_EVENTS_MAX: Final = 1_000

PROGRESS_TABLES = """
CREATE TABLE rebuild_progress (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    shape text NOT NULL,
    until bigint NOT NULL,
    copied boolean NOT NULL DEFAULT false
);
CREATE TABLE rebuild_parts (
    number bigint PRIMARY KEY,
    after text COLLATE "C" NOT NULL,
    last text COLLATE "C" NOT NULL,
    events bigint NOT NULL,
    done boolean NOT NULL DEFAULT false
);
CREATE TABLE rebuild_tables (
    number bigint PRIMARY KEY,
    name text NOT NULL,
    done boolean NOT NULL DEFAULT false
)
"""
TABLES = """
INSERT INTO rebuild_tables (name, number) SELECT * FROM unnest(%s::text[]) WITH ORDINALITY
"""
# Whose keys and indexes take longest, in any book, so that the last ones taken are short. The
# tables are not asked for their sizes: one that another process has in hand would be waited for.
LONGEST_FIRST = ("instalments", "audit_trail", "transactions", "loan_summary", "journal")
# Streams by name, cut where some so many events have come together.
CUT = """
INSERT INTO rebuild_parts (number, after, last, events)
SELECT number, coalesce(lag(last) OVER (ORDER BY number), ''), last, events FROM (
    SELECT before / %s AS number, max(stream) AS last, sum(version) AS events FROM (
        SELECT stream, version,
            (sum(version) OVER (ORDER BY stream) - version)::bigint AS before
        FROM stream_heads WHERE shard = %s
    ) AS heads GROUP BY 1
) AS parts
"""
# No piece waits for the disk: the commit that switches takes all before it there, and a crash takes
# a piece back whole. And one process of the server sorts an index, in memory: workers of its own
# would sort by way of files, and stand in the way of the other tables' where all cores are at work.
PIECE_SETTINGS = """
SELECT set_config('synchronous_commit', 'off', true),
    set_config('max_parallel_maintenance_workers', '0', true)
"""
# Another process's part is passed over. Who waits instead sees it done, or free again.
TAKE = """
SELECT number, after, last FROM rebuild_parts WHERE NOT done ORDER BY number LIMIT 1
FOR UPDATE {}
"""
DONE = "UPDATE rebuild_parts SET done = true, events = %s WHERE number = %s"
TAKE_TABLE = """
SELECT name FROM rebuild_tables WHERE NOT done ORDER BY number LIMIT 1 FOR UPDATE {}
"""
INDEXED = "UPDATE rebuild_tables SET done = true WHERE name = %s"
FOLDED = "SELECT sum(events)::bigint FROM rebuild_parts WHERE done"

Progress = Callable[[int, int], None]
"""Called with events folded so far and events in all."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Helpers:
    """At most so many processes that fold beside this one; `connect` opens a pool in each."""

    connect: Callable[[], AbstractContextManager[Transactions]]
    processes_max: int


def rebuild(
    pool: Transactions, *, helpers: Helpers | None = None, progress: Progress | None = None
) -> int:
    """Rebuild the read models of shard 0 and switch to them; return the new generation.

    Raises Unavailable; call again to go on.
    """
    generation, until = _begin(pool)
    name = schema.schema_of(generation)
    _fill(pool, name, until, helpers, progress)
    projector = Projector(pool, LogFeed(pool), enter=lambda db: schema.enter(db, name))
    while _distance(pool, projector.position) > SWITCH_EVENTS_MAX:
        projector.step()
    failpoint("rebuild.before_switch")
    old = _switched(pool, generation)
    with pool.transaction() as db:
        schema.drop(db, old)
    return generation


def fold_from_zero(pool: Transactions, name: str) -> Position:
    """Fill a scratch schema with a fold of the whole record, to compare hashes; return until where.

    Its tables have no keys and no indexes. The caller drops it (`projections.schema.drop`).
    Raises Unavailable.
    """
    with pool.transaction() as db:
        schema.drop(db, name)
        until = record_log.head(db)
        _create(db, name, until)
    with collected_rarely():
        for _ in _folding(pool, name, until):
            pass
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
        db.script(PROGRESS_TABLES)
        db.execute(
            "INSERT INTO rebuild_progress (shape, until) VALUES (%s, %s)", [_shape(), until.number]
        )
        db.execute(CUT, [PART_EVENTS, until.shard])
        db.execute(TABLES, [[*LONGEST_FIRST, *sorted(set(schema.TABLES) - set(LONGEST_FIRST))]])


def _shape() -> str:
    """Fingerprint the tables: what was begun by another version is not gone on with."""
    return sha256((schema.definition() + PROGRESS_TABLES).encode()).hexdigest()


def _fill(
    pool: Transactions,
    name: str,
    until: Position,
    helpers: Helpers | None,
    progress: Progress | None,
) -> None:
    """Fold every stream up to a position into a schema, from where it was left, and index it."""
    with pool.transaction() as db:
        schema.enter(db, name)
        row = db.row("SELECT copied FROM rebuild_progress")
    assert row is not None
    if not row["copied"]:
        with _beside(pool, name, until, helpers), collected_rarely():
            for events in _folding(pool, name, until):
                if progress:
                    progress(events, until.number)
            for _ in _indexing(pool, name):
                pass
        with pool.transaction() as db:
            schema.enter(db, name)
            applied.reach(db, until)
            db.execute("UPDATE rebuild_progress SET copied = true")


def _folding(pool: Transactions, name: str, until: Position) -> Iterator[int]:
    """Fold every stream up to a position into tables without keys, from where it was left.

    Yields how many events are done in all, after each part.
    """
    for wait in (False, True):  # at last for parts that other processes have in hand
        while (events := _fold_part(pool, name, until, wait=wait)) is not None:
            yield events


def _indexing(pool: Transactions, name: str) -> Iterator[str]:
    """Make the keys and indexes of the filled tables that have none yet; yield each table."""
    for wait in (False, True):
        while (table := _index_table(pool, name, wait=wait)) is not None:
            yield table


@contextmanager
def _beside(
    pool: Transactions, name: str, until: Position, helpers: Helpers | None
) -> Generator[None]:
    """Let helpers do their share while the block runs, if there is enough to do.

    The block itself takes up whatever they leave undone, so one that fails costs time only.
    """
    wanted = 0
    if helpers is not None:
        with pool.transaction() as db:
            schema.enter(db, name)
            row = db.row("SELECT count(*) AS parts FROM rebuild_parts WHERE NOT done")
        wanted = min(helpers.processes_max, row["parts"] // PARTS_A_HELPER if row else 0)
    children = [start(_help, helpers, name, until) for _ in range(wanted)]
    try:
        yield
    finally:
        for child in children:
            kill(child)  # what it had in hand is free again


def _help(helpers: Helpers, name: str, until: Position) -> None:
    """Do a share in a process of its own, until nothing is left or the rebuild is gone."""
    leave_interrupts_to_parent()
    parent = parent_process()
    with helpers.connect() as pool, collected_rarely():
        for _ in chain(_folding(pool, name, until), _indexing(pool, name)):
            if parent is not None and not parent.is_alive():
                return


@contextmanager
def _taken(
    pool: Transactions, name: str, take: str, *, wait: bool
) -> Generator[tuple[Database, Row | None]]:
    """Take the next piece that is not done, for the transaction in which it is.

    Its row stays locked until what is made of it is committed, so nothing is made twice.
    """
    with pool.transaction() as db:
        schema.enter(db, name)
        db.execute(PIECE_SETTINGS)
        yield db, db.row(take.format("" if wait else "SKIP LOCKED"))


def _fold_part(pool: Transactions, name: str, until: Position, *, wait: bool) -> int | None:
    """Fold and write the next part; return the events done in all, None: no part is left."""
    with _taken(pool, name, TAKE, wait=wait) as (db, part):
        if part is None:
            return None
        records = record_log.between(db, until, part["after"], part["last"])
        _write(db, _folded(records))
        db.execute(DONE, [len(records), part["number"]])
        ((done,),) = db.tuples(FOLDED)
    failpoint("rebuild.after_chunk")
    return done


def _index_table(pool: Transactions, name: str, *, wait: bool) -> str | None:
    """Make the keys and indexes of the next table and return its name, None: all have theirs."""
    with _taken(pool, name, TAKE_TABLE, wait=wait) as (db, table):
        if table is None:
            return None
        schema.index(db, name, [table["name"]])
        db.execute(INDEXED, [table["name"]])
    failpoint("rebuild.after_table")
    return table["name"]


def _write(db: Database, part: "_Folded") -> None:
    part.fold.save(db)
    applied.insert(db, part.heads)
    applied.park(db, part.parked, part.causes)


@dataclass(slots=True)
class _Folded:
    """A part's rows in memory, the versions of its streams, and what has to be parked."""

    fold: Fold = field(default_factory=lambda: Fold(whole_streams=True))
    heads: dict[StreamId, int] = field(default_factory=dict[StreamId, int])
    parked: list[StoredRecord] = field(default_factory=list[StoredRecord])
    causes: list[str] = field(default_factory=list[str])


def _folded(records: Sequence[StoredRecord]) -> _Folded:
    """Fold whole streams; those with an event that cannot be applied are cut there and parked."""
    folded = _Folded()
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
    folded = _Folded()
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
