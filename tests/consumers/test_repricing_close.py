"""The close of a reset date: rates that float are fixed, once, whatever happens to the close."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.envelope import Position
from domain.events.changes import RateRepriced
from domain.loan.booking import standing_on
from infra.database import DatabasePool
from infra.store import PostgresEventStore
from projections.repricing import loans_to_reprice, repricings, values
from tests.consumers.test_daily_close import closer, closing, topics
from tests.support.book import FLOATING, REFERENCE, START, Book

RESET = date(2018, 2, 15)


def floating_book(store: PostgresEventStore, loans: int = 3) -> Book:
    """Loans paid out on START at the LPR and 150 basis points, which fell five days later."""
    book = Book(store, floating=FLOATING)
    for number in range(loans):
        book.open_loan(f"loan{number}")
    book.today = RESET
    book.publish("0.0385", date(2018, 1, 20))
    return book


def told(store: PostgresEventStore) -> list[tuple[str, date, Decimal]]:
    """What was repriced: stream, reset date, rate."""
    return [
        (recorded.stream, recorded.event.effective_on, recorded.event.rate_annual)
        for recorded in store.read(Position(shard=0, number=0), 10_000)
        if isinstance(recorded.event, RateRepriced)
    ]


def of_loans(pool: DatabasePool, loan_id: str) -> list[dict[str, Any]]:
    with pool.transaction() as db:
        return list(repricings(db, loan_id))


def test_the_close_of_a_reset_date_fixes_the_rates_and_no_other_day_does(
    pool: DatabasePool, store: PostgresEventStore
) -> None:
    """Source: domain rules, 5.6."""
    book, close = floating_book(store), closer(pool, store)
    close.close_until(RESET - timedelta(days=1), first=START)
    assert told(store) == []
    day = close.close_day(RESET)
    assert day.loans_acted_on == 3
    assert told(store) == [(f"loan-loan{n}", RESET, Decimal("0.0535")) for n in range(3)]
    close.close_day(RESET + timedelta(days=1))
    assert topics(store)["loan.rate_repriced.v1"] == 3
    (row,) = of_loans(pool, "loan1")
    assert (row["value"], row["published_on"]) == (Decimal("0.0385"), date(2018, 1, 20))
    assert (row["rate_annual_before"], row["rate_annual"]) == (
        Decimal("0.0580"),
        Decimal("0.0535"),
    )
    with pool.transaction() as db:
        summary = db.row("SELECT * FROM loan_summary WHERE loan_id = 'loan1'")
    assert summary is not None
    assert (summary["rate_annual"], summary["next_reset_on"]) == (
        Decimal("0.0535"),
        date(2018, 3, 15),
    )
    assert book.state("loan1").rate_annual == Decimal("0.0535")


def test_a_corrected_value_is_taken_over_at_the_next_close(
    pool: DatabasePool, store: PostgresEventStore
) -> None:
    book, close = floating_book(store), closer(pool, store)
    close.close_until(RESET, first=RESET)
    book.today = RESET + timedelta(days=1)
    book.publish("0.0395", date(2018, 1, 20))
    close.close_day(book.today)
    assert [rate for _, _, rate in told(store)] == [Decimal("0.0535")] * 3 + [Decimal("0.0545")] * 3
    (row,) = of_loans(pool, "loan0")
    assert (row["effective_on"], row["rate_annual"]) == (RESET, Decimal("0.0545"))
    with pool.transaction() as db:
        assert loans_to_reprice(db, book.today) == []
        newest = values(db, REFERENCE)[0]
    assert (newest["value"], newest["corrected"]) == (Decimal("0.0395"), True)
    assert (newest["actor_kind"], newest["actor_id"]) == ("human", "ann")


def test_a_value_that_came_late_is_taken_over_too(
    pool: DatabasePool, store: PostgresEventStore
) -> None:
    book, close = floating_book(store, loans=1), closer(pool, store)
    close.close_until(RESET, first=RESET)
    book.today = RESET + timedelta(days=2)
    book.publish("0.0370", date(2018, 2, 10))
    close.close_until(book.today)
    assert told(store)[-1] == ("loan-loan0", RESET, Decimal("0.0520"))


@pytest.mark.parametrize("place", ["close.after_repricing", "close.after_fill"])
def test_no_reset_is_lost_or_doubled_when_the_close_is_killed(
    place: str, pool: DatabasePool, store: PostgresEventStore, database: str
) -> None:
    floating_book(store)
    assert closing(database, RESET, failpoints=f"{place}=kill@1") == -9
    assert closing(database, RESET) == 0
    assert topics(store)["loan.rate_repriced.v1"] == 3
    assert topics(store)["day.closed.v1"] == 1
    assert [len(of_loans(pool, f"loan{n}")) for n in range(3)] == [1, 1, 1]


def test_resets_go_on_month_by_month_with_payments_between(
    pool: DatabasePool, store: PostgresEventStore
) -> None:
    book = floating_book(store, loans=2)
    close = closer(pool, store)
    close.close_until(RESET, first=RESET)
    book.today = date(2018, 5, 1)
    book.publish("0.0400", date(2018, 3, 10))
    book.pay("loan1", 50_000, date(2018, 4, 2))
    close.close_until(book.today)
    assert [(on, rate) for stream, on, rate in told(store) if stream == "loan-loan1"] == [
        (RESET, Decimal("0.0535")),
        (date(2018, 3, 15), Decimal("0.0550")),
        (date(2018, 4, 15), Decimal("0.0550")),
    ]
    state = book.state("loan1")
    assert state.timeline is not None
    assert standing_on(state.timeline, book.today).rows == state.rows
