"""Commands through the service: key look-up, state, decision by the engine, append.

Payments on loans of twenty events from 64 callers in a closed loop; of a hundred, five were decided
on a stale version and are refused, five are sent again. Ours wait on an event loop, as those of the
HTTP API do. Beside it the library's application does the same payments without key, hash chain and
refusals, at the better of two thread counts. Each turn has a fresh database with the same
histories. Both sides have the states in their caches, and every loan was paid once before; how fast
that first round went is printed, because then the engine folds each loan's history.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, cycle

import psycopg

from api.awaiting import Answers
from benchmarks import harness, histories, library
from benchmarks.book import UNTIL
from benchmarks.lives import LENDER
from benchmarks.load import fill as fill_library
from domain.commands.servicing import ReceivePayment
from domain.context import Context
from domain.decide import decide_loan
from domain.ports import Append, IdempotencyKey, Outcome
from domain.service import Instruction, Service, Way
from infra.garbage import look_once
from infra.store import PostgresEventStore
from infra.verify import verify_store

LOANS = 400
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
    look_once()  # for both sides, as the API does at its start
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
            payments = Payments(store, service, loans)
            first, turn = asyncio.run(payments.first_and_then(seconds))
            appended = store.head().number - before
        report = verify_store(dsn)
        assert report.ok
        assert report.events == before + appended
    print(
        f"  ours    {CALLERS:3} callers {turn.rate:7,.0f} commands/s  p99 {turn.p99_ms:.1f} ms"
        f"  {payments.accepted:,} accepted, {payments.refused:,} refused;"
        f" the first of each loan {first.rate:,.0f}/s"
    )
    return turn


class Payments:
    """Payments by number on the loans of a store, and how they were answered."""

    def __init__(self, store: PostgresEventStore, service: Service, loans: Sequence[str]) -> None:
        self._store, self._service, self._loans = store, service, loans
        self._numbers = count()
        self.accepted = self.refused = 0

    @property
    def answered(self) -> int:
        """Count the payments so far, repeats left out."""
        return self.accepted + self.refused

    async def first_and_then(self, seconds: float) -> tuple[Turn, Turn]:
        """Pay every loan once, then for a time."""
        self._answers = Answers()
        loans = len(self._loans)
        first = await closed_loop(self.pay, loans)
        return first, await closed_loop(self.pay, loans, seconds)

    async def pay(self, turn: int) -> None:
        """Pay the loan whose turn it is a little; of some, ask for the same again."""
        number = next(self._numbers)
        instruction = _instruction(self._loans[turn % len(self._loans)], number)
        outcome = await self._go(self._service.way(instruction))
        self.accepted += outcome.refusal is None
        self.refused += outcome.refusal is not None
        if number % HUNDRED < REPEATS:
            assert (await self._go(self._service.way(instruction))).repeated

    async def _go(self, way: Way) -> Outcome:
        """Lead a command as the HTTP API does; every state is in the cache."""
        try:
            wish = next(way)
            while True:
                assert isinstance(wish, Append)
                wish = way.send(await self._answers.of(self._store.submit(wish)))
        except StopIteration as end:
            return end.value


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

        def pay(turn: int) -> None:
            stream = streams[turn % len(streams)]
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

        _threaded_loop(pay, threads, len(streams))
        turn = _threaded_loop(pay, threads, len(streams), seconds)
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*) FROM loans_events").fetchone()
            assert row is not None
            assert row[0] > len(records)
    print(f"  library {threads:3} threads {turn.rate:7,.0f} commands/s  p99 {turn.p99_ms:.1f} ms")
    return turn.rate


async def closed_loop(
    pay: Callable[[int], Awaitable[None]], loans: int, seconds: float | None = None
) -> Turn:
    """Let callers pay for a time, or every loan once; a caller's loans are its own."""
    latencies: list[float] = []
    begun = time.monotonic()

    async def call(caller: int) -> None:
        for turn in _turns(caller, CALLERS, loans, once=seconds is None):
            started = time.monotonic()
            if seconds is not None and started >= begun + seconds:
                return
            await pay(turn)
            latencies.append(time.monotonic() - started)

    await asyncio.gather(*(call(caller) for caller in range(CALLERS)))
    return _turn(latencies, time.monotonic() - begun)


def _threaded_loop(
    pay: Callable[[int], None], threads: int, loans: int, seconds: float | None = None
) -> Turn:
    """The same with a thread for each caller."""
    ready = threading.Barrier(threads + 1)

    def call(caller: int) -> list[float]:
        latencies: list[float] = []
        ready.wait()
        begun = time.monotonic()
        for turn in _turns(caller, threads, loans, once=seconds is None):
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
        return _turn(latencies, time.monotonic() - begun)


def _turns(caller: int, callers: int, loans: int, *, once: bool) -> Iterable[int]:
    """Number a caller's loans, so that nobody meets anybody; again and again, or once."""
    own = range(caller, loans, callers)
    return own if once else cycle(own)


def _turn(latencies: list[float], seconds: float) -> Turn:
    latencies.sort()
    return Turn(len(latencies) / seconds, latencies[len(latencies) * 99 // 100] * 1000)


if __name__ == "__main__":
    harness.main(run)
