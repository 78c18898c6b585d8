"""Processes beside a close that work on shares of its loans.

A loan is always the same process's, which then has its state at hand. They start when there is
enough to do, and end with the close. Nothing depends on them: versions are checked by the store.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from zlib import crc32

from consumers.loan_work import LoanWork
from domain.service import Service
from infra.calendars import read_calendars
from infra.database import bulk_pool
from infra.errors import Unavailable
from infra.garbage import collected_rarely
from infra.settings import Limits
from infra.spawned import Pipe, kill, leave_interrupts_to_parent, start_at_pipe
from infra.store import PostgresEventStore

LOANS_TO_START: Final = 1_000  # a process costs about a second of a core before it works
LOANS_TO_SHARE: Final = 20

T = TypeVar("T")

Task = Callable[[LoanWork, date, Mapping[str, int]], dict[str, T]]
"""A method of `LoanWork`: for a day and loans with their versions, something by loan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What a process needs to open a `LoanWork` of its own."""

    dsn: str
    limits: Limits
    calendars_file: Path | None = None

    @contextmanager
    def opened(self) -> Generator[LoanWork]:
        """Open store and database. Raises Unavailable."""
        with (
            PostgresEventStore(self.dsn, limits=self.limits) as store,
            bulk_pool(self.dsn, self.limits) as pool,
        ):
            service = Service(store, calendars=read_calendars(self.calendars_file))
            yield LoanWork(service=service, database=pool)


class CloseHelpers:
    """At most so many processes; as a context manager it ends them."""

    def __init__(self, workplace: Workplace, processes: int) -> None:
        self._workplace = workplace
        self._count = processes
        self._running: list[tuple[SpawnProcess, Pipe]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def spread(
        self, own: LoanWork, task: Task[T], on: date, loans: Mapping[str, int]
    ) -> dict[str, T]:
        """Do a task with all loans: a share here, the others beside. Raises what it raises.

        Raises Unavailable when a process has ended.
        """
        if not self._worthwhile(len(loans)):
            return task(own, on, loans)
        shares: list[dict[str, int]] = [{} for _ in range(self._count + 1)]
        for loan_id, version in loans.items():
            shares[crc32(loan_id.encode()) % len(shares)][loan_id] = version
        try:
            for (_, pipe), share in zip(self._running, shares[1:], strict=True):
                pipe.send((task, own.shard, own.buckets, on, share))
            done = task(own, on, shares[0])
            for _, pipe in self._running:
                done |= _answer(pipe)
        except BaseException as error:
            self.end()  # their answers to come are nobody's
            if isinstance(error, (EOFError, OSError)):
                raise Unavailable(
                    "a process of the close has ended; close the day again"
                ) from error
            raise
        return done

    def _worthwhile(self, loans: int) -> bool:
        if not self._running and self._count and loans >= LOANS_TO_START:
            for _ in range(self._count):
                self._running.append(start_at_pipe(_help, self._workplace))
        return bool(self._running) and loans >= LOANS_TO_SHARE

    def end(self) -> None:
        """End the processes; what they had not committed is rolled back."""
        for child, pipe in self._running:
            pipe.close()
            kill(child)
        self._running.clear()


def _answer(pipe: Pipe) -> dict[str, Any]:
    answer = pipe.recv()
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _help(workplace: Workplace, pipe: Pipe) -> None:
    """Do what comes out of the pipe until its other end is closed."""
    leave_interrupts_to_parent()
    with collected_rarely(), workplace.opened() as work:
        while True:
            try:
                task, shard, buckets, on, loans = pipe.recv()
            except EOFError:
                return
            try:
                answer: Any = task(replace(work, shard=shard, buckets=buckets), on, loans)
            except Exception as error:  # noqa: BLE001 - the parent's, as if it had done this itself
                answer = error
            pipe.send(answer)
