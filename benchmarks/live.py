"""The projector on a feed, beside the library's ProjectionRunner: the same rows, the same folds.

Ours applies batches, each in one transaction with the versions and the position. The runner gets
the same events from the library's own recorder and applies each in a transaction of its own with
its tracking record. Both decode once and call the same code for the rows.
"""

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import Mapper, StoredEvent, Tracking, Transcoder
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

from benchmarks import book, harness, library
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.stream import chunked
from domain.envelope import Position
from infra.database import PostgresDatabase, bulk_pool
from infra.garbage import look_once
from infra.store import PostgresEventStore
from projections import read_models, record_log, schema
from projections.reading import read
from projections.record_log import StoredRecord

LOANS, LOANS_FULL = 600, 10_000
PEER_EVENTS, PEER_EVENTS_FULL = 150, 2_000
FLOOR, TARGET = 10.0, 25.0


def run(options: harness.Options) -> list[harness.Result]:
    """Compare rates of events a second."""
    look_once()  # as `loanbook project` does at its start; for both sides
    loans = options.size or (LOANS_FULL if options.full else LOANS)
    sample = PEER_EVENTS_FULL if options.full else PEER_EVENTS

    def fill(dsn: str) -> None:
        book.write_book(dsn, loans)

    with harness.server() as server:
        rounds = harness.interleave(
            options.rounds,
            ours=lambda: _ours(server, f"live_{loans}", fill),
            peer=lambda: _runner(server, f"live_{loans}", fill, sample),
        )
    name = f"live: projector, runner from {sample} events"
    return [harness.compared(name, rounds, "events/s", floor=FLOOR, target=TARGET)]


def _ours(server: harness.Server, name: str, fill: harness.Fill) -> float:
    with (
        server.copy_of(name, fill) as dsn,
        bulk_pool(dsn) as pool,
        PostgresEventStore(dsn) as store,
    ):
        with pool.transaction() as db:
            schema.install(db)
        projector, head = Projector(pool, LogFeed(pool)), store.head()
        started = time.perf_counter()
        projector.catch_up(head)
        seconds = time.perf_counter() - started
        _check(dsn, head.number)
    print(f"  projector         {head.number / seconds:8,.0f} events/s over {head.number:,}")
    return head.number / seconds


def _check(dsn: str, events: int) -> None:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*), max(position) FROM audit_trail").fetchone()
        assert row == (events, events)


class Recorded:
    """A record of ours as an event of the library."""

    originator_id: str

    def __init__(self, record: StoredRecord) -> None:
        self.record = record
        self.originator_id = record.stream
        self.originator_version = record.version


class RecordMapper(Mapper[str]):
    """Hands out records as they are stored; the fold decodes them, as ours does."""

    records: Sequence[StoredRecord] = ()

    def to_domain_event(self, stored_event: StoredEvent) -> Any:  # noqa: ANN401 - a class of ours
        """Find the record of a notification by its number."""
        number: int = stored_event.id  # type: ignore[attr-defined] - a notification has one
        return Recorded(self.records[number - 1])


class Book(Application[str]):
    """The library's application over the library's recorder."""

    name = library.Loans.name

    def construct_transcoder(self) -> Transcoder:
        """Take the library's own; it is not used."""
        return self.factory.transcoder()

    def construct_mapper(self) -> Mapper[str]:
        """Map by number."""
        return RecordMapper(self.construct_transcoder())


class ReadModels(PostgresTrackingRecorder):
    """The read models as a materialised view of the library."""

    def apply(self, record: StoredRecord, tracking: Tracking) -> None:
        """Apply one event with its tracking record in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            db = PostgresDatabase(cursor.connection)
            schema.enter_current(db)
            read_models.apply(db, [read(record)])
            self._insert_tracking(cursor, tracking)


class ReadModelsProjection(Projection[ReadModels]):
    """Calls the view for every event."""

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:  # noqa: ANN401
        """Apply one event."""
        self.view.apply(domain_event.record, tracking)


def _runner(server: harness.Server, name: str, fill: harness.Fill, events: int) -> float:
    with server.copy_of(name, fill) as dsn, bulk_pool(dsn) as pool:
        with pool.transaction() as db:
            schema.install(db)
            RecordMapper.records = record_log.page(db, Position(shard=0, number=0), events)
        with library.application(dsn, 1) as loans:
            stored = [
                StoredEvent(r.stream, r.version, r.topic, r.state) for r in RecordMapper.records
            ]
            for part in chunked(stored, 50):
                loans.recorder.insert_events(part)
        started = time.perf_counter()
        with ProjectionRunner(
            application_class=Book,
            projection_class=ReadModelsProjection,
            view_class=ReadModels,
            env=library.environment(dsn, 2),
        ) as runner:
            runner.wait(events, timeout=600)
        seconds = time.perf_counter() - started
        _check(dsn, events)
    print(f"  ProjectionRunner  {events / seconds:8,.0f} events/s over {events:,}")
    return events / seconds


if __name__ == "__main__":
    harness.main(run)
