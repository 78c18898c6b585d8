"""The record on PostgreSQL: group-committed appends, batched loads, pages in commit order.

Decides nothing.

`PostgresEventStore(dsn)` is all it takes; the tables come from `infra/migrations/`.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from operator import attrgetter
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from domain.envelope import Position, RecordedEvent, StreamId
from domain.events import Event
from domain.ports import Append, AppendResult, Outcome
from infra.append import PackedAppend, outcome_of, pack
from infra.chain import text_field
from infra.codec import Codec
from infra.committer import Commit, GroupCommitter
from infra.connections import Connection, Writer, configure, is_loss
from infra.errors import CorruptEvent, LockTimeout, Unavailable
from infra.prepared import ARRAY_OIDS, TEXT_OID, Prepared, array
from infra.settings import Limits
from infra.staging import StagedAppend, stage

_COLUMNS = """e.shard, e.position, e.stream, e.version, e.topic, e.effective_on, e.recorded_at,
    e.state, e.prev_hash, e.hash"""

# OFFSET 0 keeps the inner query whole: one ordered index scan a stream, whatever the planner knows.
# The outer one promises no order: to sort the rows, states and all, took the server as long as to
# find them. A stream's are sorted here, which costs next to nothing as they come in order.
LOAD = f"""
SELECT e.* FROM unnest(%b::text[], %b::bigint[]) AS w (stream, after)
CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM events e
    WHERE e.stream = w.stream AND e.version > w.after ORDER BY e.version OFFSET 0
) AS e
"""
# One row a stream: to make a row of every event took the client half as long as to decode it.
EVENTS = """
SELECT w.stream, e.topics, e.states FROM unnest(%b::text[]) AS w (stream)
CROSS JOIN LATERAL (
    SELECT string_agg(topic, E'\\x1e' ORDER BY version) AS topics,
        string_agg(state, '\\x1e'::bytea ORDER BY version) AS states
    FROM events WHERE stream = w.stream OFFSET 0
) AS e
"""
_EVENTS = Prepared("events", EVENTS.replace("%b", "$1"), (ARRAY_OIDS[TEXT_OID],))
PAGE = f"""
SELECT {_COLUMNS} FROM events e WHERE e.shard = %b AND e.position > %b
ORDER BY e.position LIMIT %b
"""
HEAD = "SELECT position FROM log_head WHERE shard = %b"
OUTCOME = """
SELECT shard, stream, version, position, code, detail, field
FROM outcomes WHERE scope = %b AND key = %b
"""
# Stands in no topic, and in no JSON: it must be escaped there (RFC 7464 parts texts by it too).
_PARTED_BY = "\x1e"
# Are read in one step. More come in several: beside busy threads each waits for its turn.
_FEW_STREAMS = 8
# One is carried out while the other is answered and the next one made: a third would find no time.
_BATCHES_UNDER_WAY = 2
_YIELD_SECONDS = 0.001
_YIELD_SECONDS_MAX = 0.05

Row = tuple[Any, ...]

_version = attrgetter("version")


def _names(streams: Iterable[StreamId]) -> bytes:
    return array(TEXT_OID, [text_field(stream) for stream in streams])


class PostgresEventStore:
    """One shard of the record. Threads share it; `close` it at the end, or use it in a `with`."""

    def __init__(
        self,
        dsn: str,
        *,
        shard: int = 0,
        limits: Limits | None = None,
        codec: Codec | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """`clock` None means the database server's clock, read under the append lock."""
        self.shard = shard
        self.limits = limits or Limits()
        self.codec = codec or Codec()
        self._clock = clock
        self._commands = [Writer(dsn, shard, self.limits) for _ in range(_BATCHES_UNDER_WAY)]
        self._bulk = Writer(dsn, shard, self.limits)
        self._readers = ConnectionPool(
            dsn,
            min_size=1,
            max_size=self.limits.read_connections_max,
            kwargs={"autocommit": True, "connect_timeout": self.limits.connect_timeout_seconds},
            configure=lambda connection: configure(connection, self.limits),
            timeout=self.limits.connect_timeout_seconds,
            name="readers",
            open=True,
        )
        self._committer: GroupCommitter[Append | PackedAppend, PackedAppend, AppendResult] = (
            GroupCommitter(
                self._packed, [self._committing(writer) for writer in self._commands], self.limits
            )
        )

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
        """Drain the append queue, answer everybody, end the connections."""
        self._committer.close()
        for writer in self._commands:
            writer.close()
        self._bulk.close()
        self._readers.close()

    def submit(self, append: Append) -> "Future[AppendResult]":
        """Queue one append for the next group commit.

        The future raises Unavailable when the outcome may be unknown (ask again with the same key),
        Overloaded when the command waited past its deadline, ValueError, TooLarge or UnknownTopic
        for what cannot be stored; the last four were not sent. Raises Overloaded at once when the
        queue is full. Who wants one append after another waits for the first one's answer.
        """
        return self._committer.submit(append, len(append.events))

    def submit_staged(self, staged: StagedAppend) -> "Future[AppendResult]":
        """Queue an append whose events are stored bytes already. As `submit`.

        Its callers are threads, which bring it into wire form while the committer waits.
        """
        return self._committer.submit(pack(staged), len(staged.events))

    def _committing(self, writer: Writer) -> Commit[PackedAppend, AppendResult]:
        return lambda batch: writer.append(batch, self._now())

    def _packed(self, append: Append | PackedAppend) -> PackedAppend:
        if isinstance(append, PackedAppend):
            return append
        return pack(stage(append, self.codec, self.limits))

    def append_many(self, appends: Sequence[Append]) -> list[AppendResult]:
        """Append a bulk in order, in chunks, on a connection of its own.

        Waiting commands go first between chunks.

        Raises Unavailable in the middle when the database goes away, LockTimeout when others hold
        the lock for very long: what came before is recorded, so repeat it with the same keys.
        """
        packed = map(self._packed, appends)
        results: list[AppendResult] = []
        for chunk in self._chunks(packed):
            results += self._append_chunk(chunk)
        return results

    def _append_chunk(self, chunk: Sequence[PackedAppend]) -> list[AppendResult]:
        """Wait for the lock several times: a bulk that meets another one is in no hurry.

        On a busy disk each may hold the lock for longer than a command would wait.
        """
        retries = 0
        while True:
            self._let_commands_pass()
            try:
                return self._bulk.append(chunk, self._now())
            except LockTimeout:
                if retries == self.limits.bulk_lock_retries_max:
                    raise
                retries += 1

    def load(self, streams: Mapping[StreamId, int]) -> dict[StreamId, list[RecordedEvent]]:
        """Read many streams in one round trip, each from after the given version on.

        Unknown streams are empty.

        Raises ValueError for too many streams, Unavailable, CorruptEvent, UnknownTopic.
        """
        if len(streams) > self.limits.load_streams_max:
            raise ValueError(f"more than {self.limits.load_streams_max} streams in one load")
        loaded: dict[StreamId, list[RecordedEvent]] = {stream: [] for stream in streams}
        if streams:
            for row in self.query(LOAD, (list(streams.keys()), list(streams.values()))):
                loaded[row[2]].append(self._recorded(row))
        for history in loaded.values():
            history.sort(key=_version)
        return loaded

    def events(self, streams: Iterable[StreamId]) -> Iterator[tuple[StreamId, list[Event]]]:
        """Read many streams whole in one round trip, the events alone; unknown ones are empty.

        A stream is decoded when it is its turn: who folds it then finds it fresh in the processor's
        cache, and meanwhile the server finds the next. Raises as `load`.
        """
        wanted = list(dict.fromkeys(streams))
        if len(wanted) > self.limits.load_streams_max:
            raise ValueError(f"more than {self.limits.load_streams_max} streams in one load")
        if not wanted:
            return iter(())
        found = self._ask_for(wanted) if len(wanted) <= _FEW_STREAMS else self._told(wanted)
        return (
            (StreamId(stream), self._parted(topics, states)) for stream, topics, states in found
        )

    def _ask_for(self, streams: Iterable[StreamId]) -> list[Row]:
        names = _names(streams)
        return self._reading(lambda connection: _EVENTS.call(connection, [names]))

    def _told(self, streams: Iterable[StreamId]) -> Iterator[Row]:
        """Read rows as the server makes them; after a loss, ask at once for those that are left."""
        left = dict.fromkeys(streams)
        try:
            with self._readers.connection() as connection:
                for row in _EVENTS.rows(connection, [_names(left)]):
                    del left[row[0]]
                    yield row
        except psycopg.Error:
            yield from self._ask_for(left)  # which tries again, or says why not

    def _parted(self, topics: str | None, states: bytes | None) -> list[Event]:
        if topics is None or states is None:
            return []  # there is no such stream
        names, told = topics.split(_PARTED_BY), states.split(_PARTED_BY.encode())
        if len(names) != len(told):
            raise CorruptEvent(f"{len(names)} events told in {len(told)} texts")
        return self.codec.events(list(zip(names, told, strict=True)))

    def read(self, after: Position, limit: int) -> list[RecordedEvent]:
        """Read a page of the shard in position order, from after a position.

        Raises ValueError for another shard's position or a page over the limit, Unavailable,
        CorruptEvent, UnknownTopic.
        """
        self._check_shard(after.shard)
        if not 0 < limit <= self.limits.read_page_max:
            raise ValueError(f"a page has 1 to {self.limits.read_page_max} events")
        rows = self.query(PAGE, (self.shard, after.number, limit))
        return [self._recorded(row) for row in rows]

    def head(self, shard: int = 0) -> Position:
        """Tell the last position of the shard. Raises ValueError for another shard, Unavailable."""
        self._check_shard(shard)
        rows = self.query(HEAD, (shard,))
        return Position(shard=shard, number=rows[0][0] if rows else 0)

    def outcome(self, scope: str, key: str) -> Outcome | None:
        """Look up what became of a command by its key; None when nothing is recorded under it.

        Raises Unavailable.
        """
        rows = self.query(OUTCOME, (scope, key))
        return outcome_of(rows[0]) if rows else None

    def waiting(self) -> int:
        """Count the commands in the append queue, for metrics."""
        return self._committer.waiting()

    def waiting_seconds(self) -> float:
        """Tell the age of the oldest command in the append queue, for metrics."""
        return self._committer.waiting_seconds()

    def _now(self) -> datetime | None:
        return self._clock() if self._clock else None

    def _check_shard(self, shard: int) -> None:
        if shard != self.shard:
            raise ValueError(f"this store holds shard {self.shard}, not {shard}")

    def _chunks(self, packed: Iterable[PackedAppend]) -> Iterator[list[PackedAppend]]:
        chunk: list[PackedAppend] = []
        weight = 0
        for append in packed:
            events = max(1, len(append.event_fields))
            if chunk and weight + events > self.limits.bulk_append_events_max:
                yield chunk
                chunk, weight = [], 0
            chunk.append(append)
            weight += events
        if chunk:
            yield chunk

    def _let_commands_pass(self) -> None:
        """Pause while commands wait, but not for ever: the row lock then lets both in by turns."""
        until = time.monotonic() + _YIELD_SECONDS_MAX
        while self._committer.waiting() and time.monotonic() < until:
            time.sleep(_YIELD_SECONDS)

    def query(self, sql: LiteralString, parameters: Sequence[Any]) -> list[Row]:
        """Run a query, and return its rows. Raises Unavailable."""
        return self._reading(
            lambda connection: connection.execute(sql, parameters, binary=True).fetchall()
        )

    def _reading(self, read: Callable[[Connection], list[Row]]) -> list[Row]:
        """Read, again on a fresh connection when an old one has died.

        After a restart all of the pool's are dead.
        """
        attempts = self.limits.read_connections_max + 1
        while True:
            attempts -= 1
            try:
                with self._readers.connection() as connection:
                    return read(connection)
            except PoolTimeout as error:
                raise Unavailable(f"no connection to read on: {error}") from error
            except psycopg.Error as error:
                if not is_loss(error):
                    raise
                if not attempts or isinstance(error, psycopg.errors.QueryCanceled):
                    raise Unavailable(f"the read failed: {error}") from error

    def _recorded(self, row: Row) -> RecordedEvent:
        shard, position, stream, version, topic, effective_on, recorded_at = row[:7]
        state, prev_hash, event_hash = row[7:]
        envelope, event = self.codec.decode(topic, state)
        return RecordedEvent(
            position=Position(shard=shard, number=position),
            stream=stream,
            version=version,
            topic=topic,
            effective_on=effective_on,
            recorded_at=recorded_at,
            state=state,
            prev_hash=prev_hash,
            hash=event_hash,
            envelope=envelope,
            event=event,
        )
