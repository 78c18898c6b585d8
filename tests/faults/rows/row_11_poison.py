"""Row 11: events that cannot be read and loans that cannot be closed; all others go on."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import psycopg

from consumers.daily_close import CloseOfDay
from consumers.log_feed import LogFeed
from consumers.projector import Projector, redrive
from domain.commands.ending import CloseLoanDay
from domain.context import Context
from domain.decide import LOAN_RULES
from domain.decisions import arrears
from domain.envelope import StreamId
from domain.events.registry import Event
from domain.loan.state import Loan
from domain.service import Service
from infra.database import DatabasePool, bulk_pool
from infra.settings import Limits
from infra.store import PostgresEventStore
from projections import applied, hashes
from projections.case_work import parked
from projections.loan_day import loans_with_something_to_do
from tests.faults.found import Found
from tests.faults.invariants import position_is_true, projections_are_folds
from tests.faults.rig import Rig
from tests.faults.rows.row_04_projector_killed import forget_projections, position
from tests.support.book import Book

LOANS_PER_POISON: Final = 4
LIMITS: Final = Limits(apply_retries_max=1)
LATE_ON: Final = date(2018, 2, 16)  # the first instalment was due the day before
BAD_STATES: Final = (b'{"actor": 1}', b"", b"\xff\xfe", b'{"actor":{"kind":"human","id":"x"}')
BAD_STATE: Final = """
UPDATE events SET state = %(state)s WHERE stream = %(stream)s AND version = %(version)s
"""
BAD_TOPIC: Final = """
UPDATE events SET topic = 'loan.from_the_future.v1'
WHERE stream = %(stream)s AND version = %(version)s
"""

Summaries = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A book of loans in a database, with its read models up to date."""

    rig: Rig
    dsn: str
    pool: DatabasePool
    store: PostgresEventStore
    book: Book


@contextmanager
def scene(rig: Rig, loans: int) -> Generator[Scene]:
    """Tell a book of so many loans."""
    with (
        rig.database() as dsn,
        bulk_pool(dsn) as pool,
        PostgresEventStore(dsn) as store,
    ):
        book = Book(store, seed=rig.seed)
        book.live(loans, 6)
        Projector(pool, LogFeed(pool)).catch_up(store.head())
        yield Scene(rig=rig, dsn=dsn, pool=pool, store=store, book=book)


def run(rig: Rig, count: int) -> Found:
    """Poison `count` events, each of another loan, and as many loans' close of day."""
    found = Found()
    with scene(rig, count * LOANS_PER_POISON) as at:
        head = at.store.head()

        def project() -> None:
            feed = LogFeed(at.pool, limits=LIMITS)
            Projector(at.pool, feed, limits=LIMITS).catch_up(head)

        poison_events(at, found, count, project)
        _poison_loans(at, found, count)
        head = at.store.head()
        found.violations += projections_are_folds(at.pool, position(at.pool), head.number)
        found.note = f"{count} bad events of {head.number}, {count} bad loans of"
        found.note += f" {len(at.book.loans)}"
    return found


def poison_events(at: Scene, found: Found, count: int, project: Callable[[], None]) -> None:
    """Corrupt events and let `project` bring up the read models from nothing; mend and redrive."""
    rig, pool, book = at.rig, at.pool, at.book
    with pool.transaction() as db:
        whole = hashes.hashes(db)
    sound, head = _summaries(pool), book.store.head()
    victims = [StreamId(f"loan-{loan}") for loan in rig.random.sample(book.loans, count)]
    forget_projections(pool)
    with psycopg.connect(at.dsn, autocommit=True) as intruder:
        intruder.execute("SET session_replication_role = replica")
        intruder.execute("CREATE TABLE kept AS TABLE events")
        for number, stream in enumerate(victims):
            _corrupt(rig, intruder, stream, number)
        project()
        with pool.transaction() as db:
            stuck = set(applied.parked_streams(db))
            causes = db.rows("SELECT DISTINCT ON (stream) * FROM dead_letters ORDER BY 1, 2")
        found.must(stuck == set(victims), "row 11", f"parked {stuck ^ set(victims)} wrongly")
        found.must(all(row["cause"] for row in causes), "row 11", "a dead letter has no cause")
        others = {
            loan: row for loan, row in _summaries(pool).items() if f"loan-{loan}" not in stuck
        }
        wrong = [loan for loan, row in others.items() if sound[loan] != row]
        found.must(len(others) == len(sound) - count, "row 11", "not all others finished")
        found.must(not wrong, "row 11", f"others are wrong: {wrong[:3]}")
        found.violations += [] if position(pool) == head.number else position_is_true(pool)
        intruder.execute(
            "UPDATE events e SET state = k.state, topic = k.topic FROM kept k"
            " WHERE k.position = e.position AND (k.state, k.topic) <> (e.state, e.topic)"
        )
    for stream in victims:
        redrive(pool, stream)
    with pool.transaction() as db:
        found.must(hashes.hashes(db) == whole, "I5", "redrive did not converge")
    found.faults += count


def _corrupt(rig: Rig, intruder: psycopg.Connection[Any], stream: str, number: int) -> None:
    """Overwrite one event of a stream, by turns its bytes and its topic."""
    row = intruder.execute(
        "SELECT max(version) FROM events WHERE stream = %s", (stream,)
    ).fetchone()
    assert row is not None
    version = rig.random.randint(2, row[0])
    new = {"stream": stream, "version": version, "state": BAD_STATES[number % len(BAD_STATES)]}
    intruder.execute(BAD_TOPIC if number % 5 == 4 else BAD_STATE, new)


def _summaries(pool: DatabasePool) -> Summaries:
    with pool.transaction() as db:
        return {row["loan_id"]: tuple(row.values()) for row in db.rows("TABLE loan_summary")}


def _poison_loans(at: Scene, found: Found, count: int) -> None:
    """Close a day with a rule that fails for some loans, then the next day with the rule mended."""
    pool, store = at.pool, at.store
    projector = Projector(pool, LogFeed(pool))
    close = CloseOfDay(
        service=Service(store),
        database=pool,
        catch_up=lambda: projector.catch_up(store.head()),
    )
    on = max(at.book.today, LATE_ON) + timedelta(days=1)
    with pool.transaction() as db:
        acting = loans_with_something_to_do(db, on, close.buckets)
    bad = set(at.rig.random.sample(acting, min(count, len(acting) // 2)))

    def broken(loan: Loan, command: CloseLoanDay, context: Context) -> list[Event]:
        assert command.loan_id not in bad, "this loan is broken"
        return arrears.close_day(loan, command, context)

    LOAN_RULES[CloseLoanDay] = broken
    try:
        day = close.close_day(on)
    finally:
        LOAN_RULES[CloseLoanDay] = arrears.close_day
    with pool.transaction() as db:
        left = {row["loan_id"]: row["reason"] for row in parked(db, on)}
    found.must(left.keys() == bad, "row 11", f"the close parked {set(left) ^ bad} wrongly")
    found.must(
        all("this loan is broken" in reason for reason in left.values()),
        "row 11",
        "a parked loan has another reason",
    )
    acted = len(acting) - len(bad)
    found.must(day.loans_acted_on == acted, "row 11", f"{day.loans_acted_on} acted, not {acted}")
    mended = close.close_day(on + timedelta(days=1))
    found.must(mended.parked == 0, "row 11", f"{mended.parked} loans are still parked")
    found.must(mended.loans_acted_on >= len(bad), "row 11", "the mended loans were not closed")
    projector.catch_up(store.head())
    found.faults += len(bad)
