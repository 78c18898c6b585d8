"""A feed of undecoded records straight from the store, for the projector of the embedded shape.

`infra.feeds.StoreFeed` hands out decoded events; a corrupt one would hold up its whole page.
"""

from collections.abc import Sequence

from consumers.projector import Transactions
from domain.envelope import Position
from infra.feeds import Pauses
from infra.settings import Limits
from projections import record_log
from projections.record_log import StoredRecord


class LogFeed:
    """Hands out every event of a shard after a position, once and in order. One thread uses it."""

    def __init__(self, pool: Transactions, *, limits: Limits | None = None) -> None:
        """Begin before the first event of shard 0; `seek` goes elsewhere."""
        self._pool = pool
        self._limits = limits or Limits()
        self._pauses = Pauses(self._limits)
        self._position = Position(shard=0, number=0)

    def poll(self) -> Sequence[StoredRecord]:
        """Hand out the next batch; wait up to POLL_SECONDS_MAX for one, then answer with none.

        Raises Unavailable; the next call goes on from the same position.
        """
        batch = self._page()
        if not batch:
            self._pauses.wait()
            batch = self._page()
        if batch:
            self._pauses.reset()
            self._position = batch[-1].position
        return batch

    def _page(self) -> list[StoredRecord]:
        with self._pool.transaction() as db:
            return record_log.page(db, self._position, self._limits.consume_batch_max)

    def seek(self, after: Position) -> None:
        """Go on after another position."""
        self._position = after

    def confirm(self, position: Position) -> None:
        """Need nothing: where the read models stand is in their own tables."""

    def close(self) -> None:
        """Wake a waiting poll; later polls do not wait. Another thread may call it."""
        self._pauses.end()
