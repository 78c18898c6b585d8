"""Runs simulations, each in a process of its own, bounded in time, memory and number.

Arithmetic in a thread would take turns with the event loop and make every payment wait; a thread
cannot be stopped either. A process is forked from a clean server that has the engine loaded, works
for at most SIMULATION_SECONDS_MAX and ends.
"""

import asyncio
import multiprocessing
import resource
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.connection import Connection
from types import FrameType
from typing import Final

import msgspec

from api import problems
from domain.errors import Rejected
from infra.errors import Overloaded
from infra.settings import Limits

BYTES_MAX: Final = 2**30
"""Address space of a simulation."""
GRACE_SECONDS: Final = 5.0
"""For the start of the process and for the answer's way back."""

Answer = tuple[int, bytes, str | None]
"""Status, JSON, and where the engine stumbled; see `api.simulations.run`."""

_processes = multiprocessing.get_context("forkserver")


class Workshop:
    """Takes simulations in turn."""

    def __init__(self, limits: Limits, work: Callable[[bytes], Answer] | None = None) -> None:
        """`work` None: `api.simulations.run`."""
        _processes.set_forkserver_preload(["api.simulations"])
        self._limits = limits
        self._work = work or _simulate
        self._threads = ThreadPoolExecutor(limits.simulation_processes_max, "simulation")
        self._taken = 0

    async def run(self, raw: bytes) -> Answer:
        """Run one simulation. Raises Overloaded when too many wait."""
        if self._taken >= self._limits.simulation_waiting_max:
            raise Overloaded(max(1, round(self._limits.simulation_seconds_max)))
        self._taken += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._run, raw)
        finally:
            self._taken -= 1

    def _run(self, raw: bytes) -> Answer:
        seconds = self._limits.simulation_seconds_max
        ours, theirs = _processes.Pipe(duplex=False)
        child = _processes.Process(target=_bounded, args=(theirs, self._work, raw, seconds))
        with closing(ours):
            child.start()
            theirs.close()
            try:
                return ours.recv() if ours.poll(seconds + GRACE_SECONDS) else _too_long(seconds)
            except EOFError:  # it was ended from outside, or ran out of memory
                return _refused("answer_too_large", "the simulation took too much memory")
            finally:
                child.kill()
                child.join()
                child.close()

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _simulate(raw: bytes) -> Answer:
    from api.simulations import run  # noqa: PLC0415 - the API's own process does not need it

    return run(raw)


def _bounded(
    answers: Connection, work: Callable[[bytes], Answer], raw: bytes, seconds: float
) -> None:
    """Work within bounds, in the child."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES_MAX, BYTES_MAX))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's matter
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        answer = work(raw)
    except _TimeIsUp:
        answer = _too_long(seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    answers.send(answer)


class _TimeIsUp(BaseException):
    """Not an Exception: nothing on the way may take it for an error of its own."""


def _ring(signum: int, frame: FrameType | None) -> None:
    del signum, frame
    raise _TimeIsUp


def _too_long(seconds: float) -> Answer:
    return _refused("simulation_too_long", f"it took longer than {seconds:g} s; ask for less")


def _refused(code: str, detail: str) -> Answer:
    said = problems.of_refusal(Rejected(code, detail))
    return said["status"], msgspec.json.encode(said), None
