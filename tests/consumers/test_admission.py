"""Whatever the wire did to a stream, its versions come out once, in order, without holes."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from consumers.admission import admit, in_order
from domain.envelope import Position, StreamId
from projections.record_log import Stretch

ANYWHERE = Position(shard=0, number=1)


@dataclass(frozen=True, slots=True)
class Wired:
    stream: StreamId
    version: int
    position: Position = ANYWHERE
    topic: str = "t"
    effective_on: date = date(2018, 1, 1)
    recorded_at: datetime = datetime(2018, 1, 1, tzinfo=UTC)
    state: bytes = b"{}"


def fill(gaps: list[Stretch]) -> list[Wired]:
    return [Wired(g.stream, v) for g in gaps for v in range(g.first, g.last + 1)]


@given(
    lengths=st.dictionaries(st.sampled_from("abc"), st.integers(1, 8), min_size=1),
    polls=st.integers(1, 5),
    seed=st.integers(0, 10_000),
)
def test_repeated_shuffled_and_dropped_records_are_applied_once_and_in_order(
    lengths: dict[str, int], polls: int, seed: int
) -> None:
    r = random.Random(seed)  # noqa: S311 - a seeded wire
    sent = [Wired(StreamId(s), v) for s, n in lengths.items() for v in range(1, n + 1)]
    wire = [record for record in sent for _ in range(r.randint(0, 3))]
    r.shuffle(wire)
    applied: dict[StreamId, int] = {}
    seen: dict[str, list[int]] = {}
    for poll in range(polls):
        batch = wire[poll * len(wire) // polls : (poll + 1) * len(wire) // polls]
        fresh, gaps, heads = admit(batch, applied)
        for record in in_order([*fill(gaps), *fresh]):
            seen.setdefault(record.stream, []).append(record.version)
        applied |= heads
    for stream, versions in seen.items():
        highest = max(record.version for record in wire if record.stream == stream)
        assert versions == list(range(1, highest + 1))
    assert {s: v[-1] for s, v in seen.items()} == {s: v for s, v in applied.items() if v}


def test_a_hole_is_read_from_the_store() -> None:
    fresh, gaps, heads = admit([Wired(StreamId("a"), 5)], {StreamId("a"): 2})
    assert gaps == [Stretch(StreamId("a"), 3, 4)]
    assert [record.version for record in fresh] == [5]
    assert heads == {"a": 5}
