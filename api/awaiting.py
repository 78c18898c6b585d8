"""Waits on the event loop for futures that another thread answers, woken once for many of them.

`asyncio.wrap_future` wakes the loop for each, with a system call that lets the interpreter go; the
thread that answers a group commit would then queue for its turn as often as callers wait.
"""

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Answers:
    """Belongs to the loop that runs when it is made; `of` is called on that loop only."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._answered: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._woken = False

    async def of(self, future: "Future[T]") -> T:
        """Return what the future is given, or raise it; who is cancelled gives the future up."""
        waiting: asyncio.Future[T] = self._loop.create_future()
        future.add_done_callback(lambda answered: self._note(waiting, answered))
        try:
            return await waiting
        except asyncio.CancelledError:
            future.cancel()
            raise

    def serve(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Tell whether they belong to a loop."""
        return self._loop is loop

    def _note(self, waiting: "asyncio.Future[T]", answered: "Future[T]") -> None:
        """Keep an answer, in the thread that gave it; only the first one wakes the loop."""
        self._answered.append((waiting, answered))
        if not self._woken and not self._loop.is_closed():
            self._woken = True
            self._loop.call_soon_threadsafe(self._hand_out)

    def _hand_out(self) -> None:
        self._woken = False  # first: what comes from here on wakes the loop again
        while self._answered:
            waiting, answered = self._answered.popleft()
            if waiting.done():
                continue  # cancelled: nobody waits any more
            error = answered.exception()
            if error is None:
                waiting.set_result(answered.result())
            else:
                waiting.set_exception(error)
