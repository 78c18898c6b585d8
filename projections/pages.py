"""Pages of a list: a bounded number of rows and an opaque cursor to go on from."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import msgspec

from domain.errors import Rejected
from projections.ports import Row

PAGE_ROWS_MAX = 500
INTEGER_MAX = 2**63 - 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows in order; `cursor` None: that was the last page."""

    rows: list[Row]
    cursor: str | None


def limited(limit: int) -> int:
    """Check the size of a page. Raises Rejected `limit_out_of_range`."""
    if not 1 <= limit <= PAGE_ROWS_MAX:
        raise Rejected("limit_out_of_range", f"a page has 1 to {PAGE_ROWS_MAX} rows", "limit")
    return limit


def encode(values: Sequence[Any]) -> str:
    """Make a cursor of the last row's sort key."""
    return urlsafe_b64encode(msgspec.json.encode(values)).decode()


def decode(cursor: str, types: type[T]) -> T:
    """Read a cursor as a tuple type. Raises Rejected `malformed_cursor`."""
    no = Rejected("malformed_cursor", "this cursor is not of this list", "cursor")
    try:
        values = msgspec.json.decode(urlsafe_b64decode(cursor.encode()), type=types)
    except (msgspec.DecodeError, binascii.Error, UnicodeError, ValueError) as error:
        raise no from error
    if not all(map(_storable, cast("tuple[Any, ...]", values))):
        raise no
    return values


def _storable(value: object) -> bool:
    """Whether the database could hold it at all: a cursor is made up as easily as any input."""
    match value:
        case int():
            return -INTEGER_MAX <= value <= INTEGER_MAX
        case str():
            return "\0" not in value
        case _:
            return True


def page_of(rows: list[Row], limit: int, key: Callable[[Row], Sequence[Any]]) -> Page:
    """Cut what was read, one row more than asked for, into a page."""
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows=rows, cursor=encode(key(rows[-1])) if more else None)
