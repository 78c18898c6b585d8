"""What only PostgreSQL can do to us: lost connections, locks, plans, several committers."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from domain.envelope import Position, StreamId
from domain.ports import Append, AppendResult, Conflict, Outcome
from infra import store as queries
from infra.append import PackedAppend, append_batch, pack
from infra.connections import Writer, configure
from infra.errors import CorruptEvent, LockTimeout, Overloaded, Unavailable
from infra.settings import Limits
from infra.staging import stage
from infra.store import PostgresEventStore
from infra.verify import verify_store
from tests.support.record import (
    OpenStore,
    a_key,
    a_stream,
    an_append,
    append,
    everything,
    in_threads,
    kill_backends,
    payment,
    recorded,
    sql,
    tailing,
)

pytestmark = pytest.mark.postgres

WAIT = 30


def waiting_for_a_lock(dsn: str) -> int:
    ((count,),) = sql(
        dsn,
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()",
    )
    return int(count)


@pytest.fixture
def lock_holder(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A session that holds the append lock until it is rolled back or closed."""
    with psycopg.connect(database) as connection:
        connection.execute("SELECT * FROM log_head FOR UPDATE")
        yield connection
        connection.rollback()


def test_an_open_append_hides_nothing_from_a_tail_reader(
    database: str, postgres_store: PostgresEventStore
) -> None:
    """The commit-order story: A has its place and stays open; B cannot overtake it."""
    limits, codec = postgres_store.limits, postgres_store.codec
    a = pack(stage(an_append(a_stream(), 0, payment(1)), codec, limits))
    with psycopg.connect(database) as slow:
        configure(slow, limits)
        append_batch(slow, 0, [a])
        b = postgres_store.submit(an_append(a_stream(), 0, payment(2)))
        while not waiting_for_a_lock(database):
            pass
        assert everything(postgres_store) == []
        slow.commit()
    assert recorded(b.result(WAIT)).position == Position(shard=0, number=2)
    assert [event.event for event in everything(postgres_store)] == [payment(1), payment(2)]


def test_two_committers_share_a_log_without_holes(open_store: OpenStore, database: str) -> None:
    stores = [open_store(), open_store()]
    hot = a_stream()

    def write(number: int) -> None:
        store = stores[number % 2]
        for _ in range(25):
            version = 0
            while isinstance(
                result := store.submit(an_append(hot, version)).result(WAIT), Conflict
            ):
                version = result.actual_version
            append(store, an_append(a_stream(), 0))

    with tailing(stores[0]) as seen:
        in_threads(8, write)
    assert seen == list(range(1, 401))
    assert [event.version for event in stores[0].load({hot: 0})[hot]] == list(range(1, 201))
    assert verify_store(database).ok


