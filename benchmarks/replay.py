"""Stored bytes to state, in memory: the narrow fold and `evolve`, beside the library's mapper.

Both sides hold the same histories of twenty events, each side in its own stored form. The narrow
fold is that of `loanbook verify --states`; `--state` is what loading a loan does. The library
decodes with its own mapper, and for the second comparison applies the events too. Time is that of
the processor, and what both sides hold is set aside from the collector's rounds, as in every
process that loads loans.
"""

import gc
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any, TypeVar

from eventsourcing.persistence import Mapper, StoredEvent

from benchmarks import harness, histories, library
from consumers.stream import chunked
from domain.envelope import StreamId
from domain.loan.state import Loan
from domain.service import Known, fold
from infra.codec import Codec
from infra.garbage import look_once
from projections.record_log import StoredRecord
from projections.standing import Standing, standings

LOANS, LOANS_FULL = 1_500, 15_000
SLICES = 3  # turns of each side a round, which part its loans

T = TypeVar("T")


def run(options: harness.Options) -> list[harness.Result]:
    """Compare rates of events a second on one core."""
    loans = options.size or (LOANS_FULL if options.full else LOANS)
    ours = histories.records(loans)
    codec, mapper = Codec(), library.mapper()
    theirs = [_theirs(codec, mapper, record) for record in ours]
    _check(_narrow(ours), _evolved(codec, ours), _applied(mapper, theirs))
    look_once()  # for both sides, as the API does at its start
    narrow = harness.interleave(
        options.rounds,
        ours=_turns(ours, _narrow),
        peer=_turns(theirs, lambda part: _decoded(mapper, part)),
        slices=SLICES,
    )
    evolved = harness.interleave(
        options.rounds,
        ours=_turns(ours, lambda part: _evolved(codec, part)),
        peer=_turns(theirs, lambda part: _applied(mapper, part)),
        slices=SLICES,
    )
    return [
        harness.compared("replay: narrow", narrow, "events/s", floor=8.0, target=20.0),
        harness.compared("replay: to Loan by evolve", evolved, "events/s", floor=3.0, target=6.0),
    ]


def _theirs(codec: Codec, mapper: Mapper[Any], record: StoredRecord) -> StoredEvent:
    envelope, event = codec.decode(record.topic, record.state)
    return mapper.to_stored_event(library.Happened(record.stream, record.version, envelope, event))


def _narrow(records: Sequence[StoredRecord]) -> dict[str, Standing]:
    return standings(records)


def _evolved(codec: Codec, records: Sequence[StoredRecord]) -> dict[StreamId, Known]:
    """Decode and fold each stream, as `Service` does with what the store hands it."""
    states: dict[StreamId, Known] = {}
    step = histories.EVENTS_OF_A_LOAN
    for begin in range(0, len(records), step):
        stream = records[begin].stream
        told = [(one.topic, one.state) for one in records[begin : begin + step]]
        states[stream] = fold(stream, codec.events(told))
    return states


def _decoded(mapper: Mapper[Any], stored: Sequence[StoredEvent]) -> int:
    return sum(1 for one in stored if mapper.to_domain_event(one))


def _applied(mapper: Mapper[Any], stored: Sequence[StoredEvent]) -> dict[str, Known]:
    states: dict[str, Known] = {}
    step = histories.EVENTS_OF_A_LOAN
    for begin in range(0, len(stored), step):
        known = library.project(
            None, (mapper.to_domain_event(one) for one in stored[begin : begin + step])
        )
        assert known is not None
        states[str(stored[begin].originator_id)] = known
    return states


def _check(
    narrow: dict[str, Standing], evolved: dict[StreamId, Known], applied: dict[str, Known]
) -> None:
    """Hold the three folds equal, to the minor unit."""
    assert len(narrow) == len(evolved) == len(applied)
    for stream, known in evolved.items():
        loan, standing = known.state, narrow[stream]
        assert isinstance(loan, Loan)
        assert library.same(applied[stream], known), stream
        balances = loan.balances
        assert (standing.version, standing.status) == (known.version, loan.status), stream
        assert (standing.principal_minor, standing.interest_minor) == (
            balances.principal_minor,
            balances.interest_minor,
        ), stream
        assert (standing.missed, standing.bucket) == (loan.missed, loan.bucket), stream


def _turns(events: Sequence[T], work: Callable[[Sequence[T]], object]) -> Callable[[], float]:
    """Return a function that works on the next part of the loans, and tells the rate."""
    loans = len(events) // histories.EVENTS_OF_A_LOAN
    parts = cycle(chunked(events, max(1, loans // SLICES) * histories.EVENTS_OF_A_LOAN))
    return lambda: _rate(next(parts), work)


def _rate(events: Sequence[T], work: Callable[[Sequence[T]], object]) -> float:
    gc.collect()
    started = time.thread_time()
    work(events)
    return len(events) / (time.thread_time() - started)


if __name__ == "__main__":
    harness.main(run)
