"""Cursors: what a list gave out is read again; what anybody made up is refused."""

import pytest

from domain.errors import Rejected
from projections.pages import decode, encode

OF_A_LIST = tuple[int, str]


def test_a_cursor_is_read_as_it_was_given() -> None:
    assert decode(encode((-(2**63) + 1, "催收")), OF_A_LIST) == (-(2**63) + 1, "催收")


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "é",
        "",
        encode((1,)),
        encode(("1", "x")),
        encode((2**63, "x")),
        encode((-(2**70), "x")),
        encode((1, "a\0b")),
    ],
)
def test_a_cursor_that_no_list_gave_is_refused(cursor: str) -> None:
    with pytest.raises(Rejected, match="malformed_cursor"):
        decode(cursor, OF_A_LIST)
