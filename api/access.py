"""Lets requests to `/v1` in: reads the bearer token and checks the scope that a route asks for."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request

from api.gate import CALLER
from api.identity import Caller, Scope, Tokens
from domain.errors import Rejected

_SCHEME: Final = "bearer "


def caller_of_request(tokens: Tokens, request: Request) -> Caller:
    """Return whom a request comes from. Raises Rejected `unauthenticated`."""
    given = request.headers.get("authorization", "")
    if given[: len(_SCHEME)].lower() != _SCHEME:
        raise Rejected("unauthenticated", "send the header Authorization: Bearer <token>")
    host = request.client.host if request.client else None
    caller = tokens.caller(given[len(_SCHEME) :].strip(), host)
    request.scope["state"][CALLER] = caller  # for the log line
    return caller


def allowed(tokens: Tokens, scope: Scope) -> Callable[[Request], Awaitable[Caller]]:
    """Make a dependency that lets callers with the scope in and hands them to the route."""

    async def let_in(request: Request) -> Caller:
        caller = caller_of_request(tokens, request)
        caller.require(scope)
        return caller

    return let_in
