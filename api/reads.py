"""Queries without blocking the event loop: each runs in a thread, on a connection of the pool.

psycopg's pool is synchronous; as many threads as the pool has connections use all of it, and who
comes later waits here, on the loop, up to QUERY_SECONDS_MAX in all. It knows no query.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from api.headers import IF_POSITION
from domain.envelope import Position
from domain.errors import Rejected
from infra.database import DatabasePool
from infra.errors import Unavailable
from infra.settings import Limits
from projections import applied, record_log
from projections.ports import Database

T = TypeVar("T")

_POLL_SECONDS = 0.005


class Reads:
    """The read models, for `async` callers."""

    def __init__(self, pool: DatabasePool, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.read_connections_max, "query")
        self._reached: dict[int, int] = {}
        self._recorded: dict[int, int] = {}
        self._looks: dict[int, asyncio.Task[None]] = {}

    async def run(self, ask: Callable[[Database], T], *, after: Position | None = None) -> T:
        """Ask one question in one transaction.

        `after` None: as the read models are; else not before they have reached that position.
        Raises what the question raises, Unavailable, and Rejected `position_unknown` when nothing
        is recorded there yet: no answer of ours gave that position.
        """
        if after is not None:
            await self._reach(after)
        return await self.in_thread(lambda: self._ask(ask))

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do something that waits for a database. Raises what it raises, and Unavailable."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.wait_for(future, self._limits.query_seconds_max)
        except TimeoutError:
            raise Unavailable("the query took too long; ask for less, or again later") from None

    def _ask(self, ask: Callable[[Database], T]) -> T:
        with self._pool.transaction() as db:
            return ask(db)

    async def _reach(self, wanted: Position) -> None:
        """Wait until the read models have seen a position."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.if_position_wait_seconds_max
        while self._reached.get(wanted.shard, 0) < wanted.number:
            if loop.time() > deadline:
                raise Unavailable(f"the read models have not reached {wanted} yet")
            look = self._looks.get(wanted.shard)
            if look is None:
                look = self._looks[wanted.shard] = loop.create_task(self._look(wanted.shard))
            await asyncio.shield(look)
            if wanted.number > self._recorded.get(wanted.shard, 0):
                raise Rejected("position_unknown", f"nothing is recorded at {wanted}", IF_POSITION)

    async def _look(self, shard: int) -> None:
        """See how far the read models and the record are; all who wait for a shard share it."""
        try:
            reached, recorded = await self.in_thread(lambda: self._ask(partial(_heads, shard)))
            self._reached[shard], self._recorded[shard] = reached.number, recorded.number
            await asyncio.sleep(_POLL_SECONDS)
        finally:
            del self._looks[shard]

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _heads(shard: int, db: Database) -> tuple[Position, Position]:
    return applied.position(db, shard), record_log.head(db, shard)
