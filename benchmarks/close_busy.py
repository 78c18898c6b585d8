"""Payments at a constant rate while a day closes, beside the same payments without a close.

The close is that of `daily_close`. The payments come from another process, on loans of the same
book and led as the HTTP API leads them; how long one took counts from when it was due.
"""

import asyncio
import time
from datetime import date
from itertools import count

import psycopg

from api.awaiting import Answers
from benchmarks import book, harness
from benchmarks.daily_close import LOANS, LOANS_FULL, Closing
from benchmarks.lives import LENDER
from domain.commands.servicing import ReceivePayment
from domain.context import Context
from domain.envelope import StreamId
from domain.ports import IdempotencyKey, Outcome
from domain.service import Fetch, Instruction, Service, Way
from infra.garbage import set_aside
from infra.spawned import Pipe, start_at_pipe
from infra.store import PostgresEventStore

RATE = 200
PAID_LOANS = 400
ALONE_SECONDS, WARM_SECONDS = 5.0, 1.0
FLOOR, TARGET = 1 / 3, 1 / 1.5

Delays = list[tuple[float, float]]
"""When each payment was due on the machine's clock, and the seconds it took."""


def run(options: harness.Options) -> list[harness.Result]:
    """Compare the worst of a hundred payments with and without a close."""
    loans = options.size or (LOANS_FULL if options.full else LOANS)
    with (
        harness.server() as server,
        book.copied(server, loans) as dsn,
        Closing(dsn) as closing,
    ):
        closing.close_next(quiet=True)
        rounds = [_round(closing) for _ in range(options.rounds)]
    name = f"close busy: p99 of payments at {RATE}/s while {loans:,} loans close, without a close"
    return [harness.compared(name, rounds, "ms", floor=FLOOR, target=TARGET)]


def _round(closing: Closing) -> harness.Round:
    child, pipe = start_at_pipe(_pay, closing.dsn, closing.on)
    first_due: float = pipe.recv()
    time.sleep(ALONE_SECONDS)
    begun = time.monotonic()
    closing.close_next()
    ended = time.monotonic()
    pipe.send("enough")
    delays: Delays = pipe.recv()
    child.join()
    alone = _p99_ms(delays, first_due + WARM_SECONDS, begun)
    during = _p99_ms(delays, begun, ended)
    print(f"  p99 {alone:.1f} ms alone, {during:.1f} ms while a day closes", flush=True)
    return harness.Round(ours=during, peer=alone)


def _p99_ms(delays: Delays, after: float, before: float) -> float:
    chosen = sorted(seconds for due, seconds in delays if after <= due < before)
    assert len(chosen) >= 100, "too few payments for a worst of a hundred"  # noqa: PLR2004 - it
    return chosen[len(chosen) * 99 // 100] * 1000


def _pay(dsn: str, on: date, pipe: Pipe) -> None:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT loan_id, currency FROM loan_summary WHERE status = 'active'"
            " ORDER BY loan_id LIMIT %s",
            (PAID_LOANS,),
        ).fetchall()
    with PostgresEventStore(dsn) as store:
        asyncio.run(_Payments(store, rows, on).pay(pipe))


class _Payments:
    """Payments of a few cents by number, on a day, on loans by id and currency."""

    def __init__(self, store: PostgresEventStore, loans: list[tuple[str, str]], on: date) -> None:
        self._store, self._loans = store, loans
        self._service = Service(store)
        self._context = Context(actor=LENDER, business_date=on, reason_code="bench")
        self._delays: Delays = []

    async def pay(self, pipe: Pipe) -> None:
        """Pay at the rate until something comes by the pipe, then answer how long all took."""
        self._answers = Answers()
        self._service.fetch([StreamId(f"loan-{loan_id}") for loan_id, _ in self._loans])
        for number in range(len(self._loans)):
            await self._one(number, time.monotonic())
        self._delays.clear()  # the engine had folded each loan's history
        set_aside()
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

    async def _one(self, number: int, due: float) -> None:
        outcome = await self._go(self._service.way(self._instruction(number)))
        assert outcome.refusal is None, outcome.refusal
        self._delays.append((due, time.monotonic() - due))

    async def _go(self, way: Way) -> Outcome:
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


if __name__ == "__main__":
    harness.main(run)
