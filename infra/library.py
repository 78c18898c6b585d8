"""The `eventsourcing` library's shell around our record: its mapper and application hooks.

Importing the library silences psycopg's loggers; we set them back.
"""

import logging
from dataclasses import dataclass
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    ApplicationRecorder,
    Cipher,
    Compressor,
    JSONTranscoder,
    Mapper,
    StoredEvent,
    Transcoder,
)

from domain.envelope import Envelope, StreamId
from domain.events import Event
from infra.codec import Codec
from infra.recorder import GroupCommitRecorder
from infra.store import PostgresEventStore

for _name in ("psycopg", "psycopg.pool"):
    logging.getLogger(_name).setLevel(logging.NOTSET)


@dataclass(frozen=True, kw_only=True)
class StreamEvent:
    """An event and its envelope at their place in a stream: what the library takes for an event."""

    originator_id: StreamId
    originator_version: int
    envelope: Envelope
    event: Event


class CodecMapper(Mapper[Any]):
    """Maps by our codec. The transcoder that the base class asks for is never used."""

    def __init__(
        self,
        transcoder: Transcoder | None = None,
        compressor: Compressor | None = None,
        cipher: Cipher | None = None,
    ) -> None:
        """Raise ValueError for a compressor or cipher: an auditor reads our bytes with psql."""
        if compressor or cipher:
            raise ValueError("stored bytes are plain JSON")
        super().__init__(transcoder or JSONTranscoder())
        self._codec = Codec()

    def to_stored_event(self, domain_event: DomainEventProtocol[Any]) -> StoredEvent:
        """Encode a StreamEvent."""
        assert isinstance(domain_event, StreamEvent)
        topic, state = self._codec.encode(domain_event.envelope, domain_event.event)
        return StoredEvent(
            domain_event.originator_id, domain_event.originator_version, topic, state
        )

    def to_domain_event(self, stored_event: StoredEvent) -> StreamEvent:
        """Decode to a StreamEvent. Raises UnknownTopic, CorruptEvent."""
        envelope, event = self._codec.decode(stored_event.topic, stored_event.state)
        return StreamEvent(
            originator_id=StreamId(str(stored_event.originator_id)),
            originator_version=stored_event.originator_version,
            envelope=envelope,
            event=event,
        )


class StoreApplication(Application[Any]):
    """The library's application on our store. The store stays the caller's to close."""

    def __init__(self, store: PostgresEventStore) -> None:
        self._store = store
        super().__init__()

    def construct_mapper(self) -> CodecMapper:
        """Map by our codec."""
        return CodecMapper()

    def construct_recorder(self) -> ApplicationRecorder:
        """Record by group commit."""
        return GroupCommitRecorder(self._store)
