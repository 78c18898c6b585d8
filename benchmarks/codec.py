"""Encoding and decoding every event type with its envelope, beside pydantic and bare structs.

Pydantic validates into the same dataclasses. The limit is msgspec on structs of the same fields,
made here from the dataclasses: what ours would cost without them. A turn goes over one stored
event of every topic, from the golden files; each side reads what it has written. Two events in turn
share one envelope, as those of a payment do. Time is that of the processor.
"""

import time
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from pydantic import TypeAdapter

from benchmarks import harness
from domain.envelope import Envelope
from domain.events import TOPICS, Event
from infra.codec import Codec

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "events"
TIMES, TIMES_FULL = 300, 1_000
SLICES = 10  # turns of each side a round

Told = tuple[Envelope, Event]
Encode = Callable[[str, Any], bytes]
Decode = Callable[[str, bytes], Any]


@dataclass(frozen=True, slots=True)
class Side:
    """One way to write and to read, its values and its bytes by topic."""

    encode: Encode
    decode: Decode
    values: list[tuple[str, Any]]
    states: list[tuple[str, bytes]]


def run(options: harness.Options) -> list[harness.Result]:
    """Compare rates of events a second."""
    times = options.size or (TIMES_FULL if options.full else TIMES)
    codec = Codec()
    golden = [(path.stem, path.read_bytes().strip()) for path in sorted(GOLDEN.glob("*.json"))]
    assert {topic for topic, _ in golden} == TOPICS.keys()
    told = _in_pairs([(topic, codec.decode(topic, state)) for topic, state in golden])
    ours = _side(lambda _, value: codec.encode(*value)[1], codec.decode, told)
    peers = {"pydantic": _pydantic(told), "bare structs": _structs(golden)}
    results: list[harness.Result] = []
    for direction, rate in (("encode", _encoding), ("decode", _decoding)):
        for name, peer in peers.items():
            rounds = harness.interleave(
                options.rounds,
                ours=lambda rate=rate: rate(ours, max(1, times // SLICES)),
                peer=lambda rate=rate, peer=peer: rate(peer, max(1, times // SLICES)),
                slices=SLICES,
            )
            judged = name == "pydantic"
            results.append(
                harness.compared(
                    f"codec: {direction}, {name}{'' if judged else ' (limit)'}",
                    rounds,
                    "events/s",
                    floor=2.0 if judged else None,
                    target=3.0 if judged else None,
                )
            )
    return results


def _in_pairs(told: Sequence[tuple[str, Told]]) -> list[tuple[str, Told]]:
    """Let every second event have the envelope of the one before it, which says the same."""
    paired: list[tuple[str, Told]] = []
    for number, (topic, (envelope, event)) in enumerate(told):
        shared = paired[-1][1][0] if number % 2 else envelope
        assert shared == envelope, topic
        paired.append((topic, (shared, event)))
    return paired


def _side(encode: Encode, decode: Decode, values: Sequence[tuple[str, Any]]) -> Side:
    """Put a side together; what it writes it must read back as it was."""
    states = [(topic, encode(topic, value)) for topic, value in values]
    for (topic, value), (_, state) in zip(values, states, strict=True):
        assert decode(topic, state) == value, topic
    return Side(encode, decode, list(values), states)


def _pydantic(told: Sequence[tuple[str, Told]]) -> Side:
    kinds = {topic: _stored(kind) for topic, kind in TOPICS.items()}
    adapters = {topic: TypeAdapter(kind) for topic, kind in kinds.items()}
    values = [
        (topic, kinds[topic](envelope=envelope, event=event)) for topic, (envelope, event) in told
    ]
    return _side(
        lambda topic, value: adapters[topic].dump_json(value),
        lambda topic, state: adapters[topic].validate_json(state),
        values,
    )


def _stored(kind: type[Event]) -> Any:  # noqa: ANN401 - a class made here
    """Make the dataclass of envelope and event that pydantic works on."""
    annotations = {"envelope": Envelope, "event": kind}
    made = type("Stored", (), {"__annotations__": annotations})
    return dataclass(frozen=True, slots=True, kw_only=True)(made)


def _structs(golden: Sequence[tuple[str, bytes]]) -> Side:
    parts = [(f.name, f.type, *_default(f)) for f in msgspec.structs.fields(_struct(Envelope))]
    kinds = {
        topic: msgspec.defstruct(
            "Stored", [*parts, ("event", _struct(kind))], omit_defaults=True, kw_only=True
        )
        for topic, kind in TOPICS.items()
    }
    encode = msgspec.json.Encoder().encode
    decoders = {topic: msgspec.json.Decoder(kind).decode for topic, kind in kinds.items()}
    return _side(
        lambda _, value: encode(value),
        lambda topic, state: decoders[topic](state),
        [(topic, decoders[topic](state)) for topic, state in golden],
    )


def _default(field: msgspec.structs.FieldInfo) -> tuple[Any, ...]:
    if field.default is not msgspec.NODEFAULT:
        return (field.default,)
    if field.default_factory is not msgspec.NODEFAULT:
        return (msgspec.field(default_factory=field.default_factory),)
    return ()


@cache
def _struct(kind: type[Any]) -> type[msgspec.Struct]:
    """Make a struct of a dataclass's fields, and of those of the dataclasses in it."""
    hints = typing.get_type_hints(kind)
    made: list[Any] = []
    for field in fields(kind):
        annotation = _without_dataclasses(hints[field.name])
        if field.default is not MISSING and not is_dataclass(field.default):
            made.append((field.name, annotation, field.default))
        elif field.default_factory is not MISSING:
            made.append((field.name, annotation, msgspec.field(default_factory=dict)))
        else:
            made.append((field.name, annotation))
    return msgspec.defstruct(kind.__name__, made, frozen=True, kw_only=True, gc=False)


def _without_dataclasses(annotation: Any) -> Any:  # noqa: ANN401 - any annotation
    if is_dataclass(annotation):
        return _struct(typing.cast("type[Any]", annotation))
    arguments = typing.get_args(annotation)
    if not arguments:
        return annotation
    inner = tuple(_without_dataclasses(argument) for argument in arguments)
    origin = typing.get_origin(annotation)
    if origin is types.UnionType:
        return typing.Union[inner]  # noqa: UP007 - made at run time
    return origin[inner]


def _encoding(side: Side, times: int) -> float:
    encode, values = side.encode, side.values
    started = time.thread_time()
    for _ in range(times):
        for topic, value in values:
            encode(topic, value)
    return times * len(values) / (time.thread_time() - started)


def _decoding(side: Side, times: int) -> float:
    decode, states = side.decode, side.states
    started = time.thread_time()
    for _ in range(times):
        for topic, state in states:
            decode(topic, state)
    return times * len(states) / (time.thread_time() - started)


if __name__ == "__main__":
    harness.main(run)
