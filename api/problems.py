"""Errors as problem+json (RFC 9457), each with a stable code and, where there is one, the field.

One table says which status a code has. A code of the domain that is not in it answers 409: the
request was understood, and the loan as it stands does not allow it.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import ExceptionHandler

from domain.errors import Rejected
from domain.ports import Refusal
from domain.service import KeyReused, TooManyConflicts
from domain.servicing.term_parts import Unsound
from infra.errors import Overloaded, TooLarge, Unavailable

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 1
TYPE_PREFIX: Final = "urn:loanbook:problem:"

_IN_ITSELF: Final = (  # wrong whatever the state of the book
    "amount_missing",
    "amount_too_large",
    "ambiguous_flows",
    "answer_too_large",
    "bad_allocation",
    "bad_bounds",
    "bad_refunds",
    "business_days_missing",
    "cannot_follow",
    "charge_repeated",
    "currency_missing",
    "dates_out_of_order",
    "due_day_missing",
    "due_day_not_offered",
    "fee_repeated",
    "interest_is_planned",
    "key_reused",
    "limit_out_of_range",
    "malformed_amount",
    "malformed_cursor",
    "malformed_date",
    "malformed_decimal",
    "malformed_field",
    "malformed_header",
    "malformed_position",
    "no_grace",
    "position_unknown",
    "rate_above_cap",
    "rate_floats",
    "rate_is_fixed",
    "rate_missing",
    "reason_missing",
    "reasons_missing",
    "simulation_too_long",
    "split_mismatch",
    "spread_missing",
    "spread_out_of_range",
    "too_long",
    "too_many_decimals",
    "tranche_repeated",
    "too_many_rate_steps",
    "transaction_unknown",
    "unknown_calendar",
    "unknown_command",
    "unknown_currency",
    "unknown_field",
    "unknown_filter",
    "unknown_method",
    "unknown_parameter",
    "unknown_period",
    "unknown_rounding_mode",
    "unknown_segment",
    "unknown_suspicion",
    "unknown_value",
    "value_out_of_range",
    *Unsound,
)
_NOT_THIS_CALLER: Final = (
    "authority_exceeded",
    "checker_is_maker",
    "forbidden",
    "model_may_not_decide",
    "no_authority",
    "not_a_person",
    "not_your_case",
)
STATUS_OF_CODE: Final[Mapping[str, HTTPStatus]] = {
    "idempotency_key_missing": HTTPStatus.BAD_REQUEST,
    "malformed_json": HTTPStatus.BAD_REQUEST,
    "unauthenticated": HTTPStatus.UNAUTHORIZED,
    **dict.fromkeys(_NOT_THIS_CALLER, HTTPStatus.FORBIDDEN),
    "not_found": HTTPStatus.NOT_FOUND,
    "unknown_case": HTTPStatus.NOT_FOUND,
    "unknown_loan": HTTPStatus.NOT_FOUND,
    "too_many_conflicts": HTTPStatus.CONFLICT,
    "version_mismatch": HTTPStatus.PRECONDITION_FAILED,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "not_json": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    **dict.fromkeys(_IN_ITSELF, HTTPStatus.UNPROCESSABLE_ENTITY),
    "overloaded": HTTPStatus.TOO_MANY_REQUESTS,
    "internal_error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Code to status; every other code of a refusal is 409 Conflict."""


class Malformed(Exception):
    """A body is not as its model says; `refusals` in the body's order."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(f"{r.field}: {r.detail}" for r in refusals))
        self.refusals = refusals


class FieldProblem(BaseModel):
    """One thing that is wrong with a request."""

    code: str
    detail: str
    field: str | None


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="A URN made of the code", examples=["urn:loanbook:problem:x"])
    title: str = Field(description="What the status means")
    status: int
    code: str = Field(description="Stable; programs act on it")
    detail: str = Field(description="For a person; may change")
    field: str | None = Field(None, description="What in the request is at fault")
    request_id: str | None = Field(None, description="As in the log and the header X-Request-Id")
    errors: list[FieldProblem] | None = Field(None, description="All that is wrong with a body")


def said(
    code: str, detail: str, field: str | None = None, errors: Sequence[Refusal] = ()
) -> dict[str, Any]:
    """Write a problem as JSON values; its status is the table's."""
    status = STATUS_OF_CODE.get(code, HTTPStatus.CONFLICT)
    written: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
    }
    if field is not None:
        written["field"] = field
    if len(errors) > 1:
        written["errors"] = [
            {"code": error.code, "detail": error.detail, "field": error.field} for error in errors
        ]
    return written


