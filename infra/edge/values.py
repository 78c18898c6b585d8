"""Types of single values at the edge: bounded, strict, with a JSON Schema. Converts no money."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

TEXT_CHARS_MAX = 200
LIST_ITEMS_MAX = 100
INTEGER_MAX = 2**31 - 1
DATE_MIN, DATE_MAX = date(1900, 1, 1), date(2199, 12, 31)  # a schedule past year 9999 overflows

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DECIMAL = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
_AMOUNT_PATTERN = r"^[0-9]{1,16}(\.[0-9]{1,4})?$"
_NO_CONTROL_CHARS = r"^[^\x00-\x1f\x7f]*$"  # PostgreSQL keeps no NUL in text or JSON


def _read_date(value: object) -> object:
    """Take ISO dates only: pydantic alone would also take a Unix time."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or _ISO_DATE.fullmatch(value) is None:
        raise PydanticCustomError("malformed_date", 'a date is written "2018-06-30"')
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("malformed_date", "there is no such day") from None


def _read_decimal(value: object) -> object:
    """Take decimal strings only: a JSON number has been a binary fraction somewhere."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
        raise PydanticCustomError("malformed_decimal", 'a decimal is a string such as "0.1299"')
    return Decimal(value)


def _write_decimal(value: Decimal) -> str:
    return format(value, "f")


Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
]
"""The id of one thing, such as a loan: a UUID or the like. It becomes part of a stream's name."""

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=TEXT_CHARS_MAX, pattern=_NO_CONTROL_CHARS)
]
"""A code, a fingerprint, a line."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217; whether the book knows it is the domain's matter."""

AmountText = Annotated[str, StringConstraints(pattern=_AMOUNT_PATTERN)]
"""A decimal string such as "1234.50"; too many decimals for the currency are an error."""

Integer = Annotated[int, Field(strict=True, ge=-INTEGER_MAX, le=INTEGER_MAX)]
"""A JSON integer; neither a string nor 3.0."""

IsoDate = Annotated[
    date,
    BeforeValidator(_read_date),
    Field(ge=DATE_MIN, le=DATE_MAX),
    WithJsonSchema({"type": "string", "format": "date"}),
]
"""A day of the calendar, such as "2018-06-30"."""

DecimalText = Annotated[
    Decimal,
    BeforeValidator(_read_decimal),
    PlainSerializer(_write_decimal, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^{_DECIMAL.pattern}$"}),
]
"""A fraction such as "0.1299", exact."""
