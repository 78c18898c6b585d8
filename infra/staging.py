"""Checks one append and turns its events into stored bytes, before it may stand in a batch.

Whatever a database could refuse is refused here, so that one caller's bad text never fails its
neighbours' batch.
"""

from datetime import date

import msgspec

from domain.actors import Actor
from domain.envelope import Envelope, StreamId
from domain.events import Event
from domain.ports import Append, IdempotencyKey, Refusal
from infra.codec import Codec
from infra.errors import TooLarge
from infra.settings import Limits

NAME_CHARACTERS_MAX = 500  # a B-tree entry holds some 2,700 bytes


# Structs and not dataclasses: made for every command, they cost a fifth and stay out of the
# garbage collector's rounds.


class StagedEvent(msgspec.Struct, frozen=True, gc=False):
    """One event as it will be stored."""

    topic: str
    effective_on: date
    state: bytes


class StagedAppend(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One command, ready for the store. `actor` is `kind:id`, for the row in `outcomes`."""

    stream: StreamId
    expected_version: int
    events: tuple[StagedEvent, ...]
    command: str
    actor: str
    key: IdempotencyKey | None = None
    refusal: Refusal | None = None


def stage(append: Append, codec: Codec, limits: Limits) -> StagedAppend:
    """Encode the events of an append and check it.

    Raises ValueError for what cannot be stored, TooLarge past a limit, UnknownTopic for an
    unregistered event.
    """
    staged = StagedAppend(
        stream=append.stream,
        expected_version=append.expected_version,
        events=tuple(_staged(codec, append.envelope, event) for event in append.events),
        command=append.command,
        actor=actor_text(append.envelope.actor),
        key=append.key,
        refusal=append.refusal,
    )
    check(staged, limits)
    return staged


def _staged(codec: Codec, envelope: Envelope, event: Event) -> StagedEvent:
    topic, state = codec.encode(envelope, event)
    return StagedEvent(topic, event.effective_on, state)


def actor_text(actor: Actor) -> str:
    """Name an actor in one word, for the row in `outcomes`."""
    return f"{actor.kind.value}:{actor.id}"


def check(staged: StagedAppend, limits: Limits) -> None:
    """Raise ValueError for what the store could not hold, TooLarge past a limit."""
    if staged.refusal and staged.events:
        raise ValueError("a refused command has no events")
    if staged.expected_version < 0:
        raise ValueError("expected_version is at least 0")
    if len(staged.events) > limits.events_per_command_max:
        raise TooLarge(f"more than {limits.events_per_command_max} events in one command")
    for event in staged.events:
        if len(event.state) > limits.event_bytes_max:
            raise TooLarge(f"{event.topic} has more than {limits.event_bytes_max} bytes")
    names = [staged.stream, staged.command, staged.actor]
    if staged.key:
        names += (staged.key.scope, staged.key.key)
    for name in names:
        if not 0 < len(name) <= NAME_CHARACTERS_MAX or "\x00" in name:
            raise ValueError(
                f"{name[:40]!r} is no name: 1 to {NAME_CHARACTERS_MAX} characters, no NUL"
            )
    if staged.refusal and "\x00" in "".join(
        (staged.refusal.code, staged.refusal.detail, staged.refusal.field or "")
    ):
        raise ValueError("a refusal's text holds a NUL character")
