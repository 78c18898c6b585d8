"""Replies to queued commands: every waiting thread wakes, whatever the others do."""

import threading
import time
from _thread import LockType
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import SupportsIndex

import pytest

from infra.replies import Reply, answer, fail

WAIT = 30
MANY = 60


def _asleep(
    replies: list[Reply[int]], pool: ThreadPoolExecutor, wait: Callable[[int], int]
) -> "list[Future[int]]":
    """Let a thread wait for each reply; return their results once all of them wait."""
    results = [pool.submit(wait, number) for number in range(len(replies))]
    pause = threading.Event()
    while not all(reply.asleep for reply in replies):
        pause.wait(0.001)
    return results


def test_each_thread_gets_its_own_answer() -> None:
    replies: list[Reply[int]] = [Reply() for _ in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        results = _asleep(replies, pool, lambda number: replies[number].result())
        answer((reply, number) for number, reply in enumerate(replies))
        assert [result.result(WAIT) for result in results] == list(range(MANY))


def test_all_wake_while_answers_race_with_their_waiting() -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(300):
            replies: list[Reply[int]] = [Reply() for _ in range(8)]
            results = [pool.submit(reply.result) for reply in replies]
            answer((reply, number) for number, reply in enumerate(replies))
            assert [result.result(WAIT) for result in results] == list(range(8))


class Slow(list[LockType]):
    """Stretches the moments in which an answer and a thread that begins to wait cross."""

    def append(self, bell: LockType) -> None:
        super().append(bell)
        time.sleep(0.02)

    def pop(self, index: SupportsIndex = -1) -> LockType:
        bell = super().pop(index)
        time.sleep(0.1)
        return bell


def test_who_sees_the_answer_before_its_bell_rings_still_wakes_the_next() -> None:
    reply: Reply[int] = Reply()
    reply.asleep = Slow()
    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(reply.exception)]
        time.sleep(0.1)  # it is asleep; the next is about to be
        results.append(pool.submit(reply.exception))
        while len(reply.asleep) < 2:
            time.sleep(0.001)
        reply.set_exception(LookupError("gone"))
        assert [type(result.result(WAIT)) for result in results] == [LookupError, LookupError]


def test_threads_that_lose_patience_do_not_hold_up_the_others() -> None:
    with ThreadPoolExecutor(MANY) as pool:
        for _ in range(20):
            replies: list[Reply[int]] = [Reply() for _ in range(MANY)]

            def patient_or_not(number: int, replies: list[Reply[int]] = replies) -> int:
                try:
                    return replies[number].result(None if number % 3 else 0.0005 * (number % 7))
                except TimeoutError:
                    return -1

            results = [pool.submit(patient_or_not, number) for number in range(MANY)]
            threading.Event().wait(0.001)
            answer((reply, number) for number, reply in enumerate(replies))
            for number, result in enumerate(results):
                assert result.result(WAIT) in ({number} if number % 3 else {number, -1})


def test_several_threads_wait_for_one_reply() -> None:
    reply: Reply[int] = Reply()
    with ThreadPoolExecutor(5) as pool:
        results = [pool.submit(reply.result) for _ in range(5)]
        reply.set_result(7)
        assert [result.result(WAIT) for result in results] == [7] * 5


def test_an_error_wakes_everybody() -> None:
    replies: list[Reply[int]] = [Reply() for _ in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        results = _asleep(replies, pool, lambda number: replies[number].result())
        fail(replies, LookupError("gone"))
        for result in results:
            with pytest.raises(LookupError, match="gone"):
                result.result(WAIT)
    assert isinstance(replies[0].exception(), LookupError)


def test_it_is_not_answered_before_its_time() -> None:
    reply: Reply[int] = Reply()
    assert (reply.done(), reply.running(), reply.cancelled()) == (False, False, False)
    with pytest.raises(TimeoutError):
        reply.result(0)
    assert reply.set_running_or_notify_cancel()
    assert reply.running()
    reply.set_result(1)
    assert (reply.done(), reply.running(), reply.exception()) == (True, False, None)


def test_who_gives_up_hears_so_and_cannot_be_sent() -> None:
    reply: Reply[int] = Reply()
    told: list[object] = []
    reply.add_done_callback(told.append)
    assert reply.cancel()
    assert told == [reply]
    assert reply.cancelled()
    assert not reply.set_running_or_notify_cancel()
    for ask in (reply.result, reply.exception):
        with pytest.raises(CancelledError):
            ask()


def test_what_is_sent_or_answered_cannot_be_given_up() -> None:
    sent: Reply[int] = Reply()
    assert sent.set_running_or_notify_cancel()
    assert not sent.cancel()
    answered: Reply[int] = Reply()
    answered.set_result(1)
    assert not answered.cancel()
    assert answered.result() == 1


def test_functions_are_called_once_each_early_or_late() -> None:
    reply: Reply[int] = Reply()
    told: list[str] = []
    reply.add_done_callback(lambda _: told.append("first"))
    reply.add_done_callback(lambda _: 1 / 0)
    reply.add_done_callback(lambda _: told.append("second"))
    reply.set_result(1)
    reply.add_done_callback(lambda _: told.append("late"))
    assert told == ["first", "second", "late"]
