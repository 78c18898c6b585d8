"""`loanbook api`: HTTP API, documentation and console."""

from typing import Annotated

import typer
import uvicorn

from infra.settings import Settings

GRACE_SECONDS = 5


def api(
    workers: Annotated[int, typer.Option(help="Processes that answer requests.", min=1)] = 1,
) -> None:
    """Serve HTTP API, documentation and console; needs LOANBOOK_DATABASE_URL."""
    settings = Settings()
    uvicorn.run(
        "api.app:from_environment",
        factory=True,
        host=settings.http_host,
        port=settings.http_port,
        workers=workers,
        timeout_graceful_shutdown=GRACE_SECONDS,
        http="api.joined:JoinedProtocol",
        access_log=False,
        log_level=settings.log_level.lower(),
    )
