"""The OpenAPI document: what FastAPI makes of the routes, and the errors that any may answer."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

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
            "description": _SAYS.get(status, HTTPStatus(status).phrase),
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
            routes=app.routes,
            tags=app.openapi_tags,
        )
        components = cast("dict[str, Any]", made.setdefault("components", {}))
        schemas = cast("dict[str, Any]", components.setdefault("schemas", {}))
        for model in (Problem, FieldProblem):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            schemas[model.__name__] = schema
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        components["securitySchemes"] = _BEARER
        for path, operations in cast("dict[str, dict[str, Any]]", made["paths"]).items():
            if path.startswith("/v1/"):
                for operation in operations.values():
                    operation["security"] = [{"bearer": []}]
        app.openapi_schema = made
    return app.openapi_schema
