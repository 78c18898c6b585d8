"""The one table of event classes and their topics.

Topics are storage formats: never renamed, never reused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar, dataclass_transform

TOPICS: dict[str, type["Event"]] = {}
"""Topic with version, such as `loan.payment_received.v1`, to event class."""

E = TypeVar("E", bound="Event")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened. `effective_on` is the value date: when it is true in the world."""

    effective_on: date


@dataclass_transform(kw_only_default=True, frozen_default=True)
def event(topic: str) -> Callable[[type[E]], type[E]]:
    """Make a class an event: frozen, slotted, keyword-only and known under its topic."""

    def register(cls: type[E]) -> type[E]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        if topic in TOPICS:
            raise ValueError(f"topic {topic} is taken by {TOPICS[topic].__name__}")
        TOPICS[topic] = made
        _TOPIC_OF[made] = topic
        return made

    return register


_TOPIC_OF: dict[type[Event], str] = {}


def topic_of(kind: type[Event]) -> str:
    """Return the topic an event class is stored under.

    Raises KeyError for an unregistered class.
    """
    return _TOPIC_OF[kind]
