"""Work beside this process, on another core: a projector during an import, the proof of the chains.

It starts and ends processes; what they do is elsewhere.
"""

import multiprocessing
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final

from api.cli.children import ChildEnded, children
from api.cli.system import System
from infra.verify import ChainReport, verify_store
from projections import applied, schema

WAIT_SECONDS: Final = 0.002
# The one who waits is an import that does nothing else meanwhile: the projector looks that often.
POLLS: Final = {"LOANBOOK_POLL_SECONDS_MAX": "0.005", "LOANBOOK_POLL_SECONDS_IDLE": "0.002"}


@contextmanager
def projector_beside(system: System) -> Generator[Callable[[], None]]:
    """Project in a child; hand out a function that returns when the child has caught up.

    The function raises ChildEnded when the child is no more.
    """
    with children() as started:
        started.start(
            "projector",
            ["project", "--feed", "store"],
            {"LOANBOOK_DATABASE_URL": system.dsn} | POLLS,
        )

        def caught_up() -> None:
            head = system.store.head()
            while True:
                with system.bulk.transaction() as db:
                    schema.enter_current(db)
                    reached = applied.position(db, head.shard)
                if reached.number >= head.number:
                    return
                if started.ended() is not None:
                    raise ChildEnded("the projector ended during the import; its log is above")
                time.sleep(WAIT_SECONDS)

        yield caught_up


@contextmanager
def chains_beside(dsn: str) -> Generator["Future[ChainReport]"]:
    """Recompute every hash of the record in another process while the block runs."""
    # spawn: a fork would take this process's connections and threads with it.
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned) as pool:
        yield pool.submit(verify_store, dsn)
