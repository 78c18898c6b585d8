"""The projector: polls a feed and brings the read models up, each batch in one transaction.

Rows, applied versions and position commit together, so redelivery, rewind, restart and rebuild are
one case: skip what was applied, read what is missing from the store, apply the rest. No rule about
loans is here.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

from consumers.admission import admit, in_order
from domain.envelope import Position, StreamId
from infra.errors import Unavailable
from infra.failpoints import Injected, failpoint
from infra.log import logger
from infra.settings import Limits
from projections import applied, read_models, record_log, schema
from projections.ports import Database, Record
from projections.reading import read_all

SWEEP_STREAMS_MAX: Final = 500
# While another projector has events between ours: so often the position is moved over them.
SETTLE_SECONDS: Final = 0.1
SETTLE_EVENTS_MAX: Final = 20_000
# A cause is for a person; a whole payload in it would fill the table.
CAUSE_CHARACTERS_MAX: Final = 2_000

_log = logger(__name__)


class Transactions(Protocol):
    """Where transactions come from: `infra.database.DatabasePool` is one."""

    def transaction(self) -> AbstractContextManager[Database]:
        """Open a transaction; it commits when the block ends without an error."""
        ...


class RecordFeed(Protocol):
    """What is polled: `domain.ports.Feed`, or any feed of undecoded records."""

    def poll(self) -> Sequence[Record]:
        """Hand out the next batch, perhaps empty after a short wait."""
        ...

    def seek(self, after: Position) -> None:
        """Go on after another position."""
        ...

    def confirm(self, position: Position) -> None:
        """Take note that all that was handed out is committed, and where the read models stand."""
        ...


class Projector:
    """One shard's projector; one thread uses it."""

    def __init__(
        self,
        pool: Transactions,
        feed: RecordFeed,
        *,
        shard: int = 0,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        enter: Callable[[Database], object] = schema.enter_current,
    ) -> None:
        """Begin where the read models stand; they must be installed (`projections.schema`).

        `enter` chooses the generation in each transaction; a rebuild brings up the next one.
        """
        self._pool = pool
        self._feed = feed
        self._shard = shard
        self._limits = limits or Limits()
        self._clock = clock
        self._enter = enter
        self._swept_at = self._settled_at = clock()
        self._ahead: set[int] = set()
        with pool.transaction() as db:
            self._enter(db)
            self.position = applied.position(db, shard)
            self._stood_at = self.position
            self._heads: deque[Position] = deque([record_log.head(db, shard)], maxlen=2)
        feed.seek(self.position)

    def step(self) -> int:
        """Poll once and apply what came; sweep when it is time. Returns how many came.

        Raises Unavailable; nothing of the batch is then applied, and it is polled again.
        """
        try:
            records = self._feed.poll()
            for begin in range(0, len(records), self._limits.consume_batch_max):
                self._apply(records[begin : begin + self._limits.consume_batch_max])
            if self._ahead and self._clock() - self._settled_at >= SETTLE_SECONDS:
                self._settle()
        except Unavailable:
            self._feed.seek(self.position)
            raise
        self._feed.confirm(self.position)
        if self._clock() - self._swept_at >= self._limits.sweep_seconds:
            stuck, self._stood_at = self.position == self._stood_at, self.position
            if stuck or not records:  # a feed that is only behind brings its events itself
                self.sweep()
        return len(records)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Step until told to stop; a database that is away is waited for."""
        pause = self._limits.poll_seconds_max
        while not stopping():
            try:
                self.step()
                pause = self._limits.poll_seconds_max
            except Unavailable as error:
                _log.warning("projector_waits", reason=str(error))
                time.sleep(pause)
                pause = min(2 * pause, self._limits.reconnect_seconds_max)

    def catch_up(self, until: Position) -> None:
        """Apply everything up to a position, so that a caller sees its own writes.

        Raises Unavailable.
        """
        while self.position.number < until.number:
            self.step()

    def _apply(self, records: Sequence[Record]) -> None:
        """Apply a batch; where it fails apply its halves, and park the one event that is bad."""
        cause = self._trouble(records)
        if cause is None:
            return
        if len(records) > 1:
            middle = len(records) // 2
            self._apply(records[:middle])
            self._apply(records[middle:])
            return
        for _ in range(self._limits.apply_retries_max):
            cause = self._trouble(records)
            if cause is None:
                return
        _log.error("stream_parked", stream=records[0].stream, cause=cause)
        self._commit(records, park_because=cause)

    def _trouble(self, records: Sequence[Record]) -> str | None:
        """Try to apply a batch; return what went wrong, None: it is applied. Raises Unavailable."""
        try:
            self._commit(records)
        except (Unavailable, Injected):
            raise
        except Exception as error:  # noqa: BLE001 - whatever one event breaks, the book goes on
            return f"{type(error).__name__}: {error}"[:CAUSE_CHARACTERS_MAX]
        return None

    def _commit(self, records: Sequence[Record], *, park_because: str | None = None) -> None:
        with self._pool.transaction() as db:
            self._enter(db)
            heads = admitted(db, records, park_because)
            failpoint("projector.after_rows")
            applied.save(db, heads)
            failpoint("projector.after_versions")
            reached, ahead = self._reached(records)
            reached = applied.reach(db, reached)
            failpoint("projector.before_commit")
        failpoint("projector.after_commit")
        self._stand_at(reached, ahead)

    def _stand_at(self, position: Position, ahead: set[int]) -> None:
        self.position = position
        self._ahead = {number for number in ahead if number > position.number}

    def _settle(self) -> None:
        """Move the position over what other projectors have applied, as the versions tell."""
        self._settled_at = self._clock()
        with self._pool.transaction() as db:
            self._enter(db)
            position = applied.position(db, self._shard)
            position = applied.reach(db, record_log.settled(db, position, SETTLE_EVENTS_MAX))
        self._stand_at(position, self._ahead)

    def _reached(self, records: Sequence[Record]) -> tuple[Position, set[int]]:
        """Move the position over what has been seen without a hole; a broker's order may differ."""
        number = self.position.number
        ahead = self._ahead | {r.position.number for r in records if r.position.number > number}
        while number + 1 in ahead:
            number += 1
            ahead.discard(number)
        return Position(shard=self._shard, number=number), ahead

    def sweep(self) -> int:
        """Apply what the feed has lost; return how many streams were behind.

        The last event of a stream leaves no gap when it is lost. Only what was recorded before the
        previous sweep is looked at, so that events on their way are not called lost.
        """
        self._swept_at = self._clock()
        until, healed = self._heads[0], 0
        while True:
            with self._pool.transaction() as db:
                self._enter(db)
                lost = record_log.behind(db, self.position, until, SWEEP_STREAMS_MAX)
                records = record_log.stretches(db, lost)
            if not records:
                break
            healed += len(lost)
            _log.warning("sweep_healed", streams=len(lost))
            for begin in range(0, len(records), self._limits.consume_batch_max):
                self._apply(records[begin : begin + self._limits.consume_batch_max])
        if until.number > self.position.number:
            with self._pool.transaction() as db:
                self._enter(db)
                until = applied.reach(db, until)
            self._stand_at(until, self._ahead)
        with self._pool.transaction() as db:
            self._heads.append(record_log.head(db, self._shard))
        return healed


