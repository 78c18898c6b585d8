"""The directory finds what trying one route after another would find."""

from collections.abc import Sequence
from typing import Any

import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Match

from api.app import create_app
from api.bare import BareRoute
from api.directory import Directory
from tests.api.conftest import Api

PATHS = (
    "/health",
    "/things",
    "/things/{thing}",
    "/things/mine",  # never found: the one before takes it
    "/things/{thing}/parts",
    "/things/new/parts",
    "/{kind}/all/parts",
    "/things/{thing}/{part}",
    "/others/{other}/parts/{part}",
)
WORDS = ("health", "things", "mine", "parts", "new", "all", "others", "x", "{thing}", "")


async def answer() -> str:
    return "here"


def routes() -> list[APIRoute]:
    made = [APIRoute(path, answer, methods=["GET"]) for path in PATHS]
    made.insert(3, APIRoute("/things/{thing}", answer, methods=["POST"]))
    return made


ROUTES = routes()
DIRECTORY = Directory(ROUTES)


def found(tried: Sequence[BaseRoute], path: str, method: str) -> BaseRoute | None:
    """Find the first of some routes that fits whole."""
    scope: dict[str, Any] = {"type": "http", "path": path, "method": method}
    for route in tried:
        match, child = route.matches(scope)
        if match == Match.FULL:
            return child["route"]
    return None


@given(
    parts=st.lists(st.sampled_from(WORDS), min_size=0, max_size=6),
    method=st.sampled_from(["GET", "POST", "PUT"]),
)
def test_it_finds_what_the_search_through_all_routes_finds(parts: list[str], method: str) -> None:
    path = "/" + "/".join(parts)
    assert found([DIRECTORY], path, method) is found(ROUTES, path, method)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.methods} {route.path}")
def test_it_knows_every_route(route: APIRoute) -> None:
    assert route.methods
    (method,) = route.methods
    path = route.path.replace("{", "").replace("}", "")
    assert found([DIRECTORY], path, method) is found(ROUTES, path, method) is not None


def test_the_routes_of_commands_are_in_the_directory_of_an_application(api: Api) -> None:
    """They are none of FastAPI's own, and a payment is what comes most often."""
    directory, *others = create_app(api.parts).routes
    assert isinstance(directory, Directory)
    commands = [route for route in others if isinstance(route, BareRoute)]
    assert len(commands) > 50
    for route in commands:
        path = route.path.replace("{", "").replace("}", "")
        assert found([directory], path, "POST") is route
