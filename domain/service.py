"""The one road of every command: load, decide, append, answer.

Adapters do the waiting; no rule is written here.
"""

from collections import OrderedDict
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from domain.commands.registry import Command, name_of
from domain.context import Context
from domain.decide import decider_of
from domain.envelope import StreamId
from domain.errors import Rejected
from domain.events.registry import Event
from domain.lookups import NoCalendars, followed_by, looked_up, named_by
from domain.ports import (
    Append,
    AppendResult,
    Calendars,
    Conflict,
    EventStore,
    IdempotencyKey,
    Outcome,
    Refusal,
)

CONFLICT_RETRIES_MAX = 5
CACHED_STREAMS_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A command with its circumstances and its key."""

    command: Command
    context: Context
    key: IdempotencyKey | None = None
    expected_version: int | None = None  # the caller decided on this version; None: on any


class KeyReused(Exception):
    """The idempotency key is known with another body."""


class TooManyConflicts(Exception):
    """The stream moved on under every attempt; try again later."""


@dataclass(frozen=True, slots=True)
class Known:
    """An aggregate's state and the version it stands at; version 0 has no state."""

    version: int
    state: Any


@dataclass(frozen=True, slots=True)
class Preview:
    """What a command would yield: decided on `version`, it would leave `state`."""

    version: int
    events: tuple[Event, ...]
    state: Any


@dataclass(frozen=True, slots=True)
class Fetch:
    """A command's way needs these streams before it can decide."""

    streams: tuple[StreamId, ...]


Way = Generator[Fetch | Append, Any, Outcome]
"""A command on its way: whoever drives it does the waiting and sends back what came of it.

A `Fetch` is answered by `Service.fetch`, an `Append` by the result of `EventStore.submit`.
"""


