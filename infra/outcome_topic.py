"""The layout of an answer on the outcomes topic: a CloudEvent, structured. It moves no records.

The key is the id of the aggregate that decided, as it was in the message; of a message that named
none it is the source.
"""

from datetime import datetime
from typing import Final, Literal, NamedTuple

import msgspec

from infra.cloud_events import CONTENT_TYPE, STRUCTURED
from infra.kafka_transactions import Message

TYPE: Final = "loanbook.outcome.v1"
SOURCE: Final = "loanbook"

_encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one message; a message has one answer, whatever is delivered again."""

    source: str  # of the message
    id: str  # of the message
    command: str  # its type
    status: Literal["recorded", "refused"]
    stream: str | None = None  # of the aggregate that decided
    version: int | None = None  # of the stream after it; only when recorded
    position: str | None = None  # of its last event, for If-Position; only when it left one
    code: str | None = None  # why it was refused
    detail: str | None = None
    field: str | None = None  # the field at fault


class AnswerEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The CloudEvent around an answer."""

    specversion: Literal["1.0"]
    id: str  # shard:sequence in the record of outcomes; unique
    source: str
    type: str
    time: datetime  # when it was recorded
    data: Answer
    subject: str | None = None  # the aggregate's id
    datacontenttype: str = "application/json"


class OutcomeRow(NamedTuple):
    """A row of the record of outcomes."""

    sequence: int
    scope: str | None
    key: str | None
    command: str
    status: Literal["recorded", "refused"]
    stream: str
    version: int | None
    position: int | None
    code: str | None
    detail: str | None
    field: str | None
    recorded_at: datetime


def message_of(shard: int, row: OutcomeRow, nobody: str) -> Message:
    """Write the answer to the message that a row tells of; `nobody` stands for no aggregate."""
    assert row.scope is not None
    assert row.key is not None
    subject = None if row.stream == nobody else row.stream.partition("-")[2]
    event = AnswerEvent(
        specversion="1.0",
        id=f"{shard}:{row.sequence}",
        source=SOURCE,
        type=TYPE,
        subject=subject,
        time=row.recorded_at,
        data=Answer(
            source=row.scope,
            id=row.key,
            command=row.command,
            status=row.status,
            stream=None if subject is None else row.stream,
            version=row.version,
            position=None if row.position is None else f"{shard}:{row.position}",
            code=row.code,
            detail=row.detail,
            field=row.field,
        ),
    )
    return Message((subject or row.scope).encode(), _encode(event), [(CONTENT_TYPE, STRUCTURED)])
