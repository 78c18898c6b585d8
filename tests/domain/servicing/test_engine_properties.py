"""What holds for every loan, on a few lives each; `make soak` has thousands (row 20)."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.servicing.properties import PROPERTIES

EXAMPLES = 12


@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda holds: holds.__name__)
def test_it_holds_for_every_loan(holds: Callable[[Random], None]) -> None:
    """Source: domain rules, 10; each property names its invariant."""

    met: set[int] = set()

    @settings(max_examples=EXAMPLES)
    @given(st.integers(min_value=0, max_value=2**63))
    def meets(seed: int) -> None:
        holds(Random(seed))  # noqa: S311 - a seeded run
        met.add(seed)

    meets()
    assert met
