"""`loanbook run-server`: the server shape on one machine, every part a process of its own.

Broker, relay, projector, intake and API, and PostgreSQL as in `loanbook run`; data stays in the
same folder, so that either shape goes on where the other stopped.
"""

import json
import socket
from pathlib import Path
from typing import Final

from api.cli.doctor import is_free
from api.cli.output import UsageError, note
from api.cli.serve import Process, require_port, serve
from api.cli.servers import database
from infra.migrate import migrate
from infra.settings import Settings

SOURCES_FILE: Final = "sources.json"
DEVELOPMENT: Final = "urn:loanbook:development"

FOLLOWERS: Final = (
    Process(name="relay", arguments=("relay",)),
    Process(name="projector", arguments=("project", "--feed", "kafka", "--member", "projector-1")),
    Process(name="intake", arguments=("intake", "--member", "intake-1")),
)


def run_server() -> None:
    """Start broker, relay, projector, intake and API as processes, and serve until Ctrl-C."""
    settings = Settings()
    require_port(settings)
    environment: dict[str, str] = {}
    processes = list(FOLLOWERS)
    if settings.kafka_bootstrap_servers is None:
        _require_broker_port(settings)
        environment["LOANBOOK_KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{settings.kafka_port}"
        processes.insert(
            0,
            Process(
                name="broker", arguments=("broker",), ready=lambda: _listens(settings.kafka_port)
            ),
        )
    if settings.sources_file is None:
        path = development_sources(settings.data_dir)
        environment["LOANBOOK_SOURCES_FILE"] = str(path)
        note(f"Commands by Kafka are taken from {DEVELOPMENT} ({path}).")
    with database(settings) as dsn:
        migrate(dsn)  # once, before five processes find it undone
        serve(settings, dsn, processes, environment)


def development_sources(folder: Path) -> Path:
    """Write a sources file for trying things out, unless there is one: a maker and a checker."""
    path = folder / SOURCES_FILE
    if not path.exists():
        every = {"commands": ["*"], "dated": True}
        maker = {"source": DEVELOPMENT, "id": "development", **every}
        roles = ["checker", "senior_checker"]
        checker = {"source": f"{DEVELOPMENT}:checker", "id": "checker", "roles": roles, **every}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"sources": [maker, checker]}, indent=2) + "\n")
    return path


def _require_broker_port(settings: Settings) -> None:
    if not is_free("127.0.0.1", settings.kafka_port):
        raise UsageError(
            f"127.0.0.1:{settings.kafka_port} is taken. Set LOANBOOK_KAFKA_PORT to another port, or"
            " LOANBOOK_KAFKA_BOOTSTRAP_SERVERS to use a broker that runs"
        )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