def answer(written: dict[str, Any], *, retry_after_seconds: int = RETRY_SECONDS) -> Response:
    """Make the response of a problem."""
    status = written["status"]
    headers: dict[str, str] = {}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = str(retry_after_seconds)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="loanbook"'
    return Response(msgspec.json.encode(written), status, headers, MEDIA_TYPE)


def of_refusal(refusal: Refusal | Rejected) -> dict[str, Any]:
    """Write a rule's refusal."""
    return said(refusal.code, refusal.detail, refusal.field)


def of_refusals(refusals: Sequence[Refusal]) -> dict[str, Any]:
    """Write what is wrong with a request: the first thing, and all of them below."""
    first = refusals[0]
    return said(first.code, first.detail, first.field, refusals)


def of_error(error: Exception) -> dict[str, Any]:  # noqa: PLR0911 - one a kind
    """Write an error that the caller can do something about. Raises any other."""
    match error:
        case Rejected():
            return of_refusal(error)
        case KeyReused():
            detail = "this key is known with another request; a new attempt needs a new key"
            return said("key_reused", detail, "Idempotency-Key")
        case TooManyConflicts():
            return said("too_many_conflicts", "others were faster every time; try again")
        case Overloaded():
            return said("overloaded", str(error))
        case Unavailable():
            return said("unavailable", str(error))
        case TooLarge():
            return said("too_large", str(error))
        case RequestValidationError():
            return of_refusals(_of_parameters(error))
        case Malformed():
            return of_refusals(error.refusals)
        case HTTPException():
            return _of_http(error)
        case _:
            raise error


def _of_parameters(error: RequestValidationError) -> list[Refusal]:
    """List what is wrong with path, query and headers, by the parameters' names."""
    problems = cast("Sequence[dict[str, Any]]", error.errors())
    refusals: list[Refusal] = []
    for one in problems:
        place, *path = one["loc"]
        extra = one["type"] == "extra_forbidden"
        code = "unknown_parameter" if extra and place == "query" else "malformed_field"
        code = "field_missing" if one["type"] == "missing" else code
        refusals.append(Refusal(code=code, detail=one["msg"], field=".".join(map(str, path))))
    return refusals


def _of_http(error: HTTPException) -> dict[str, Any]:
    """Write what the router said: no such path, no such method."""
    status = HTTPStatus(error.status_code)
    written = said(status.name.lower(), str(error.detail))
    return written | {"status": int(status), "title": status.phrase}


def answer_to(request: Request, error: Exception) -> Response:
    """Make the response to a known error. Raises any other."""
    written = of_error(error)
    request_id = request.scope.get("state", {}).get("request_id")
    seconds = error.retry_after_seconds if isinstance(error, Overloaded) else RETRY_SECONDS
    made = answer(written | {"request_id": request_id}, retry_after_seconds=seconds)
    if isinstance(error, HTTPException) and error.headers:
        made.headers.update(error.headers)
    return made


def _crashed(request: Request, error: Exception) -> Response:
    """Answer our own bug; what it was stands in the log under the request's id."""
    del error
    request_id = request.scope.get("state", {}).get("request_id")
    written = said("internal_error", "this is our fault; the log knows more")
    return answer(written | {"request_id": request_id})


KNOWN: Final = (
    Rejected,
    KeyReused,
    TooManyConflicts,
    Overloaded,
    Unavailable,
    TooLarge,
    RequestValidationError,
    Malformed,
    HTTPException,
)
"""Errors that have an answer; every other one is our bug."""


def install(app: FastAPI) -> None:
    """Let the app answer every error with a problem."""
    handle = cast("ExceptionHandler", answer_to)
    for kind in KNOWN:
        app.add_exception_handler(kind, handle)
    app.add_exception_handler(Exception, cast("ExceptionHandler", _crashed))
