"""What a process keeps is left out of full collections."""

import gc

from infra.garbage import set_aside


def test_what_was_loaded_is_walked_no_more() -> None:
    kept = [[number] for number in range(100)]
    before = gc.get_threshold()
    try:
        set_aside()
        walked = {id(one) for one in gc.get_objects()}
        assert walked.isdisjoint(id(one) for one in kept)
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
    assert {id(one) for one in kept} <= {id(one) for one in gc.get_objects()}
    gc.freeze()  # as tests/conftest.py leaves the suite
