"""Waiting on the loop for futures that another thread answers."""

import asyncio
import threading
from concurrent.futures import Future

import pytest

from api.awaiting import Answers


def _answer(futures: list["Future[int]"]) -> None:
    for number, future in enumerate(futures):
        if future.set_running_or_notify_cancel():
            future.set_result(number)


def test_every_caller_gets_its_own_answer() -> None:
    futures: list[Future[int]] = [Future() for _ in range(500)]

    async def wait() -> list[int]:
        answers = Answers()
        waiting = asyncio.gather(*(answers.of(future) for future in futures))
        await asyncio.sleep(0)
        threading.Thread(target=_answer, args=(futures,)).start()
        return await waiting

    assert asyncio.run(wait()) == list(range(500))


def test_many_answers_wake_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    futures: list[Future[int]] = [Future() for _ in range(50)]
    woken: list[object] = []

    async def wait() -> list[int]:
        loop, answers = asyncio.get_running_loop(), Answers()
        call = loop.call_soon_threadsafe

        def counted(*arguments: object) -> object:
            woken.append(arguments)
            return call(*arguments)  # type: ignore[arg-type] - as it was called

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        waiting = asyncio.gather(*(answers.of(future) for future in futures))
        await asyncio.sleep(0)
        _answer(futures)  # the loop has no turn meanwhile
        return await waiting

    assert asyncio.run(wait()) == list(range(50))
    assert len(woken) == 1


def test_an_error_reaches_its_caller() -> None:
    async def wait() -> None:
        failing: Future[int] = Future()
        waiting = asyncio.ensure_future(Answers().of(failing))
        await asyncio.sleep(0)
        failing.set_exception(LookupError("gone"))
        with pytest.raises(LookupError, match="gone"):
            await waiting

    asyncio.run(wait())


def test_who_gives_up_is_taken_out_of_the_queue() -> None:
    """Source: performance (e): a command that nobody waits for any more is not sent."""

    async def wait() -> bool:
        queued: Future[int] = Future()
        waiting = asyncio.ensure_future(Answers().of(queued))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)
        return queued.cancelled()

    assert asyncio.run(wait())
