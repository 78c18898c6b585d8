"""How often Python looks for garbage in cycles. States of loans have none and live long."""

import gc
from typing import Final

# A state is hundreds of objects: at the default of 700 the collector walks the states being built
# over and over, which took a fifth of an import's time. Cycles are few, and still found.
NEW_OBJECTS: Final = 200_000
YOUNG_ROUNDS: Final = 20
OLD_ROUNDS: Final = 50


def collect_rarely() -> None:
    """Set this process up to hold many states."""
    gc.set_threshold(NEW_OBJECTS, YOUNG_ROUNDS, OLD_ROUNDS)
