"""The projector: exactly once whatever the feed does, poison parked, one transaction a batch."""

import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta

import psycopg
import pytest
from msgspec.structs import replace

from consumers import projector as projector_module
from consumers.log_feed import LogFeed
from consumers.projector import Projector, redrive
from domain.commands.ending import RestructureLoan
from domain.envelope import Position, StreamId
from domain.events.ending import RestructureKind
from infra.database import DatabasePool
from infra.failpoints import Injected, installed
from infra.settings import Limits
from infra.store import PostgresEventStore
from projections import applied, hashes, loan_summary, record_log
from projections.record_log import StoredRecord
from tests.support.book import Book


@pytest.fixture
def book(store: PostgresEventStore) -> Book:
    book = Book(store, seed=11)
    book.live(8, 20)
    return book


def head(pool: DatabasePool) -> Position:
    with pool.transaction() as db:
        return record_log.head(db)


def all_records(pool: DatabasePool) -> list[StoredRecord]:
    with pool.transaction() as db:
        return record_log.page(db, Position(shard=0, number=0), 10_000)


def reset(pool: DatabasePool) -> None:
    """Forget everything that was projected."""
    tables = ", ".join(f"read_v1.{name}" for name in [*hashes.KEYS, "feed_positions"])
    with pool.transaction() as db:
        db.script(f"TRUNCATE {tables}, read_v1.dead_letters")


def hashes_of(pool: DatabasePool) -> dict[str, str]:
    with pool.transaction() as db:
        return hashes.hashes(db)


def project(pool: DatabasePool, limits: Limits | None = None) -> dict[str, str]:
    projector = Projector(pool, LogFeed(pool, limits=limits), limits=limits)
    projector.catch_up(head(pool))
    return hashes_of(pool)


class Wire:
    """A feed that hands out what it is given."""

    def __init__(self, batches: Sequence[Sequence[StoredRecord]]) -> None:
        self.batches = list(batches)

    def poll(self) -> Sequence[StoredRecord]:
        return self.batches.pop(0) if self.batches else []

    def seek(self, after: Position) -> None:
        assert after.number >= 0

    def confirm(self, position: Position) -> None:
        assert position.number >= 0


def test_events_become_rows(pool: DatabasePool, book: Book) -> None:
    project(pool)
    for loan_id in book.loans:
        loan = book.state(loan_id)
        with pool.transaction() as db:
            row = loan_summary.loan(db, loan_id)
        assert row is not None
        assert row["status"] == loan.status
        assert row["principal_minor"] == loan.balances.principal_minor
        assert row["interest_minor"] == loan.balances.interest_minor
        assert row["fee_minor"] == loan.balances.fee_minor
        assert row["penalty_minor"] == loan.balances.penalty_minor
        assert row["overpaid_minor"] == loan.balances.overpaid_minor
        assert row["missed"] == sorted(loan.missed)
        assert row["bucket"] == loan.bucket
        for part in ("principal", "interest", "fee", "penalty"):
            paid = sum(getattr(r, f"{part}_paid_minor") for r in loan.rows)
            assert row[f"{part}_paid_minor"] == paid
        due = next((r for r in loan.rows if r.met_on is None), None)
        assert row["next_due_on"] == (due.due_on if due else None)
        assert row["next_due_minor"] == (due.unpaid_minor if due else None)


def test_the_rows_of_a_schedule_are_those_of_the_aggregate(pool: DatabasePool, book: Book) -> None:
    project(pool)
    with pool.transaction() as db:
        stored = db.tuples(
            "SELECT loan_id, number, due_on, principal_minor, interest_minor, fee_minor,"
            " principal_paid_minor, interest_waived_minor, met_on FROM instalments"
            " WHERE valid_to = '9999-12-31' ORDER BY loan_id, number"
        )
    told = [
        (
            loan_id,
            row.number,
            row.due_on,
            row.principal_minor,
            row.interest_minor,
            row.fee_minor,
            row.principal_paid_minor,
            row.interest_waived_minor,
            row.met_on,
        )
        for loan_id in sorted(book.loans)
        for row in book.state(loan_id).rows
    ]
    assert stored == told


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_the_size_of_batches_does_not_matter(pool: DatabasePool, book: Book, batch: int) -> None:
    whole = project(pool)
    reset(pool)
    assert project(pool, Limits(consume_batch_max=batch)) == whole
    assert book.loans


