"""Row 20: what holds for every loan of the servicing engine, on lives that Hypothesis draws.

The checks are the test suite's (`tests/domain/servicing/properties.py`); here each meets thousands.
"""

import traceback
from collections.abc import Callable
from random import Random
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.domain.servicing.properties import PROPERTIES
from tests.faults.found import Found
from tests.faults.rig import Rig

SEEDS: Final = st.integers(min_value=0, max_value=2**63)


def run(rig: Rig, count: int) -> Found:
    """Draw `count` lives for each property."""
    found = Found()
    for holds in PROPERTIES:
        tried, trouble = check(holds, count, rig.seed)
        found.faults += tried
        found.must(trouble is None, "I8", f"{holds.__name__}: {trouble}")
    found.note = f"{len(PROPERTIES)} properties, {count} lives each"
    return found


def check(holds: Callable[[Random], None], count: int, first: int) -> tuple[int, str | None]:
    """Return how many lives a property met, and how the first one that breaks it does."""
    tried = 0

    @seed(first)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(SEEDS)
    def meets(number: int) -> None:
        nonlocal tried
        tried += 1
        try:
            holds(Random(number))  # noqa: S311 - a seeded run
        except Exception as error:
            raise AssertionError(f"seed {number}") from error

    try:
        meets()
    except AssertionError:
        return tried, traceback.format_exc(limit=-3)
    return tried, None
