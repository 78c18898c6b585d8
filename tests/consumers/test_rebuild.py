"""A rebuild gives the rows of live projection, goes on after a kill, and switches at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.rebuild import Helpers, fold_from_zero, rebuild
from domain.envelope import StreamId
from infra.database import DatabasePool, bulk_pool
from infra.failpoints import Injected, installed
from infra.store import PostgresEventStore
from projections import applied, hashes, loan_summary, schema
from tests.consumers.test_projector import corrupt
from tests.support.book import Book


def hashes_of(pool: DatabasePool, name: str | None = None) -> dict[str, str]:
    with pool.transaction() as db:
        if name is not None:
            schema.enter(db, name)
        return hashes.hashes(db)


@pytest.fixture
def book(store: PostgresEventStore) -> Book:
    book = Book(store, seed=12)
    book.live(8, 20)
    return book


@pytest.fixture
def projector(pool: DatabasePool, book: Book, store: PostgresEventStore) -> Projector:
    projector = Projector(pool, LogFeed(pool))
    projector.catch_up(store.head())
    assert book.loans
    return projector


def test_a_rebuild_equals_live_projection(
    pool: DatabasePool, projector: Projector, book: Book, store: PostgresEventStore
) -> None:
    live = hashes_of(pool)
    seen: list[tuple[int, int]] = []
    assert rebuild(pool, progress=lambda done, of: seen.append((done, of))) == 2
    assert hashes_of(pool) == live
    assert seen[-1] == (store.head().number, store.head().number)
    book.live(1, 3)
    projector.catch_up(store.head())  # the same projector goes on in the new generation
    fold_from_zero(pool, "scratch")
    assert hashes_of(pool, "scratch") == hashes_of(pool)
    with pool.transaction() as db:
        assert schema.current(db) == 2
        assert db.row("SELECT to_regnamespace('read_v1') AS old") == {"old": None}


def test_several_processes_fold_what_one_would(
    pool: DatabasePool, projector: Projector, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.rebuild.PART_EVENTS", 20)
    monkeypatch.setattr("consumers.rebuild.PARTS_A_HELPER", 1)
    live, seen, beside = hashes_of(pool), list[int](), list[int]()

    def progress(done: int, _: int) -> None:
        seen.append(done)
        for _ in range(1_000):  # hold this process until the other one has written a part
            if parts(pool, done=True) > len(seen):
                break
            time.sleep(0.05)
        beside.append(parts(pool, done=True) - len(seen))

    assert rebuild(pool, helpers=Helpers(partial(bulk_pool, database), 1), progress=progress) == 2
    assert hashes_of(pool) == live
    assert seen == sorted(seen)
    assert all(others > 0 for others in beside)
    assert beside
    assert projector.position.number > 0


def test_a_part_that_a_killed_rebuild_still_writes_is_waited_for(
    pool: DatabasePool, projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.rebuild.PART_EVENTS", 100)
    live = hashes_of(pool)

    def fail() -> None:
        raise Injected

    with installed("rebuild.after_chunk", fail), pytest.raises(Injected):
        rebuild(pool)
    first = "SELECT number FROM read_v2.rebuild_parts WHERE NOT done ORDER BY number LIMIT 1"
    with ThreadPoolExecutor(1) as again:
        with pool.transaction() as db:
            held = db.row(f"{first} FOR UPDATE")
            rebuilding = again.submit(rebuild, pool)
            while parts(pool, done=False) > 1:
                assert not rebuilding.done()
        assert held is not None
        assert rebuilding.result() == 2
    assert hashes_of(pool) == live
    assert projector.position.number > 0


def parts(pool: DatabasePool, *, done: bool) -> int:
    return pieces(pool, "rebuild_parts", done=done)


def pieces(pool: DatabasePool, of: str, *, done: bool) -> int:
    with pool.transaction() as db:
        schema.enter(db, "read_v2")
        row = db.row(f"SELECT count(*) AS pieces FROM {of} WHERE done = %s", [done])  # noqa: S608
    assert row is not None
    return row["pieces"]


def test_a_table_that_another_process_indexes_holds_up_no_other(
    pool: DatabasePool, projector: Projector
) -> None:
    live = hashes_of(pool)

    def fail() -> None:
        raise Injected

    with installed("rebuild.after_table", fail), pytest.raises(Injected):
        rebuild(pool)
    with ThreadPoolExecutor(1) as again:
        with pool.transaction() as db:
            held = db.row(
                "SELECT name FROM read_v2.rebuild_tables WHERE NOT done LIMIT 1 FOR UPDATE"
            )
            assert held is not None
            db.execute(f"LOCK TABLE read_v2.{held['name']} IN ACCESS EXCLUSIVE MODE")  # as its key
            rebuilding = again.submit(rebuild, pool)
            for _ in range(200):
                if pieces(pool, "rebuild_tables", done=False) == 1:
                    break
                time.sleep(0.05)
            left = pieces(pool, "rebuild_tables", done=False)
        assert rebuilding.result() == 2
    assert left == 1
    assert hashes_of(pool) == live
    assert projector.position.number > 0


@pytest.mark.parametrize(
    "place",
    [
        "rebuild.after_chunk",
        "rebuild.after_table",
        "rebuild.before_switch",
        "rebuild.before_switch_commits",
    ],
)
def test_an_interrupted_rebuild_goes_on(
    pool: DatabasePool, projector: Projector, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.rebuild.PART_EVENTS", 100)
    live = hashes_of(pool)
    passes: list[str] = []

    def fail_at_the_second() -> None:
        passes.append(place)
        if len(passes) == 2 or place != "rebuild.after_chunk":
            raise Injected

    with installed(place, fail_at_the_second), pytest.raises(Injected):
        rebuild(pool)
    with pool.transaction() as db:
        assert schema.current(db) == 1
        progress = db.row(
            "SELECT sum(events)::bigint AS events FROM read_v2.rebuild_parts WHERE done"
        )
    assert progress is not None
    done = progress["events"]
    assert done > 0
    first: list[int] = []
    assert rebuild(pool, progress=lambda so_far, _: first.append(so_far)) == 2
    assert all(so_far > done for so_far in first)
    assert hashes_of(pool) == live
    assert projector.position.number > 0


def test_poison_is_parked_by_a_rebuild_as_it_is_live(
    pool: DatabasePool, projector: Projector, book: Book, database: str
) -> None:
    stream = StreamId(f"loan-{book.loans[2]}")
    last = book.service.state(stream).version
    corrupt(database, stream, 4, b"not json")
    rebuild(pool)
    with pool.transaction() as db:
        assert applied.parked_streams(db) == [stream]
        assert [r["version"] for r in applied.dead_letters_of(db, stream)] == list(
            range(4, last + 1)
        )
        row = loan_summary.loan(db, book.loans[2])
        assert row is not None
        assert row["version"] == 3
        assert sum(loan_summary.counts_by_status(db).values()) == len(book.loans)
    assert projector.position.number > 0
