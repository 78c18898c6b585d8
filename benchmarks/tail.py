"""A tail reader under eight writers and long transactions elsewhere must see every event.

Beside it the same reader follows a plain sequence without a lock, as a table with a `bigserial` is
usually read: it misses events whose transaction ended after that of a later number.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from uuid import uuid4

import psycopg

from benchmarks import harness
from benchmarks.append import STATE, TOPIC
from domain.envelope import Position, StreamId
from infra.codec import peek
from infra.feeds import StoreFeed
from infra.staging import StagedAppend, StagedEvent, actor_text
from infra.store import PostgresEventStore

WRITERS = 8
EVENTS, EVENTS_FULL = 20_000, 1_000_000
EVENTS_OF_A_COMMAND = 10
PLAIN_SECONDS = 3.0
_PAGE = 500

_PLAIN_TABLE = """
CREATE TABLE plain (
    position bigserial PRIMARY KEY, stream text, version bigint, state bytea,
    UNIQUE (stream, version)
)
"""
_PLAIN_INSERT = "INSERT INTO plain (stream, version, state) VALUES (%s, 1, %s)"
_PLAIN_PAGE = "SELECT position FROM plain WHERE position > %s ORDER BY position LIMIT 500"


def run(options: harness.Options) -> list[harness.Result]:
    """Compare the shares of events that the readers see."""
    events = options.size or (EVENTS_FULL if options.full else EVENTS)
    with harness.server() as server:
        plain = _plain(server)
        ours = _ours(server, events)
    assert ours == 1.0, "a reader has missed events"
    return [
        harness.compared(
            f"tail: share of {events:,} events seen",
            [harness.Round(ours=ours, peer=plain)],
            "of all",
            floor=1.0,
        )
    ]


@contextmanager
def _held_open(dsn: str) -> Generator[None]:
    """Keep a transaction open that has written elsewhere, as a long report or import does."""
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE elsewhere (n int)")
        connection.commit()
        connection.execute("INSERT INTO elsewhere VALUES (1)")
        yield


def _in_threads(write: Callable[[int], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    return threads


def _ours(server: harness.Server, events: int) -> float:
    with (
        server.database() as dsn,
        _held_open(dsn),
        PostgresEventStore(dsn) as store,
        PostgresEventStore(dsn) as other,
    ):
        # Two stores: two committers on one record, as two API processes are.
        commands = events // EVENTS_OF_A_COMMAND // WRITERS

        def write(number: int) -> None:
            for _ in range(commands):
                (store, other)[number % 2].submit_staged(_command()).result()

        started = time.monotonic()
        writers = _in_threads(write)
        feed = StoreFeed(store, Position(shard=0, number=0))
        seen, wanted = 0, commands * WRITERS * EVENTS_OF_A_COMMAND
        while seen < wanted:
            batch = feed.poll()
            if not batch and not any(writer.is_alive() for writer in writers):
                break
            numbers = [event.position.number for event in batch]
            assert numbers == list(range(seen + 1, seen + len(batch) + 1)), "not dense"
            seen += len(batch)
        for writer in writers:
            writer.join()
        rate = seen / (time.monotonic() - started)
        print(f"  ours            {seen:9,} of {wanted:9,} events seen, {rate:,.0f} events/s")
    return seen / wanted


def _command() -> StagedAppend:
    actor, effective_on = peek(STATE)
    return StagedAppend(
        stream=StreamId(f"loan-{uuid4()}"),
        expected_version=0,
        events=(StagedEvent(TOPIC, effective_on, STATE),) * EVENTS_OF_A_COMMAND,
        command="loan.receive_payment",
        actor=actor_text(actor),
    )


def _plain(server: harness.Server) -> float:
    """Let the writers insert one event a commit for a time; the share that a reader sees."""
    with (
        server.database() as dsn,
        _held_open(dsn),
        psycopg.connect(dsn, autocommit=True) as reader,
    ):
        reader.execute(_PLAIN_TABLE)
        until = time.monotonic() + PLAIN_SECONDS

        def write(_: int) -> None:
            with psycopg.connect(dsn, autocommit=True) as connection:
                while time.monotonic() < until:
                    connection.execute(_PLAIN_INSERT, (str(uuid4()), STATE))

        writers = _in_threads(write)
        seen, last = 0, 0
        while True:
            finished = not any(writer.is_alive() for writer in writers)
            rows = reader.execute(_PLAIN_PAGE, (last,)).fetchall()
            seen += len(rows)
            last = rows[-1][0] if rows else last
            if finished and not rows:
                break
        row = reader.execute("SELECT count(*) FROM plain").fetchone()
        assert row is not None
        print(f"  plain sequence  {seen:9,} of {row[0]:9,} events seen")
    return seen / row[0]


if __name__ == "__main__":
    harness.main(run)
