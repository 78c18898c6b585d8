"""The OpenAPI document: what FastAPI makes of the routes, and the errors that any may answer."""

from collections.abc import Mapping
from typing import Any, Final, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.bare import documented
from api.problems import MEDIA_TYPE, FieldProblem, Problem

_SAYS: Final[Mapping[int, str]] = {
    400: "The request cannot be read",
    401: "No token, or one that is not known",
    403: "This caller may not do this",
    404: "There is no such thing",
    409: "The state of the loan does not allow it, or others were faster",
    412: "The version is another one",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "Something in the request is wrong; `field` says what",
    429: "Too much at once; `Retry-After` says when to try again",
    503: "The database is away, or a deadline passed; repeat with the same key",
}
_PROBLEM: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_BEARER: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of the configured file, or the development token on this machine.",
    }
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document statuses that are answered with a problem."""
    return {
        status: {
            "description": _SAYS[status],
            "content": dict(_PROBLEM),
        }
        for status in statuses
    }


QUERY_ERRORS: Final = errors(401, 403, 404, 409, 422, 429, 503)
"""What every query may answer."""


def document(app: FastAPI) -> dict[str, Any]:
    """Make the document of an application."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=documented(app.routes),
            tags=app.openapi_tags,
        )
        components = cast("dict[str, Any]", made.setdefault("components", {}))
        components["securitySchemes"] = _BEARER
        components["responses"] = _responses()
        _name_schemas(cast("dict[str, Any]", components["schemas"]))
        for path, operations in cast("dict[str, dict[str, Any]]", made["paths"]).items():
            for operation in operations.values():
                _share_problems(operation)
                if path.startswith("/v1/"):
                    operation["security"] = [{"bearer": []}]
        app.openapi_schema = cast("dict[str, Any]", _without_titles(made))
    return app.openapi_schema


def _responses() -> dict[str, Any]:
    """Describe every error once."""
    return {
        f"Problem{status}": {"description": says, "content": _PROBLEM}
        for status, says in _SAYS.items()
    }


def _name_schemas(schemas: dict[str, Any]) -> None:
    """Add the problem's schemas, and take FastAPI's own away: no route answers with them."""
    for model in (Problem, FieldProblem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def _share_problems(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    for status in responses:
        if status.isdigit() and int(status) in _SAYS:
            responses[status] = {"$ref": f"#/components/responses/Problem{status}"}


def _without_titles(part: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Leave out the titles that pydantic makes of names; examples stay as they are."""
    if isinstance(part, list):
        return [_without_titles(one) for one in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    named = cast("dict[str, Any]", part)
    return {
        name: value
        if name in {"examples", "example", "default", "info"}
        else _without_titles(value)
        for name, value in named.items()
        if not (name == "title" and isinstance(value, str))
    }
