"""How often Python looks for garbage in cycles: states and rows have none, and live long."""

import gc
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

# At the default of 700 new objects the collector walks the states being built over and over, which
# took a fifth of an import's time. Cycles are few, and still found.
NEW_OBJECTS: Final = 200_000
YOUNG_ROUNDS: Final = 20
OLD_ROUNDS: Final = 50
# Of a process that keeps what it has made: a look at so many takes some twenty milliseconds.
NEW_OBJECTS_KEEPING: Final = 20_000
# Of one that answers: everybody waits for a look to end, here for some two milliseconds.
NEW_OBJECTS_SERVING: Final = 2_000


@contextmanager
def collected_rarely() -> Generator[None]:
    """Let this process hold many objects while the block runs."""
    before = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, YOUNG_ROUNDS, OLD_ROUNDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def set_aside() -> None:
    """Leave what a process has loaded so far, and keeps, out of all later collections."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_KEEPING, YOUNG_ROUNDS, OLD_ROUNDS)


def look_once() -> None:
    """Leave out what is loaded, and from here on all that is still there after a first look.

    What stays is mostly states of loans. To walk those of some thousand commands again held every
    request up for 0.3 seconds, and those of a full cache for much longer. So a cycle is found while
    it is young; one that becomes garbage later stays. Requests make none, whether they are answered
    or refused (`tests/api/test_cycles.py`).
    """
    set_aside()
    gc.set_threshold(NEW_OBJECTS_SERVING)
    if _keep not in gc.callbacks:
        gc.callbacks.append(_keep)


def _keep(phase: str, _: dict[str, int]) -> None:
    if phase == "stop":
        gc.freeze()