def test_a_crash_between_commit_and_reply_is_resolved_by_the_key(
    postgres_store: PostgresEventStore, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, key = a_stream(), a_key()
    command = an_append(stream, 0, key=key)

    def commit_and_lose_the_answer(
        connection: psycopg.Connection[Any],
        shard: int,
        batch: Sequence[PackedAppend],
        clock: datetime | None,
    ) -> list[AppendResult]:
        append_batch(connection, shard, batch, clock)
        kill_backends(database, "append_batch_v1")
        return append_batch(connection, shard, batch, clock)

    with monkeypatch.context() as patched:
        patched.setattr("infra.connections.append_batch", commit_and_lose_the_answer)
        with pytest.raises(Unavailable):
            postgres_store.submit(command).result(WAIT)
    repeated = recorded(postgres_store.submit(command).result(WAIT))
    assert repeated == Outcome(
        stream=stream, version=1, position=Position(shard=0, number=1), repeated=True
    )
    assert postgres_store.outcome(key.scope, key.key) == repeated
    assert postgres_store.head().number == 1


def test_every_acknowledged_append_survives_killed_backends(
    postgres_store: PostgresEventStore, database: str
) -> None:
    acknowledged: list[Append] = []
    done = threading.Event()

    def write(_: int) -> None:
        for _ in range(60):
            command = an_append(a_stream(), 0, key=a_key())
            while True:
                try:
                    assert recorded(postgres_store.submit(command).result(WAIT)).version == 1
                except Unavailable:
                    continue
                acknowledged.append(command)
                break

    def kill() -> None:
        while not done.wait(0.02):
            kill_backends(database, "append_batch_v1")

    killer = threading.Thread(target=kill)
    killer.start()
    in_threads(8, write)
    done.set()
    killer.join()
    events = everything(postgres_store)
    assert sorted(event.stream for event in events) == sorted(one.stream for one in acknowledged)
    assert [event.position.number for event in events] == list(range(1, 481))
    assert verify_store(database).ok


def test_reads_outlive_a_killed_pool(postgres_store: PostgresEventStore, database: str) -> None:
    append(postgres_store, an_append(a_stream(), 0))
    assert postgres_store.head().number == 1
    kill_backends(database, "")
    assert postgres_store.head().number == 1


def test_a_held_lock_is_unavailable_after_the_timeout_and_the_queue_says_no(
    open_store: OpenStore, lock_holder: psycopg.Connection[Any]
) -> None:
    limits = Limits(lock_timeout_seconds=1.0, append_wait_seconds_max=0.4, append_queue_max=3)
    store = open_store(limits=limits)
    sent = store.submit(an_append(a_stream(), 0))
    while store.waiting():
        pass
    queued = [store.submit(an_append(a_stream(), 0)) for _ in range(3)]
    with pytest.raises(Overloaded):
        store.submit(an_append(a_stream(), 0))
    with pytest.raises(Unavailable):
        sent.result(WAIT)
    for late in queued:
        with pytest.raises(Overloaded):
            late.result(WAIT)
    lock_holder.rollback()
    assert recorded(store.submit(an_append(a_stream(), 0)).result(WAIT)).version == 1
    assert store.head().number == 1


def test_without_a_database_appends_and_reads_are_unavailable() -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    with PostgresEventStore(nowhere, limits=Limits(connect_timeout_seconds=2)) as store:
        with pytest.raises(Unavailable):
            store.submit(an_append(a_stream(), 0)).result(WAIT)
        with pytest.raises(Unavailable):
            store.head()


def test_between_attempts_to_connect_batches_are_refused_at_once() -> None:
    limits = Limits(connect_timeout_seconds=2, reconnect_seconds_max=60.0)
    writer = Writer("postgresql://nobody@127.0.0.1:1/none", 0, limits)
    with pytest.raises(Unavailable, match="cannot be reached"):
        writer.append([])
    with pytest.raises(Unavailable, match="comes soon"):
        writer.append([])


def test_a_shard_without_its_row_is_an_error_of_ours(open_store: OpenStore, database: str) -> None:
    store = open_store()
    sql(database, "DELETE FROM log_head")
    with pytest.raises(psycopg.errors.RaiseException, match="shard 0"):
        store.submit(an_append(a_stream(), 0)).result(WAIT)


def test_a_bulk_holds_the_lock_in_chunks(open_store: OpenStore, database: str) -> None:
    store = open_store(limits=Limits(bulk_append_events_max=10))
    store.append_many([an_append(a_stream(), 0, payment(1), payment(2)) for _ in range(12)])
    ((moments,),) = sql(database, "SELECT count(DISTINCT recorded_at) FROM events")
    assert moments == 3
    assert verify_store(database).ok


def test_a_bulk_waits_longer_for_the_lock_than_a_command(
    open_store: OpenStore, lock_holder: psycopg.Connection[Any]
) -> None:
    """Found when a million loans were closed by two processes on a busy disk."""
    store = open_store(limits=Limits(lock_timeout_seconds=0.2, bulk_lock_retries_max=100))
    with ThreadPoolExecutor() as pool:
        bulk = pool.submit(store.append_many, [an_append(a_stream(), 0)])
        with pytest.raises(LockTimeout):
            store.submit(an_append(a_stream(), 0)).result(WAIT)
        lock_holder.rollback()
        assert [recorded(one).version for one in bulk.result(WAIT)] == [1]
    assert store.head().number == 1


def test_a_bulk_does_not_wait_for_ever(
    open_store: OpenStore, lock_holder: psycopg.Connection[Any]
) -> None:
    store = open_store(limits=Limits(lock_timeout_seconds=0.1, bulk_lock_retries_max=2))
    with pytest.raises(LockTimeout):
        store.append_many([an_append(a_stream(), 0)])
    lock_holder.rollback()
    assert store.head().number == 0


def test_commands_go_on_beside_a_bulk(postgres_store: PostgresEventStore, database: str) -> None:
    bulk = [an_append(a_stream(), 0, *map(payment, range(20))) for _ in range(200)]

    def write(number: int) -> None:
        if number == 0:
            postgres_store.append_many(bulk)
        else:
            append(postgres_store, *(an_append(a_stream(), 0) for _ in range(50)))

    in_threads(4, write)
    assert postgres_store.head().number == 4_000 + 150
    assert verify_store(database).ok


CHANGES: tuple[LiteralString, ...] = (
    "UPDATE events SET version = 9",
    "DELETE FROM events",
    "TRUNCATE events",
    "UPDATE outcomes SET key = ''",
    "DELETE FROM outcomes",
    "TRUNCATE outcomes",
)


def test_recorded_rows_cannot_be_changed(postgres_store: PostgresEventStore, database: str) -> None:
    append(postgres_store, an_append(a_stream(), 0, key=a_key()))
    for change in CHANGES:
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
            sql(database, change)


def test_sessions_are_durable_whatever_the_default(database: str) -> None:
    careless = make_conninfo(database, options="-c synchronous_commit=off")
    assert sql(careless, "SHOW synchronous_commit") == [("off",)]
    with PostgresEventStore(careless) as store:
        assert store.query("SHOW synchronous_commit", ()) == [("on",)]


@pytest.fixture
def ten_thousand(postgres_store: PostgresEventStore, database: str) -> psycopg.Connection[Any]:
    """A store with 10,000 events on 500 streams, each with a key, and fresh statistics."""
    streams = [StreamId(f"loan-{number}") for number in range(500)]
    postgres_store.append_many(
        [
            an_append(stream, version, payment(version), key=a_key())
            for version in range(20)
            for stream in streams
        ]
    )
    connection = psycopg.connect(database, autocommit=True)
    connection.execute("ANALYZE")
    return connection


def indexes_used(
    connection: psycopg.Connection[Any], statement: str, parameters: tuple[object, ...]
) -> set[str]:
    explain = f"EXPLAIN (FORMAT JSON) {statement}".encode()
    row = connection.execute(explain, parameters).fetchone()
    assert row is not None
    return {node["Index Name"] for node in walk(row[0][0]["Plan"]) if "Index Name" in node}


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from walk(child)


def test_bytes_that_no_json_holds_are_corrupt(
    postgres_store: PostgresEventStore, database: str
) -> None:
    stream = a_stream()
    append(postgres_store, an_append(stream, 0, payment(1), payment(2)))
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER events_are_final")
        connection.execute("UPDATE events SET state = '\\x1e7b7d'::bytea WHERE version = 2")
    with pytest.raises(CorruptEvent):
        dict(postgres_store.events([stream]))


def test_each_query_uses_its_index(ten_thousand: psycopg.Connection[Any]) -> None:
    with ten_thousand as connection:
        for statement, parameters, index in (
            (queries.PAGE, (0, 100, 500), "events_pkey"),
            (queries.LOAD, (["loan-1", "loan-2"], [0, 3]), "events_stream_version_key"),
            (queries.EVENTS, (["loan-1", "loan-2"],), "events_stream_version_key"),
            (queries.OUTCOME, ("tests", "k"), "outcomes_scope_key_key"),
        ):
            assert indexes_used(connection, statement, parameters) == {index}


def test_the_append_finds_heads_and_keys_by_index(
    ten_thousand: psycopg.Connection[Any], postgres_store: PostgresEventStore
) -> None:
    """Plans inside the function leave no trace but the counters of scans."""
    with ten_thousand as connection:
        configure(connection, postgres_store.limits)
        before = scans(connection)
        for version in range(20, 30):
            command = an_append(StreamId("loan-7"), version, key=a_key())
            packed = pack(stage(command, postgres_store.codec, postgres_store.limits))
            assert recorded(append_batch(connection, 0, [packed])[0]).version == version + 1
        after = scans(connection)
    sequential = [(table, count) for table, count, _ in before]
    assert [(table, count) for table, count, _ in after] == sequential
    by_index = {table: count for table, _, count in after}
    assert all(by_index[table] >= count + 10 for table, _, count in before if table != "events")


def scans(connection: psycopg.Connection[Any]) -> list[tuple[str, int, int]]:
    """Each table's sequential and index scans, this session's included."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    rows = connection.execute(
        "SELECT relname, seq_scan, idx_scan FROM pg_stat_user_tables"
        " WHERE relname IN ('events', 'stream_heads', 'outcomes') ORDER BY relname"
    )
    return rows.fetchall()