def admitted(
    db: Database, records: Sequence[Record], park_because: str | None = None
) -> dict[StreamId, int]:
    """Apply what is new of a batch, gaps read from the store first; return the new versions.

    `park_because` a cause: park what is new instead. The caller saves versions and position.
    """
    marks = applied.lock(db, {record.stream for record in records})
    parked = [r for r in records if marks[r.stream].parked and r.version > marks[r.stream].version]
    causes = [f"after version {marks[record.stream].version}" for record in parked]
    applied.park(db, parked, causes)
    open_records = [record for record in records if not marks[record.stream].parked]
    fresh, gaps, heads = admit(open_records, {s: mark.version for s, mark in marks.items()})
    missing = record_log.stretches(db, gaps)
    if park_because is not None and fresh:
        # The record that fails is the first after what was applied: its gap may hold the bad one.
        bad = in_order([*missing, *fresh])
        applied.park(db, bad, [park_because, *("behind it",) * (len(bad) - 1)])
        return {}
    read_models.apply(db, read_all(in_order([*missing, *fresh])))
    return heads


def redrive(pool: Transactions, stream: StreamId) -> int:
    """Apply a parked stream's waiting events, after its trouble was mended; return how many.

    Raises what still is wrong, such as `projections.reading.Unreadable`; the stream stays parked.
    """
    with pool.transaction() as db:
        schema.enter_current(db)
        mark = applied.lock(db, {stream})[stream]
        head = db.row("SELECT version FROM stream_heads WHERE stream = %s", [stream])
        last = head["version"] if head else mark.version
        wanted = record_log.Stretch(stream, mark.version + 1, last)
        waiting = record_log.stretches(db, [wanted]) if last > mark.version else []
        read_models.apply(db, read_all(waiting))
        applied.save(db, {stream: last})
        applied.unpark(db, stream)
    return len(waiting)
