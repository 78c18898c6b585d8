"""What a process keeps is left out of full collections."""

import gc
from collections.abc import Generator
from weakref import ref

import pytest

from infra import garbage
from infra.garbage import look_once, set_aside


class Thing:
    """Something that can refer to itself."""

    def __init__(self) -> None:
        self.same = self


@pytest.fixture(autouse=True)
def _as_before() -> Generator[None]:
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    yield
    gc.set_threshold(*thresholds)
    gc.callbacks[:] = callbacks
    gc.freeze()  # as tests/conftest.py leaves the suite


def test_what_was_loaded_is_walked_no_more() -> None:
    kept = [[number] for number in range(100)]
    set_aside()
    assert not _walked(kept)
    gc.unfreeze()
    assert _walked(kept)


def test_what_stays_after_a_look_is_walked_no_more_and_a_young_cycle_is_found() -> None:
    look_once()
    gone = ref(Thing())
    assert gone() is not None
    kept = [[number] for number in range(garbage.NEW_OBJECTS_SERVING + 100)]
    assert gone() is None
    assert not _walked(kept[:100])


def _walked(objects: list[list[int]]) -> bool:
    ids = {id(one) for one in gc.get_objects()}
    return all(id(one) in ids for one in objects)
