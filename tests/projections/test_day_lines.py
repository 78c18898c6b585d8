"""A line says of a loan, on every day until something happens, what the engine would say."""

from datetime import timedelta
from typing import Any

import pytest

from domain.loan.day import day_figures, day_line
from domain.loan.terms import Recalculation, ScheduleDayCount
from domain.policies import US_BUCKETS
from infra.database import DatabasePool
from infra.store import PostgresEventStore
from projections import loan_day
from projections.day_lines import Line, keep_lines
from tests.projections.test_loan_day import as_day, projected
from tests.support.book import Book

DAY = timedelta(days=1)
PRODUCTS: list[dict[str, Any]] = [
    {},
    {"day_count": ScheduleDayCount.ACT_365F},
    {"tolerance_minor": 20_000},
]


@pytest.fixture
def store(database: str) -> PostgresEventStore:
    return PostgresEventStore(database)


def kept(book: Book) -> dict[str, Line]:
    """Ask the engine on the book's day; the lines, with the versions they count for."""
    found: dict[str, Line] = {}
    for loan_id in book.loans:
        loan = book.state(loan_id)
        if loan.timeline is None or loan.disbursed_on is None:
            continue
        _, line = day_line(loan, book.today)
        if line is not None:
            found[loan_id] = (book.version(loan_id), line)
    return found


@pytest.mark.parametrize("product", PRODUCTS, ids=["proportional", "actual days", "tolerance"])
@pytest.mark.parametrize("seed", [3, 5])
def test_days_to_come_are_what_the_engine_says(
    pool: DatabasePool, store: PostgresEventStore, seed: int, product: dict[str, Any]
) -> None:
    """Source: architecture 4, "provided a test holds it equal to the engine, to the cent"."""
    with store:
        book = Book(store, seed=seed, recalculation=Recalculation.CONTINUOUS, **product)
        book.live(12, 30)
        projected(pool, store)
        lines = kept(book)
        loans = {loan_id: book.state(loan_id) for loan_id in lines}
    assert len(lines) > 3
    compared = late = 0
    with pool.transaction() as db:
        keep_lines(db, lines)
        for days in range(1, 45):
            on = book.today + DAY * days
            untold = loan_day.recalculated_loans(db, on)
            loan_day.fill_day(db, on, US_BUCKETS)
            rows = db.rows("SELECT * FROM loan_day WHERE business_date = %s", [on])
            said = {row["loan_id"]: as_day(row) for row in rows if row["loan_id"] in lines}
            assert not said.keys() & untold.keys()
            assert said == {loan_id: day_figures(loans[loan_id], on) for loan_id in said}
            compared += len(said)
            late += sum(figures.days_past_due > 0 for figures in said.values())
    assert compared > 20
    assert late > 0


def test_a_line_ends_with_the_next_event(pool: DatabasePool, store: PostgresEventStore) -> None:
    with store:
        book = Book(store, seed=3, recalculation=Recalculation.CONTINUOUS)
        book.live(6, 12)
        projected(pool, store)
        lines = kept(book)
        with pool.transaction() as db:
            keep_lines(db, lines)
            before = loan_day.recalculated_loans(db, book.today)
        loan_id = next(iter(lines))
        assert loan_id not in before
        book.pay(loan_id, 1_00)
        projected(pool, store)
        with pool.transaction() as db:
            untold = loan_day.recalculated_loans(db, book.today)
        assert untold[loan_id] == book.version(loan_id)
