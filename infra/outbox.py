"""The relay's side of the database: pages of stored bytes, the checkpoint, the leader's lock.

Publishes nothing. One connection holds the lock and does the reading: when it is lost, so is the
lead.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

import psycopg

from infra.connections import configure
from infra.errors import Unavailable
from infra.event_topic import EventRow
from infra.settings import Limits

RELAY_LOCK: Final = 0x10A9B002
"""First half of the advisory lock, the shard is the second: one leader saves work.

Nothing rests on it, a second relay would only repeat.
"""

_PAGE = """
SELECT position, stream, convert_to(version::text, 'UTF8'), topic,
    convert_to(effective_on::text, 'UTF8'),
    convert_to((extract(epoch FROM recorded_at) * 1000000)::bigint::text, 'UTF8'),
    state, prev_hash, hash
FROM events WHERE shard = %s AND position > %s ORDER BY position LIMIT %s
"""
_CHECKPOINT = "SELECT topic_id, position FROM relay_checkpoints WHERE shard = %s AND topic = %s"
_SAVE = """
INSERT INTO relay_checkpoints AS c (shard, topic, topic_id, position)
VALUES (%s, %s, %s, %s)
ON CONFLICT (shard, topic) DO UPDATE
SET topic_id = excluded.topic_id, position = excluded.position, saved_at = now()
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a topic was filled: everything up to `position` was acknowledged by `topic_id`."""

    topic_id: UUID
    position: int


class Outbox:
    """One shard of the record as the relay sees it. One thread uses it."""

    def __init__(self, dsn: str, *, shard: int = 0, limits: Limits | None = None) -> None:
        self.shard = shard
        self._dsn = dsn
        self._limits = limits or Limits()
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection, and the lead with it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def lead(self) -> bool:
        """Try to become the shard's leader, or stay it. Raises Unavailable."""
        row = self._query("SELECT pg_try_advisory_lock(%s, %s)", (RELAY_LOCK, self.shard))[0]
        return bool(row[0])

    def page(self, after: int, limit: int) -> list[EventRow]:
        """Read the events after a position. Raises Unavailable."""
        return [EventRow(*row) for row in self._query(_PAGE, (self.shard, after, limit))]

    def checkpoint(self, topic: str) -> Checkpoint | None:
        """Read how far a topic was filled; None: never. Raises Unavailable."""
        rows = self._query(_CHECKPOINT, (self.shard, topic))
        return Checkpoint(*rows[0]) if rows else None

    def save(self, topic: str, checkpoint: Checkpoint) -> None:
        """Save how far a topic was filled. Raises Unavailable."""
        self._query(_SAVE, (self.shard, topic, checkpoint.topic_id, checkpoint.position))

    def _query(self, sql: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            cursor = self._connected().execute(sql.encode(), parameters, binary=True)
            return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError as error:
            self.close()
            raise Unavailable(f"the relay lost its connection: {error}") from error

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=self._limits.connect_timeout_seconds,
                application_name="loanbook relay",
            )
            configure(self._connection, self._limits)
            # A checkpoint that a crash takes back only means publishing a page again.
            self._connection.execute("SET synchronous_commit = off")
        return self._connection
