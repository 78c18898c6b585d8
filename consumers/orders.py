"""Reads a message of the commands topic and makes it an instruction, or says why it cannot.

Nothing is carried out here. Who acts and what is allowed comes from the configured source.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from pydantic import TypeAdapter, ValidationError

from consumers.sources import Source, Sources
from domain.context import Context
from domain.errors import Rejected
from domain.ports import IdempotencyKey, Refusal
from domain.service import Instruction
from infra import cloud_events
from infra.cloud_events import CloudEvent, MalformedEnvelope
from infra.edge import BODIES, Identifier, refusals_of, request_hash, to_command
from infra.edge.values import IsoDate
from infra.kafka_cluster import Record

MESSAGE_BYTES_MAX = 64 * 1024
_identifier = TypeAdapter[str](Identifier).validate_python
_day = TypeAdapter[date](IsoDate).validate_python


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A message that cannot become a command, but says whose it is: it is answered like a refusal.

    `problems` has at least one line; the first is the answer.
    """

    command: str
    context: Context
    key: IdempotencyKey
    problems: list[Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A message that nobody can be answered for."""

    code: str
    detail: str


Order = Instruction | Malformed | Unreadable


def read_order(record: Record, sources: Sources, today: date) -> Order:
    """Read one message. `today` is the business date of sources that give none of their own."""
    if len(record.value or b"") > MESSAGE_BYTES_MAX:
        detail = f"a message has at most {MESSAGE_BYTES_MAX} bytes"
        return Unreadable(code="too_large", detail=detail)
    try:
        event = cloud_events.read(record)
    except MalformedEnvelope as error:
        return Unreadable(code="malformed_envelope", detail=str(error))
    source = sources.get(event.source)
    if source is None:
        return Unreadable(code="unknown_source", detail=f"{event.source} is not configured")
    try:
        return _instruction(event, source, record, today)
    except ValidationError as error:
        problems = refusals_of(error)
    except Rejected as no:
        problems = [Refusal(code=no.code, detail=no.detail, field=no.field)]
    return _malformed(event, source, record, today, problems)


def _instruction(event: CloudEvent, source: Source, record: Record, today: date) -> Instruction:
    """Raises Rejected, ValidationError."""
    body_type = BODIES.get(event.type)
    if body_type is None:
        raise Rejected("unknown_type", f"there is no command {event.type}", "type")
    if not source.may(event.type):
        raise Rejected("forbidden", f"{event.source} may not give this command", "type")
    target = _target(event, record)
    body = body_type.model_validate_json(bytes(event.data))
    on = _business_date(event, source, today)
    return Instruction(
        command=to_command(event.type, body, target=target, business_date=on),
        context=_context(event, source, on),
        key=IdempotencyKey(
            scope=event.source,
            key=event.id,
            request_hash=request_hash(
                event.type, target, body, event.reasoncode, event.onbehalfof, event.businessdate
            ),
        ),
    )


def _target(event: CloudEvent, record: Record) -> str:
    """Return the aggregate's id; messages to one come in order because it is their key.

    Raises Rejected.
    """
    key = (record.key or b"").decode(errors="replace")
    if event.subject is not None and event.subject != key:
        raise Rejected("key_mismatch", "the record's key is not the subject", "subject")
    try:
        return _identifier(key)
    except ValidationError as error:
        raise Rejected("malformed_key", refusals_of(error)[0].detail, "subject") from None


def _business_date(event: CloudEvent, source: Source, today: date) -> date:
    """Raises Rejected."""
    if event.businessdate is None:
        return today
    if not source.dated:
        raise Rejected("forbidden", "this source gives no dates of its own", "businessdate")
    try:
        return _day(event.businessdate)
    except ValidationError as error:
        problem = refusals_of(error)[0]
        raise Rejected(problem.code, problem.detail, "businessdate") from None


def _context(event: CloudEvent, source: Source, on: date) -> Context:
    return Context(
        actor=source.actor,
        business_date=on,
        reason_code=event.reasoncode,
        on_behalf_of=event.onbehalfof,
        command_id=event.id,
        correlation_id=event.correlationid,
    )


def _malformed(
    event: CloudEvent, source: Source, record: Record, today: date, problems: list[Refusal]
) -> Malformed:
    asked = sha256((record.key or b"") + b"\0" + event.type.encode() + b"\0" + bytes(event.data))
    return Malformed(
        command=event.type,
        context=_context(event, source, today),
        key=IdempotencyKey(scope=event.source, key=event.id, request_hash=asked.digest()),
        problems=problems,
    )
