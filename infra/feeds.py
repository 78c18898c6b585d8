"""The feed that reads the store: what was recorded, in position order, by adaptive polling.

No NOTIFY: it would serialise the commits of the whole instance, and a listener can sleep on an
event that was committed while it began to listen.
"""

import threading

from domain.envelope import Position, RecordedEvent
from domain.ports import EventStore
from infra.settings import Limits


class Pauses:
    """The waits of a poller: short after an event, doubling while nothing comes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seconds = limits.poll_seconds_idle
        self._ended = threading.Event()

    def reset(self) -> None:
        """Something came: poll quickly again."""
        self._seconds = self._limits.poll_seconds_idle

    def wait(self) -> None:
        """Nothing came: wait, and longer the next time. Does not wait after `end`."""
        self._ended.wait(self._seconds)
        self._seconds = min(2 * self._seconds, self._limits.poll_seconds_max)

    def end(self) -> None:
        """Wake whoever waits, for good. Any thread may call it."""
        self._ended.set()


class StoreFeed:
    """Hands out every event of a shard after a position, once and in order. One thread uses it."""

    def __init__(
        self,
        store: EventStore,
        after: Position,
        *,
        batch_max: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Start after a position; `batch_max` None means CONSUME_BATCH_MAX."""
        self.position = after
        self._store = store
        limits = limits or Limits()
        self._batch_max = batch_max or limits.consume_batch_max
        self._pauses = Pauses(limits)

    def poll(self) -> list[RecordedEvent]:
        """Hand out the next batch; wait up to POLL_SECONDS_MAX for one, then answer with none.

        Raises Unavailable; the next call goes on from the same position.
        """
        batch = self._store.read(self.position, self._batch_max)
        if not batch:
            self._pauses.wait()
            batch = self._store.read(self.position, self._batch_max)
        if batch:
            self._pauses.reset()
            self.position = batch[-1].position
        return batch

    def seek(self, after: Position) -> None:
        """Go on after another position."""
        self.position = after

    def confirm(self, position: Position) -> None:
        """Need nothing: where the read models stand is in their own tables."""

    def close(self) -> None:
        """Wake a waiting poll; later polls do not wait. Another thread may call it."""
        self._pauses.end()
