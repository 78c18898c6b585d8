"""Appends and page reads on a large record, beside the same on one a tenth as large.

Both are books of loans with every command's outcome under its key, and without read models. Appends
come from 64 callers, twenty events on a loan; pages are of 5,000 events, at places spread over the
record, and are read before anything is appended: afterwards the small record would consist of the
appends' own small events. Both are read through once before. A round is many short turns, because
appends wait for a disk that others use too.
"""

import random
import time

from benchmarks import book, harness
from benchmarks.append import closed_loop, keyed
from domain.envelope import Position
from infra.database import DatabasePool, bulk_pool
from infra.recorder import GroupCommitRecorder
from infra.store import PostgresEventStore
from projections import record_log

LOANS, LOANS_FULL = (2_000, 20_000), (95_000, 950_000)
CALLERS = 64
PAGE = 5_000
PAGES = 10  # a turn
SLICES = 10  # turns of each side a round
FLOOR, TARGET = 0.8, 0.95


def run(options: harness.Options) -> list[harness.Result]:
    """Compare rates on the large record with those on the small one."""
    small, large = LOANS_FULL if options.full else LOANS
    if options.size:
        small, large = options.size // 10, options.size
    places = random.Random(7)  # noqa: S311 - the same places in every run
    with (
        harness.server() as server,
        book.recorded(server, small) as few,
        book.recorded(server, large) as many,
        PostgresEventStore(few) as few_store,
        PostgresEventStore(many) as many_store,
        bulk_pool(few) as few_pages,
        bulk_pool(many) as many_pages,
    ):
        for pool in (few_pages, many_pages):
            _read_through(pool)
        read = f"{_events(many):,} events beside {_events(few):,}"
        pages = harness.interleave(
            options.rounds,
            ours=lambda: _pages(many_pages, places),
            peer=lambda: _pages(few_pages, places),
            slices=SLICES // 2,
        )
        appends = harness.interleave(
            options.rounds,
            ours=lambda: _appends(many_store, options.seconds / SLICES * 2),
            peer=lambda: _appends(few_store, options.seconds / SLICES * 2),
            slices=SLICES,
        )
        grown = f"{_events(many):,} events beside {_events(few):,}"
    return [
        harness.compared(
            f"growth: append, {grown}", appends, "events/s", floor=FLOOR, target=TARGET
        ),
        harness.compared(
            f"growth: page reads, {read}", pages, "events/s", floor=FLOOR, target=TARGET
        ),
    ]


def _events(dsn: str) -> int:
    """Round, because appends add some."""
    with bulk_pool(dsn) as pool, pool.transaction() as db:
        return round(record_log.head(db).number, -4)


def _appends(store: PostgresEventStore, seconds: float) -> float:
    before = store.head().number
    rate, done, _ = closed_loop(keyed(GroupCommitRecorder(store)), CALLERS, seconds)
    assert store.head().number == before + done, "positions are not dense"
    return rate


def _read_through(pool: DatabasePool) -> None:
    with pool.transaction() as db:
        for after in range(0, record_log.head(db).number, PAGE):
            record_log.page(db, Position(shard=0, number=after), PAGE)


def _pages(pool: DatabasePool, places: random.Random) -> float:
    with pool.transaction() as db:
        head = record_log.head(db).number
        afters = [places.randrange(head - PAGE) for _ in range(PAGES)]
        started = time.perf_counter()
        for after in afters:
            page = record_log.page(db, Position(shard=0, number=after), PAGE)
            assert [page[0].number, page[-1].number] == [after + 1, after + PAGE]
        return PAGES * PAGE / (time.perf_counter() - started)


if __name__ == "__main__":
    harness.main(run)
