"""The close of day in SQL says what the engine says, on random books and any date."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from consumers.log_feed import LogFeed
from consumers.projector import Projector
from domain.decisions.arrears import days_past_due, overdue
from domain.loan.booking import standing_on
from domain.loan.state import Loan
from domain.policies import US_BUCKETS
from domain.servicing.restructuring import interest_owed
from infra.database import DatabasePool
from infra.store import PostgresEventStore
from projections import loan_day
from projections.ports import Row
from tests.support.book import START, Book


@dataclass
class Day:
    """What the engine says about a loan on a date."""

    days_past_due: int
    principal_minor: int
    overdue_principal_minor: int
    overdue_interest_minor: int
    overdue_fee_minor: int
    overdue_penalty_minor: int
    accrued_interest_minor: int


def by_engine(loan: Loan, on: date) -> Day:
    assert loan.timeline is not None
    stood = standing_on(loan.timeline, on)
    rows = stood.rows
    late = overdue(rows, on, loan.conditions.arrears_tolerance_minor)
    return Day(
        days_past_due=days_past_due(late, on),
        principal_minor=stood.balances.principal_minor,
        overdue_principal_minor=sum(row.principal_left_minor for row in late),
        overdue_interest_minor=sum(row.interest_left_minor for row in late),
        overdue_fee_minor=sum(row.fee_left_minor for row in late),
        overdue_penalty_minor=sum(row.penalty_left_minor for row in late),
        accrued_interest_minor=loan.timeline.read(lambda ledger: interest_owed(ledger, on), on),
    )


def as_day(row: Row) -> Day:
    return Day(**{name: row[name] for name in Day.__dataclass_fields__})


@pytest.fixture
def store(database: str) -> PostgresEventStore:
    return PostgresEventStore(database)


def projected(pool: DatabasePool, store: PostgresEventStore) -> Projector:
    projector = Projector(pool, LogFeed(pool))
    projector.catch_up(store.head())
    return projector


@pytest.mark.parametrize(
    ("seed", "how", "tolerance"),
    [(1, "in order", 500), (3, "backdated", 0), (4, "backdated", 0), (6, "backdated", 20_000)],
)
def test_a_day_is_what_the_engine_says(
    pool: DatabasePool, store: PostgresEventStore, seed: int, how: str, tolerance: int
) -> None:
    with store:
        book = Book(store, seed=seed, tolerance_minor=tolerance)
        book.live(12, 40, backdating=how == "backdated")
        projected(pool, store)
        loans = {loan_id: book.state(loan_id) for loan_id in book.loans}
    compared = late = 0
    for back in range(0, (book.today - START).days, 9):
        on = book.today - timedelta(days=back)
        with pool.transaction() as db:
            loan_day.fill_day(db, on, US_BUCKETS)
            rows = db.rows("SELECT * FROM loan_day WHERE business_date = %s", [on])
        for row in rows:
            if row["state"] != "on_book":
                continue
            expected = by_engine(loans[row["loan_id"]], on)
            assert as_day(row) == expected, (row["loan_id"], on)
            assert row["bucket"] == US_BUCKETS.at(expected.days_past_due)
            compared += 1
            late += expected.days_past_due > 0
    assert compared > 100
    assert late > 10