class Service:
    """Handles commands against a store.

    States are cached by stream and checked by version, never trusted.
    """

    def __init__(
        self,
        store: EventStore,
        *,
        calendars: Calendars | None = None,
        cached_streams_max: int = CACHED_STREAMS_MAX,
    ) -> None:
        """`calendars` None: no product has one."""
        self._store = store
        self._calendars = calendars or NoCalendars()
        self._cached_max = cached_streams_max
        self._cache: OrderedDict[StreamId, Known] = OrderedDict()
        self._lock = Lock()

    def handle(self, instruction: Instruction) -> Outcome:
        """Decide one command and make its outcome durable; the calling thread waits.

        Returns the outcome, accepted or refused; a repeat gets the first outcome again. Raises
        KeyReused, TooManyConflicts, and what the store raises (Overloaded, Unavailable).
        """
        way = self.way(instruction)
        try:
            wish = next(way)
            while True:
                if isinstance(wish, Fetch):
                    wish = way.send(self.fetch(wish.streams))
                else:
                    wish = way.send(self._store.submit(wish).result())
        except StopIteration as end:
            return end.value

    def way(self, instruction: Instruction) -> Way:
        """Lead a command from its state to its outcome, for a caller that waits in its own way.

        Returns and raises as `handle` does.
        """
        stream = instruction.command.stream
        for _ in range(CONFLICT_RETRIES_MAX + 1):
            states = yield from self._gather(instruction)
            append, after = self._decide(states, instruction)
            if append is None:
                return Outcome(stream=stream, version=after.version, position=None)
            result: AppendResult = yield append
            if isinstance(result, Conflict):
                self._forget(stream)
                continue
            return self._accepted(append, result, after)
        raise TooManyConflicts(stream)

    def _gather(self, instruction: Instruction) -> Generator[Fetch, Any, dict[StreamId, Known]]:
        """Return what a command is decided on: its aggregate, and what it looks up, read anew."""
        command = instruction.command
        states, missing = self._cached([command.stream])
        missing += named_by(command, instruction.context)
        if missing:
            states |= yield Fetch(tuple(missing))
        followed = followed_by(command, states[command.stream].state)
        if followed:
            states |= yield Fetch(tuple(followed))
        return states

    def handle_many(self, instructions: Sequence[Instruction]) -> list[Outcome]:
        """Decide many commands in order and append them in bulk.

        Several commands may follow one another on a stream. When another writer got in between,
        the commands of that stream are decided again one by one. Raises as `handle` does.
        """
        states = self._load({instruction.command.stream for instruction in instructions})
        named = {s for i in instructions for s in named_by(i.command, i.context)}
        states |= self.fetch(sorted(named)) if named else {}
        plans: list[tuple[Append | None, Known]] = []
        for instruction in instructions:
            stream = instruction.command.stream
            followed = followed_by(instruction.command, states[stream].state)
            if missing := [one for one in followed if one not in states]:
                states |= self.fetch(missing)
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

    def preview(self, instruction: Instruction) -> Preview:
        """Return what a command would yield as things stand; nothing is stored.

        Raises Rejected.
        """
        stream = instruction.command.stream
        states = self.fetch([stream, *named_by(instruction.command, instruction.context)])
        _require_version(states[stream], instruction)
        followed = followed_by(instruction.command, states[stream].state)
        states |= self.fetch(followed) if followed else {}
        context = looked_up(instruction.command, instruction.context, states, self._calendars)
        decider = decider_of(stream)
        state = states[stream].state
        events = decider.decide(state, instruction.command, context)
        return Preview(states[stream].version, tuple(events), decider.fold(state, events))

    def state(self, stream: StreamId) -> Known:
        """Return an aggregate's state and version as they stand in the store now."""
        self._forget(stream)
        return self._load([stream])[stream]

    def states(self, versions: Mapping[StreamId, int]) -> dict[StreamId, Known]:
        """Return aggregates that stand at the given versions or later. Raises as the store does."""
        known, missing = self._cached(versions)
        stale = [stream for stream, state in known.items() if state.version < versions[stream]]
        return known | self.fetch([*missing, *stale]) if missing or stale else known

    def _decide(
        self, states: Mapping[StreamId, Known], instruction: Instruction
    ) -> tuple[Append | None, Known]:
        """Return the append that makes the decision durable, and the state after it.

        None: nothing is to be stored.
        """
        command = instruction.command
        stream = command.stream
        known = states[stream]
        decider = decider_of(stream)
        events: list[Event] = []
        refusal = None
        try:
            _require_version(known, instruction)
            context = looked_up(command, instruction.context, states, self._calendars)
            events = decider.decide(known.state, command, context)
        except Rejected as no:
            refusal = Refusal(code=no.code, detail=no.detail, field=no.field)
        if not events and refusal is None and instruction.key is None:
            return None, known
        append = Append(
            stream=stream,
            expected_version=known.version,
            events=tuple(events),
            envelope=instruction.context.envelope(),
            command=name_of(type(command)),
            key=instruction.key,
            refusal=refusal,
        )
        after = decider.fold(known.state, events)
        return append, Known(known.version + len(events), after)

    def _accepted(self, append: Append, result: AppendResult, after: Known | None) -> Outcome:
        if not isinstance(result, Outcome):
            raise KeyReused(append.key)
        if after is not None and not result.repeated:
            self._remember(append.stream, after)
        return result

    def _load(self, streams: Iterable[StreamId]) -> dict[StreamId, Known]:
        known, missing = self._cached(streams)
        return known | self.fetch(missing) if missing else known

    def _cached(self, streams: Iterable[StreamId]) -> tuple[dict[StreamId, Known], list[StreamId]]:
        """Return what the cache has of some streams, and which it has not."""
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
        return known, missing

    def missing(self, streams: Iterable[StreamId]) -> list[StreamId]:
        """List the streams that are not in the cache."""
        return self._cached(streams)[1]

    def fetch(self, streams: Sequence[StreamId]) -> dict[StreamId, Known]:
        """Read aggregates from the store, fold and cache them. Raises what the store raises."""
        found = self._store.events(streams)
        known = {stream: fold(stream, events) for stream, events in found}
        for stream, state in known.items():
            self._remember(stream, state)
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


def _require_version(known: Known, instruction: Instruction) -> None:
    """Refuse what was asked for on another version. A stale one is seen by the append."""
    expected = instruction.expected_version
    if expected is not None and expected != known.version:
        raise Rejected("version_mismatch", f"the version is {known.version}, not {expected}")


def fold(stream: StreamId, events: Sequence[Event]) -> Known:
    """Fold a stream's events into its aggregate's state."""
    return Known(len(events), decider_of(stream).fold(None, events))
