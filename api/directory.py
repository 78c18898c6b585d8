"""Finds the route of a request by the shape of its path; it serves nothing itself.

A router tries one route after another, and with a hundred of them the search took as long as the
rest of a small request. Paths of one shape have as many parts and the same last part, and hardly
two routes share a shape. What is not found here, the router looks for as it always does, which is
how it comes to answer 404 and 405.
"""

from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from api.bare import BareRoute

Listed = APIRoute | BareRoute
"""Routes that let it be seen which of them matched."""

Shape = tuple[int, str]
"""How many parts a path has, and its last one; `ANY` where that is a parameter."""

ANY = ""


class Directory(BaseRoute):
    """Stands before the routes of an application and leads to the first that fits."""

    def __init__(self, routes: Iterable[Listed]) -> None:
        """`routes` in the router's own order, with parameters that are one part of a path each."""
        listed = [(_shape(route.path_format), route) for route in routes]
        self._found: dict[Shape, list[Listed]] = {
            (parts, last): [one for shape, one in listed if shape in {(parts, last), (parts, ANY)}]
            for parts, last in {shape for shape, _ in listed}
        }

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Find the route that answers a request, if there is one."""
        if scope["type"] == "http":
            parts, last = _shape(scope["path"])
            for route in self._found.get((parts, last)) or self._found.get((parts, ANY), ()):
                match, found = route.matches(scope)
                if match == Match.FULL:
                    return match, found
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that was found answer."""
        await scope["route"].handle(scope, receive, send)


class ShortRoad:
    """ASGI middleware that leads requests for bare routes past what FastAPI does around each."""

    def __init__(self, app: ASGIApp, *, directory: Directory) -> None:
        self._app = app
        self._directory = directory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a bare route answer what it matches, and the application everything else."""
        if scope["type"] == "http" and scope["method"] == "POST":
            _, found = self._directory.matches(scope)
            route = found.get("route")
            if isinstance(route, BareRoute):
                scope.update(found)
                await route.handle(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _shape(path: str) -> Shape:
    last = path.rpartition("/")[2]
    return path.count("/"), ANY if last.startswith("{") else last


def install(app: FastAPI) -> None:
    """Put a directory of the routes that an application has now before them, and a short road."""
    routes = app.router.routes
    directory = Directory(route for route in routes if isinstance(route, Listed))
    routes.insert(0, directory)
    app.add_middleware(ShortRoad, directory=directory)
