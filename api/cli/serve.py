"""Serves: the API and the processes beside it as children, until Ctrl-C."""

import http.client
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.cli.children import ChildEnded, Children, Stopping, children, stopping
from api.cli.doctor import is_free
from api.cli.output import UsageError, note
from infra.settings import Settings

READY_SECONDS_MAX: Final = 60
TOKEN_FILE: Final = "development-token"  # noqa: S105 - a file's name
SESSION_FILE: Final = "session-secret"


def require_port(settings: Settings) -> None:
    """Refuse early when somebody else listens. Raises UsageError."""
    if not is_free(settings.http_host, settings.http_port):
        raise UsageError(
            f"{settings.http_host}:{settings.http_port} is taken: Loanbook may be running already. "
            "End it, or set LOANBOOK_HTTP_PORT to another port"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A child: `loanbook ARGUMENTS`, and when the next one may be started."""

    name: str
    arguments: Sequence[str]
    ready: Callable[[], bool] = lambda: True


EMBEDDED: Final = (Process(name="projector", arguments=("project", "--feed", "store")),)


def serve(
    settings: Settings,
    dsn: str,
    beside: Sequence[Process] = EMBEDDED,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run processes and then the API until told to stop. Raises ChildEnded, UsageError."""
    token = kept_secret(settings.data_dir / TOKEN_FILE)
    for_all = {"LOANBOOK_DATABASE_URL": dsn, **(environment or {})}
    for_api = for_all | {"LOANBOOK_SESSION_SECRET": kept_secret(settings.data_dir / SESSION_FILE)}
    if settings.tokens_file is None:
        for_api |= {"LOANBOOK_DEVELOPMENT_TOKEN": token}
    with stopping() as wish, children() as started:
        for process in beside:
            started.start(process.name, process.arguments, for_all)
            _wait_until(process.ready, process.name, started, wish)
        started.start("api", ["api"], for_api)
        _wait_until(lambda: _answers(settings), "api", started, wish)
        if not wish.asked:
            address = f"http://{settings.http_host}:{settings.http_port}"
            note(f"Console {address}/   API {address}/v1   documentation {address}/docs")
            if settings.tokens_file is None:
                note(f"Development token, from this machine only: {token}")
            note("Ctrl-C stops everything.")
        started.wait(wish)
        note("Stopping.")


def kept_secret(path: Path) -> str:
    """Read a secret of this data folder, or make one that only its owner can read."""
    if path.exists():
        return path.read_text().strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    made = secrets.token_urlsafe(24)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(made + "\n")
    return made


def _wait_until(ready: Callable[[], bool], name: str, started: Children, wish: Stopping) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while not wish.asked and not ready():
        ended = started.ended()
        if ended is not None:
            raise ChildEnded(f"{ended} ended while {name} was starting; its log is above")
        if time.monotonic() > deadline:
            raise ChildEnded(f"{name} did not answer in {READY_SECONDS_MAX} s")
        time.sleep(0.1)


def _answers(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(settings.http_host, settings.http_port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
