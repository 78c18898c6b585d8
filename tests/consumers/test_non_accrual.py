"""Interest of a loan that does not perform: no income before it is paid (非应计)."""

from datetime import date, timedelta

import pytest

from consumers.daily_close import CloseOfDay
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.reconcile import ledger_ties
from domain.commands import servicing as cs
from domain.events.arrears import LoanClass
from domain.loan.terms import Recalculation
from domain.postings import Account
from infra.database import DatabasePool
from infra.store import PostgresEventStore
from projections.day_totals import day_totals
from projections.journal import trial_balance
from tests.support.book import START, Book

CLASSIFIED = date(2018, 3, 20)


class Books:
    """One loan, paid out on START, of which nothing is paid; its days are closed in order."""

    def __init__(self, pool: DatabasePool, store: PostgresEventStore, **product: object) -> None:
        self.pool, self.book = pool, Book(store, **product)  # type: ignore[arg-type]
        self.store, self.projector = store, Projector(pool, LogFeed(pool))
        self.close = CloseOfDay(service=self.book.service, database=pool, catch_up=self.catch_up)
        self.book.open_loan("bad")
        self.close_until(CLASSIFIED - timedelta(days=1), first=START)

    def close_until(self, on: date, first: date | None = None) -> None:
        self.book.today = on
        self.close.close_until(on, first=first)
        self.catch_up()
        check = ledger_ties(self.pool, on)
        assert check.ok, check.exceptions

    def catch_up(self) -> None:
        self.projector.catch_up(self.store.head())

    def classify(self, on: date, loan_class: LoanClass) -> None:
        self.book.today = on
        self.book.do(cs.ClassifyLoan(loan_id="bad", effective_on=on, loan_class=loan_class))
        self.close_until(on)

    @property
    def receivable(self) -> int:
        return self._stands(Account.INTEREST_RECEIVABLE)

    @property
    def income(self) -> int:
        return -self._stands(Account.INTEREST_INCOME)

    @property
    def owed(self) -> int:
        with self.pool.transaction() as db:
            (row,) = day_totals(db, self.book.today)
        return row["accrued_interest_minor"]

    def _stands(self, account: Account) -> int:
        with self.pool.transaction() as db:
            rows = trial_balance(db, self.book.today)
        return sum(row["amount_minor"] for row in rows if row["account"] == account)


@pytest.fixture(params=[Recalculation.NONE, Recalculation.CONTINUOUS])
def books(pool: DatabasePool, store: PostgresEventStore, request: pytest.FixtureRequest) -> Books:
    return Books(pool, store, non_accrual=True, recalculation=request.param)


def test_what_was_accrued_is_taken_back_when_a_loan_stops_performing(books: Books) -> None:
    assert books.receivable == books.income == books.owed > 0
    books.classify(CLASSIFIED, LoanClass.SUBSTANDARD)
    assert books.receivable == books.income == 0
    assert books.owed > 0


def test_interest_is_income_when_it_is_paid(books: Books) -> None:
    books.classify(CLASSIFIED, LoanClass.DOUBTFUL)
    paid_on = CLASSIFIED + timedelta(days=5)
    books.close_until(paid_on - timedelta(days=1))
    before = books.owed
    books.book.today = paid_on
    books.book.pay("bad", 30_000)
    books.close_until(paid_on)
    paid = books.book.state("bad").balances
    assert books.receivable == 0
    assert books.income > 0
    assert books.owed < before
    assert paid.overpaid_minor == 0


def test_a_loan_that_performs_again_accrues_what_it_owes(books: Books) -> None:
    books.classify(CLASSIFIED, LoanClass.LOSS)
    books.close_until(CLASSIFIED + timedelta(days=10))
    assert books.income == 0
    books.classify(CLASSIFIED + timedelta(days=11), LoanClass.SPECIAL_MENTION)
    assert books.receivable == books.income == books.owed > 0


def test_other_products_accrue_whatever_the_class_is(
    pool: DatabasePool, store: PostgresEventStore
) -> None:
    books = Books(pool, store)
    books.classify(CLASSIFIED, LoanClass.SUBSTANDARD)
    assert books.receivable == books.income == books.owed > 0


def test_a_class_that_gets_worse_stays_in_non_accrual(books: Books) -> None:
    books.classify(CLASSIFIED, LoanClass.SUBSTANDARD)
    books.classify(CLASSIFIED + timedelta(days=3), LoanClass.DOUBTFUL)
    assert books.receivable == books.income == 0
    assert books.book.state("bad").non_accrual
