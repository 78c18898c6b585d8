"""Brings a database to the newest schema with dbmate; it knows no table itself.

Files: `infra/migrations/NNNN_what.sql`, numbered without holes. A released file is never edited, a
change is a new file. Each starts with `-- migrate:up` and ends with an empty `-- migrate:down`
(dbmate wants the line; we only go forward, the way back is a backup). A file runs in one
transaction together with the row that records it, so a kill leaves nothing half done; for
`CREATE INDEX CONCURRENTLY` there is `-- migrate:up transaction:false`. Table names are unqualified:
the connection's search path decides.
"""

import logging
import subprocess
import sysconfig
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg

from infra.errors import Unavailable

MIGRATIONS: Final = Path(__file__).parent / "migrations"
# One migrator at a time, the others wait. No other advisory lock of the database has this number.
MIGRATION_LOCK: Final = 0x10A9B001

_log = logging.getLogger(__name__)


class MigrationFailed(RuntimeError):
    """The database refused a migration file: it left no trace, those before it are in."""


def migrate(dsn: str, folder: Path = MIGRATIONS) -> list[str]:
    """Apply what is missing; return the names of the files applied now.

    `dsn` is a `postgresql://` URI. Raises `MigrationFailed`, `Unavailable`.
    """
    with _connected(dsn) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        encrypted = bool(connection.pgconn.ssl_in_use)
        done = subprocess.run(  # noqa: S603
            [str(_dbmate()), "--no-dump-schema", "--migrations-dir", str(folder), "migrate"],
            env={"DATABASE_URL": _dbmate_url(dsn, encrypted=encrypted)},  # not readable by `ps`
            check=False,
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        raise MigrationFailed((done.stdout + done.stderr).strip())
    applied = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Applied: ")]
    for name in applied:
        _log.info("applied migration %s", name)
    return applied


def _connected(dsn: str) -> psycopg.Connection:
    try:
        return psycopg.connect(dsn, autocommit=True)
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database cannot be reached: {error}") from error


def _dbmate() -> Path:
    return Path(sysconfig.get_path("scripts")) / "dbmate"


def _dbmate_url(dsn: str, *, encrypted: bool) -> str:
    """The same address for a driver that insists on TLS where libpq takes what is offered."""
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query))
    query.setdefault("sslmode", "require" if encrypted else "disable")
    return urlunsplit(parts._replace(query=urlencode(query)))
