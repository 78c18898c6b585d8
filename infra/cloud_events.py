"""CloudEvents 1.0 on Kafka: read in structured or binary mode, written in structured mode.

Only the envelope is read here; what `data` means is the reader's matter. Attributes that are not
listed are ignored, as the specification asks.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from infra.kafka_cluster import Record

ATTRIBUTE_CHARACTERS_MAX: Final = 200
BINARY_PREFIX: Final = "ce_"
CONTENT_TYPE: Final = "content-type"
STRUCTURED: Final = b"application/cloudevents+json"

Attribute = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=ATTRIBUTE_CHARACTERS_MAX,
        pattern=r"^[^\x00-\x1f\x7f]*$",  # PostgreSQL keeps no NUL
    ),
]


class MalformedEnvelope(Exception):
    """A message is no CloudEvent that can be told from others; the message says why."""


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One message: who sent it, its name there, what it asks for."""

    specversion: Literal["1.0"]
    id: Attribute  # the source's own name for it, never used twice
    source: Attribute
    type: Attribute  # a command's name, such as `loan.receive_payment`
    subject: Attribute | None = None  # the aggregate's id; left out: the record's key
    businessdate: Attribute | None = None  # of sources that give their own dates
    reasoncode: Attribute | None = None
    onbehalfof: Attribute | None = None
    correlationid: Attribute | None = None
    data: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))


_ATTRIBUTES: Final = frozenset(CloudEvent.__struct_fields__) - {"data"}
_read_structured = msgspec.json.Decoder(CloudEvent).decode


def read(record: Record) -> CloudEvent:
    """Read a record's envelope. Raises MalformedEnvelope."""
    headers = {name.lower(): value for name, value in record.headers}
    try:
        if any(name.startswith(BINARY_PREFIX) for name in headers):
            return _read_binary(headers, record.value or b"{}")
        return _read_structured(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedEnvelope(str(error)) from error


def _read_binary(headers: dict[str, bytes], data: bytes) -> CloudEvent:
    given = {
        name: headers[BINARY_PREFIX + name].decode()
        for name in _ATTRIBUTES
        if BINARY_PREFIX + name in headers
    }
    return msgspec.convert(given | {"data": msgspec.Raw(data)}, CloudEvent)
