"""How the store's connections are set up, and a writing connection that outlives a loss."""

import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from domain.ports import AppendResult
from infra.append import PackedAppend, append_batch
from infra.errors import LockTimeout, Unavailable
from infra.settings import Limits

Connection = psycopg.Connection[Any]

_SETTINGS = """
SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, YMD', false),
    set_config('synchronous_commit', %s, false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false),
    set_config('idle_in_transaction_session_timeout', %s, false)
"""
_FIRST_PAUSE_SECONDS = 0.05


def configure(connection: Connection, limits: Limits) -> None:
    """Set time zone, durability and timeouts of a session, whatever the server's defaults are."""
    connection.execute(
        _SETTINGS,
        (
            "on",
            _milliseconds(limits.lock_timeout_seconds),
            _milliseconds(limits.statement_timeout_seconds),
            _milliseconds(limits.idle_in_transaction_timeout_seconds),
        ),
    )
    connection.prepare_threshold = 0  # every statement at its first use


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def is_loss(error: psycopg.Error) -> bool:
    """Tell whether an error says that the server, or the way to it, was lost, not what it thinks.

    libpq gives what it says itself no SQLSTATE; psycopg makes a bare DatabaseError of it.
    """
    told = (psycopg.OperationalError, psycopg.InterfaceError)
    return isinstance(error, told) or type(error) is psycopg.DatabaseError


class Writer:
    """One connection that appends batches to a shard.

    After a loss the next batch connects again, with a pause between attempts that doubles; batches
    that come during the pause hear Unavailable at once.
    """

    def __init__(self, dsn: str, shard: int, limits: Limits) -> None:
        self._dsn = dsn
        self._shard = shard
        self._limits = limits
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._not_before = 0.0

    def append(
        self, batch: Sequence[PackedAppend], clock: datetime | None = None
    ) -> list[AppendResult]:
        """Append one batch durably.

        Raises LockTimeout, and Unavailable when the outcome may be unknown or the server is away.
        """
        with self._lock:
            connection = self._connected()
            try:
                return append_batch(connection, self._shard, batch, clock)
            except psycopg.errors.LockNotAvailable as error:
                raise LockTimeout(f"the append lock was not had in time: {error}") from error
            except psycopg.Error as error:
                if is_loss(error) or isinstance(error, psycopg.InternalError):
                    raise Unavailable(f"the append was not confirmed: {error}") from error
                raise

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            if self._connection:
                self._connection.close()

    def _connected(self) -> Connection:
        if self._connection and not self._connection.closed:
            return self._connection
        if time.monotonic() < self._not_before:
            raise Unavailable("the database is away; the next attempt to connect comes soon")
        try:
            self._connection = psycopg.connect(
                self._dsn, autocommit=True, connect_timeout=self._limits.connect_timeout_seconds
            )
            configure(self._connection, self._limits)
        except psycopg.OperationalError as error:
            self._not_before = time.monotonic() + self._pause_seconds
            self._pause_seconds = min(2 * self._pause_seconds, self._limits.reconnect_seconds_max)
            raise Unavailable(f"the database cannot be reached: {error}") from error
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        return self._connection
