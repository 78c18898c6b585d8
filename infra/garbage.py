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
# Of a process that answers: a look at so many takes a millisecond or two, which nobody notices.
NEW_OBJECTS_SERVING: Final = 20_000


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
    """Leave what a process has loaded at its start, and keeps, out of all later collections.

    Each full one would walk it again and hold up every request meanwhile. They are made rare too:
    what comes after is mostly the states of loans, which took an eighth of a payment's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_SERVING, YOUNG_ROUNDS, OLD_ROUNDS)
