"""Loading loans of twenty events, one alone and 64 a query, beside the library's repository.

Both sides hold the same histories in their own tables on one server, end with the same states and
keep nothing in a cache. One load alone is bound by its round trip; the batch shares it.
"""

import random
import time
from collections.abc import Callable, Sequence
from itertools import cycle

import psycopg

from benchmarks import harness, histories, library
from benchmarks.library import Loans
from consumers.stream import chunked
from domain.envelope import StreamId
from domain.service import Known, Service
from infra.codec import Codec
from infra.garbage import look_once
from infra.store import PostgresEventStore
from projections.record_log import StoredRecord

LOANS = 1_000
BATCH = 64
LOADS, LOADS_FULL = 512, 2_048
SLICES = 4  # turns of each side a round, which part its loads
Load = Callable[[Sequence[StreamId]], int]
_INSERT_MAX = 100  # with a thousand, the recorder waits for ever in the pipeline it fills


def run(options: harness.Options) -> list[harness.Result]:
    """Compare rates of loans a second, from one thread."""
    loads = options.size or (LOADS_FULL if options.full else LOADS)
    records = histories.records(LOANS)
    with (
        harness.server() as server,
        server.database() as dsn,
        library.application(dsn, 1) as loans,
        PostgresEventStore(dsn) as store,
    ):
        histories.store(dsn, records)
        fill(loans, dsn, records)
        service = Service(store, cached_streams_max=0)
        order = random.Random(7).sample(range(LOANS), LOANS)  # noqa: S311 - the same in every run
        wanted = [histories.stream_of(order[number % LOANS]) for number in range(loads)]
        _check(service, loans, wanted[:100])
        look_once()  # for both sides, as the API does at its start
        alone = harness.interleave(
            options.rounds,
            ours=_turns(wanted, lambda part: _alone(service, part)),
            peer=_turns(wanted, lambda part: _theirs(loans, part)),
            slices=SLICES,
        )
        batched = harness.interleave(
            options.rounds,
            ours=_turns(wanted, lambda part: _batched(service, part)),
            peer=_turns(wanted, lambda part: _theirs(loans, part)),
            slices=SLICES,
        )
    return [
        harness.compared("load: one alone", alone, "loans/s"),
        harness.compared(f"load: {BATCH} a query", batched, "loans/s", floor=5.0, target=15.0),
    ]


def fill(loans: Loans, dsn: str, records: Sequence[StoredRecord]) -> None:
    """Write the same histories into the library's table."""
    codec = Codec()
    happened = [
        library.Happened(one.stream, one.version, *codec.decode(one.topic, one.state))
        for one in records
    ]
    for part in chunked(happened, _INSERT_MAX):
        loans.events.put(part)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _check(service: Service, loans: Loans, streams: Sequence[StreamId]) -> None:
    ours = service.fetch(streams)
    assert all(library.same(ours[stream], loans.known(stream)) for stream in streams)


def _alone(service: Service, wanted: Sequence[StreamId]) -> int:
    return sum(_whole(service.fetch([stream])) for stream in wanted)


def _batched(service: Service, wanted: Sequence[StreamId]) -> int:
    return sum(_whole(service.fetch(part)) for part in chunked(wanted, BATCH))


def _theirs(loans: Loans, wanted: Sequence[StreamId]) -> int:
    return sum(loans.known(stream).version == histories.EVENTS_OF_A_LOAN for stream in wanted)


def _whole(states: dict[StreamId, Known]) -> int:
    return sum(known.version == histories.EVENTS_OF_A_LOAN for known in states.values())


def _turns(wanted: Sequence[StreamId], load: Load) -> Callable[[], float]:
    """Return a function that loads the next part of what is wanted, and tells the rate."""
    parts = cycle(chunked(wanted, max(1, len(wanted) // SLICES)))
    return lambda: _rate(next(parts), load)


def _rate(wanted: Sequence[StreamId], load: Load) -> float:
    started = time.perf_counter()
    loaded = load(wanted)
    seconds = time.perf_counter() - started
    assert loaded == len(wanted), "not every load was whole"
    return loaded / seconds


if __name__ == "__main__":
    harness.main(run)
