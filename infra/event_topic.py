"""The layout of a record on the events topic. It moves no records.

The key is the stream, the value the stored bytes as they are. Everything else that the record's
row says stands in headers, so that a reader without our code finds its way, and one with it can
check the hash. `schema` names the JSON Schema of the value under docs/schemas/.
"""

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


def recorded_of(record: Record, codec: Codec) -> RecordedEvent:
    """Read one event.

    Raises CorruptEvent for a record that is none of ours, UnknownTopic for an event that this
    version of the program does not know.
    """
    headers = dict(record.headers)
    try:
        topic = headers["topic"].decode()
        envelope, event = codec.decode(topic, record.value or b"")
        return RecordedEvent(
            position=Position.parse(headers["position"].decode()),
            stream=StreamId((record.key or b"").decode()),
            version=int(headers["version"]),
            topic=topic,
            effective_on=date.fromisoformat(headers["effective_on"].decode()),
            recorded_at=_EPOCH + timedelta(microseconds=int(headers["recorded_at"])),
            state=record.value or b"",
            prev_hash=headers["prev_hash"],
            hash=headers["hash"],
            envelope=envelope,
            event=event,
        )
    except (KeyError, ValueError) as error:
        place = f"{record.topic}/{record.partition} at {record.offset}"
        raise CorruptEvent(f"{place} is no event: {error!r}") from error
