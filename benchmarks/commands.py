"""Commands through the service: key look-up, state, decision by the engine, append.

Payments on loans of twenty events from 64 callers in a closed loop; of a hundred, five were decided
on a stale version and are refused, five are sent again. Beside it the library's application does
the same payments without key, hash chain and refusals, with states in its cache as ours has, at
the better of two thread counts. Each turn has a fresh database with the same histories.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from itertools import count

import psycopg

from benchmarks import harness, histories, library
from benchmarks.book import UNTIL
from benchmarks.lives import LENDER
from benchmarks.load import fill as fill_library
from domain.commands.servicing import ReceivePayment
from domain.context import Context
from domain.decide import decide_loan
from domain.ports import IdempotencyKey, Outcome
from domain.service import Instruction, Service
from infra.store import PostgresEventStore
from infra.verify import verify_store

LOANS = 1_000
CALLERS = 64
PEER_THREADS = (8, 64)
HUNDRED, STALE, REPEATS = 100, 5, 5
RATE, RATE_GOAL = 5_000.0, 15_000.0
P99_MS = 25.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one closed loop did."""

    rate: float
    p99_ms: float


def run(options: harness.Options) -> list[harness.Result]:
    """Compare rates, and hold ours beside what is asked for."""
    records = histories.records(LOANS)
    ours: list[Turn] = []

    def measured(server: harness.Server) -> float:
        ours.append(_ours(server, records, options.seconds))
        return ours[-1].rate

    with harness.server() as server:
        best = max(PEER_THREADS, key=lambda n: _library(server, records, n, options.seconds))
        rounds = harness.interleave(
            options.rounds,
            ours=lambda: measured(server),
            peer=lambda: _library(server, records, best, options.seconds),
        )
    turns = ours[1:]
    return [
        harness.compared(f"commands: {CALLERS} callers, library", rounds, "commands/s"),
        harness.bounded(
            f"commands: {CALLERS} callers, rate asked for",
            [turn.rate for turn in turns],
            RATE,
            "commands/s",
            target=RATE_GOAL,
        ),
        harness.bounded(
            f"commands: {CALLERS} callers, p99", [turn.p99_ms for turn in turns], P99_MS, "ms"
        ),
    ]


def _payment(loan_id: str, number: int) -> ReceivePayment:
    return ReceivePayment(
        loan_id=loan_id,
        effective_on=UNTIL,
        payment_id=f"bench-{number}",
        amount_minor=1 + number % 97,
        currency="USD",
    )


def _context() -> Context:
    return Context(actor=LENDER, business_date=UNTIL, reason_code="bench")


def _ours(server: harness.Server, records: histories.Records, seconds: float) -> Turn:
    with server.database() as dsn:
        histories.store(dsn, records)
        with PostgresEventStore(dsn) as store:
            before = store.head().number
            service = Service(store)
            known = service.fetch([histories.stream_of(number) for number in range(LOANS)])
            loans = [stream.partition("-")[2] for stream in histories.payable(known)]
            numbers, outcomes = count(), Counts()

            def pay(caller: int, turn: int) -> None:
                number = next(numbers)
                loan_id = loans[(caller + turn * CALLERS) % len(loans)]
                instruction = _instruction(loan_id, number)
                outcomes.note(service.handle(instruction))
                if number % HUNDRED < REPEATS:
                    assert service.handle(instruction).repeated

            turn = _closed_loop(pay, CALLERS, seconds)
            appended = store.head().number - before
        report = verify_store(dsn)
        assert report.ok
        assert report.events == before + appended
    print(
        f"  ours    {CALLERS:3} callers {turn.rate:7,.0f} commands/s  p99 {turn.p99_ms:.1f} ms"
        f"  {outcomes.accepted:,} accepted, {outcomes.refused:,} refused"
    )
    return turn


class Counts:
    """How many commands were accepted and refused; threads share it."""

    def __init__(self) -> None:
        self.accepted = self.refused = 0
        self._lock = threading.Lock()

    def note(self, outcome: Outcome) -> None:
        """Count one."""
        with self._lock:
            self.accepted += outcome.refusal is None
            self.refused += outcome.refusal is not None


def _instruction(loan_id: str, number: int) -> Instruction:
    stale = REPEATS <= number % HUNDRED < REPEATS + STALE
    key = f"bench-{number}"
    return Instruction(
        command=_payment(loan_id, number),
        context=_context(),
        key=IdempotencyKey(scope="bench", key=key, request_hash=sha256(key.encode()).digest()),
        expected_version=1 if stale else None,
    )


def _library(
    server: harness.Server, records: histories.Records, threads: int, seconds: float
) -> float:
    with server.database() as dsn, library.application(dsn, threads, cached=True) as loans:
        fill_library(loans, dsn, records)
        known = {histories.stream_of(n): loans.known(histories.stream_of(n)) for n in range(LOANS)}
        streams = histories.payable(known)
        numbers = count()

        def pay(caller: int, turn: int) -> None:
            stream = streams[(caller + turn * threads) % len(streams)]
            one = loans.known(stream)
            command = _payment(stream.partition("-")[2], next(numbers))
            context = _context()
            events = decide_loan(one.state, command, context)
            envelope = context.envelope()
            loans.save(
                *(
                    library.Happened(stream, version, envelope, event)
                    for version, event in enumerate(events, one.version + 1)
                )
            )

        turn = _closed_loop(pay, threads, seconds)
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*) FROM loans_events").fetchone()
            assert row is not None
            assert row[0] > len(records)
    print(f"  library {threads:3} threads {turn.rate:7,.0f} commands/s  p99 {turn.p99_ms:.1f} ms")
    return turn.rate


def _closed_loop(pay: Callable[[int, int], None], callers: int, seconds: float) -> Turn:
    """Let callers pay for a time; a caller's loans are its own, so nobody meets anybody."""
    ready = threading.Barrier(callers + 1)

    def call(caller: int) -> list[float]:
        latencies: list[float] = []
        ready.wait()
        until = time.monotonic() + seconds
        for turn in count():
            started = time.monotonic()
            if started >= until:
                return latencies
            pay(caller, turn)
            latencies.append(time.monotonic() - started)
        return latencies

    with ThreadPoolExecutor(callers) as pool:
        running = [pool.submit(call, caller) for caller in range(callers)]
        ready.wait()
        started = time.monotonic()
        latencies = sorted(one for caller in running for one in caller.result())
        rate = len(latencies) / (time.monotonic() - started)
    return Turn(rate, latencies[len(latencies) * 99 // 100] * 1000)


if __name__ == "__main__":
    harness.main(run)
