"""From commit to visible in the read models, on both feeds, at a constant rate of commands.

An open loop appends payments and other events of loans' histories at 1,000 commands a second, each
after the one before on its loan. A projector follows in a process of its own, as it does in the
product, by the store or by a real broker, which a relay in another process fills. A watcher polls
the position of the read models; how long an empty poll takes is printed, and what passes between
two of them is counted as delay.

Before the rounds of a feed a short one warms up the server and the broker, and before the measured
seconds of each round one second of other loans, at the same rate, its new processes.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from itertools import islice
from multiprocessing.synchronize import Event
from statistics import median
from typing import Self
from uuid import uuid4

import psycopg

from benchmarks import harness, histories
from benchmarks.broker import broker
from benchmarks.lives import LENDER
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.relay import Relay
from consumers.topic_feed import topic_feed
from domain.envelope import StreamId
from domain.ports import AppendResult, Outcome
from infra.broker import BrokerUnavailable
from infra.codec import peek
from infra.database import bulk_pool
from infra.errors import Overloaded
from infra.garbage import look_once
from infra.kafka_cluster import Kafka, Topics
from infra.outbox import Outbox
from infra.spawned import SPAWNED, start
from infra.staging import StagedAppend, StagedEvent, actor_text
from infra.store import PostgresEventStore
from projections import schema
from projections.record_log import StoredRecord

RATE = 1_000
SECONDS, SECONDS_FULL = 4, 20
WARMING_SECONDS = 1
P99_MS, P99_GOAL_MS, P99_GOAL_KAFKA_MS = 250.0, 50.0, 100.0

_POSITION = "SELECT coalesce(max(position), 0) FROM feed_positions"
_POLL_SECONDS = 0.004  # each poll takes a share of the cores that are measured
_PATIENCE_SECONDS = 0.02

Child = tuple[Callable[..., None], tuple[object, ...]]
"""What a process does with the database's address, and with more."""
Road = Callable[[], list[Child]]
"""The processes that bring events from a fresh store to its read models."""


def run(options: harness.Options) -> list[harness.Result]:
    """Measure the delay of every event; the worst of a hundred is judged."""
    seconds = options.size or (SECONDS_FULL if options.full else SECONDS)
    store, kafka = (
        f"freshness: {feed} feed, p99 at {RATE:,} commands/s" for feed in ("store", "Kafka")
    )
    with harness.server() as server:
        measured = [_line(server, options, seconds, store, P99_GOAL_MS, lambda: [(_by_store, ())])]
        try:
            with broker() as servers:
                measured.append(
                    _line(server, options, seconds, kafka, P99_GOAL_KAFKA_MS, _by_kafka(servers))
                )
        except BrokerUnavailable as reason:
            measured.append(harness.not_run(kafka, str(reason)))
    return measured


def _line(
    server: harness.Server,
    options: harness.Options,
    seconds: int,
    name: str,
    goal: float,
    road: Road,
) -> harness.Result:
    _delays(server, WARMING_SECONDS, road)
    rounds = [_delays(server, seconds, road) for _ in range(options.rounds)]
    for delays in rounds:
        print(
            f"  {len(delays):,} events: p50 {_of(delays, 50):.1f} ms, p99 {_of(delays, 99):.1f} ms,"
            f" at most {delays[-1]:.1f} ms"
        )
    return harness.bounded(name, [_of(delays, 99) for delays in rounds], P99_MS, "ms", target=goal)


def _by_kafka(servers: str) -> Road:
    def road() -> list[Child]:
        prefix = f"{uuid4().hex}."  # topics that nobody has used
        return [(_relay, (servers, prefix)), (_follow_topic, (servers, prefix))]

    return road


