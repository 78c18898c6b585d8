"""Which records of a batch to apply: the stream's version decides, whatever the wire did.

Delivery is at least once and may repeat, reorder after a restart, or lose. It reads nothing itself.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from domain.envelope import StreamId
from projections.ports import Record
from projections.record_log import Stretch

R = TypeVar("R", bound=Record)


def admit(
    records: Sequence[R], applied: Mapping[StreamId, int]
) -> tuple[list[R], list[Stretch], dict[StreamId, int]]:
    """Split one poll into what is new, the gaps that the store must fill, and the new heads."""
    heads = {record.stream: applied.get(record.stream, 0) for record in records}
    fresh: list[R] = []
    gaps: list[Stretch] = []
    for record in records:
        head = heads[record.stream]
        if record.version <= head:
            continue  # a repeat: relay restart, rebalance, rewind, second relay
        if record.version > head + 1:
            gaps.append(Stretch(record.stream, head + 1, record.version - 1))
        fresh.append(record)
        heads[record.stream] = record.version
    return fresh, gaps, heads


def in_order(records: Sequence[Record]) -> list[Record]:
    """Put fresh records and those of the gaps in order: streams as they came, versions rising."""
    by_stream: dict[StreamId, list[Record]] = {}
    for record in records:
        by_stream.setdefault(record.stream, []).append(record)
    return [
        record
        for stream in by_stream.values()
        for record in sorted(stream, key=lambda record: record.version)
    ]
