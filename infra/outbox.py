"""What is to be published, on the database's side: pages, checkpoints, the leader's lock.

Publishes nothing. One connection holds the lock and does the reading: when it is lost, so is the
lead.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

import psycopg

from infra.connections import configure, is_loss
from infra.errors import Unavailable
from infra.event_topic import EventRow
from infra.outcome_topic import OutcomeRow
from infra.settings import Limits

RELAY_LOCK: Final = 0x10A9B002
ANSWERS_LOCK: Final = 0x10A9B003
"""First halves of advisory locks, the shard is the second: one leader saves work.

Nothing rests on them, a second relay would only repeat.
"""

_PAGE = """
SELECT position, stream, convert_to(version::text, 'UTF8'), topic,
    convert_to(effective_on::text, 'UTF8'),
    convert_to((extract(epoch FROM recorded_at) * 1000000)::bigint::text, 'UTF8'),
    state, prev_hash, hash
FROM events WHERE shard = %s AND position > %s ORDER BY position LIMIT %s
"""
_OUTCOMES = """
SELECT sequence, scope, key, command, status, stream, version, position, code, detail, field,
    recorded_at
FROM outcomes WHERE shard = %s AND sequence > %s ORDER BY sequence LIMIT %s
"""
_CHECKPOINT = "SELECT topic_id, position FROM relay_checkpoints WHERE shard = %s AND topic = %s"
_SAVE = """
INSERT INTO relay_checkpoints AS c (shard, topic, topic_id, position)
VALUES (%s, %s, %s, %s)
ON CONFLICT (shard, topic) DO UPDATE
SET topic_id = excluded.topic_id, position = excluded.position, saved_at = now()
"""
_ANSWERED = "SELECT topic_id, sequence FROM answer_checkpoints WHERE shard = %s AND topic = %s"
_SAVE_ANSWERED = """
INSERT INTO answer_checkpoints AS c (shard, topic, topic_id, sequence)
VALUES (%s, %s, %s, %s)
ON CONFLICT (shard, topic) DO UPDATE
SET topic_id = excluded.topic_id, sequence = excluded.sequence, saved_at = now()
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a topic was filled: everything up to `position` was acknowledged by `topic_id`."""

    topic_id: UUID
    position: int


class _ShardReader:
    """A connection that leads a shard's publishing of one kind and reads for it."""

    _LOCK: int

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
        row = self._query("SELECT pg_try_advisory_lock(%s, %s)", (self._LOCK, self.shard))[0]
        return bool(row[0])

    def _query(self, sql: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            cursor = self._connected().execute(sql.encode(), parameters, binary=True)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            if not is_loss(error):
                raise
            self.close()
            raise Unavailable(f"the relay lost its connection: {error}") from error

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=self._limits.connect_timeout_seconds,
                application_name="loanbook publisher",
            )
            configure(self._connection, self._limits)
            # A checkpoint that a crash takes back only means publishing a page again.
            self._connection.execute("SET synchronous_commit = off")
        return self._connection


class Outbox(_ShardReader):
    """The events of a shard as the relay sees them. One thread uses it."""

    _LOCK = RELAY_LOCK

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


class OutcomeLog(_ShardReader):
    """The outcomes of a shard as who answers them sees them. One thread uses it.

    A `Checkpoint` here counts outcomes, not events.
    """

    _LOCK = ANSWERS_LOCK

    def page(self, after: int, limit: int) -> list[OutcomeRow]:
        """Read the outcomes after a sequence number. Raises Unavailable."""
        return [OutcomeRow(*row) for row in self._query(_OUTCOMES, (self.shard, after, limit))]

    def checkpoint(self, topic: str) -> Checkpoint | None:
        """Read how far a topic was filled; None: never. Raises Unavailable."""
        rows = self._query(_ANSWERED, (self.shard, topic))
        return Checkpoint(*rows[0]) if rows else None

    def save(self, topic: str, checkpoint: Checkpoint) -> None:
        """Save how far a topic was filled. Raises Unavailable."""
        self._query(_SAVE_ANSWERED, (self.shard, topic, checkpoint.topic_id, checkpoint.position))
