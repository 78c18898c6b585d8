"""Carries out commands for authenticated callers, for HTTP and console alike. Decides nothing.

Handlers are `async`, and the waiting is done on the event loop: a command waits for its group
commit as a future, so as many can be in one commit as requests are in flight. Threads would cap
the commit at their number (forty in the usual pool) and cost a switch a command. Deciding runs on
the loop, because it is short and Python runs one thread at a time anyway; only reading a state
that is not cached goes to a thread.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from api.awaiting import Answers
from api.business_date import BusinessDate
from api.identity import Caller
from domain.context import Context
from domain.envelope import StreamId
from domain.errors import Rejected
from domain.ports import EventStore, IdempotencyKey, Outcome
from domain.service import Fetch, Instruction, KeyReused, Preview, Service, TooManyConflicts
from infra.edge import Body, request_hash, to_command
from infra.errors import Overloaded, TooLarge, Unavailable
from infra.settings import Limits

T = TypeVar("T")

ANSWERABLE = (KeyReused, TooManyConflicts, Overloaded, Unavailable, TooLarge)
"""What one order may meet without being our bug."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One command as a surface took it: validated, not yet converted."""

    name: str  # such as `loan.receive_payment`
    target: str  # the aggregate's id, such as the loan's
    body: Body
    key: str  # the client's name for it
    reason_code: str | None = None
    on_behalf_of: str | None = None
    expected_version: int | None = None  # None: any
    command_id: str | None = None
    correlation_id: str | None = None


class Turns:
    """One at a time for each stream; a stream that nobody waits for is forgotten."""

    def __init__(self) -> None:
        self._locks: dict[StreamId, tuple[asyncio.Lock, int]] = {}

    async def take(self, stream: StreamId) -> None:
        """Wait for the stream's turn; whoever has it gives it back."""
        lock, waiting = self._locks.get(stream) or (asyncio.Lock(), 0)
        self._locks[stream] = (lock, waiting + 1)
        try:
            await lock.acquire()
        except BaseException:
            self._leave(stream)
            raise

    def give_back(self, stream: StreamId) -> None:
        """Let the next one have the stream's turn."""
        self._locks[stream][0].release()
        self._leave(stream)

    def _leave(self, stream: StreamId) -> None:
        lock, waiting = self._locks[stream]
        if waiting == 1:
            del self._locks[stream]
        else:
            self._locks[stream] = (lock, waiting - 1)


class Desk:
    """Takes orders."""

    def __init__(
        self, store: EventStore, service: Service, business_date: BusinessDate, limits: Limits
    ) -> None:
        self._store = store
        self._service = service
        self._business_date = business_date
        self._turns = Turns()
        self._answers_here: Answers | None = None  # of the loop that serves
        self._threads = ThreadPoolExecutor(limits.read_connections_max, "state")

    async def carry_out(self, caller: Caller, order: Order) -> Outcome:
        """Decide one order and make its outcome durable; a repeat gets the first outcome again.

        Raises Rejected for what cannot be converted (nothing is recorded then), KeyReused,
        TooManyConflicts, Overloaded, Unavailable, TooLarge.
        """
        return await self._lead(await self._instruction(caller, order))

    async def carry_out_many(
        self, caller: Caller, orders: Sequence[Order]
    ) -> list[Outcome | Exception]:
        """Carry out many orders, each answered for itself: its outcome, or what it raised.

        Those on one aggregate are decided in order, those on different ones at the same time, so
        that they meet in one group commit. Raises Unavailable when the states cannot be read.
        """
        answers: dict[int, Outcome | Exception] = {}
        waiting: dict[StreamId, list[tuple[int, Instruction]]] = {}
        for index, order in enumerate(orders):
            try:
                instruction = await self._instruction(caller, order)
            except Rejected as no:
                answers[index] = no
            else:
                waiting.setdefault(instruction.command.stream, []).append((index, instruction))
        missing = self._service.missing(waiting)
        if missing:
            await self._in_thread(lambda: self._service.fetch(missing))

        async def in_order(instructions: Sequence[tuple[int, Instruction]]) -> None:
            for index, instruction in instructions:
                try:
                    answers[index] = await self._lead(instruction)
                except ANSWERABLE as error:
                    answers[index] = error

        await asyncio.gather(*(in_order(instructions) for instructions in waiting.values()))
        return [answers[index] for index in range(len(orders))]

    async def preview(self, caller: Caller, order: Order) -> Preview:
        """Return what an order would yield; nothing is stored. Raises Rejected, Unavailable."""
        instruction = await self._instruction(caller, order)
        return await self._in_thread(lambda: self._service.preview(instruction))

    async def _lead(self, instruction: Instruction) -> Outcome:
        """Go a command's way, and do its waiting on the event loop.

        Commands on one stream go one after another: side by side they would decide on the same
        version, and all but one would lose and try again, until some give up.
        """
        stream = instruction.command.stream
        await self._turns.take(stream)
        try:
            return await self._go(instruction)
        finally:
            self._turns.give_back(stream)

    async def _go(self, instruction: Instruction) -> Outcome:
        way = self._service.way(instruction)
        try:
            wish = next(way)
            while True:
                if isinstance(wish, Fetch):
                    streams = wish.streams
                    wish = way.send(await self._in_thread(lambda s=streams: self._service.fetch(s)))
                else:
                    wish = way.send(await self._answers().of(self._store.submit(wish)))
        except StopIteration as end:
            return end.value

    async def _instruction(self, caller: Caller, order: Order) -> Instruction:
        today = await self._business_date.today()
        expected = None if order.expected_version is None else str(order.expected_version)
        return Instruction(
            command=to_command(order.name, order.body, target=order.target, business_date=today),
            context=Context(
                actor=caller.actor,
                business_date=today,
                reason_code=order.reason_code,
                on_behalf_of=order.on_behalf_of,
                command_id=order.command_id,
                correlation_id=order.correlation_id,
            ),
            key=IdempotencyKey(
                scope=caller.client,
                key=order.key,
                request_hash=request_hash(
                    order.name,
                    order.target,
                    order.body,
                    order.reason_code,
                    order.on_behalf_of,
                    expected,
                ),
            ),
            expected_version=order.expected_version,
        )

    def _answers(self) -> Answers:
        loop = asyncio.get_running_loop()
        if self._answers_here is None or not self._answers_here.serve(loop):
            self._answers_here = Answers()
        return self._answers_here

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
