"""Group commit: callers wait on replies while threads commit what has queued up. Knows no SQL.

No timer is needed: what queued up during one commit is the next batch. It need not wait for the
end of that commit: once as many are queued as are under way, a second thread sends them after, so
that the database finds the next batch as it ends one, and half of the callers make up the next
while the other half's is committed.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from infra.errors import Overloaded, Unavailable
from infra.replies import Reply, answer, fail
from infra.settings import Limits

P = TypeVar("P")
Q = TypeVar("Q")
R = TypeVar("R")
Commit = Callable[[Sequence[Q]], Sequence[R]]

_log = logging.getLogger(__name__)
_MEMORY = 0.8  # share of what was known in the running mean of a command's time
# Fewer are not sent behind others: a transaction of their own costs more than they wait.
_FOLLOWING_MIN = 12


@dataclass(slots=True)
class _Waiting(Generic[P, R]):
    """A command in the queue."""

    payload: P
    weight: int
    queued_at: float
    reply: "Reply[R]"


class GroupCommitter(Generic[P, Q, R]):
    """A bounded queue, a deadline in it, and the threads that empty it batch by batch.

    `prepare` turns one payload into what `commit` takes; what it raises goes to its caller alone.
    It is called for a whole batch on end: between two decisions by the engine, as each command
    came, the same few lines took about twice as long.
    Each of `commits` has a thread, and makes a batch durable and answers each payload, in order.
    When it raises Unavailable, every caller of the batch hears it; any other error is tried again
    command by command, so that only its cause fails. Of two batches under way neither is sure to be
    first.
    """

    def __init__(
        self,
        prepare: Callable[[P], Q],
        commits: Sequence[Commit[Q, R]],
        limits: Limits,
    ) -> None:
        self._prepare = prepare
        self._limits = limits
        self._queue: deque[_Waiting[P, R]] = deque()
        self._under_way: dict[Commit[Q, R], int] = {}  # commands in each batch
        self._state = threading.Condition(threading.Lock())
        self._closed = False
        self._seconds_each = 0.001
        self._last_ended_at = 0.0
        self._threads = [
            threading.Thread(target=self._run, args=[commit], name="append-committer", daemon=True)
            for commit in commits
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, payload: P, weight: int) -> "Future[R]":
        """Queue one payload of so many events.

        Raises Overloaded at once instead of letting the queue grow.
        """
        now = time.monotonic()
        reply: Reply[R] = Reply()
        with self._state:
            if self._closed:
                raise Unavailable("the store is closing")
            queue = self._queue
            if len(queue) >= self._limits.append_queue_max or (
                queue and now - queue[0].queued_at > self._limits.append_wait_seconds_max / 2
            ):
                raise Overloaded(self._retry_after_seconds())
            queue.append(_Waiting(payload, weight, now, reply))
            if len(queue) == self._enough():
                self._state.notify()
        return reply

    def waiting(self) -> int:
        """Count the commands in the queue."""
        return len(self._queue)

    def waiting_seconds(self) -> float:
        """Tell the age of the oldest command in the queue; 0: nobody waits."""
        with self._state:
            return time.monotonic() - self._queue[0].queued_at if self._queue else 0.0

    def close(self) -> None:
        """Refuse new commands, commit those that wait and are not too late, end the threads."""
        with self._state:
            self._closed = True
            self._state.notify_all()
        for thread in self._threads:
            thread.join()

    def _retry_after_seconds(self) -> int:
        return max(1, math.ceil(len(self._queue) * self._seconds_each))

    def _enough(self) -> int:
        """Count the commands that make the next batch: one, or as many as are under way."""
        under_way = sum(self._under_way.values())
        return max(under_way, _FOLLOWING_MIN) if under_way else 1

    def _run(self, commit: Commit[Q, R]) -> None:
        while taken := self._next(commit):
            if batch := self._prepared(self._in_time(taken)):
                started = time.monotonic()
                self._send(batch, commit)
                self._note_time(len(batch), started)
            else:
                self._ended(commit)

    def _note_time(self, commands: int, started: float) -> None:
        """Note what a batch took of the time since another one ended: two go on side by side."""
        now = time.monotonic()
        each = max(now - max(started, self._last_ended_at), 0.0) / commands
        self._last_ended_at = now
        self._seconds_each = _MEMORY * self._seconds_each + (1 - _MEMORY) * each

    def _next(self, commit: Commit[Q, R]) -> list[_Waiting[P, R]]:
        """Wait for the next batch; it is under way from here on. An empty one is the end."""
        with self._state:
            while len(self._queue) < self._enough() and not self._closed:
                self._state.wait()
            taken = self._take()
            self._under_way[commit] = len(taken)
            self._call()
        return taken

    def _ended(self, commit: Commit[Q, R]) -> None:
        """Let another thread send at once what has queued up, however little."""
        with self._state:
            if self._under_way.pop(commit, 0):
                self._call()

    def _call(self) -> None:
        """Wake a thread if there is a batch for it."""
        if len(self._queue) >= self._enough():
            self._state.notify()

    def _take(self) -> list[_Waiting[P, R]]:
        """Take the next batch out of the queue, as many commands and events as one call carries."""
        queue, limits = self._queue, self._limits
        batch: list[_Waiting[P, R]] = []
        weight, weight_max = 0, limits.bulk_append_events_max
        for _ in range(min(len(queue), limits.append_batch_max)):
            weight += queue[0].weight
            if weight > weight_max and batch:
                break
            batch.append(queue.popleft())
        return batch

    def _in_time(self, batch: list[_Waiting[P, R]]) -> list[_Waiting[P, R]]:
        """Drop who waited past the deadline, or gave up, before anything is sent."""
        oldest = time.monotonic() - self._limits.append_wait_seconds_max
        kept: list[_Waiting[P, R]] = []
        for waiting in batch:
            if not waiting.reply.set_running_or_notify_cancel():
                continue
            if waiting.queued_at < oldest:
                waiting.reply.set_exception(Overloaded(self._retry_after_seconds()))
            else:
                kept.append(waiting)
        return kept

    def _prepared(self, batch: Sequence[_Waiting[P, R]]) -> list[tuple[Q, "Reply[R]"]]:
        """Drop what cannot be stored, before anything is sent; its neighbours go on."""
        kept: list[tuple[Q, Reply[R]]] = []
        for waiting in batch:
            try:
                kept.append((self._prepare(waiting.payload), waiting.reply))
            except Exception as error:  # noqa: BLE001 - it is not lost: it goes to the caller that caused it
                waiting.reply.set_exception(error)
        return kept

    def _send(self, batch: Sequence[tuple[Q, "Reply[R]"]], commit: Commit[Q, R]) -> None:
        replies = [reply for _, reply in batch]
        try:
            try:
                results = commit([payload for payload, _ in batch])
            finally:
                self._ended(commit)  # before anybody is answered: the database waits
        except Unavailable as error:
            fail(replies, error)
        except Exception as error:  # noqa: BLE001 - as above
            if len(batch) > 1:
                _log.warning("a batch of %d failed and is sent one by one: %s", len(batch), error)
                for one in batch:
                    self._send([one], commit)
            else:
                replies[0].set_exception(error)
        else:
            # Two threads wake at once and the others one another, so the next batch is soon sent.
            answer(zip(replies, results, strict=True))
