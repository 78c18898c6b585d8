"""The console's router: the desks' pages, signing in, the language, and the style sheet."""

from http import HTTPStatus
from importlib.resources import files
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from api.console import audit, loan, loans, portfolio, queue, report
from api.console.asking import Asked, Posted, Text
from api.console.console import (
    HEADERS,
    LANGUAGE_COOKIE,
    PREFIX,
    Console,
    address,
    host_of,
    local,
    redirect,
    require_same_site,
)
from api.console.sessions import SESSION_COOKIE, SESSION_SECONDS
from api.parts import Parts
from domain.errors import Rejected

YEAR_SECONDS = 365 * 24 * 60 * 60


class SignIn(Asked):
    """The token of somebody who wants to see a page."""

    token: Text
    wanted: Text = PREFIX


def router(parts: Parts) -> APIRouter:
    """Make the console's routes; the unknown address comes last."""
    console = Console(parts)
    made = APIRouter(include_in_schema=False)
    made.add_api_route("/", _to_console)
    for desk in (portfolio, queue, loans, loan, audit, report):
        made.include_router(desk.routes(console))
    made.include_router(_shared(console))
    return made


async def _to_console() -> Response:
    return redirect(PREFIX)


def _shared(console: Console) -> APIRouter:
    made = console.router()

    async def beginning(request: Request) -> Response:
        console.visitor(request, None)
        return redirect(f"{PREFIX}/portfolio")

    async def language(request: Request, name: Literal["en", "zh"], back: str = "") -> Response:
        answer = redirect(local(back))
        _set_cookie(answer, request, LANGUAGE_COOKIE, name, YEAR_SECONDS)
        return answer

    async def style() -> Response:
        css = files("api.console").joinpath("static", "console.css").read_bytes()
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(css, media_type="text/css", headers=dict(HEADERS) | kept)

    async def icon() -> Response:
        svg = files("api.console").joinpath("static", "icon.svg").read_bytes()
        kept = {"Cache-Control": "public, max-age=86400"}
        return Response(svg, media_type="image/svg+xml", headers=dict(HEADERS) | kept)

    async def nowhere(request: Request, path: str) -> Response:
        del path
        visitor = console.anybody(request)
        context = {"status": 404, "code": "unknown_page", "detail": "", "request_id": ""}
        return console.page(request, visitor, "error.html", context, HTTPStatus.NOT_FOUND)

    made.add_api_route("", beginning)
    made.add_api_route("/", beginning)
    made.add_api_route("/language/{name}", language)
    made.add_api_route("/static/console.css", style)
    made.add_api_route("/static/icon.svg", icon)
    _add_signing(made, console)
    made.add_api_route("/{path:path}", nowhere, methods=["GET", "POST"])
    return made


def _add_signing(made: APIRouter, console: Console) -> None:
    def form(request: Request, wanted: str, status: int = 200, refused: str = "") -> Response:
        context = {
            "wanted": local(wanted),
            "refused": refused,
            "development": console.parts.tokens.loopback_only,
        }
        return console.page(request, console.anybody(request), "sign_in.html", context, status)

    async def ask(request: Request, next: str = PREFIX) -> Response:  # noqa: A002 - its name in the address
        return form(request, next)

    async def sign_in(request: Request, posted: Annotated[SignIn, Form()]) -> Response:
        require_same_site(request)
        try:
            cookie = console.sessions.begin(posted.token.strip(), host_of(request))
        except Rejected as no:
            return form(request, posted.wanted, HTTPStatus.UNAUTHORIZED, no.detail)
        answer = redirect(local(posted.wanted))
        _set_cookie(answer, request, SESSION_COOKIE, cookie, SESSION_SECONDS)
        return answer

    async def sign_out(request: Request, posted: Annotated[Posted, Form()]) -> Response:
        console.poster(request, None, posted.form_secret)
        answer = redirect(address(f"{PREFIX}/sign-in"))
        answer.delete_cookie(SESSION_COOKIE, path=PREFIX)
        return answer

    made.add_api_route("/sign-in", ask)
    made.add_api_route("/sign-in", sign_in, methods=["POST"])
    made.add_api_route("/sign-out", sign_out, methods=["POST"])


def _set_cookie(answer: Response, request: Request, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path=PREFIX,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
