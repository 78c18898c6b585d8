"""The `eventsourcing` library's recorder interface on our store: its shell, our commits.

It differs from the library's own recorder where that one loses events (docs/adr): nothing is tried
again behind the caller's back, positions follow commit order, and a subscription polls.
"""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    ProgrammingError,
    StoredEvent,
    Subscription,
    Tracking,
)

from domain.actors import Actor
from domain.envelope import StreamId
from domain.ports import Conflict, IdempotencyKey, Outcome
from infra.codec import peek
from infra.feeds import Pauses
from infra.staging import StagedAppend, StagedEvent, actor_text, check
from infra.store import PostgresEventStore

_SELECT_EVENTS = """
SELECT stream, version, topic, state FROM events
WHERE stream = %b AND version > %b AND version <= %b
"""
_ORDER: dict[bool, LiteralString] = {
    False: "ORDER BY version LIMIT %b",
    True: "ORDER BY version DESC LIMIT %b",
}
_SELECT_NOTIFICATIONS = """
SELECT stream, version, topic, state, position FROM events
WHERE shard = %b AND position > %b AND position <= %b
"""
_OF_TOPICS = "AND topic = ANY(%b)"
_BY_POSITION = "ORDER BY position LIMIT %b"
_NO_LIMIT = 2**63 - 1
_SUBSCRIPTION_PAGE = 500


class KeyReused(IntegrityError):
    """The idempotency key is known with another body."""


class GroupCommitRecorder(ApplicationRecorder):
    """Records and selects stored events; stream names are text, so ids come back as text."""

    def __init__(self, store: PostgresEventStore) -> None:
        super().__init__()
        self.store = store

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        key: IdempotencyKey | None = None,
        command: str = "library.save",
        tracking: Tracking | None = None,
        **unknown: object,
    ) -> Sequence[int] | None:
        """Append events of one stream; return positions, None for an answered key.

        `Application.save(*events, key=..., command=...)` leads here. Raises IntegrityError when the
        stream has moved on, KeyReused, ProgrammingError for events of several streams, for unknown
        arguments and for a tracking (a position belongs into its read model's transaction),
        Unavailable, Overloaded.
        """
        if tracking or unknown:
            raise ProgrammingError(f"not kept by this recorder: {tracking=} {unknown=}")
        if not stored_events:
            return None
        staged = _staged(stored_events, key, command)
        check(staged, self.store.limits)
        match self.store.submit_staged(staged).result():
            case Outcome(repeated=False, position=position) if position:
                return range(position.number - len(stored_events) + 1, position.number + 1)
            case Outcome():
                return None
            case Conflict(actual_version=actual):
                raise IntegrityError(f"{staged.stream} is at version {actual}")
            case _:
                raise KeyReused(f"key {key} is known with another body")

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Read the events of one stream."""
        rows = self.store.query(
            _SELECT_EVENTS + _ORDER[desc],
            (
                str(originator_id),
                0 if gt is None else gt,
                _NO_LIMIT if lte is None else lte,
                _NO_LIMIT if limit is None else limit,
            ),
        )
        return [StoredEvent(*row) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Read a page in position order."""
        after = 0 if start is None else start - 1 if inclusive_of_start else start
        until = _NO_LIMIT if stop is None else stop
        parameters: list[Any] = [self.store.shard, after, until]
        sql: LiteralString = _SELECT_NOTIFICATIONS
        if topics:
            sql += _OF_TOPICS
            parameters.append(list(topics))
        rows = self.store.query(sql + " " + _BY_POSITION, (*parameters, limit))
        return [Notification(*row) for row in rows]

    def max_notification_id(self) -> int | None:
        """Tell the last position; None before the first event."""
        return self.store.head(self.store.shard).number or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "PollingSubscription":
        """Iterate over what was and will be recorded after a position."""
        return PollingSubscription(self, gt, topics)


class PollingSubscription(Subscription[GroupCommitRecorder]):
    """Blocks for the next notification by polling; it cannot sleep on a committed event."""

    def __init__(
        self, recorder: GroupCommitRecorder, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        super().__init__(recorder, gt, topics)
        self._after = gt or 0
        self._page: list[Notification] = []
        self._pauses = Pauses(recorder.store.limits)

    def stop(self) -> None:
        """End the iteration, also while it waits."""
        super().stop()
        self._pauses.end()

    def __next__(self) -> Notification:
        while not self._page and not self._has_been_stopped:
            self._page = list(
                self._recorder.select_notifications(
                    self._after, _SUBSCRIPTION_PAGE, topics=self._topics, inclusive_of_start=False
                )
            )
            if self._page:
                self._pauses.reset()
                self._page.reverse()
            else:
                self._pauses.wait()
        if self._has_been_stopped:
            raise StopIteration
        notification = self._page.pop()
        self._after = notification.id
        return notification


def _staged(
    stored_events: Sequence[StoredEvent], key: IdempotencyKey | None, command: str
) -> StagedAppend:
    """Make one append of the library's events. Raises ProgrammingError, CorruptEvent."""
    first = stored_events[0]
    events: list[StagedEvent] = []
    actor: Actor | None = None
    for version, stored in enumerate(stored_events, start=first.originator_version):
        if stored.originator_id != first.originator_id or stored.originator_version != version:
            raise ProgrammingError("one call appends to one stream, in order of version")
        actor, effective_on = peek(stored.state)
        events.append(StagedEvent(stored.topic, effective_on, stored.state))
    assert actor
    return StagedAppend(
        stream=StreamId(str(first.originator_id)),
        expected_version=first.originator_version - 1,
        events=tuple(events),
        command=command,
        actor=actor_text(actor),
        key=key,
    )
