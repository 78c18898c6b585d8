"""Row 10: the close of day is killed, run again, run twice and run by two processes at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from infra.database import bulk_pool
from infra.store import PostgresEventStore
from tests.faults import children
from tests.faults.found import Found
from tests.faults.invariants import (
    books_balance,
    dense,
    position_is_true,
    projections_are_folds,
    violations,
)
from tests.faults.rig import Rig
from tests.faults.rows.row_04_projector_killed import SIGKILL, position
from tests.support.book import FLOATING, START, Book

FIRST: Final = date(2018, 2, 14)  # the day before the first instalment is due
UNTIL: Final = FIRST + timedelta(days=4)
LOANS: Final = 9
PLACES: Final = (
    "close.after_repricing",
    "close.after_loans",
    "close.after_fill",
    "close.after_cases",
    "projector.after_rows",
    "projector.after_commit",
)
AT_ONCE_EVERY: Final = 3
"""One database in so many has its days closed by two processes at once."""

# What a close is: its rows, its newest totals and its events. Not compared: positions, which
# depend on when a killed close was gone on with, and how many loans the last attempt acted on.
OUTCOMES: Final[Mapping[str, str]] = {
    "loan_day": "SELECT to_jsonb(d) - 'known_from' FROM loan_day d",
    "portfolio_day": "SELECT to_jsonb(d) - 'known_from' FROM portfolio_day d WHERE known_from ="
    " (SELECT max(p.known_from) FROM portfolio_day p WHERE p.business_date = d.business_date)",
    "parked_loans": "SELECT to_jsonb(d) - 'parked_at' FROM parked_loans d",
    "events": "SELECT jsonb_build_object('stream', stream, 'version', version, 'topic', topic,"
    " 'on', effective_on, 'state', convert_from(state, 'UTF8')::jsonb #- '{event,loans_acted_on}')"
    " FROM events",
}


@dataclass(frozen=True, slots=True)
class Books:
    """The database that each run begins with, and what an uninterrupted run makes of it."""

    template: str
    outcome: dict[str, list[str]]


def run(rig: Rig, count: int) -> Found:
    """Kill `count` closes."""
    found = Found()
    databases = 0
    with rig.database() as template:
        with PostgresEventStore(template) as store:
            open_book(store, rig.seed)
        name = conninfo_to_dict(template)["dbname"]
        with rig.database(str(name)) as dsn:
            _finish(rig, dsn, found)
            books = Books(str(name), outcome_of(dsn))
        found.must(books.outcome["loan_day"], "row 10", "the uninterrupted close wrote nothing")
        while found.faults < count:
            databases += 1
            with rig.database(books.template) as dsn:
                _kill_closes(rig, dsn, found)
                if databases % AT_ONCE_EVERY == 0:
                    _both(rig, dsn, found)
                _finish(rig, dsn, found)
                _finish(rig, dsn, found)  # once more: nothing is left to do
                _compare(dsn, books, found)
    found.note = f"{databases} books of {LOANS} loans over {(UNTIL - FIRST).days + 1} days"
    return found


def open_book(store: PostgresEventStore, seed: int) -> None:
    """Loans at a rate that floats, of which some pay in time, some late in part, some never."""
    book = Book(store, seed=seed, floating=FLOATING)
    for number in range(LOANS):
        book.open_loan(f"loan{number:04d}", instalments=3 + number)
    book.today = FIRST
    for number, loan_id in enumerate(book.loans):
        due = book.state(loan_id).rows[0].unpaid_minor
        if number % 3 < 2:
            book.pay(loan_id, due // (number % 3 + 1), START + timedelta(days=20))


def _kill_closes(rig: Rig, dsn: str, found: Found) -> None:
    r = rig.random
    for _ in range(r.randint(2, 6)):
        at_random = r.random() < 0.4
        place = "" if at_random else f"{r.choice(PLACES)}=kill@{r.randint(1, 3)}"
        child = rig.process(children.close, dsn, place, FIRST, UNTIL)
        if at_random:
            child.join(r.uniform(0.05, 0.5))
            child.kill()
        child.join()
        if child.exitcode == SIGKILL:
            found.faults += 1
        else:
            found.must(child.exitcode == 0, "row 10", f"a close ended with {child.exitcode}")


def _both(rig: Rig, dsn: str, found: Found) -> None:
    closes = [rig.process(children.close, dsn, "", FIRST, UNTIL) for _ in range(2)]
    for child in closes:
        child.join()
        found.must(child.exitcode == 0, "row 10", f"one of two closes ended: {child.exitcode}")
    found.faults += 1


def _finish(rig: Rig, dsn: str, found: Found) -> None:
    child = rig.process(children.close, dsn, "", FIRST, UNTIL)
    child.join()
    found.must(child.exitcode == 0, "row 10", f"the close ended with {child.exitcode}")


def _compare(dsn: str, books: Books, found: Found) -> None:
    outcome = outcome_of(dsn)
    for name, rows in books.outcome.items():
        if outcome[name] != rows:
            missing = [row for row in rows if row not in outcome[name]]
            extra = [row for row in outcome[name] if row not in rows]
            detail = f"{name}: {len(outcome[name])} rows instead of {len(rows)};"
            found.violations += violations(
                "row 10", [f"{detail} missing {missing[:1]}, too many {extra[:1]}"]
            )
    found.violations += dense(dsn)
    with bulk_pool(dsn) as pool, PostgresEventStore(dsn) as store:
        found.violations += books_balance(store)
        children.catch_up(pool, store)
        found.violations += position_is_true(pool)
        found.violations += projections_are_folds(pool, position(pool), store.head().number)


def outcome_of(dsn: str) -> dict[str, list[str]]:
    """Read what the closes made, as sorted text."""
    with psycopg.connect(dsn) as connection:
        rows: dict[str, list[Any]] = {
            name: connection.execute(sql.encode()).fetchall() for name, sql in OUTCOMES.items()
        }
    return {name: sorted(str(value) for (value,) in found) for name, found in rows.items()}
