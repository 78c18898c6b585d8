"""The bodies of commands over HTTP: the command's own fields, why, and on whose behalf.

The models of `infra.edge` with two fields more; the circumstances of a command stand in the body
because they are as much of the request as the amount, and belong under its idempotency key.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, Field, ValidationError, create_model

from api.problems import Malformed
from domain.errors import Rejected
from infra.edge import BODIES, Body, Identifier, refusals_of

M = TypeVar("M", bound=BaseModel)

_REASON: Final = "why, as a code; some decisions need one"
_FOR: Final = "id of whom the caller acts for; the caller stays the actor"
_JSON: Final = "application/json"


def _with_circumstances(body: type[Body]) -> type[Body]:
    fields: dict[str, Any] = {
        "reason_code": (Annotated[Identifier | None, Field(description=_REASON)], None),
        "on_behalf_of": (Annotated[Identifier | None, Field(description=_FOR)], None),
    }
    return create_model(body.__name__, __base__=body, __doc__=body.__doc__, **fields)


HTTP_BODIES: Final[Mapping[str, type[Body]]] = MappingProxyType(
    {name: _with_circumstances(body) for name, body in BODIES.items()}
)
"""A command's public name to the model of its HTTP body."""


async def read_body(request: Request, model: type[M]) -> M:
    """Read and validate a JSON body; an empty one is an empty object.

    Raises Rejected `not_json`, Malformed, and TooLarge while it is read.
    """
    return validated(model, await read_json(request))


async def read_json(request: Request) -> bytes:
    """Read the bytes of a JSON body; an empty one is an empty object. Raises as `read_body`."""
    raw = await request.body()
    kind = request.headers.get("content-type", _JSON)
    if raw and kind.partition(";")[0].strip().lower() != _JSON:
        raise Rejected("not_json", f"send Content-Type: {_JSON}")
    return raw or b"{}"


def validated(model: type[M], raw: bytes) -> M:
    """Validate JSON. Raises Malformed."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise Malformed(refusals_of(error)) from None
