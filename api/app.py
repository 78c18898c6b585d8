"""The HTTP application put together from its parts. `loanbook api` serves `from_environment()`."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from typing import Final

from fastapi import FastAPI

from api import console, directory, problems
from api.gate import Gate
from api.openapi import document
from api.parts import Parts, opened
from api.routes import (
    audit,
    batch,
    catalogue,
    collections,
    commands,
    explanations,
    health,
    ledger,
    loans,
    portfolio,
    reference,
    replays,
    simulations,
)
from infra import log
from infra.garbage import look_once
from infra.settings import Settings

if not __debug__:
    raise SystemExit("Loanbook does not run with `python -O`: assertions guard money.")

VERSION: Final = "0.1.0"
DESCRIPTION: Final = """Commands are `POST`s with an `Idempotency-Key`; an answer means that what
was asked for is on disk. Amounts, rates and scores are decimal strings, dates are ISO 8601, errors
are problem+json (RFC 9457) with a stable `code`. Queries read models that follow within
milliseconds; send the `position` of a command's answer as `If-Position` to read your own write."""

ROUTES: Final = (
    commands,
    batch,
    loans,
    explanations,
    replays,
    portfolio,
    collections,
    audit,
    ledger,
    catalogue,
    simulations,
    health,
    reference,
)
"""Modules with routes, in the order in which they are tried."""


class NotConfigured(Exception):
    """Something that the server cannot do without is not set; the message says what."""


def create_app(parts: Parts, *, close: ExitStack | None = None) -> FastAPI:
    """Make the application. `close` is closed when the server ends; None: the caller closes."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        with close or ExitStack():
            yield

    app = FastAPI(
        title="Loanbook",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # the gate's is all there is
    )
    app.openapi = lambda: document(app)
    problems.install(app)
    for routes in ROUTES:
        routes.register(app, parts)
    directory.install(app)
    app.include_router(console.router(parts))
    app.add_middleware(Gate, limits=parts.limits, metrics=parts.metrics)  # added last, asked first
    return app


def from_environment() -> FastAPI:
    """Make the application that the environment describes; uvicorn calls it in every worker.

    Raises NotConfigured, TokensUnreadable, MigrationFailed, Unavailable.
    """
    settings = Settings()
    log.configure(settings)
    if settings.database_url is None:
        raise NotConfigured("set LOANBOOK_DATABASE_URL, or start everything with `loanbook run`")
    stack = ExitStack()
    parts = stack.enter_context(opened(settings, settings.database_url.get_secret_value()))
    app = create_app(parts, close=stack)
    look_once()
    return app
