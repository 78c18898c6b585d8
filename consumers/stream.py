"""A dated stream of commands from one source, as every import hands it to the service.

It says nothing about where the stream comes from and keeps nothing.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TypeVar

import msgspec

from domain.actors import Actor
from domain.commands import Command, name_of
from domain.context import Context
from domain.ports import IdempotencyKey
from domain.service import Instruction

T = TypeVar("T")

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command of a stream: when it happened, who acted, and the source's name for it."""

    on: date  # the business date on which it was given
    key: str  # the same key is never carried out twice
    command: Command
    actor: Actor
    reason_code: str | None = None


def instruction(entry: Entry, source: str) -> Instruction:
    """Make an entry what the service handles; idempotency is by (source, key)."""
    return Instruction(
        command=entry.command,
        context=Context(actor=entry.actor, business_date=entry.on, reason_code=entry.reason_code),
        key=IdempotencyKey(scope=source, key=entry.key, request_hash=command_hash(entry.command)),
    )


def command_hash(command: Command) -> bytes:
    """Fingerprint a command (SHA-256 of its name and canonical JSON)."""
    return hashlib.sha256(name_of(type(command)).encode() + b"\0" + _encode(command)).digest()


def chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut an iterable into lists of at most `size`."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
