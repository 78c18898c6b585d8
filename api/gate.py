"""What every request passes first: its bounds, its id, its log line, its figures.

Pure ASGI, so that a request past a bound costs next to nothing: too many at once are refused before
the body is read, and a body past its bound is not read to its end.
"""

import re
from random import Random
from time import perf_counter
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.metrics import Metrics
from infra.errors import TooLarge
from infra.log import logger
from infra.settings import Limits

LARGE_BODIES: Final = frozenset({"/v1/commands", "/v1/simulations"})
REQUEST_ID: Final = "request_id"
CALLER: Final = "caller"
"""Keys of the ASGI scope's state."""

_UNBOUND: Final = frozenset({"/health", "/ready", "/metrics"})
"""What operators ask must be answered when everybody else is refused."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GIVEN_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_SERVER_ERROR: Final = 500
_ID_BITS: Final = 128
_ids: Final = Random()  # noqa: S311 - an id is no secret. Seeded by the system, which is then left
# alone: to ask it lets go of the interpreter, and a request would queue for it again.

_log = logger("http")


class Gate:
    """ASGI middleware around the application."""

    def __init__(self, app: ASGIApp, *, limits: Limits, metrics: Metrics) -> None:
        self._app = app
        self._limits = limits
        self._metrics = metrics
        self._in_flight = 0
        metrics.in_flight.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        state = scope.setdefault("state", {})
        state[REQUEST_ID] = _request_id(headers)
        answer = _Answer(send, state[REQUEST_ID])
        bound = scope["path"] not in _UNBOUND
        self._in_flight += bound
        failure: BaseException | None = None
        try:
            await self._pass(scope, receive, answer.send, headers)
        except BaseException as error:
            failure = error
            raise
        finally:
            self._in_flight -= bound
            self._tell(scope, answer.status, perf_counter() - started, failure)

    async def _pass(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes]
    ) -> None:
        if self._in_flight > self._limits.http_in_flight_max:
            await _refuse(scope, receive, send, "overloaded", "too many requests at once")
            return
        limit = self._limits.request_bytes_max
        if scope["path"] in LARGE_BODIES:
            limit = self._limits.batch_bytes_max
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > limit:
            await _refuse(scope, receive, send, "too_large", _at_most(limit))
            return
        if b"transfer-encoding" in headers:
            receive = _bounded(receive, limit)
        await self._app(scope, receive, send)

    def _tell(
        self, scope: Scope, status: int, seconds: float, failure: BaseException | None
    ) -> None:
        """Write the one line about a request, and count it."""
        route = scope.get("route")
        path = getattr(route, "path_format", None) or getattr(route, "path", None) or "none"
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        if failure is not None and status == 0:
            status = _SERVER_ERROR
        self._metrics.count(method, path, int(status), seconds)
        state = scope["state"]
        caller = state.get(CALLER)
        line: dict[str, Any] = {
            "request_id": state[REQUEST_ID],
            "method": method,
            "route": path,
            "status": int(status),
            "ms": round(seconds * 1000, 2),
            "actor": f"{caller.actor.kind}:{caller.actor.id}" if caller else None,
        } | {name: _plain(value) for name, value in scope.get("path_params", {}).items()}
        if failure is not None:
            _log.error("request", exc_info=failure, **line)
        else:
            _log.info("request", **line)


class _Answer:
    """Watches an answer go out and puts the request's id on it."""

    __slots__ = ("_header", "_send", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self.status = 0
        self._send = send
        self._header = (b"x-request-id", request_id.encode())

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), self._header]
        await self._send(message)


def _at_most(limit: int) -> str:
    return f"this takes at most {limit} bytes"


async def _refuse(scope: Scope, receive: Receive, send: Send, code: str, detail: str) -> None:
    written = problems.said(code, detail) | {"request_id": scope["state"][REQUEST_ID]}
    await problems.answer(written)(scope, receive, send)


def _bounded(receive: Receive, limit: int) -> Receive:
    """Stop reading a body of unknown length at the limit."""
    taken = 0

    async def read() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise TooLarge(_at_most(limit))
        return message

    return read


def _plain(value: object) -> str:
    """Write a part of the path; what a stranger made up must not begin a line of its own."""
    text = str(value)
    return text if text.isascii() and text.isprintable() else ascii(text)


def _request_id(headers: dict[bytes, bytes]) -> str:
    """Take the caller's own id of the request if it is short and plain, else make one."""
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _GIVEN_ID.fullmatch(given) else f"{_ids.getrandbits(_ID_BITS):032x}"
