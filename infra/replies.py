"""Replies to queued commands, and the waking of the threads that wait for them. Commits nothing.

`concurrent.futures.Future` makes a condition for each command, and a lock for each thread that
waits on it; a batch that is answered wakes all of them at once, and each then queues for the
interpreter, the committer among them. A `Reply` makes one lock, and only when a thread waits; of
those that wait for a batch two are woken, and each wakes the next as it comes to itself. Who waits
for a limited time is woken at once: it may be gone when its turn comes.
"""

import logging
from _thread import LockType, allocate_lock
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar

R = TypeVar("R")

AWAKE = 2
"""Threads woken at once: one works while the other gets ready."""

_log = logging.getLogger(__name__)
_transitions = Lock()  # held for no longer than an assignment
_WAITING, _SENT, _GIVEN_UP = range(3)

Bells = deque[LockType]
"""Of the threads that are still to be woken for a batch."""


class Reply(Future[R]):
    """A future without a condition: `concurrent.futures.wait` does not know it."""

    def __init__(self) -> None:  # the base makes its condition in its own
        self._stage = _WAITING
        self._answered = False
        self._value: R | None = None
        self._error: BaseException | None = None
        self._told: list[Callable[[Future[R]], object]] = []
        self.asleep: list[LockType] = []
        """A bell for each thread that waits without a limit."""
        self._impatient: list[LockType] = []
        self._bells: Bells = deque()

    def __repr__(self) -> str:
        """Tell how far it is."""
        stage = "answered" if self._answered else ("waiting", "sent", "given up")[self._stage]
        return f"<Reply {stage}>"

    def set_running_or_notify_cancel(self) -> bool:
        """Keep the caller from giving up from here on; False: it has given up."""
        with _transitions:
            if self._stage == _GIVEN_UP:
                return False
            self._stage = _SENT
        return True

    def cancel(self) -> bool:
        """Give the command up, unless it is sent already."""
        with _transitions:
            if self._stage == _SENT or self._answered:
                return False
            self._stage = _GIVEN_UP
        self.set_exception(CancelledError())
        return True

    def cancelled(self) -> bool:
        """Tell whether the caller gave up."""
        return self._stage == _GIVEN_UP

    def running(self) -> bool:
        """Tell whether the command is sent and not answered."""
        return self._stage == _SENT and not self._answered

    def done(self) -> bool:
        """Tell whether there is an answer."""
        return self._answered

    def result(self, timeout: float | None = None) -> R:
        """Wait for the answer. Raises what it is, if it is an error; TimeoutError."""
        if not self._answered:
            self._sleep(timeout)
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value] - it was given with the answer

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the answer; return the error that it is. Raises CancelledError, TimeoutError."""
        if not self._answered:
            self._sleep(timeout)
        if self._stage == _GIVEN_UP:
            raise CancelledError
        return self._error

    def add_done_callback(self, fn: Callable[[Future[R]], object]) -> None:
        """Call a function with this reply once it is answered, in the thread that answers."""
        self._told.append(fn)
        if self._answered:
            self._tell()

    def set_result(self, result: R) -> None:
        """Answer it alone; a batch is answered by `answer`."""
        answer([(self, result)])

    def set_exception(self, exception: BaseException | None) -> None:
        """Answer it alone with an error."""
        bells: Bells = deque()
        self.give(None, exception, bells)
        _ring(bells)

    def give(self, value: R | None, error: BaseException | None, bells: Bells) -> None:
        """Take the answer, and add to `bells` the threads that are to be woken for it."""
        self._value, self._error, self._bells = value, error, bells
        self._answered = True  # the last: nobody looks at the others before
        while self._impatient:
            with suppress(IndexError):  # it took itself back
                self._impatient.pop().release()
        while self.asleep:
            with suppress(IndexError):  # it was interrupted
                bells.append(self.asleep.pop())
        if self._told:
            self._tell()

    def _tell(self) -> None:
        """Call back; whoever takes a function out of the list calls it, so it is called once."""
        while self._told:
            try:
                told = self._told.pop(0)
            except IndexError:
                return
            try:
                told(self)
            except Exception:  # noqa: BLE001 - as the standard future does; the others are still called
                _log.exception("a callback of a reply failed")

    def _sleep(self, timeout: float | None) -> None:
        bell = allocate_lock()
        bell.acquire()
        if timeout is None:
            self._sleep_for_long(bell)
        else:
            self._sleep_for(max(timeout, 0.0), bell)

    def _sleep_for(self, timeout: float, bell: LockType) -> None:
        self._impatient.append(bell)
        if not self._answered:
            bell.acquire(timeout=timeout)
        _took_back(self._impatient, bell)
        if not self._answered:
            raise TimeoutError

    def _sleep_for_long(self, bell: LockType) -> None:
        """Wait to be woken, then wake the next: a bell that was taken is waited for, come what may.

        Whoever left before it rang would swallow the ring, and all that come after it sleep on.
        """
        self.asleep.append(bell)
        if self._answered and _took_back(self.asleep, bell):
            return
        try:
            bell.acquire()
        except BaseException:  # interrupted
            if not _took_back(self.asleep, bell):
                bell.acquire()
                _ring(self._bells)
            raise
        _ring(self._bells)


def _took_back(waiting: list[LockType], bell: LockType) -> bool:
    try:
        waiting.remove(bell)
    except ValueError:
        return False
    return True


def answer(answers: Iterable[tuple[Reply[R], R]]) -> None:
    """Answer a batch, then wake who waits, one after another."""
    bells: Bells = deque()
    for reply, result in answers:
        reply.give(result, None, bells)
    for _ in range(AWAKE):
        _ring(bells)


def fail(replies: Iterable[Reply[Any]], error: BaseException) -> None:
    """Answer a batch with one error, then wake who waits, one after another."""
    bells: Bells = deque()
    for reply in replies:
        reply.give(None, error, bells)
    for _ in range(AWAKE):
        _ring(bells)


def _ring(bells: Bells) -> None:
    """Wake the next one."""
    if bells:
        with suppress(IndexError):  # another was faster
            bells.popleft().release()
