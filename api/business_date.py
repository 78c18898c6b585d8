"""The business date of commands that come in now: data, not the clock.

It is the day after the last closed one. In a book where no day was ever closed there is no such
data, and the date is today's, in UTC.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from api.reads import Reads
from projections.loan_day import last_closed

FRESH_SECONDS = 1.0
"""For so long an answer is kept: a close may be that old before its next day begins here."""


def clock() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


class BusinessDate:
    """Knows the business date and looks again now and then."""

    def __init__(self, reads: Reads, now: Callable[[], datetime] = clock) -> None:
        self._reads = reads
        self._now = now
        self._known: date | None = None
        self._fresh_until = 0.0
        self._lock = asyncio.Lock()

    def forget(self) -> None:
        """Look again at the next question, because a day was closed by this process."""
        self._known = None

    async def today(self) -> date:
        """Return the business date. Raises Unavailable."""
        loop = asyncio.get_running_loop()
        if self._known is not None and loop.time() < self._fresh_until:
            return self._known
        async with self._lock:
            if self._known is None or loop.time() >= self._fresh_until:
                closed = await self._reads.run(last_closed)
                self._known = closed + timedelta(days=1) if closed else self._now().date()
                self._fresh_until = loop.time() + FRESH_SECONDS
            return self._known
