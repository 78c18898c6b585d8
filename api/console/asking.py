"""What forms and addresses may say: dates, instants, codes, cursors, each bounded. Decides nothing.

A form sends fields that were left empty as empty text, which means the same as leaving them out.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from infra.edge import Identifier
from infra.edge.values import DATE_MAX, DATE_MIN, IsoDate

_PLAIN = r"^[^\x00-\x1f\x7f]*$"  # PostgreSQL keeps no NUL


def _blank_is_none(value: object) -> object:
    return None if value == "" else value


def _read_instant(value: object) -> object:
    """Take what an input of the kind datetime-local sends; it is UTC unless it says otherwise."""
    if not isinstance(value, str):
        return value
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        read = None
    if read is None or not DATE_MIN <= read.date() <= DATE_MAX:
        raise PydanticCustomError("malformed_instant", 'an instant is written "2018-06-30T14:00"')
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


Day = Annotated[IsoDate | None, BeforeValidator(_blank_is_none)]
"""A date that may be left out."""

Instant = Annotated[
    datetime | None, BeforeValidator(_read_instant), BeforeValidator(_blank_is_none)
]
"""An instant that may be left out."""

Code = Annotated[str, StringConstraints(max_length=100, pattern=_PLAIN, strip_whitespace=True)]
"""A code, a name, an id, or nothing."""

Cursor = Annotated[str, StringConstraints(max_length=600, pattern=r"^[A-Za-z0-9_=-]*$")]
"""Where a list goes on; empty: at its beginning."""

Text = Annotated[str, StringConstraints(max_length=600, pattern=_PLAIN)]
"""An address to go back to, a secret, a key."""

LoanId = Identifier
"""A loan in a path."""


class Asked(BaseModel):
    """What a page was asked for; fields of other pages and notes are passed over."""

    model_config = ConfigDict(frozen=True)


class Posted(Asked):
    """A form of a signed-in visitor: the secret that shows whose form it is."""

    form_secret: Text
    back: Text = ""
