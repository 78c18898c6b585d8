"""What every page shares: visitor, templates, headers, errors as pages. It is no page itself."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined

from api import problems
from api.business_date import clock
from api.console import formats
from api.console.sessions import SESSION_COOKIE, Session, Sessions, same_secret
from api.console.words import Words, choose, table
from api.gate import CALLER, REQUEST_ID
from api.identity import Caller, Scope
from api.parts import Parts
from domain.errors import Rejected
from infra.log import logger

PREFIX: Final = "/console"
LANGUAGE_COOKIE: Final = "loanbook_language"
SECRET_FIELD: Final = "form_secret"  # noqa: S105 - a field's name
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FILTERS: Final = (
    "figure", "money", "count", "percent", "points", "rate", "day", "moment", "short_id", "coded",
    "unrounded",
)  # fmt: skip
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_log = logger("console")


class SignInNeeded(Exception):
    """The visitor has no session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who looks at a page, and in which language. `session` None: nobody has signed in."""

    words: Words
    session: Session | None

    @property
    def language(self) -> str:
        """The language of the page."""
        return self.words.language

    @property
    def caller(self) -> Caller:
        """Whom the session stands for. Raises SignInNeeded."""
        if self.session is None:
            raise SignInNeeded
        return self.session.caller

    def may(self, scope: str) -> bool:
        """Tell whether the visitor has a scope; a page shows nothing that would be refused."""
        return self.session is not None and scope in self.session.caller.scopes


class Console:
    """Makes pages of one set of parts."""

    def __init__(self, parts: Parts) -> None:
        secret = parts.settings.session_secret
        self.parts = parts
        self.sessions = Sessions(
            parts.tokens,
            secret.get_secret_value() if secret else token_urlsafe(24),
            lambda: clock().timestamp(),
        )

    @cached_property
    def templates(self) -> Environment:
        """The templates; a name that a page forgot to hand over is an error."""
        made = Environment(
            loader=PackageLoader("api.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        shown: dict[str, Any] = {name: getattr(formats, name) for name in FILTERS}
        known: dict[str, Any] = {
            "PREFIX": PREFIX,
            "style": style_address(),
            "url": address,
            "key": lambda: token_urlsafe(12),
            "severity": formats.severity,
            "tone": formats.tone,
        }
        made.filters.update(shown)
        made.globals.update(known)
        return made

    def router(self) -> APIRouter:
        """Make a router whose errors are pages."""
        console = self

        class PageRoute(APIRoute):
            """Turns what a page raises into a page."""

            def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # pyright: ignore[reportIncompatibleMethodOverride] - as in the library's guide
                answer = super().get_route_handler()

                async def handled(request: Request) -> Response:
                    try:
                        return await answer(request)
                    except Exception as error:  # noqa: BLE001 - every error becomes a page
                        return console.failed(request, error)

                return handled

        return APIRouter(prefix=PREFIX, route_class=PageRoute, include_in_schema=False)

    def anybody(self, request: Request) -> Visitor:
        """Return the visitor, signed in or not."""
        language = choose(
            request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language")
        )
        session = self.sessions.find(request.cookies.get(SESSION_COOKIE), host_of(request))
        setattr(request.state, CALLER, session.caller if session else None)
        return Visitor(words=Words(language), session=session)

    def visitor(self, request: Request, scope: Scope | None) -> Visitor:
        """Return a visitor who may. Raises SignInNeeded, Rejected `forbidden`."""
        visitor = self.anybody(request)
        caller = visitor.caller
        if scope is not None:
            caller.require(scope)
        return visitor

    def poster(self, request: Request, scope: Scope | None, form_secret: str) -> Visitor:
        """Return a visitor whose own form this was. Raises as `visitor`, and Rejected `stale_form`.

        The secret of the session stands in the form, so a form on another site cannot have it.
        """
        visitor = self.visitor(request, scope)
        require_same_site(request)
        assert visitor.session is not None
        if not same_secret(form_secret, visitor.session.form_secret):
            raise Rejected("stale_form", "the form is of another session; load the page again")
        return visitor

    def page(
        self,
        request: Request,
        visitor: Visitor,
        template: str,
        context: Mapping[str, Any],
        status: int = HTTPStatus.OK,
    ) -> Response:
        """Render a page."""
        shared = {
            "t": visitor.words,
            "visitor": visitor,
            "may": visitor.may,
            "here": request.url.path,
            "query": dict(request.query_params),
            "noted": _noted(request.query_params),
            "back": _relative(request) if request.method == "GET" else PREFIX,
        }
        html = self.templates.get_template(template).render(shared | dict(context))
        return HTMLResponse(html, status, headers=dict(HEADERS))

    def failed(self, request: Request, error: Exception) -> Response:
        """Render what went wrong; who has not signed in is led to where that is done."""
        if isinstance(error, SignInNeeded):
            wanted = _relative(request) if request.method == "GET" else PREFIX
            return redirect(address(f"{PREFIX}/sign-in", next=wanted))
        request_id = request.scope.get("state", {}).get(REQUEST_ID, "")
        try:
            told = problems.of_error(error)
        except Exception:  # noqa: BLE001 - our bug, whatever it is
            _log.error("page", request_id=request_id, path=request.url.path, exc_info=error)
            told = problems.said("internal_error", "")
        code = told["code"]
        status = _STATUS_OF_CODE.get(code) or int(told["status"])
        detail = f"{told['field']}: {told['detail']}" if "field" in told else told["detail"]
        context = {"status": status, "code": code, "detail": detail, "request_id": request_id}
        return self.page(request, self.anybody(request), "error.html", context, status)


_STATUS_OF_CODE: Final = {"stale_form": 403, "other_site": 403}


def require_same_site(request: Request) -> None:
    """Refuse a form that another site sent, as far as the browser says. Raises Rejected."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.url.netloc}"
    if site not in {"same-origin", "none"} or origin not in {None, own}:
        raise Rejected("other_site", "this form was sent from another site")


def host_of(request: Request) -> str | None:
    """Name the client's address."""
    return request.client.host if request.client else None


def address(path: str, **query: object) -> str:
    """Write an address with its query; values that are None or empty are left out."""
    given = {name: value for name, value in query.items() if value not in {None, ""}}
    return f"{quote(path)}?{urlencode(given)}" if given else quote(path)


def redirect(to: str) -> Response:
    """Lead the browser on with a GET."""
    return RedirectResponse(to, HTTPStatus.SEE_OTHER, headers=dict(HEADERS))


def local(address: str) -> str:
    """Return an address inside the console; any other becomes the console's beginning."""
    inside = address == PREFIX or address.startswith((f"{PREFIX}/", f"{PREFIX}?"))
    plain = address.isascii() and address.isprintable() and "\\" not in address
    return address if inside and plain else PREFIX


def _noted(query: Mapping[str, str]) -> dict[str, str]:
    """Read what became of the command that led here; only what the table of words knows."""
    note = {name: query.get(name, "") for name in ("done", "refused")}
    known = {name: code for name, code in note.items() if f"{name}.{code}" in table()}
    if note["refused"] and "refused" not in known:
        known["refused"] = "other"
    loan = query.get("loan", "")
    return {"done": "", "refused": "", "loan": loan if _ID.fullmatch(loan) else ""} | known


def _relative(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def style_address() -> str:
    """Return the style sheet's address, with a fingerprint so that browsers may keep it."""
    content = files("api.console").joinpath("static", "console.css").read_bytes()
    return f"{PREFIX}/static/console.css?{sha256(content).hexdigest()[:12]}"
