"""Events of one loan as a replay reads them, without a store."""

from datetime import datetime

from domain.actors import Actor, ActorKind
from domain.envelope import Envelope, Position, RecordedEvent, StreamId
from domain.events import Event


def on_record(loan_id: str, event: Event, at: datetime) -> RecordedEvent:
    """Put an event on record; a replay looks at nothing but the two dates."""
    return RecordedEvent(
        position=Position(shard=0, number=1),
        stream=StreamId(f"loan-{loan_id}"),
        version=1,
        topic="",
        effective_on=event.effective_on,
        recorded_at=at,
        state=b"",
        prev_hash=b"",
        hash=b"",
        envelope=Envelope(actor=Actor(kind=ActorKind.HUMAN, id="t")),
        event=event,
    )
