"""The hash chains: which bytes stand under each hash.

Anybody can recompute them from the tables alone.

Every hash is SHA-256. A *field* is what PostgreSQL's binary COPY writes for a value: the number of
its bytes as four bytes, big-endian, then the bytes; NULL is the four bytes FF FF FF FF. Numbers,
dates (`2018-06-30`) and instants (microseconds since 1970-01-01T00:00:00Z) stand as decimal text,
`request_hash` as lower-case hexadecimal text; text is UTF-8.

An event, one chain for each stream, starting from 32 zero bytes:

    hash = SHA-256(prev_hash, then the fields shard, stream, version, position, topic,
                   effective_on, recorded_at, state)

`state` are the stored bytes, envelope and event together. An outcome, one chain for each shard in
order of sequence, starting from 32 zero bytes:

    hash = SHA-256(prev_hash, then the fields shard, sequence, scope, key, request_hash, command,
                   actor, status, stream, version, position, code, detail, field, recorded_at)

`append_batch_v1` in `infra/migrations/` computes the same in SQL.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

GENESIS = bytes(32)
"""What stands before the first hash of a chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """A row of `events`, without its own hash."""

    shard: int
    position: int
    stream: str
    version: int
    topic: str
    effective_on: date
    recorded_at: datetime
    state: bytes
    prev_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """A row of `outcomes`, without its own hash."""

    shard: int
    sequence: int
    scope: str | None
    key: str | None
    request_hash: bytes | None
    command: str
    actor: str
    status: str
    stream: str
    version: int | None
    position: int | None
    code: str | None
    detail: str | None
    field: str | None
    recorded_at: datetime
    prev_hash: bytes


NULL_FIELD = b"\xff\xff\xff\xff"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def field(value: bytes) -> bytes:
    """Write one field."""
    return len(value).to_bytes(4, "big") + value


def text_field(value: str | None) -> bytes:
    """Write one field of text; None is NULL."""
    if value is None:
        return NULL_FIELD
    raw = value.encode()
    return len(raw).to_bytes(4, "big") + raw


def microseconds(instant: datetime) -> int:
    """Count the microseconds since 1970 in UTC."""
    return (instant - _EPOCH) // _MICROSECOND


def event_hash(row: EventRow) -> bytes:
    """Compute the hash of one event from what its row says, `prev_hash` included."""
    return sha256(
        row.prev_hash
        + b"".join(
            (
                text_field(str(row.shard)),
                text_field(row.stream),
                text_field(str(row.version)),
                text_field(str(row.position)),
                text_field(row.topic),
                text_field(row.effective_on.isoformat()),
                text_field(str(microseconds(row.recorded_at))),
                field(row.state),
            )
        )
    ).digest()


def outcome_hash(row: OutcomeRow) -> bytes:
    """Compute the hash of one outcome from what its row says, `prev_hash` included."""
    return sha256(
        row.prev_hash
        + b"".join(
            (
                text_field(str(row.shard)),
                text_field(str(row.sequence)),
                text_field(row.scope),
                text_field(row.key),
                text_field(None if row.request_hash is None else row.request_hash.hex()),
                text_field(row.command),
                text_field(row.actor),
                text_field(row.status),
                text_field(row.stream),
                text_field(None if row.version is None else str(row.version)),
                text_field(None if row.position is None else str(row.position)),
                text_field(row.code),
                text_field(row.detail),
                text_field(row.field),
                text_field(str(microseconds(row.recorded_at))),
            )
        )
    ).digest()