def test_rows_that_end_twice_in_one_batch_end_on_the_earlier_date(
    pool: DatabasePool, store: PostgresEventStore
) -> None:
    """A backdated payment and a restructuring in one batch both end rows published before."""
    book = Book(store, seed=1)
    book.open_loan("twice")
    book.today += timedelta(days=40)
    book.pay("twice", 30_000)
    projector = Projector(pool, LogFeed(pool))
    projector.catch_up(head(pool))
    book.pay("twice", 20_000, book.today - timedelta(days=10))
    book.today += timedelta(days=60)
    restructured = book.do(
        RestructureLoan(
            loan_id="twice",
            effective_on=book.today,
            restructure_id="r-1",
            kind=RestructureKind.EXTENSION,
            first_due_on=book.today + timedelta(days=30),
            instalments=24,
            financial_difficulty=True,
        )
    )
    assert restructured.refusal is None
    projector.catch_up(head(pool))
    in_one_batch = hashes_of(pool)
    reset(pool)
    assert project(pool, Limits(consume_batch_max=1)) == in_one_batch


def test_a_replay_changes_nothing(pool: DatabasePool, book: Book) -> None:
    once = project(pool)
    again = Projector(pool, Wire([all_records(pool)] * 2))
    assert again.step() == again.step() == head(pool).number
    assert hashes_of(pool) == once
    assert book.loans


@pytest.mark.parametrize("seed", range(4))
def test_repeats_shuffles_and_losses_are_healed(pool: DatabasePool, book: Book, seed: int) -> None:
    whole = project(pool)
    reset(pool)
    r = random.Random(seed)  # noqa: S311 - a seeded wire
    records = all_records(pool)
    wire = [record for record in records for _ in range(r.choice([0, 1, 1, 1, 2]))]
    wire = sorted(wire, key=lambda record: record.position.number + r.randint(0, 200))
    batches = [wire[begin : begin + 40] for begin in range(0, len(wire), 40)]
    projector = Projector(pool, Wire(batches))
    for _ in batches:
        projector.step()
    projector.sweep()
    projector.sweep()
    assert hashes_of(pool) == whole
    assert projector.position == head(pool)
    assert book.loans


def test_two_projectors_share_the_streams_and_the_position_is_true(
    pool: DatabasePool, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector_module, "SETTLE_SECONDS", 0.0)
    whole = project(pool)
    reset(pool)
    records = all_records(pool)
    mine = {stream for number, stream in enumerate({r.stream for r in records}) if number % 2}
    one = Projector(pool, Wire([[r for r in records if r.stream in mine], []]))
    two = Projector(pool, Wire([[r for r in records if r.stream not in mine], []]))
    one.step()
    assert one.position.number < min(r.position.number for r in records if r.stream not in mine)
    two.step()
    assert two.position == head(pool)
    one.step()
    assert one.position == head(pool)
    assert hashes_of(pool) == whole
    assert book.loans


