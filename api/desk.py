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

from api.business_date import BusinessDate
from api.identity import Caller
from domain.context import Context
from domain.events.registry import Event
from domain.ports import EventStore, IdempotencyKey, Outcome
from domain.service import Fetch, Instruction, Service
from infra.edge import Body, request_hash, to_command
from infra.settings import Limits

T = TypeVar("T")


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


class Desk:
    """Takes orders."""

    def __init__(
        self, store: EventStore, service: Service, business_date: BusinessDate, limits: Limits
    ) -> None:
        self._store = store
        self._service = service
        self._business_date = business_date
        self._threads = ThreadPoolExecutor(limits.read_connections_max, "state")

    async def carry_out(self, caller: Caller, order: Order) -> Outcome:
        """Decide one order and make its outcome durable; a repeat gets the first outcome again.

        Raises Rejected for what cannot be converted (nothing is recorded then), KeyReused,
        TooManyConflicts, Overloaded, Unavailable.
        """
        way = self._service.way(await self._instruction(caller, order))
        try:
            wish = next(way)
            while True:
                if isinstance(wish, Fetch):
                    streams = wish.streams
                    wish = way.send(await self._in_thread(lambda s=streams: self._service.fetch(s)))
                else:
                    wish = way.send(await asyncio.wrap_future(self._store.submit(wish)))
        except StopIteration as end:
            return end.value

    async def carry_out_many(self, caller: Caller, orders: Sequence[Order]) -> list[Outcome]:
        """Decide orders one after another and commit them together. Raises as `carry_out`."""
        instructions = [await self._instruction(caller, order) for order in orders]
        return await self._in_thread(lambda: self._service.handle_many(instructions))

    async def preview(self, caller: Caller, order: Order) -> list[Event]:
        """Return the events that an order would yield; nothing is stored. Raises Rejected."""
        instruction = await self._instruction(caller, order)
        return await self._in_thread(lambda: self._service.preview(instruction))

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

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
