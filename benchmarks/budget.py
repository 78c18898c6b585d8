"""Where a payment's processor time goes: the decision, what is around it, the commit, the server.

The closed loop of `commands`, with a meter at each part. Every line sets a part beside all that our
process spends on a command, so its ratio says how many times the part would go into the whole. A
part is dearer here, in turn with all others, than where it is done over and over. The server's time
is counted in hundredths of a second: it takes turns of some seconds to tell.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import ParamSpec, TypeVar

import psutil

from benchmarks import harness, histories
from benchmarks.paying import CALLERS, LOANS, Payments
from domain.decide import DECIDERS
from domain.ports import Append, AppendResult
from domain.service import Instruction, Service, Way
from infra.garbage import look_once
from infra.store import PostgresEventStore

MICROSECONDS = 1_000_000

P = ParamSpec("P")
T = TypeVar("T")

_OWN_BACKENDS = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Meter:
    """Adds up the processor's seconds of the calling thread by part."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def of(self, part: str, does: Callable[P, T]) -> Callable[P, T]:
        """Make a function that does the same and counts under a part."""
        seconds = self.seconds

        def metered(*args: P.args, **kwargs: P.kwargs) -> T:
            begun = time.thread_time()
            try:
                return does(*args, **kwargs)
            finally:
                seconds[part] += time.thread_time() - begun  # pyright: ignore[reportArgumentType]

        return metered


class _Service(Service):
    """A service whose ways are metered."""

    def __init__(self, store: PostgresEventStore, meter: Meter) -> None:
        super().__init__(store)
        self._meter = meter

    def way(self, instruction: Instruction) -> Way:
        step = self._meter.of("way", super().way(instruction).send)
        answer = None
        while True:
            try:
                wish = step(answer)
            except StopIteration as end:
                return end.value
            answer = yield wish


class _Store(PostgresEventStore):
    """A store whose door is metered."""

    meter: Meter

    def submit(self, append: Append) -> "Future[AppendResult]":
        return self.meter.of("submit", super().submit)(append)


@contextmanager
def _metered_engine(meter: Meter) -> Generator[None]:
    plain = DECIDERS["loan"]
    decide, fold = meter.of("decision", plain.decide), meter.of("fold", plain.fold)
    DECIDERS["loan"] = replace(plain, decide=decide, fold=fold)
    try:
        yield
    finally:
        DECIDERS["loan"] = plain


def run(options: harness.Options) -> list[harness.Result]:
    """Pay in rounds; every part beside the whole."""
    records = histories.records(LOANS)
    look_once()  # as the API does at its start
    meter = Meter()
    with harness.server() as server, server.database() as dsn:
        histories.store(dsn, records)
        with _Store(dsn) as store, _metered_engine(meter):
            store.meter = meter
            rounds = asyncio.run(_rounds(store, _Service(store, meter), meter, options))
    return [
        harness.compared(
            f"budget: {part}",
            [harness.Round(ours=one[part], peer=one["our process"]) for one in rounds],
            "us",
        )
        for part in rounds[0]
        if part != "our process"
    ]


async def _rounds(
    store: PostgresEventStore, service: Service, meter: Meter, options: harness.Options
) -> list[dict[str, float]]:
    known = service.fetch([histories.stream_of(number) for number in range(LOANS)])
    loans = [stream.partition("-")[2] for stream in histories.payable(known)]
    payments = Payments(store, service, loans, count())
    await payments.each_once(CALLERS)
    await payments.for_a_time(CALLERS, options.seconds)
    found: list[dict[str, float]] = []
    for _ in range(options.rounds):
        meter.seconds.clear()
        before = _by_process(store)
        turn = await payments.for_a_time(CALLERS, options.seconds)
        spent = [after - then for after, then in zip(_by_process(store), before, strict=True)]
        found.append(_parts(meter, *spent, commands=len(turn.latencies)))
    return found


def _parts(
    meter: Meter, loop: float, committer: float, server: float, *, commands: int
) -> dict[str, float]:
    """Tell the microseconds of a command by part."""
    part = meter.seconds
    seconds = {
        "our process": loop + committer,
        "the engine's decision": part["decision"],
        "what was decided, folded": part["fold"],
        "the rest of its way": part["way"] - part["decision"] - part["fold"],
        "into the queue": part["submit"],
        "event loop and caller": loop - part["way"] - part["submit"],
        "the committer's thread": committer,
        "PostgreSQL, beside ours": server,
    }
    return {name: each / commands * MICROSECONDS for name, each in seconds.items()}


def _by_process(store: PostgresEventStore) -> tuple[float, float, float]:
    """Tell the processor's seconds so far: this thread, the committer's, the server's for us."""
    named = [one.ident for one in threading.enumerate() if one.name == "append-committer"]
    committers = [time.pthread_getcpuclockid(ident) for ident in named if ident is not None]
    times = [psutil.Process(pid).cpu_times() for (pid,) in store.query(_OWN_BACKENDS, ())]
    return (
        time.thread_time(),
        sum(map(time.clock_gettime, committers)),
        sum(one.user + one.system for one in times),
    )


if __name__ == "__main__":
    harness.main(run)
