"""Work beside this process, on another core: a projector during an import, the proof of the chains.

It starts and ends processes; what they do is elsewhere. They wait at a pipe and never poll: an
import has every core busy, and who looks every few milliseconds takes a share of one.
"""

from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager

from api.cli.children import STOP_SECONDS_MAX, ChildEnded
from api.cli.system import System
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from domain.envelope import Position
from domain.ports import EventStore
from infra.database import bulk_pool
from infra.garbage import collected_rarely
from infra.settings import Limits
from infra.spawned import SPAWNED, Pipe, kill, leave_interrupts_to_parent, start_at_pipe
from infra.verify import ChainReport, verify_store


class ProjectorBeside:
    """A projector in another process that is told how far to go, and says how far it is."""

    def __init__(self, store: EventStore, pipe: Pipe) -> None:
        self._store = store
        self._pipe = pipe
        self._reached = 0

    def go_on(self) -> None:
        """Tell it to project what is recorded by now; do not wait. Raises ChildEnded."""
        self._tell()
        while self._pipe.poll():
            self._hear()

    def catch_up(self) -> None:
        """Return when it has projected all that is recorded by now. Raises ChildEnded."""
        head = self._tell()
        while self._reached < head:
            self._hear()

    def _tell(self) -> int:
        head = self._store.head().number
        try:
            self._pipe.send(head)
        except OSError as error:
            raise _ended() from error
        return head

    def _hear(self) -> None:
        try:
            self._reached = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise _ended() from error


def _ended() -> ChildEnded:
    return ChildEnded("the projector ended during the import; its log is above")


@contextmanager
def projector_beside(system: System) -> Generator[ProjectorBeside]:
    """Project in a child while the block runs."""
    child, ours = start_at_pipe(_project, system.dsn, system.settings.limits)
    try:
        with closing(ours):
            yield ProjectorBeside(system.store, ours)
    finally:
        child.join(STOP_SECONDS_MAX)
        if child.is_alive():
            kill(child)


def _project(dsn: str, limits: Limits, pipe: Pipe) -> None:
    """Project up to each position that comes out of the pipe, until its other end is closed."""
    leave_interrupts_to_parent()
    with collected_rarely(), bulk_pool(dsn, limits) as pool:
        projector = Projector(pool, LogFeed(pool, limits=limits), limits=limits)
        try:
            while True:
                wanted = pipe.recv()
                projector.catch_up(Position(shard=0, number=wanted))
                pipe.send(projector.position.number)
        except (EOFError, BrokenPipeError):
            return


@contextmanager
def chains_beside(dsn: str) -> Generator["Future[ChainReport]"]:
    """Recompute every hash of the record in another process while the block runs."""
    with ProcessPoolExecutor(1, mp_context=SPAWNED) as pool:
        yield pool.submit(verify_store, dsn)
