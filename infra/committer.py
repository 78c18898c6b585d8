"""Group commit: callers wait on futures while one thread commits what has queued up. Knows no SQL.

No timer is needed: what queued up during one commit is the next batch.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

from infra.errors import Overloaded, Unavailable
from infra.settings import Limits

P = TypeVar("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)
_RATE_MEMORY = 0.8  # share of the old rate in the running mean


@dataclass(slots=True)
class _Waiting(Generic[P, R]):
    """A command in the queue."""

    payload: P
    weight: int
    queued_at: float
    future: "Future[R]"


_Committed = tuple[list[_Waiting[P, R]], Sequence[R]]


class GroupCommitter(Generic[P, R]):
    """A bounded queue, a deadline in it, and the thread that empties it batch by batch.

    `commit` makes a batch durable and answers each payload, in order. When it raises Unavailable,
    every caller of the batch hears it; any other error is tried again command by command, so that
    only its cause fails.
    """

    def __init__(self, commit: Callable[[Sequence[P]], Sequence[R]], limits: Limits) -> None:
        self._commit = commit
        self._limits = limits
        self._queue: deque[_Waiting[P, R]] = deque()
        self._state = threading.Condition()
        self._closed = False
        self._drain_until = math.inf
        self._per_second = 1_000.0
        self._committed: SimpleQueue[_Committed[P, R] | None] = SimpleQueue()
        self._threads = (
            threading.Thread(target=self._run, name="append-committer", daemon=True),
            threading.Thread(target=self._answer, name="append-answers", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def submit(self, payload: P, weight: int) -> "Future[R]":
        """Queue one payload of so many events.

        Raises Overloaded at once instead of letting the queue grow.
        """
        now = time.monotonic()
        future: Future[R] = Future()
        with self._state:
            if self._closed:
                raise Unavailable("the store is closing")
            queue = self._queue
            if len(queue) >= self._limits.append_queue_max or (
                queue and now - queue[0].queued_at > self._limits.append_wait_seconds_max / 2
            ):
                raise Overloaded(self._retry_after_seconds())
            queue.append(_Waiting(payload, weight, now, future))
            if len(queue) == 1:
                self._state.notify()
        return future

    def waiting(self) -> int:
        """Count the commands in the queue."""
        return len(self._queue)

    def waiting_seconds(self) -> float:
        """Tell the age of the oldest command in the queue; 0: nobody waits."""
        with self._state:
            return time.monotonic() - self._queue[0].queued_at if self._queue else 0.0

    def close(self) -> None:
        """Refuse new commands, commit those that wait and are not too late, end the thread."""
        with self._state:
            self._closed = True
            self._state.notify()
        for thread in self._threads:
            thread.join()

    def _retry_after_seconds(self) -> int:
        return max(1, math.ceil(len(self._queue) / self._per_second))

    def _run(self) -> None:
        while True:
            with self._state:
                while not self._queue and not self._closed:
                    self._state.wait()
                if not self._queue:
                    break
                batch = self._take()
            if batch:
                started = time.monotonic()
                self._send(batch)
                rate = len(batch) / max(time.monotonic() - started, 1e-6)
                self._per_second = _RATE_MEMORY * self._per_second + (1 - _RATE_MEMORY) * rate
        self._committed.put(None)

    def _take(self) -> list[_Waiting[P, R]]:
        """Take the next batch.

        Who waited past the deadline, or gave up, is dropped before anything is sent.
        """
        batch: list[_Waiting[P, R]] = []
        weight = 0
        oldest = time.monotonic() - self._limits.append_wait_seconds_max
        queue = self._queue
        while queue and len(batch) < self._limits.append_batch_max:
            if batch and weight + queue[0].weight > self._limits.bulk_append_events_max:
                break
            waiting = queue.popleft()
            if not waiting.future.set_running_or_notify_cancel():
                continue
            if waiting.queued_at < oldest:
                waiting.future.set_exception(Overloaded(self._retry_after_seconds()))
                continue
            weight += waiting.weight
            batch.append(waiting)
        return batch

    def _send(self, batch: list[_Waiting[P, R]]) -> None:
        try:
            results = self._commit([waiting.payload for waiting in batch])
        except Unavailable as error:
            for waiting in batch:
                waiting.future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - it is not lost: it goes to the caller that caused it
            if len(batch) > 1:
                _log.warning("a batch of %d failed and is sent one by one: %s", len(batch), error)
                for waiting in batch:
                    self._send([waiting])
            else:
                batch[0].future.set_exception(error)
        else:
            self._committed.put((batch, results))

    def _answer(self) -> None:
        """Wake the callers of committed batches, while the next batch is on its way already."""
        while committed := self._committed.get():
            for waiting, result in zip(*committed, strict=True):
                waiting.future.set_result(result)
