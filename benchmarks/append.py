"""Durable appends through the recorder interface, beside the library's own PostgreSQL recorder.

Both sides get the same stored events, one a call, from threads in a closed loop; loans live for
twenty events. Ours does more in a call: an idempotency key, dense positions, a hash chain. The
library runs at the better of 8 and 64 threads, found before. Every turn has fresh tables, and
counts, versions, positions and hashes are checked after it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from hashlib import sha256
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent

from benchmarks import harness, library
from domain.actors import Actor, ActorKind
from domain.envelope import Envelope
from domain.events.servicing import PaymentReceived
from domain.ports import IdempotencyKey
from infra.codec import Codec
from infra.recorder import GroupCommitRecorder
from infra.store import PostgresEventStore
from infra.verify import verify_store

CALLERS = (16, 64, 256)
PEER_THREADS = (8, 64)
EVENTS_OF_A_LOAN = 20
FLOORS = {64: 10.0, 256: 10.0}
TARGET = 15.0
SLICES = 3  # turns of each side a round, where a floor judges: the disk is shared with strangers

TOPIC, STATE = Codec().encode(
    Envelope(
        actor=Actor(kind=ActorKind.UPSTREAM, id="core-banking", roles=("payments",)),
        reason_code="instalment",
        command_id="01890a5d-ac96-774b-bcce-b302099a8057",
    ),
    PaymentReceived(
        effective_on=date(2018, 6, 30), payment_id="p-1", amount_minor=32_511, currency="USD"
    ),
)

Insert = Callable[[StoredEvent], object]


def run(options: harness.Options) -> list[harness.Result]:
    """Measure at each number of callers."""
    results: list[harness.Result] = []
    with harness.server() as server:
        print(f"  {len(STATE)} bytes of state an event")
        best = max(PEER_THREADS, key=lambda threads: _library(server, threads, options.seconds))
        _ours(server, CALLERS[0], options.seconds)  # both sides are warm
        for callers in CALLERS:
            slices, seconds = 1, options.seconds
            if callers in FLOORS:
                slices, seconds = SLICES, options.seconds * 2 / SLICES
            rounds = harness.interleave(
                options.rounds,
                ours=lambda callers=callers, seconds=seconds: _ours(server, callers, seconds),
                peer=lambda seconds=seconds: _library(server, best, seconds),
                slices=slices,
                warm=False,
            )
            results.append(
                harness.compared(
                    f"append: {callers} callers",
                    rounds,
                    "events/s",
                    floor=FLOORS.get(callers),
                    target=TARGET if callers in FLOORS else None,
                )
            )
    return results


def _ours(server: harness.Server, callers: int, seconds: float) -> float:
    with server.database() as dsn:
        with PostgresEventStore(dsn) as store:
            recorder = GroupCommitRecorder(store)
            rate, done, latencies = closed_loop(keyed(recorder), callers, seconds)
            assert recorder.max_notification_id() == done, "positions are not dense"
        report = verify_store(dsn)
        assert (report.events, report.outcomes, report.breaks) == (done, done, ())
    latencies.sort()
    p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
    print(
        f"  ours    {callers:3} callers {rate:8,.0f} events/s"
        f"  p50 {p50 * 1000:.1f} ms  p99 {p99 * 1000:.1f} ms"
    )
    return rate


def keyed(recorder: GroupCommitRecorder) -> Insert:
    """Give every event a key of its own."""

    def insert(event: StoredEvent) -> object:
        name = f"{event.originator_id}:{event.originator_version}"
        key = IdempotencyKey(scope="bench", key=name, request_hash=sha256(event.state).digest())
        return recorder.insert_events([event], key=key, command="loan.receive_payment")

    return insert


def _library(server: harness.Server, threads: int, seconds: float) -> float:
    with server.database() as dsn, library.recorder(dsn, threads) as recorder:
        rate, done, _ = closed_loop(lambda event: recorder.insert_events([event]), threads, seconds)
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*), max(notification_id) FROM stored_events")
            assert row.fetchone() == (done, done)
    print(f"  library {threads:3} threads {rate:8,.0f} events/s")
    return rate


def closed_loop(insert: Insert, callers: int, seconds: float) -> tuple[float, int, list[float]]:
    """Let callers insert for a time; the rate, the number of calls, and how long each took."""
    ready = threading.Barrier(callers + 1)

    def call(_: int) -> list[float]:
        latencies: list[float] = []
        ready.wait()
        until = time.monotonic() + seconds
        events = _events()
        while (started := time.monotonic()) < until:
            insert(next(events))
            latencies.append(time.monotonic() - started)
        return latencies

    with ThreadPoolExecutor(callers) as pool:
        running = [pool.submit(call, number) for number in range(callers)]
        ready.wait()
        started = time.monotonic()
        latencies = [one for caller in running for one in caller.result()]
        rate = len(latencies) / (time.monotonic() - started)
    return rate, len(latencies), latencies


def _events() -> Iterator[StoredEvent]:
    while True:
        loan: UUID = uuid4()
        for version in range(1, EVENTS_OF_A_LOAN + 1):
            yield StoredEvent(loan, version, TOPIC, STATE)


if __name__ == "__main__":
    harness.main(run)
