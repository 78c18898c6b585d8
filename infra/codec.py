"""Turns envelope and event into the stored bytes and back: UTF-8 JSON that psql can read.

Knows no database.

The bytes are one JSON object: the envelope's fields that say something, then the event under
`event`. Dates and instants are ISO 8601, `Decimal` is a string. Stored bytes are never rewritten:
an event of an older version is lifted by its upcasters when it is read, and fields that a class
does not know are ignored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar, cast

import msgspec

from domain.actors import Actor, Approval
from domain.envelope import Envelope
from domain.events import TOPICS, Event
from infra.errors import CorruptEvent, UnknownTopic

BIGINT_MAX = 2**63 - 1
BIGINT_MIN = -(2**63)

E = TypeVar("E")

# An integer that may not fit bigint has at least 19 digits. Each digit becomes a 0 and all else a
# blank, then a search for the run: a fifteenth of what a regular expression takes.
_DIGITS = bytes(ord("0" if byte in b"0123456789" else " ") for byte in range(256))
_LONG_INTEGER = b"0" * 19


class _Said(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    """The stored object less its event: what the envelope does not say is left out."""

    actor: Actor
    reason_code: str | None = None
    on_behalf_of: str | None = None
    approvals: tuple[Approval, ...] = ()
    policy_versions: dict[str, int] = {}
    command_id: str | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    source_recorded_at: datetime | None = None


class _EventAlone(msgspec.Struct, Generic[E], frozen=True, gc=False):
    """What a fold needs of the stored object."""

    event: E


class _EventDate(msgspec.Struct, frozen=True):
    effective_on: date


class _Peeked(msgspec.Struct, frozen=True):
    """The two things that a row beside the state repeats."""

    actor: Actor
    event: _EventDate


@dataclass(frozen=True, slots=True)
class Upcaster:
    """Lifts the JSON object of one topic version to the next."""

    topic: str
    to_topic: str
    lift: Callable[[dict[str, Any]], dict[str, Any]]


UPCASTERS: tuple[Upcaster, ...] = ()
"""Every step from an old topic version to the next; released schemas are frozen."""


class Codec:
    """The tables from class to topic and from topic to decoder, made once."""

    def __init__(
        self,
        topics: Mapping[str, type[Event]] = TOPICS,
        upcasters: Iterable[Upcaster] = UPCASTERS,
    ) -> None:
        self._topics: dict[type[Event], str] = {kind: topic for topic, kind in topics.items()}
        self._kinds = dict(topics)
        self._decoders: dict[str, Callable[[bytes], _EventAlone[Event]]] = {
            topic: msgspec.json.Decoder(_EventAlone[kind]).decode for topic, kind in topics.items()
        }
        self._upcasters = {upcaster.topic: upcaster for upcaster in upcasters}
        self._envelope = msgspec.json.Decoder(Envelope).decode
        self._raw_event = msgspec.json.Decoder(_EventAlone[msgspec.Raw]).decode
        # The events of a command share its envelope, which is written once for all of them.
        self._head: tuple[Envelope | None, bytes] = (None, b"")

    def encode(self, envelope: Envelope, event: Event) -> tuple[str, bytes]:
        """Return topic and stored bytes.

        Raises UnknownTopic for an unregistered class, ValueError for an integer that does not fit
        PostgreSQL's bigint.
        """
        try:
            topic = self._topics[type(event)]
        except KeyError:
            name = type(event).__name__
            raise UnknownTopic(f"{name} is not registered under a topic") from None
        said_by, head = self._head
        if said_by is not envelope:
            head = _head_of(envelope)
            self._head = envelope, head
        told = _encode(event)
        # A long run of digits is looked for first: hardly any text holds one.
        if _LONG_INTEGER in told.translate(_DIGITS):
            _check_integers(msgspec.json.decode(told))
        return topic, head + told + b"}"

    def decode(self, topic: str, state: bytes) -> tuple[Envelope, Event]:
        """Read stored bytes. Raises UnknownTopic or CorruptEvent."""
        try:
            return self._envelope(state), self._event(topic, state)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CorruptEvent(f"{topic}: {error}") from error

    def event(self, topic: str, state: bytes) -> Event:
        """Read only the event out of stored bytes. Raises UnknownTopic or CorruptEvent."""
        try:
            return self._event(topic, state)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CorruptEvent(f"{topic}: {error}") from error

    def events(self, told: Sequence[tuple[str, bytes]]) -> list[Event]:
        """Read the events of a stream, each by topic and stored bytes. Raises as `event`."""
        decoders = self._decoders
        try:
            return [decoders[topic](state).event for topic, state in told]
        except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
            return [self.event(topic, state) for topic, state in told]  # lifts, or says which

    def _event(self, topic: str, state: bytes) -> Event:
        decode = self._decoders.get(topic)
        return decode(state).event if decode else self._upcast(topic, self._raw_event(state).event)

    def _upcast(self, topic: str, raw: msgspec.Raw) -> Event:
        value: dict[str, Any] | None = None
        while topic not in self._kinds:
            upcaster = self._upcasters.get(topic)
            if upcaster is None:
                raise UnknownTopic(f"no event class and no upcaster for {topic}")
            value = upcaster.lift(msgspec.json.decode(raw) if value is None else value)
            topic = upcaster.to_topic
        return msgspec.convert(value, self._kinds[topic])


_encode = msgspec.json.Encoder().encode


def _head_of(envelope: Envelope) -> bytes:
    """Write the stored object up to its event. Raises ValueError as `Codec.encode` does."""
    for version in envelope.policy_versions.values():
        _check_integer(version)
    said = _Said(
        envelope.actor,
        envelope.reason_code,
        envelope.on_behalf_of,
        envelope.approvals,
        envelope.policy_versions,
        envelope.command_id,
        envelope.causation_id,
        envelope.correlation_id,
        envelope.source_recorded_at,
    )
    return _encode(said)[:-1] + b',"event":'


_peek = msgspec.json.Decoder(_Peeked).decode


def peek(state: bytes) -> tuple[Actor, date]:
    """Read actor and value date out of stored bytes, whatever the topic. Raises CorruptEvent."""
    try:
        peeked = _peek(state)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptEvent(str(error)) from error
    return peeked.actor, peeked.event.effective_on


def _check_integers(value: object) -> None:
    """Refuse what the read models' bigint columns could not hold. Raises ValueError."""
    if isinstance(value, dict):
        for part in cast("dict[str, object]", value).values():
            _check_integers(part)
    elif isinstance(value, list):
        for part in cast("list[object]", value):
            _check_integers(part)
    elif isinstance(value, int):
        _check_integer(value)


def _check_integer(value: int) -> None:
    if not BIGINT_MIN <= value <= BIGINT_MAX:
        raise ValueError(f"the integer {value} does not fit PostgreSQL's bigint")
