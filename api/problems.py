"""Errors as problem+json (RFC 9457), each with a stable code and, where there is one, the field.

One table says which status a code has. Codes of the domain that are not in it answer 409: the
request was understood and the loan, as it is, does not allow it.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from domain.errors import Rejected
from domain.ports import Refusal
from domain.service import KeyReused, TooManyConflicts
from infra.errors import Overloaded, TooLarge, Unavailable

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 1

STATUS_OF_CODE: Final[Mapping[str, HTTPStatus]] = {
    "unauthenticated": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
}
"""Code to status; every other code of a refusal is 409."""


def problem(
    status: int, code: str, detail: str, field: str | None = None, **more: object
) -> Response:
    """Make the answer to a request that was refused or went wrong."""
    said: dict[str, Any] = {
        "type": f"urn:loanbook:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if field is not None:
        said["field"] = field
    headers: dict[str, str] = {}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = str(more.pop("retry_after_seconds", RETRY_SECONDS))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="loanbook"'
    return Response(
        msgspec.json.encode(said | more), status, headers=headers, media_type=MEDIA_TYPE
    )


def refused(refusal: Refusal | Rejected) -> Response:
    """Answer a rule's refusal."""
    status = STATUS_OF_CODE.get(refusal.code, HTTPStatus.CONFLICT)
    return problem(status, refusal.code, refusal.detail, refusal.field)


def _overloaded(_: Request, error: Exception) -> Response:
    assert isinstance(error, Overloaded)
    return problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "overloaded",
        str(error),
        retry_after_seconds=error.retry_after_seconds,
    )


def _rejected(_: Request, error: Exception) -> Response:
    assert isinstance(error, Rejected)
    return refused(error)


def _unavailable(_: Request, error: Exception) -> Response:
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", str(error))


def _key_reused(_: Request, error: Exception) -> Response:
    del error
    detail = "this key is known with another request; a new attempt needs a new key"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "key_reused", detail, "Idempotency-Key")


def _too_many_conflicts(_: Request, error: Exception) -> Response:
    return problem(HTTPStatus.CONFLICT, "too_many_conflicts", f"{error} kept moving on; try again")


def _too_large(_: Request, error: Exception) -> Response:
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", str(error))


def _malformed(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = [str(part) for part in first["loc"][1:]]
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "malformed_field", first["msg"], ".".join(place) or None
    )


def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return problem(status, status.name.lower(), str(error.detail))


HANDLERS: Final[Mapping[type[Exception], Any]] = {
    Rejected: _rejected,
    KeyReused: _key_reused,
    TooManyConflicts: _too_many_conflicts,
    Overloaded: _overloaded,
    Unavailable: _unavailable,
    TooLarge: _too_large,
    RequestValidationError: _malformed,
    HTTPException: _http,
}


def install(app: FastAPI) -> None:
    """Let the app answer every error with a problem."""
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
