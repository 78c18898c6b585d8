"""The projector, from Kafka to rows, beside its limits: a raw poll, a bulk upsert of the same rows.

Ours decodes, checks versions, folds and writes ten tables with position in one transaction a batch.
The poll only fetches. The upsert has its rows ready as text, writes each once, in as many
transactions, with COPY into a staging table and INSERT ... ON CONFLICT. The slower limit counts.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, Final
from uuid import uuid4

import psycopg
from psycopg import sql

from benchmarks import harness, histories
from benchmarks.broker import broker, fresh_topics
from consumers.projector import Projector
from consumers.relay import Publication
from infra.broker import BrokerUnavailable
from infra.database import bulk_pool
from infra.event_topic import published_of
from infra.garbage import look_once
from infra.kafka_cluster import PARTITIONS, Kafka, Partition
from infra.kafka_feed import KafkaFeed
from infra.outbox import Outbox
from infra.settings import Limits
from projections import hashes, schema

LOANS = 500
LOANS_FULL = 5_000
NAME = "consume: Kafka to rows"
FLOOR = 0.5  # of the slower limit
TARGET = 0.8
SECONDS_MAX: Final = 600.0

Lines = Mapping[str, Sequence[bytes]]
"""A read model's rows as lines of COPY's text format."""


def run(options: harness.Options) -> list[harness.Result]:
    """Compare rates of events a second; `size` counts loans of twenty events."""
    look_once()  # as `loanbook project` does at its start; for both sides
    loans = options.size or (LOANS_FULL if options.full else LOANS)
    with harness.server() as server:
        try:
            with broker() as servers, fresh_topics(servers) as kafka:
                return [_Comparison(server, kafka, loans).result(options.rounds)]
        except BrokerUnavailable as reason:
            return [harness.not_run(NAME, str(reason))]


class _Comparison:
    """One topic, read again and again; a fresh copy of the database for each turn of ours."""

    def __init__(self, server: harness.Server, kafka: Kafka, loans: int) -> None:
        self._server = server
        self._kafka = kafka
        self._name = f"consume_{loans}"
        self._loans = loans
        self._events = loans * histories.EVENTS_OF_A_LOAN
        self._lines: Lines = {}

    def result(self, rounds: int) -> harness.Result:
        """Find the slower limit, then compare with it by turns; all have run before."""
        with (
            self._server.copy_of(self._name, self._fill) as dsn,
            Outbox(dsn) as outbox,
            Publication(outbox, self._kafka) as publication,
        ):
            assert sum(iter(publication.step, 0)) == self._events
        self._ours()
        slower: Callable[[], float] = min((self._poll, self._upsert), key=lambda limit: limit())
        print(f"  the slower limit is the {slower.__name__.strip('_')}")
        measured = harness.interleave(rounds, ours=self._ours, peer=slower, warm=False)
        return harness.compared(NAME, measured, "events/s", floor=FLOOR, target=TARGET)

    def _fill(self, dsn: str) -> None:
        histories.store(dsn, histories.records(self._loans))
        with bulk_pool(dsn) as pool, pool.transaction() as db:
            schema.install(db)

    def _ours(self) -> float:
        with (
            self._server.copy_of(self._name, self._fill) as dsn,
            bulk_pool(dsn) as pool,
            closing(KafkaFeed(self._kafka, f"ours-{uuid4()}", published_of)) as feed,
        ):
            projector = Projector(pool, feed)
            rate = self._timed("ours", projector.step)
            assert projector.position.number == self._events, "not all was projected"
            if not self._lines:
                self._lines = _read_lines(dsn)
        return rate

    def _poll(self) -> float:
        consumer = self._kafka.consumer(f"raw-{uuid4()}", max_poll_records=2_000)
        with closing(consumer):
            consumer.assign(
                [Partition(self._kafka.topics.events, number) for number in range(PARTITIONS)]
            )
            return self._timed("poll", lambda: sum(map(len, consumer.poll(100).values())))

    def _upsert(self) -> float:
        batches = max(1, self._events // Limits().consume_batch_max)
        with self._server.copy_of(self._name, self._fill) as dsn, psycopg.connect(dsn) as one:
            keys = {table: _prepare(one, table) for table in self._lines}
            done = iter(range(batches))

            def write() -> int:
                number = next(done)
                for table, lines in self._lines.items():
                    share = slice(
                        number * len(lines) // batches, (number + 1) * len(lines) // batches
                    )
                    _write(one, table, keys[table], lines[share])
                one.commit()
                return (number + 1) * self._events // batches - number * self._events // batches

            rate = self._timed("upsert", write)
            assert _count(one, "audit_trail") == self._events, "not all was written"
        return rate

    def _timed(self, name: str, step: Callable[[], int]) -> float:
        """Step until all events came; time counts from the step that brings the first."""
        came, deadline = 0, time.monotonic() + SECONDS_MAX
        begun = time.perf_counter()
        while came < self._events:
            assert time.monotonic() < deadline, f"{came} of {self._events} came"
            if came == 0:
                begun = time.perf_counter()
            came += step()
        rate = self._events / (time.perf_counter() - begun)
        print(f"  {name:6} {rate:8,.0f} events/s")
        return rate


def _read_lines(dsn: str) -> Lines:
    found: dict[str, Sequence[bytes]] = {}
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        for table in hashes.KEYS:
            statement = sql.SQL("COPY {} TO STDOUT").format(_read_model(table))
            with cursor.copy(statement) as copy:
                found[table] = [bytes(line) for line in copy]
    return found


def _read_model(table: str) -> sql.Identifier:
    return sql.Identifier("read_v1", table)


def _staged(table: str) -> sql.Identifier:
    return sql.Identifier(f"staged_{table}")


def _prepare(connection: psycopg.Connection[Any], table: str) -> sql.Composed:
    """Make a staging table of what can be written; return the statement that upserts from it."""
    names = [
        sql.Identifier(name)
        for (name,) in connection.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'read_v1' AND table_name = %s AND is_generated = 'NEVER'",
            (table,),
        )
    ]
    columns = sql.SQL(", ").join(names)
    like = sql.SQL("CREATE UNLOGGED TABLE {} AS SELECT {} FROM {} WITH NO DATA")
    connection.execute(like.format(_staged(table), columns, _read_model(table)))
    upsert = sql.SQL("INSERT INTO {} ({}) SELECT * FROM {} ON CONFLICT ({}) DO UPDATE SET {}")
    return upsert.format(
        _read_model(table),
        columns,
        _staged(table),
        sql.SQL(", ").join(sql.Identifier(key) for key in hashes.KEYS[table].split(", ")),
        sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names),
    )


def _write(
    connection: psycopg.Connection[Any], table: str, upsert: sql.Composed, lines: Sequence[bytes]
) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(_staged(table))) as copy:
            copy.write(b"".join(lines))
        cursor.execute(upsert)
        cursor.execute(sql.SQL("TRUNCATE {}").format(_staged(table)))


def _count(connection: psycopg.Connection[Any], table: str) -> int:
    statement = sql.SQL("SELECT count(*) FROM {}").format(_read_model(table))
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    harness.main(run)
