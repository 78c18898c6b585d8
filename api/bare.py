"""Routes that are documented as FastAPI's are and whose work a bare function does.

FastAPI's own share of a request is larger than a whole durable command: it resolves dependencies,
opens two exit stacks and serialises the answer. A command needs none of that, so its route keeps
the documentation and leaves the rest out.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from api import problems

Serve = Callable[[Request], Awaitable[Response]]


class BareRoute(Route):
    """A route that answers with `serve`; `documented` makes what FastAPI documents it from.

    FastAPI builds a validator for each parameter of a route, which takes most of an application's
    start, and here only the document needs them: they are made when it is asked for.
    """

    def __init__(self, path: str, serve: Serve, documented: Callable[[], APIRoute]) -> None:
        super().__init__(path, serve, methods=["POST"])
        self.serve = serve
        self.documented = documented

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match as ever, and let it be seen which route did, as FastAPI's own routes do."""
        match, child_scope = super().matches(scope)
        if match is not Match.NONE:
            child_scope["route"] = self
        return match, child_scope

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or what is wrong with it; the application's handler takes our bugs."""
        if self.methods is None or scope["method"] not in self.methods:
            await super().handle(scope, receive, send)  # says 405
            return
        request = Request(scope, receive)
        try:
            response = await self.serve(request)
        except problems.KNOWN as error:
            response = problems.answer_to(request, error)
        await response(scope, receive, send)


def documented(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """Put in the place of each bare route one that FastAPI can document."""
    return [route.documented() if isinstance(route, BareRoute) else route for route in routes]


def parameter(
    name: str,
    annotation: Any,  # noqa: ANN401 - a type expression
    default: object = inspect.Parameter.empty,
) -> inspect.Parameter:
    """Describe a parameter of a bare route; without a default it is required."""
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


def add_bare_route(
    app: FastAPI,
    path: str,
    serve: Serve,
    *,
    parameters: Sequence[inspect.Parameter],
    **documentation: Any,  # noqa: ANN401 - as FastAPI's add_api_route takes it
) -> None:
    """Add a POST route; `parameters` are for the document alone."""

    def endpoint() -> None:
        raise AssertionError("a bare route answers by itself")

    signature = inspect.Signature(parameters)
    endpoint.__signature__ = signature  # type: ignore[attr-defined] - FastAPI reads it

    def made() -> APIRoute:
        return APIRoute(path, endpoint, methods=["POST"], response_model=None, **documentation)

    app.router.routes.append(BareRoute(path, serve, made))
