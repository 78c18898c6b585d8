"""What loans defer, set-based: it is what the engine says, and what the books say after a close."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from consumers.daily_close import CloseOfDay, unrecognised
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.reconcile import ledger_ties
from domain.commands import ending as ce
from domain.commands import income as ci
from domain.commands.registry import LoanCommand
from domain.loan.state import Loan
from domain.loan.terms import Recalculation
from domain.postings import Account
from domain.servicing.deferred import deferrals
from domain.servicing.values import DeferredKind
from infra.database import DatabasePool
from infra.store import PostgresEventStore
from projections.deferred_income import deferred_income, deferred_loans
from projections.journal import trial_balance
from tests.support.book import START, Book
from tests.support.draws import INCOME_MAKERS

AHEAD = (0, 1, 40, 500)


def closer(book: Book, pool: DatabasePool) -> CloseOfDay:
    projector = Projector(pool, LogFeed(pool))

    def catch_up() -> None:
        projector.catch_up(book.store.head())

    return CloseOfDay(service=book.service, database=pool, catch_up=catch_up)


def compare(pool: DatabasePool, loans: Mapping[str, Loan], book: Book) -> int:
    """Hold today and days to come against the engine; how many figures were compared."""
    compared = 0
    for days in AHEAD:
        on = book.today + timedelta(days=days)
        with pool.transaction() as db:
            said = {
                (row["loan_id"], row["kind"]): (row["amount_minor"], row["recognised_minor"])
                for row in deferred_loans(db, on)
            }
        expected = {
            (loan_id, one.kind): (one.recognised_minor + one.deferred_minor, one.recognised_minor)
            for loan_id, loan in loans.items()
            if loan.timeline is not None
            for one in loan.timeline.read(lambda ledger, on=on: deferrals(ledger, on), on)
            if not one.ended
        }
        assert said == expected, on
        compared += len(expected)
    return compared


@pytest.mark.parametrize(
    ("seed", "recalculation"), [(5, Recalculation.NONE), (8, Recalculation.CONTINUOUS)]
)
def test_what_loans_defer_is_what_the_engine_says_and_the_books_after_a_close(
    database: str, pool: DatabasePool, seed: int, recalculation: Recalculation
) -> None:
    with PostgresEventStore(database) as store:
        book = Book(store, seed=seed, recalculation=recalculation)
        close, compared = closer(book, pool), 0
        book.live(8, 2)
        for _ in range(6):
            for loan_id in book.loans:
                book.draw(loan_id, INCOME_MAKERS)
            book.go_on(2)
            close.close_until(book.today)
            close.catch_up()
            compared += compare(pool, {name: book.state(name) for name in book.loans}, book)
            check = ledger_ties(pool, book.today)
            assert check.ok, check.exceptions
            with pool.transaction() as db:
                assert unrecognised(db, book.today) == ()
        with pool.transaction() as db:
            stands = {row["account"]: row["amount_minor"] for row in trial_balance(db, book.today)}
            left = deferred_income(db, book.today)
    assert compared > 100
    assert stands[Account.CAPITALISATION_INCOME] < 0
    assert stands[Account.BUY_DOWN_INCOME] < 0
    assert {kind for _, _, kind in left} == set(DeferredKind)


def stands(pool: DatabasePool, on: date) -> dict[str, int]:
    with pool.transaction() as db:
        return {row["account"]: row["amount_minor"] for row in trial_balance(db, on)}


@pytest.fixture
def told(database: str, pool: DatabasePool) -> Iterator[tuple[Book, CloseOfDay]]:
    """A loan of a year with an income of 365.00 since the payout, and ten days that were closed."""
    with PostgresEventStore(database) as store:
        book = Book(store)
        book.open_loan("a", amount=1_000_000, approved=1_200_000)
        income: dict[str, Any] = {"loan_id": "a", "effective_on": START, "income_id": "i"}
        book.do(ci.CapitaliseIncome(**income, amount_minor=36_500))
        close = closer(book, pool)
        book.today += timedelta(days=9)
        close.close_until(book.today, first=START)
        close.catch_up()
        yield book, close


def test_each_close_posts_a_day_of_it(pool: DatabasePool, told: tuple[Book, CloseOfDay]) -> None:
    book, _ = told
    for days in (0, 4, 9):
        there = stands(pool, START + timedelta(days=days))
        assert there[Account.CAPITALISATION_INCOME] == -100 * (days + 1)
        assert there[Account.DEFERRED_CAPITALISED_INCOME] == 100 * (days + 1) - 36_500
    assert stands(pool, book.today)[Account.LOAN_PORTFOLIO] == 1_036_500


@pytest.mark.parametrize(
    ("command", "income", "loss"),
    [
        (
            ci.ReverseCapitalisedIncome(loan_id="a", effective_on=START, income_id="i", cause="x"),
            0,
            0,
        ),
        (
            ci.AdjustCapitalisedIncome(
                loan_id="a",
                effective_on=START,
                income_id="i",
                adjustment_id="a-1",
                amount_minor=7_300,
            ),
            80 * 11,
            0,
        ),
        (ce.ChargeOffLoan(loan_id="a", effective_on=START, cause="x"), 100, 1_036_500 - 36_400),
    ],
    ids=["taken back", "given back", "charged off"],
)
def test_the_next_close_corrects_what_is_not_earned_after_all(
    pool: DatabasePool,
    told: tuple[Book, CloseOfDay],
    command: LoanCommand,
    income: int,
    loss: int,
) -> None:
    book, close = told
    book.today += timedelta(days=1)
    book.do(command)
    close.close_day(book.today)
    close.catch_up()
    there = stands(pool, book.today)
    assert -there.get(Account.CAPITALISATION_INCOME, 0) == income
    assert there.get(Account.CHARGE_OFF_EXPENSE, 0) == loss
    check = ledger_ties(pool, book.today)
    assert check.ok, check.exceptions
