"""Payments on stored loans from callers in a closed loop, in one process or in several.

They wait on an event loop, as those of the HTTP API do. Of a hundred, five were decided on a stale
version and are refused, five are sent again: commands of their own, each with its own time. Where
several processes pay, each has loans of its own, as the members of an intake group have their
partitions: a loan's state is in one cache.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, cycle

from api.awaiting import Answers
from benchmarks import histories
from benchmarks.book import UNTIL
from benchmarks.lives import LENDER
from domain.commands.servicing import ReceivePayment
from domain.context import Context
from domain.ports import Append, IdempotencyKey, Outcome
from domain.service import Instruction, Service, Way
from infra.garbage import look_once
from infra.spawned import Pipe, start_at_pipe
from infra.store import PostgresEventStore

LOANS = 400
CALLERS = 64
HUNDRED, STALE, REPEATS = 100, 5, 5


@dataclass(frozen=True, slots=True)
class Turn:
    """What one closed loop did: seconds that each command took, and all of them."""

    latencies: Sequence[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Commands a second."""
        return len(self.latencies) / self.seconds

    @property
    def p99_ms(self) -> float:
        """The worst of a hundred, in milliseconds."""
        return sorted(self.latencies)[len(self.latencies) * 99 // 100] * 1000


@dataclass(frozen=True, slots=True)
class Paid:
    """What all processes did together."""

    rate: float
    p99_ms: float
    accepted: int
    refused: int
    first_rate: float  # of each loan's first payment, when the engine folds its history


class Payments:
    """Payments by number on the loans of a store, and how they were answered."""

    def __init__(
        self,
        store: PostgresEventStore,
        service: Service,
        loans: Sequence[str],
        numbers: Iterable[int],
    ) -> None:
        self._store, self._service, self._loans = store, service, loans
        self._numbers = iter(numbers)
        self._answers = Answers()
        self._latencies: list[float] = []
        self.accepted = self.refused = 0

    async def each_once(self, callers: int) -> Turn:
        """Pay every loan once."""
        return await self._closed_loop(callers)

    async def for_a_time(self, callers: int, seconds: float) -> Turn:
        """Pay loan after loan, again and again."""
        return await self._closed_loop(callers, seconds)

    async def _closed_loop(self, callers: int, seconds: float | None = None) -> Turn:
        """Let callers pay for a time, or every loan once; a caller's loans are its own."""
        self._latencies = []
        begun = time.monotonic()

        async def call(caller: int) -> None:
            for turn in turns(caller, callers, len(self._loans), once=seconds is None):
                if seconds is not None and time.monotonic() >= begun + seconds:
                    return
                await self._pay(self._loans[turn])

        await asyncio.gather(*(call(caller) for caller in range(callers)))
        return Turn(self._latencies, time.monotonic() - begun)

    async def _pay(self, loan_id: str) -> None:
        """Pay a loan a little; of some payments, ask for the same again."""
        number = next(self._numbers)
        started = time.monotonic()
        instruction = _instruction(loan_id, number)
        outcome = await self._go(self._service.way(instruction))
        answered = time.monotonic()
        self._latencies.append(answered - started)
        self.accepted += outcome.refusal is None
        self.refused += outcome.refusal is not None
        if number % HUNDRED < REPEATS:
            assert (await self._go(self._service.way(instruction))).repeated
            self._latencies.append(time.monotonic() - answered)

    async def _go(self, way: Way) -> Outcome:
        """Lead a command as the HTTP API does; every state is in the cache."""
        try:
            wish = next(way)
            while True:
                assert isinstance(wish, Append)
                wish = way.send(await self._answers.of(self._store.submit(wish)))
        except StopIteration as end:
            return end.value


def payment(loan_id: str, number: int) -> ReceivePayment:
    """Make the command of a small payment."""
    return ReceivePayment(
        loan_id=loan_id,
        effective_on=UNTIL,
        payment_id=f"bench-{number}",
        amount_minor=1 + number % 97,
        currency="USD",
    )


def context() -> Context:
    """Say who pays, and when."""
    return Context(actor=LENDER, business_date=UNTIL, reason_code="bench")


def _instruction(loan_id: str, number: int) -> Instruction:
    stale = REPEATS <= number % HUNDRED < REPEATS + STALE
    key = f"bench-{number}"
    return Instruction(
        command=payment(loan_id, number),
        context=context(),
        key=IdempotencyKey(scope="bench", key=key, request_hash=sha256(key.encode()).digest()),
        expected_version=1 if stale else None,
    )


def in_processes(dsn: str, processes: int, seconds: float) -> Paid:
    """Let as many processes pay at the same time, with the callers shared out among them."""
    with ExitStack() as stack:
        pipes: list[Pipe] = []
        for part in range(processes):
            child, pipe = start_at_pipe(_pay, dsn, part, processes, seconds)
            stack.callback(child.join)
            pipes.append(pipe)
        firsts: list[Turn] = [pipe.recv() for pipe in pipes]
        for pipe in pipes:
            pipe.send("go")
        turns: list[Turn] = [pipe.recv() for pipe in pipes]
        answers: list[tuple[int, int]] = [pipe.recv() for pipe in pipes]
    together = Turn([one for turn in turns for one in turn.latencies], seconds)
    return Paid(
        rate=sum(turn.rate for turn in turns),
        p99_ms=together.p99_ms,
        accepted=sum(accepted for accepted, _ in answers),
        refused=sum(refused for _, refused in answers),
        first_rate=sum(turn.rate for turn in firsts),
    )


def _pay(dsn: str, part: int, of: int, seconds: float, pipe: Pipe) -> None:
    """Be one of the processes that pay."""
    with PostgresEventStore(dsn) as store:
        service = Service(store)
        known = service.fetch([histories.stream_of(number) for number in range(part, LOANS, of)])
        loans = [stream.partition("-")[2] for stream in histories.payable(known)]
        look_once()  # as the API does at its start

        async def paid() -> None:
            payments = Payments(store, service, loans, count(part, of))
            pipe.send(await payments.each_once(CALLERS // of))
            pipe.recv()
            pipe.send(await payments.for_a_time(CALLERS // of, seconds))
            pipe.send((payments.accepted, payments.refused))

        asyncio.run(paid())


def turns(caller: int, callers: int, loans: int, *, once: bool) -> Iterable[int]:
    """Number a caller's loans, so that nobody meets anybody; again and again, or once."""
    own = range(caller, loans, callers)
    return own if once else cycle(own)
