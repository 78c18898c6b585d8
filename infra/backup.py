"""Backups of the whole database, with a seal that tells later whether all of the record came back.

PostgreSQL's own pg_dump and pg_restore do the copying; they come with the wheel of the embedded
server. The seal is taken in the same snapshot as the copy. Kept elsewhere it also shows a tail that
was cut off, which the chains by themselves cannot.
"""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from infra.embedded import binary

HEADS: Final = "SELECT stream, version, hash FROM stream_heads ORDER BY stream"
LOG_HEADS: Final = "SELECT shard, position, outcome_sequence, outcome_hash FROM log_head ORDER BY 1"
PAGE_ROWS: Final = 10_000

Connection = psycopg.Connection[Any]


class BackupFailed(RuntimeError):
    """pg_dump or pg_restore did not do its work; the message ends with its last words."""


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What the record was when it was copied. `heads`: SHA-256 over all stream heads, hex."""

    positions: dict[int, int]  # shard to its last position
    outcomes: dict[int, tuple[int, str]]  # shard to how many outcomes, and the last one's hash
    streams: int
    heads: str


def seal_of(connection: Connection) -> Seal:
    """Seal the record as a connection's transaction sees it."""
    logs = connection.execute(LOG_HEADS).fetchall()
    digest, streams = sha256(), 0
    with connection.cursor(name="heads") as heads:
        heads.itersize = PAGE_ROWS
        for stream, version, link in heads.execute(HEADS):
            digest.update(f"{len(stream)}:{stream}:{version}:".encode() + link)
            streams += 1
    return Seal(
        positions={row[0]: row[1] for row in logs},
        outcomes={row[0]: (row[2], row[3].hex()) for row in logs},
        streams=streams,
        heads=digest.hexdigest(),
    )


def backup(dsn: str, file: Path) -> Seal:
    """Copy the database into a file (pg_dump's custom format) while writers go on.

    Returns the seal of exactly what was copied. Raises BackupFailed.
    """
    with _snapshot(dsn) as (connection, snapshot):
        seal = seal_of(connection)
        _run("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={file}", dsn)
    return seal


def restore(dsn: str, file: Path) -> Seal:
    """Bring a backup into an empty database and return the seal of what came.

    All or nothing. Raises BackupFailed, also when the database is not empty.
    """
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname NOT LIKE ALL "
            "(ARRAY['pg_%', 'information_schema'])"
        ).fetchone()
    if tables is None or tables[0]:
        raise BackupFailed("the database is not empty; a backup is restored into a new one")
    _run("pg_restore", "--single-transaction", "--no-owner", f"--dbname={dsn}", str(file))
    with psycopg.connect(dsn) as connection:
        return seal_of(connection)


@contextmanager
def _snapshot(dsn: str) -> Generator[tuple[Connection, str]]:
    """Hold one snapshot open for the seal and for pg_dump."""
    with psycopg.connect(dsn) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        yield connection, row[0]


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own program with our own arguments
        [str(binary(program)), *arguments], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise BackupFailed(f"{program} failed: {done.stderr.strip()[-2000:]}")
