"""Commands through the service: key look-up, state, decision by the engine, append.

Payments on loans of twenty events from 64 callers in a closed loop (`paying`). One process of ours
beside the library's application, which does the same payments without key, hash chain and refusals,
at the better of two thread counts. The rate and the delay that are asked for are asked of the
machine, so a process for each core shares the callers there. Each turn has a fresh database with
the same histories. All have the states in their caches, and every loan was paid once before; how
fast that first round went is printed, because then the engine folds each loan's history.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psycopg

from benchmarks import harness, histories, library
from benchmarks.load import fill as fill_library
from benchmarks.paying import CALLERS, LOANS, Paid, Turn, context, in_processes, payment, turns
from domain.decide import decide_loan
from infra.garbage import look_once
from infra.store import PostgresEventStore
from infra.verify import verify_store

PEER_THREADS = (8, 64)
PROCESSES = 2  # the cores of the machine that the rate is asked of
SHARED_TURNS = 2  # a round: a moment of a slow machine is not the median of six
SECONDS_MIN = 3.0  # in shorter turns the processes are still getting warm
RATE, RATE_GOAL = 5_000.0, 15_000.0
P99_MS = 25.0


def run(options: harness.Options) -> list[harness.Result]:
    """Compare rates, and hold ours beside what is asked for."""
    records = histories.records(LOANS)
    look_once()  # for the library; our processes do it as well
    alone: list[Paid] = []
    shared: list[Paid] = []

    def measured(server: harness.Server) -> float:
        seconds = max(options.seconds, SECONDS_MIN)
        alone.append(_ours(server, records, seconds, 1))
        shared.extend(_ours(server, records, seconds, PROCESSES) for _ in range(SHARED_TURNS))
        return alone[-1].rate

    with harness.server() as server:
        best = max(PEER_THREADS, key=lambda n: _library(server, records, n, options.seconds))
        rounds = harness.interleave(
            options.rounds,
            ours=lambda: measured(server),
            peer=lambda: _library(server, records, best, options.seconds),
        )
    name = f"commands: {CALLERS} callers"
    judged = shared[SHARED_TURNS:]  # those before were to warm up
    asked = [harness.Round(turn.rate, RATE) for turn in alone[1:]]
    return [
        harness.compared(f"{name}, library", rounds, "commands/s"),
        harness.compared(f"{name}, one process, rate asked for", asked, "commands/s"),
        harness.bounded(
            f"{name}, {PROCESSES} processes, rate asked for",
            [turn.rate for turn in judged],
            RATE,
            "commands/s",
            target=RATE_GOAL,
        ),
        harness.bounded(
            f"{name}, {PROCESSES} processes, p99",
            [turn.p99_ms for turn in judged],
            P99_MS,
            "ms",
        ),
    ]


def _ours(
    server: harness.Server, records: histories.Records, seconds: float, processes: int
) -> Paid:
    with server.database() as dsn:
        histories.store(dsn, records)
        paid = in_processes(dsn, processes, seconds)
        report = verify_store(dsn)
        assert report.ok
        assert report.events == _head(dsn)
        assert report.events >= len(records) + 2 * paid.accepted  # each payment, and its allocation
    print(
        f"  ours    {processes} process{'es' if processes > 1 else '  '}"
        f" {paid.rate:7,.0f} commands/s  p99 {paid.p99_ms:.1f} ms"
        f"  {paid.accepted:,} accepted, {paid.refused:,} refused;"
        f" the first of each loan {paid.first_rate:,.0f}/s"
    )
    return paid


def _head(dsn: str) -> int:
    with PostgresEventStore(dsn) as store:
        return store.head().number


def _library(
    server: harness.Server, records: histories.Records, threads: int, seconds: float
) -> float:
    with server.database() as dsn, library.application(dsn, threads, cached=True) as loans:
        fill_library(loans, dsn, records)
        known = {histories.stream_of(n): loans.known(histories.stream_of(n)) for n in range(LOANS)}
        streams = histories.payable(known)
        numbers = count()

        def pay(turn: int) -> None:
            stream = streams[turn % len(streams)]
            one = loans.known(stream)
            command = payment(stream.partition("-")[2], next(numbers))
            circumstances = context()
            events = decide_loan(one.state, command, circumstances)
            envelope = circumstances.envelope()
            loans.save(
                *(
                    library.Happened(stream, version, envelope, event)
                    for version, event in enumerate(events, one.version + 1)
                )
            )

        _threaded_loop(pay, threads, len(streams))
        turn = _threaded_loop(pay, threads, len(streams), seconds)
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*) FROM loans_events").fetchone()
            assert row is not None
            assert row[0] > len(records)
    print(f"  library {threads:3} threads {turn.rate:7,.0f} commands/s  p99 {turn.p99_ms:.1f} ms")
    return turn.rate


def _threaded_loop(
    pay: Callable[[int], None], threads: int, loans: int, seconds: float | None = None
) -> Turn:
    """The closed loop with a thread for each caller."""
    ready = threading.Barrier(threads + 1)

    def call(caller: int) -> list[float]:
        latencies: list[float] = []
        ready.wait()
        begun = time.monotonic()
        for turn in turns(caller, threads, loans, once=seconds is None):
            started = time.monotonic()
            if seconds is not None and started >= begun + seconds:
                break
            pay(turn)
            latencies.append(time.monotonic() - started)
        return latencies

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(call, caller) for caller in range(threads)]
        ready.wait()
        begun = time.monotonic()
        latencies = [one for caller in running for one in caller.result()]
        return Turn(latencies, time.monotonic() - begun)


if __name__ == "__main__":
    harness.main(run)
