"""The one road of every command: load, decide, append, answer.

Adapters do the waiting; no rule is written here.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from domain.commands.application import ApplyForLoan
from domain.commands.registry import Command, name_of
from domain.context import Context
from domain.decide import decider_of
from domain.envelope import RecordedEvent, StreamId
from domain.errors import Rejected
from domain.events.registry import Event
from domain.ports import (
    Append,
    AppendResult,
    Conflict,
    EventStore,
    IdempotencyKey,
    Outcome,
    Refusal,
)
from domain.product import Product, product_stream

CONFLICT_RETRIES_MAX = 5
CACHED_STREAMS_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A command with its circumstances and its key."""

    command: Command
    context: Context
    key: IdempotencyKey | None = None


class KeyReused(Exception):
    """The idempotency key is known with another body."""


class TooManyConflicts(Exception):
    """The stream moved on under every attempt; try again later."""


@dataclass(frozen=True, slots=True)
class Known:
    """An aggregate's state and the version it stands at; version 0 has no state."""

    version: int
    state: Any


class Service:
    """Handles commands against a store.

    States are cached by stream and checked by version, never trusted.
    """

    def __init__(self, store: EventStore, *, cached_streams_max: int = CACHED_STREAMS_MAX) -> None:
        self._store = store
        self._cached_max = cached_streams_max
        self._cache: OrderedDict[StreamId, Known] = OrderedDict()
        self._lock = Lock()

    def handle(self, instruction: Instruction) -> Outcome:
        """Decide one command and make its outcome durable.

        Returns the outcome, accepted or refused; a repeat gets the first outcome again. Raises
        KeyReused, TooManyConflicts, and what the store raises (Overloaded, Unavailable).
        """
        stream = instruction.command.stream
        for _ in range(CONFLICT_RETRIES_MAX + 1):
            states = self._load(_streams_of(instruction))
            append, after = self._decide(states, instruction)
            if append is None:
                return Outcome(stream=stream, version=after.version, position=None)
            result = self._store.submit(append).result()
            if isinstance(result, Conflict):
                self._forget(stream)
                continue
            return self._accepted(append, result, after)
        raise TooManyConflicts(stream)

    def handle_many(self, instructions: Sequence[Instruction]) -> list[Outcome]:
        """Decide many commands in order and append them in bulk.

        Several commands may follow one another on a stream. When another writer got in between,
        the commands of that stream are decided again one by one. Raises as `handle` does.
        """
        states = self._load({stream for i in instructions for stream in _streams_of(i)})
        plans: list[tuple[Append | None, Known]] = []
        for instruction in instructions:
            stream = instruction.command.stream
            append, after = self._decide(states, instruction)
            plans.append((append, states[stream]))
            states[stream] = after
        results = iter(self._store.append_many([a for a, _ in plans if a is not None]))
        outcomes: list[Outcome] = []
        stale: set[StreamId] = set()
        for instruction, (append, before) in zip(instructions, plans, strict=True):
            stream = instruction.command.stream
            if append is None:
                outcomes.append(Outcome(stream=stream, version=before.version, position=None))
                continue
            result = next(results)
            if isinstance(result, Conflict) or (isinstance(result, Outcome) and result.repeated):
                stale.add(stream)  # what was decided after it on this stream stood on a wrong state
            if isinstance(result, Conflict):
                self._forget(stream)
                outcomes.append(self.handle(instruction))
            else:
                outcomes.append(self._accepted(append, result, None))
        for stream, known in states.items():
            if stream in stale:
                self._forget(stream)
            else:
                self._remember(stream, known)
        return outcomes

    def preview(self, instruction: Instruction) -> list[Event]:
        """Return the events a command would yield; nothing is stored. Raises Rejected."""
        stream = instruction.command.stream
        states = self._load(_streams_of(instruction))
        context = _with_product(instruction, states)
        return decider_of(stream).decide(states[stream].state, instruction.command, context)

    def state(self, stream: StreamId) -> Known:
        """Return an aggregate's state and version as they stand in the store now."""
        self._forget(stream)
        return self._load([stream])[stream]

    def _decide(
        self, states: Mapping[StreamId, Known], instruction: Instruction
    ) -> tuple[Append | None, Known]:
        """Return the append that makes the decision durable (None.

        Nothing to store) and the state after it.
        """
        command = instruction.command
        stream = command.stream
        known = states[stream]
        decider = decider_of(stream)
        events: list[Event] = []
        refusal = None
        try:
            events = decider.decide(known.state, command, _with_product(instruction, states))
        except Rejected as no:
            refusal = Refusal(code=no.code, detail=no.detail, field=no.field)
        if not events and refusal is None and instruction.key is None:
            return None, known
        state = known.state
        for event in events:
            state = decider.evolve(state, event)
        append = Append(
            stream=stream,
            expected_version=known.version,
            events=tuple(events),
            envelope=instruction.context.envelope(),
            command=name_of(type(command)),
            key=instruction.key,
            refusal=refusal,
        )
        return append, Known(known.version + len(events), state)

    def _accepted(self, append: Append, result: AppendResult, after: Known | None) -> Outcome:
        if not isinstance(result, Outcome):
            raise KeyReused(append.key)
        if after is not None and not result.repeated:
            self._remember(append.stream, after)
        return result

    def _load(self, streams: Iterable[StreamId]) -> dict[StreamId, Known]:
        known: dict[StreamId, Known] = {}
        missing: list[StreamId] = []
        with self._lock:
            for stream in streams:
                hit = self._cache.get(stream)
                if hit is None:
                    missing.append(stream)
                else:
                    self._cache.move_to_end(stream)
                    known[stream] = hit
        if missing:
            found = self._store.load(dict.fromkeys(missing, 0))
            for stream in missing:
                known[stream] = fold(stream, found.get(stream, []))
                self._remember(stream, known[stream])
        return known

    def _remember(self, stream: StreamId, known: Known) -> None:
        if known.version == 0:
            return
        with self._lock:
            self._cache[stream] = known
            self._cache.move_to_end(stream)
            while len(self._cache) > self._cached_max:
                self._cache.popitem(last=False)

    def _forget(self, stream: StreamId) -> None:
        with self._lock:
            self._cache.pop(stream, None)


def _streams_of(instruction: Instruction) -> list[StreamId]:
    """Name the stream that decides and, for an application, the product that it names."""
    command = instruction.command
    streams = [command.stream]
    if isinstance(command, ApplyForLoan) and instruction.context.product is None:
        streams.append(product_stream(command.product_code))
    return streams


def _with_product(instruction: Instruction, states: Mapping[StreamId, Known]) -> Context:
    """Bring in the product version that an application names; the decision pins it."""
    command = instruction.command
    if not isinstance(command, ApplyForLoan) or instruction.context.product is not None:
        return instruction.context
    product = states[product_stream(command.product_code)].state
    current = product.current if isinstance(product, Product) else None
    return replace(instruction.context, product=current)


def fold(stream: StreamId, events: Iterable[RecordedEvent]) -> Known:
    """Fold a stream's recorded events into its aggregate's state."""
    evolve = decider_of(stream).evolve
    version, state = 0, None
    for recorded in events:
        state = evolve(state, recorded.event)
        version = recorded.version
    return Known(version, state)
