"""Routes whose endpoint documents them and whose work a bare function does.

FastAPI's own share of a request is larger than a whole durable command: it resolves dependencies,
opens two exit stacks and serialises the answer. A command needs none of that, so its route keeps
the documentation and leaves the rest out.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

Serve = Callable[[Request], Awaitable[Response]]


class BareRoute(APIRoute):
    """A route that answers with `serve`."""

    serve: Serve

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; the application's error handlers take what is raised."""
        if scope["method"] not in self.methods:
            await super().handle(scope, receive, send)  # says 405
            return
        response = await self.serve(Request(scope, receive))
        await response(scope, receive, send)


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
    route = BareRoute(path, endpoint, methods=["POST"], response_model=None, **documentation)
    route.serve = serve
    app.router.routes.append(route)
