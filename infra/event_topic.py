"""The layout of a record on the events topic. It moves no records.

The key is the stream, the value the stored bytes as they are. Everything else that the record's
row says stands in headers, so that a reader without our code finds its way, and one with it can
check the hash. `schema` names the JSON Schema of the value under docs/schemas/.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from domain.envelope import Position, RecordedEvent, StreamId
from infra.codec import Codec
from infra.errors import CorruptEvent
from infra.kafka_cluster import Record

SCHEMA: Final = "events/{topic}.json"

Header = tuple[str, bytes]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EventRow(NamedTuple):
    """A row of the record as the relay reads it: what can be text is text already."""

    position: int
    stream: str
    version: bytes
    topic: str
    effective_on: bytes  # ISO 8601
    recorded_at: bytes  # microseconds since 1970 in UTC
    state: bytes
    prev_hash: bytes
    hash: bytes


@cache
def _topic_headers(topic: str) -> tuple[Header, Header]:
    return ("topic", topic.encode()), ("schema", SCHEMA.format(topic=topic).encode())


def headers_of(shard: int, row: EventRow) -> list[Header]:
    """Write the headers of one event."""
    topic, schema = _topic_headers(row.topic)
    return [
        topic,
        ("version", row.version),
        ("position", b"%d:%d" % (shard, row.position)),
        schema,
        ("effective_on", row.effective_on),
        ("recorded_at", row.recorded_at),
        ("prev_hash", row.prev_hash),
        ("hash", row.hash),
    ]


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """One event as it was published, its bytes undecoded, so that a corrupt one reaches the reader.

    It has what `projections.ports.Record` asks for.
    """

    position: Position
    stream: StreamId
    version: int
    topic: str
    effective_on: date
    recorded_at: datetime
    state: bytes


def published_of(record: Record) -> PublishedEvent:
    """Read what the headers say. Raises CorruptEvent for a record that is none of ours."""
    headers = dict(record.headers)
    try:
        return PublishedEvent(
            Position.parse(headers["position"].decode()),
            StreamId((record.key or b"").decode()),
            int(headers["version"]),
            headers["topic"].decode(),
            date.fromisoformat(headers["effective_on"].decode()),
            _EPOCH + timedelta(microseconds=int(headers["recorded_at"])),
            record.value or b"",
        )
    except (KeyError, ValueError) as error:
        place = f"{record.topic}/{record.partition} at {record.offset}"
        raise CorruptEvent(f"{place} is no event: {error!r}") from error


def recorded_of(record: Record, codec: Codec) -> RecordedEvent:
    """Read one event whole.

    Raises CorruptEvent for a record that is none of ours, UnknownTopic for an event that this
    version of the program does not know.
    """
    published = published_of(record)
    headers = dict(record.headers)
    envelope, event = codec.decode(published.topic, published.state)
    return RecordedEvent(
        position=published.position,
        stream=published.stream,
        version=published.version,
        topic=published.topic,
        effective_on=published.effective_on,
        recorded_at=published.recorded_at,
        state=published.state,
        prev_hash=headers["prev_hash"],
        hash=headers["hash"],
        envelope=envelope,
        event=event,
    )
