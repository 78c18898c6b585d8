"""One stored event a topic, as a file. `python -m tests.support.golden_events` adds missing ones.

A file of a released topic is never edited: it shows what stores of that release hold.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import EnumType
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from domain.actors import Actor, ActorKind, Approval
from domain.envelope import Envelope
from domain.events import TOPICS, Event
from infra.codec import Codec
from tests.support.released import promised

FOLDER = Path(__file__).parent.parent / "golden" / "events"

ENVELOPE = Envelope(
    actor=Actor(kind=ActorKind.HUMAN, id="u-17", roles=("teller", "checker")),
    reason_code="customer_request",
    on_behalf_of="branch-3",
    approvals=(Approval(by="u-4", level="manager", payload_hash="ab" * 32),),
    policy_versions={"allocation": 2},
    command_id="01890a5d-ac96-774b-bcce-b302099a8057",
    causation_id="01890a5d-ac96-774b-bcce-b302099a8058",
    correlation_id="01890a5d-ac96-774b-bcce-b302099a8059",
    source_recorded_at=datetime(2018, 6, 30, 23, 59, 59, 999_999, tzinfo=UTC),
)
PLAIN: dict[object, Callable[[str], object]] = {
    str: lambda name: f"{name} 贷",
    int: lambda name: 100_000 + len(name),
    bool: lambda _: True,
    Decimal: lambda _: Decimal("0.1250"),
    date: lambda _: date(2018, 6, 30),
    datetime: lambda _: ENVELOPE.source_recorded_at,
    NoneType: lambda _: None,
}


def sample(kind: Any, name: str = "") -> Any:  # noqa: ANN401 - of whatever type is asked for
    """A value of a type, every optional part filled. Raises TypeError for an unknown type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind](name)
    if origin in (Union, UnionType):
        return sample(arguments[0], name)
    if origin is tuple:
        members = arguments[:1] * 2 if arguments[-1] is ... else arguments
        return tuple(sample(member, name) for member in members)
    if origin is dict:
        return {sample(arguments[0], name): sample(arguments[1], name)}
    if isinstance(kind, EnumType):
        return list(kind)[-1]
    if hasattr(kind, "__dataclass_fields__") or hasattr(kind, "_fields"):
        hints = get_type_hints(kind)
        return kind(**{field: sample(hint, field) for field, hint in hints.items()})
    raise TypeError(f"no sample for {kind} of {name}")


def golden_path(topic: str) -> Path:
    return FOLDER / f"{topic}.json"


def stored_bytes(path: Path) -> bytes:
    """What the store would hold; the file ends with a newline besides."""
    return path.read_bytes().removesuffix(b"\n")


def write_all() -> None:
    """Write a file for each topic that was never released; drop those of topics that are gone."""
    codec, kept = Codec(), promised()
    for path in FOLDER.glob("*.json"):
        if path.stem not in kept:
            path.unlink()
    for topic, kind in sorted(TOPICS.items()):
        if topic not in kept:
            event: Event = sample(kind)
            golden_path(topic).write_bytes(codec.encode(ENVELOPE, event)[1] + b"\n")


if __name__ == "__main__":
    write_all()