def _of(ordered: list[float], percent: int) -> float:
    return ordered[len(ordered) * percent // 100]


def _delays(server: harness.Server, seconds: int, road: Road) -> list[float]:
    """Return the delays of so many seconds' events in milliseconds, smallest first.

    What warms up is not among them. Its first event waits until all processes have found each
    other.
    """
    warming, measured = _parts(WARMING_SECONDS * RATE, seconds * RATE)
    begin = len(warming) + 1
    with server.database() as dsn, bulk_pool(dsn) as pool:
        with pool.transaction() as db:
            schema.install(db)
        with _beside(dsn, road()), Watcher(dsn) as watcher, PostgresEventStore(dsn) as store:
            committed: list[tuple[float, int]] = []
            _append(store, warming[:1], [])
            watcher.wait_for(1)
            _append(store, warming[1:], [])
            watcher.wait_for(len(warming))
            behind = _append(store, measured, committed)
            watcher.wait_for(len(warming) + len(measured))
        assert store is not None
    print(
        f"  an empty poll takes {watcher.poll_ms:.2f} ms; the loop was at most"
        f" {behind * 1000:.0f} ms behind its rate"
    )
    assert sorted(place for _, place in committed) == list(range(begin, begin + len(measured)))
    return sorted((watcher.seen_at(position) - at) * 1000 for at, position in committed)


def _parts(*lengths: int) -> list[list[StoredRecord]]:
    """Make parts of so many events, each of loans of its own, which go on side by side."""
    told = iter(histories.records(sum(lengths) // histories.EVENTS_OF_A_LOAN))
    return [
        sorted(islice(told, length), key=lambda one: (one.version, one.stream))
        for length in lengths
    ]


def _append(
    store: PostgresEventStore, records: list[StoredRecord], committed: list[tuple[float, int]]
) -> float:
    """Append at the rate, whatever the answers; return how far the loop fell behind, seconds."""

    def note(done: Future[AppendResult]) -> None:
        outcome = done.result()
        assert isinstance(outcome, Outcome)
        assert outcome.position is not None
        committed.append((time.monotonic(), outcome.position.number))

    futures: list[Future[AppendResult]] = []
    behind, begun = 0.0, time.monotonic()
    for number, record in enumerate(records):
        late = time.monotonic() - begun - number / RATE
        if late < 0:
            time.sleep(-late)
        behind = max(behind, late)
        event = StagedEvent(record.topic, peek(record.state)[1], record.state)
        append = StagedAppend(
            stream=StreamId(record.stream),
            expected_version=record.version - 1,
            events=(event,),
            command="bench.append",
            actor=actor_text(LENDER),
        )
        futures.append(_submitted(store, append))
        futures[-1].add_done_callback(note)
    for future in futures:
        future.result()
    return behind


def _submitted(store: PostgresEventStore, append: StagedAppend) -> Future[AppendResult]:
    """Hand an append in; where the store has too many, wait as a client that is told 429 does."""
    while True:
        try:
            return store.submit_staged(append)
        except Overloaded:
            time.sleep(_PATIENCE_SECONDS)


@contextmanager
def _beside(dsn: str, children: list[Child]) -> Generator[None]:
    stopping = SPAWNED.Event()
    started = [start(child, dsn, stopping, *more) for child, more in children]
    try:
        yield
    finally:
        stopping.set()
        for process in started:
            process.join()


def _by_store(dsn: str, stopping: Event) -> None:
    with bulk_pool(dsn) as pool:
        look_once()
        Projector(pool, LogFeed(pool)).run(stopping.is_set)


def _relay(dsn: str, stopping: Event, servers: str, prefix: str) -> None:
    with Outbox(dsn) as outbox, Kafka(servers, Topics.under(prefix)) as kafka:
        look_once()
        Relay(outbox, kafka).run(stopping.is_set)


def _follow_topic(dsn: str, stopping: Event, servers: str, prefix: str) -> None:
    with (
        bulk_pool(dsn) as pool,
        Kafka(servers, Topics.under(prefix)) as kafka,
        closing(topic_feed(kafka, pool)) as feed,
    ):
        look_once()
        Projector(pool, feed).run(stopping.is_set)


class Watcher:
    """Notes when the read models reached which position."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._times: list[float] = []
        self._positions: list[int] = []
        self._polls: list[float] = []
        self._reached = threading.Condition()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()

    @property
    def poll_ms(self) -> float:
        """How long one look takes."""
        return median(self._polls) * 1000

    def wait_for(self, position: int) -> None:
        """Wait until a position is visible. Raises AssertionError after a minute."""
        with self._reached:
            seen = self._reached.wait_for(
                lambda: bool(self._positions) and self._positions[-1] >= position, timeout=60
            )
        assert seen, f"position {position} never became visible"

    def seen_at(self, position: int) -> float:
        """Tell when a position was visible first."""
        return self._times[bisect_left(self._positions, position)]

    def _watch(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while not self._ending.is_set():
                before = time.monotonic()
                row = connection.execute(_POSITION).fetchone()
                now = time.monotonic()
                assert row is not None
                if not self._positions or row[0] > self._positions[-1]:
                    with self._reached:
                        self._times.append(now)
                        self._positions.append(row[0])
                        self._reached.notify_all()
                else:
                    self._polls.append(now - before)
                time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    harness.main(run)
