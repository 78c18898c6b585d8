"""Payments at a constant rate while a day closes, beside the same payments without a close.

The close is that of `daily_close`, which runs this where `--busy` is asked for. The payments come
from another process, on loans of the same book, and are led as the HTTP API leads them; where too
many wait they come again when they are told to, as after a 429. How long one took counts from when
it was due.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import date
from itertools import count

import psycopg

from api.awaiting import Answers
from benchmarks import book, harness
from benchmarks.closing import Closing
from benchmarks.lives import LENDER
from domain.commands.servicing import ReceivePayment
from domain.context import Context
from domain.envelope import StreamId
from domain.ports import IdempotencyKey, Outcome
from domain.service import Fetch, Instruction, Service
from infra.errors import Overloaded
from infra.garbage import look_once
from infra.spawned import Pipe, start_at_pipe
from infra.store import PostgresEventStore

RATE = 200
PAID_LOANS = 400
PRINCIPAL_MINOR_MIN = 50_000  # so that payments of some cents settle nothing
ALONE_SECONDS, WARM_SECONDS = 5.0, 1.0
SAMPLE_MIN = 100
FLOOR, TARGET = 1 / 3, 1 / 1.5

_LOANS = """
SELECT loan_id, currency FROM loan_summary WHERE status = 'active' AND principal_minor > %s
ORDER BY loan_id LIMIT %s
"""

Delays = list[tuple[float, float]]
"""When each payment was due on the machine's clock, and the seconds it took."""


def compared(server: harness.Server, options: harness.Options, loans: int) -> harness.Result:
    """Compare the worst of a hundred payments with and without a close."""
    with book.copied(server, loans) as dsn, Closing(dsn) as closing:
        closing.close_next()
        rounds = [_round(closing) for _ in range(options.rounds)]
    name = f"daily close: p99 of payments at {RATE}/s while {loans:,} loans close, without a close"
    return harness.compared(name, rounds, "ms", floor=FLOOR, target=TARGET)


def _round(closing: Closing) -> harness.Round:
    child, pipe = start_at_pipe(_pay, closing.dsn, closing.on)
    first_due: float = pipe.recv()
    time.sleep(ALONE_SECONDS)
    begun = time.monotonic()
    closing.close_next()
    ended = time.monotonic()
    pipe.send("enough")
    delays: Delays = pipe.recv()
    waited: int = pipe.recv()
    child.join()
    alone = _p99_ms(delays, first_due + WARM_SECONDS, begun)
    during = _p99_ms(delays, begun, ended)
    print(
        f"  p99 {alone:.1f} ms alone, {during:.1f} ms while a day closes;"
        f" {waited} of {len(delays):,} payments were told to come again",
        flush=True,
    )
    return harness.Round(ours=during, peer=alone)


def _p99_ms(delays: Delays, after: float, before: float) -> float:
    chosen = sorted(seconds for due, seconds in delays if after <= due < before)
    assert len(chosen) >= SAMPLE_MIN, "too few payments for a worst of a hundred"
    return chosen[len(chosen) * 99 // 100] * 1000


def _pay(dsn: str, on: date, pipe: Pipe) -> None:
    with psycopg.connect(dsn) as connection:
        loans = connection.execute(_LOANS, (PRINCIPAL_MINOR_MIN, PAID_LOANS)).fetchall()
    with PostgresEventStore(dsn) as store:
        asyncio.run(_Payments(store, loans, on).pay(pipe))


class _Payments:
    """Payments of a few cents by number, on a day, on loans by id and currency."""

    def __init__(
        self, store: PostgresEventStore, loans: Sequence[tuple[str, str]], on: date
    ) -> None:
        self._store, self._loans = store, loans
        self._service = Service(store)
        self._context = Context(actor=LENDER, business_date=on, reason_code="bench")
        self._delays: Delays = []
        self._waited = 0

    async def pay(self, pipe: Pipe) -> None:
        """Pay at the rate until something comes by the pipe, then answer how long all took."""
        self._answers = Answers()
        self._service.fetch([StreamId(f"loan-{loan_id}") for loan_id, _ in self._loans])
        for number in range(len(self._loans)):
            await self._one(number, time.monotonic())
        self._delays.clear()  # the engine had folded each loan's history
        look_once()
        running: set[asyncio.Task[None]] = set()
        begun = time.monotonic()
        pipe.send(begun)
        for number in count():
            due = begun + number / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if pipe.poll():
                break
            running.add(asyncio.create_task(self._one(len(self._loans) + number, due)))
        await asyncio.gather(*running)
        pipe.send(self._delays)
        pipe.send(self._waited)

    async def _one(self, number: int, due: float) -> None:
        """Pay once; where too many wait, come again under the same key when told to."""
        instruction = self._instruction(number)
        while True:
            try:
                outcome = await self._go(instruction)
            except Overloaded as told:
                self._waited += 1
                await asyncio.sleep(told.retry_after_seconds)
            else:
                break
        assert outcome.refusal is None, outcome.refusal
        self._delays.append((due, time.monotonic() - due))

    async def _go(self, instruction: Instruction) -> Outcome:
        way = self._service.way(instruction)
        try:
            wish = next(way)
            while True:
                if isinstance(wish, Fetch):  # the close has written to the loan meanwhile
                    found = await asyncio.to_thread(self._service.fetch, wish.streams)
                    wish = way.send(found)
                else:
                    wish = way.send(await self._answers.of(self._store.submit(wish)))
        except StopIteration as end:
            return end.value

    def _instruction(self, number: int) -> Instruction:
        loan_id, currency = self._loans[number % len(self._loans)]
        name = f"{self._context.business_date}-{number}"
        return Instruction(
            command=ReceivePayment(
                loan_id=loan_id,
                effective_on=self._context.business_date,
                payment_id=f"busy-{name}",
                amount_minor=1 + number % 97,
                currency=currency,
            ),
            context=self._context,
            key=IdempotencyKey(scope="busy", key=name, request_hash=b"\0" * 32),
        )