def test_any_prefix_is_the_projection_known_then(pool: DatabasePool, book: Book) -> None:
    records = all_records(pool)
    known: dict[int, dict[str, str]] = {}
    cuts = sorted({len(records) // 3, len(records) // 2, len(records) - 1})
    stepwise = Projector(pool, Wire([records[a:b] for a, b in zip([0, *cuts], cuts, strict=False)]))
    for cut in cuts:
        stepwise.step()
        known[cut] = hashes_of(pool)
    for cut in cuts:
        reset(pool)
        Projector(pool, Wire([records[:cut]])).step()
        assert hashes_of(pool) == known[cut]
    assert book.loans


@pytest.mark.parametrize(
    "place", ["projector.after_rows", "projector.after_versions", "projector.before_commit"]
)
def test_a_failure_in_mid_batch_leaves_nothing(pool: DatabasePool, book: Book, place: str) -> None:
    empty = hashes_of(pool)

    def fail() -> None:
        raise Injected

    projector = Projector(pool, LogFeed(pool))
    with installed(place, fail), pytest.raises(Injected):
        projector.step()
    assert hashes_of(pool) == empty
    with pool.transaction() as db:
        assert applied.position(db).number == 0
    assert project(pool)["loan_summary"] != empty["loan_summary"]
    assert book.loans


KILLED = """
import sys
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from infra.database import bulk_pool
from infra.settings import Limits
limits = Limits(consume_batch_max=20)
with bulk_pool(sys.argv[1]) as pool:
    projector = Projector(pool, LogFeed(pool, limits=limits), limits=limits)
    while True:
        projector.step()
"""


@pytest.mark.parametrize(
    "where", ["after_rows=kill@2", "before_commit=kill@3", "after_commit=kill@2"]
)
def test_a_killed_projector_goes_on_where_it_was(
    pool: DatabasePool, book: Book, database: str, where: str
) -> None:
    process = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", KILLED, database],
        env={"LOANBOOK_FAILPOINTS": f"projector.{where}", "PYTHONPATH": "."},
        check=False,
        capture_output=True,
    )
    assert process.returncode == -9, process.stderr.decode()
    with pool.transaction() as db:
        position = applied.position(db).number
        assert position > 0
        rows = db.row("SELECT count(*) AS events, max(position) AS last FROM audit_trail")
    assert rows == {"events": position, "last": position}
    continued = project(pool)
    reset(pool)
    assert project(pool) == continued
    assert book.loans


def corrupt(dsn: str, stream: str, version: int, state: bytes) -> bytes:
    """Overwrite a stored event, as nobody but a test can; return what was there."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT state FROM events WHERE stream = %s AND version = %s", (stream, version)
        ).fetchone()
        assert row is not None
        connection.execute("ALTER TABLE events DISABLE TRIGGER events_are_final")
        connection.execute(
            "UPDATE events SET state = %s WHERE stream = %s AND version = %s",
            (state, stream, version),
        )
        connection.execute("ALTER TABLE events ENABLE TRIGGER events_are_final")
    return bytes(row[0])


def test_poison_is_parked_with_what_follows_and_redriven(
    pool: DatabasePool, book: Book, database: str
) -> None:
    sound = project(pool)
    reset(pool)
    stream = StreamId(f"loan-{book.loans[3]}")
    last = book.service.state(stream).version
    original = corrupt(database, stream, 9, b'{"actor": 1}')
    limits = Limits(apply_retries_max=1)
    projector = Projector(pool, LogFeed(pool), limits=limits)
    projector.catch_up(head(pool))
    with pool.transaction() as db:
        letters = applied.dead_letters_of(db, stream)
        assert applied.parked_streams(db) == [stream]
        assert len(applied.dead_letters(db).rows) == len(letters)
        assert loan_summary.counts_by_status(db)
    assert [letter["version"] for letter in letters] == list(range(9, last + 1))
    assert "Unreadable" in letters[0]["cause"]
    assert letters[1]["cause"] == "after version 8"
    with pytest.raises(Exception, match="loan"):
        redrive(pool, stream)
    corrupt(database, stream, 9, original)
    assert redrive(pool, stream) == last - 8
    with pool.transaction() as db:
        assert applied.parked_streams(db) == []
        assert applied.dead_letters(db).rows == []
    assert hashes_of(pool) == sound


def test_an_unknown_topic_is_poison(pool: DatabasePool, book: Book) -> None:
    records = all_records(pool)
    strange = replace(records[4], topic="loan.from_the_future.v1")
    projector = Projector(pool, Wire([[*records[:4], strange, *records[5:]]]), limits=Limits())
    projector.step()
    with pool.transaction() as db:
        assert applied.parked_streams(db) == [records[4].stream]
    assert projector.position == head(pool)
    assert book.loans


def test_a_caller_sees_its_own_writes(pool: DatabasePool, book: Book) -> None:
    projector = Projector(pool, LogFeed(pool))
    projector.catch_up(head(pool))
    book.today += timedelta(days=1)
    book.open_loan("late-comer")
    projector.catch_up(head(pool))
    with pool.transaction() as db:
        assert applied.position(db) == head(pool)
        assert loan_summary.loan(db, "late-comer") is not None
