"""The record in memory, for tests: the same answers, positions and hashes as on PostgreSQL.

Nothing outlives it.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from domain.envelope import Position, RecordedEvent, StreamId
from domain.events import Event
from domain.ports import Append, AppendResult, Conflict, Outcome, Reused
from infra.chain import GENESIS, EventRow, OutcomeRow, event_hash, outcome_hash
from infra.codec import Codec
from infra.errors import Unavailable, UnknownTopic
from infra.settings import Limits
from infra.staging import StagedAppend, StagedEvent, stage


@dataclass(frozen=True, slots=True)
class _Answered:
    """What stands under an idempotency key."""

    request_hash: bytes
    outcome: Outcome


class MemoryEventStore:
    """One shard of the record in memory. Threads may share it."""

    def __init__(
        self,
        *,
        shard: int = 0,
        limits: Limits | None = None,
        codec: Codec | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """`clock` None means this machine's clock."""
        self.shard = shard
        self.limits = limits or Limits()
        self.codec = codec or Codec()
        self.outcomes: list[tuple[OutcomeRow, bytes]] = []
        """The rows of the outcomes table, each with its hash."""
        self._clock = clock or (lambda: datetime.now(UTC))
        self._lock = threading.Lock()
        self._log: list[RecordedEvent] = []
        self._streams: dict[str, list[RecordedEvent]] = {}
        self._keys: dict[tuple[str, str], _Answered] = {}
        self._last_recorded_at = datetime.min.replace(tzinfo=UTC)
        self._closed = False

    def close(self) -> None:
        """Refuse further appends."""
        self._closed = True

    def submit(self, append: Append) -> "Future[AppendResult]":
        """Append at once.

        The future raises ValueError, TooLarge or UnknownTopic for what cannot be stored. Raises
        Unavailable after close.
        """
        try:
            staged = stage(append, self.codec, self.limits)
        except (ValueError, UnknownTopic) as error:
            refused: Future[AppendResult] = Future()
            refused.set_exception(error)
            return refused
        return self.submit_staged(staged)

    def submit_staged(self, staged: StagedAppend) -> "Future[AppendResult]":
        """Append stored bytes at once. As `submit`."""
        if self._closed:
            raise Unavailable("the store is closing")
        future: Future[AppendResult] = Future()
        with self._lock:
            future.set_result(self._append(staged))
        return future

    def append_many(self, appends: Sequence[Append]) -> list[AppendResult]:
        """Append a bulk in order."""
        return [self.submit(append).result() for append in appends]

    def load(self, streams: Mapping[StreamId, int]) -> dict[StreamId, list[RecordedEvent]]:
        """Read many streams, each from after the given version on.

        Raises ValueError for too many streams.
        """
        if len(streams) > self.limits.load_streams_max:
            raise ValueError(f"more than {self.limits.load_streams_max} streams in one load")
        with self._lock:
            return {
                stream: self._streams.get(stream, [])[after:] for stream, after in streams.items()
            }

    def events(self, streams: Iterable[StreamId]) -> Iterator[tuple[StreamId, list[Event]]]:
        """Read many streams whole, the events alone. Raises ValueError for too many streams."""
        loaded = self.load(dict.fromkeys(streams, 0))
        return ((stream, [e.event for e in recorded]) for stream, recorded in loaded.items())

    def read(self, after: Position, limit: int) -> list[RecordedEvent]:
        """Read a page in position order.

        Raises ValueError for another shard's position or a page over the limit.
        """
        self._check_shard(after.shard)
        if not 0 < limit <= self.limits.read_page_max:
            raise ValueError(f"a page has 1 to {self.limits.read_page_max} events")
        with self._lock:
            return self._log[after.number : after.number + limit]

    def head(self, shard: int = 0) -> Position:
        """Tell the last position of the shard. Raises ValueError for another shard."""
        self._check_shard(shard)
        return Position(shard=shard, number=len(self._log))

    def outcome(self, scope: str, key: str) -> Outcome | None:
        """Look up what became of a command by its key."""
        answered = self._keys.get((scope, key))
        return answered.outcome if answered else None

    def _check_shard(self, shard: int) -> None:
        if shard != self.shard:
            raise ValueError(f"this store holds shard {self.shard}, not {shard}")

    def _append(self, staged: StagedAppend) -> AppendResult:
        key = staged.key
        if key and (answered := self._keys.get((key.scope, key.key))):
            if answered.request_hash == key.request_hash:
                return answered.outcome
            return Reused(scope=key.scope, key=key.key)
        history = self._streams.get(staged.stream, [])
        if len(history) != staged.expected_version:
            return Conflict(stream=staged.stream, actual_version=len(history))
        self._last_recorded_at = max(self._clock(), self._last_recorded_at)
        for event in staged.events:
            self._record(staged.stream, event)
        outcome = Outcome(
            stream=staged.stream,
            version=None if staged.refusal else staged.expected_version + len(staged.events),
            position=self.head(self.shard) if staged.events else None,
            refusal=staged.refusal,
        )
        if key or staged.refusal:
            self._remember(staged, outcome)
        return outcome

    def _record(self, stream: StreamId, event: StagedEvent) -> None:
        history = self._streams.setdefault(stream, [])
        envelope, decoded = self.codec.decode(event.topic, event.state)
        row = EventRow(
            shard=self.shard,
            position=len(self._log) + 1,
            stream=stream,
            version=len(history) + 1,
            topic=event.topic,
            effective_on=event.effective_on,
            recorded_at=self._last_recorded_at,
            state=event.state,
            prev_hash=history[-1].hash if history else GENESIS,
        )
        recorded = RecordedEvent(
            position=Position(shard=row.shard, number=row.position),
            stream=stream,
            version=row.version,
            topic=row.topic,
            effective_on=row.effective_on,
            recorded_at=row.recorded_at,
            state=row.state,
            prev_hash=row.prev_hash,
            hash=event_hash(row),
            envelope=envelope,
            event=decoded,
        )
        self._log.append(recorded)
        history.append(recorded)

    def _remember(self, staged: StagedAppend, outcome: Outcome) -> None:
        key, refusal = staged.key, staged.refusal
        row = OutcomeRow(
            shard=self.shard,
            sequence=len(self.outcomes) + 1,
            scope=key.scope if key else None,
            key=key.key if key else None,
            request_hash=key.request_hash if key else None,
            command=staged.command,
            actor=staged.actor,
            status="refused" if refusal else "recorded",
            stream=staged.stream,
            version=outcome.version,
            position=outcome.position.number if outcome.position else None,
            code=refusal.code if refusal else None,
            detail=refusal.detail if refusal else None,
            field=refusal.field if refusal else None,
            recorded_at=self._last_recorded_at,
            prev_hash=self.outcomes[-1][1] if self.outcomes else GENESIS,
        )
        self.outcomes.append((row, outcome_hash(row)))
        if key:
            self._keys[key.scope, key.key] = _Answered(
                key.request_hash, replace(outcome, repeated=True)
            )
