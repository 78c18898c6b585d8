"""Reads the headers that commands and queries share. Decides nothing."""

import re
from typing import Final

from fastapi import Request

from domain.envelope import Position
from domain.errors import Rejected

KEY: Final = "Idempotency-Key"
IF_MATCH: Final = "If-Match"
IF_POSITION: Final = "If-Position"
CORRELATION: Final = "X-Correlation-Id"

KEY_PATTERN: Final = r"^[\x21-\x7e]{1,200}$"
IF_MATCH_PATTERN: Final = r'^("[0-9]{1,18}"|[0-9]{1,18})$'
POSITION_PATTERN: Final = r"^[0-9]{1,9}:[0-9]{1,18}$"
CORRELATION_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"

_KEY: Final = re.compile(KEY_PATTERN)
_IF_MATCH: Final = re.compile(IF_MATCH_PATTERN)
_POSITION: Final = re.compile(POSITION_PATTERN)
_CORRELATION: Final = re.compile(CORRELATION_PATTERN)


def idempotency_key(request: Request) -> str:
    """Return the client's name for the command. Raises Rejected `idempotency_key_missing`,
    `malformed_header`.
    """  # noqa: D205 - one sentence each
    given = request.headers.get(KEY)
    if given is None:
        detail = "name this command with a key of your own; repeat it with the same key"
        raise Rejected("idempotency_key_missing", detail, KEY)
    if _KEY.fullmatch(given) is None:
        raise Rejected("malformed_header", "1 to 200 visible ASCII characters", KEY)
    return given


def expected_version(request: Request) -> int | None:
    """Return the version that the caller has seen; None: any. Raises Rejected."""
    given = request.headers.get(IF_MATCH)
    if given is None:
        return None
    if _IF_MATCH.fullmatch(given) is None:
        raise Rejected("malformed_header", 'a version as in the ETag, such as "7"', IF_MATCH)
    return int(given.strip('"'))


def wanted_position(request: Request, shard: int) -> Position | None:
    """Return the position that a query must have seen; None: any. Raises Rejected."""
    given = request.headers.get(IF_POSITION)
    if given is None:
        return None
    if _POSITION.fullmatch(given) is None:
        raise Rejected("malformed_position", "send back the position of an answer", IF_POSITION)
    position = Position.parse(given)
    if position.shard != shard:
        raise Rejected("malformed_position", f"there is no shard {position.shard}", IF_POSITION)
    return position


def correlation_id(request: Request) -> str | None:
    """Return the caller's id of a larger undertaking. Raises Rejected `malformed_header`."""
    given = request.headers.get(CORRELATION)
    if given is not None and _CORRELATION.fullmatch(given) is None:
        raise Rejected("malformed_header", "1 to 64 letters, digits, dots, dashes", CORRELATION)
    return given
