"""The close of day in SQL says what the engine says, on random books and any date."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumers.log_feed import LogFeed
from consumers.projector import Projector
from domain.commands import crediting as cr
from domain.commands.ending import CloseLoanDay
from domain.loan.day import DayFigures, day_figures
from domain.loan.state import Loan
from domain.loan.terms import (
    ArrearsConditions,
    Direction,
    DueDays,
    FloatingConditions,
    FutureRule,
    InterestPeriod,
    RefundKind,
    RepaymentMethod,
    Unit,
    UnpaidParts,
)
from domain.policies import US_BUCKETS
from infra.database import DatabasePool
from infra.store import PostgresEventStore
from projections import loan_day
from projections.ports import Row
from tests.support.book import FLOATING, START, Book


def as_day(row: Row) -> DayFigures:
    return DayFigures(**{name: row[name] for name in DayFigures.__dataclass_fields__})


@pytest.fixture
def store(database: str) -> PostgresEventStore:
    return PostgresEventStore(database)


def projected(pool: DatabasePool, store: PostgresEventStore) -> Projector:
    projector = Projector(pool, LogFeed(pool))
    projector.catch_up(store.head())
    return projector


def give_credits(book: Book) -> None:
    """Goodwill and refunds on loans of the book, some of them dated back."""
    for number, loan_id in enumerate(book.loans):
        loan = book.state(loan_id)
        assert loan.disbursed_on is not None
        back = timedelta(days=min(7 * number, (book.today - loan.disbursed_on).days))
        amount = max(1, min(5_000 * number, loan.balances.owed_minor))
        for command in (
            cr.CreditGoodwill(
                loan_id=loan_id,
                effective_on=book.today - back,
                credit_id=f"g-{number}",
                amount_minor=amount,
            ),
            cr.ReceiveRefund(
                loan_id=loan_id,
                effective_on=book.today - back // 2,
                refund_id=f"f-{number}",
                kind=RefundKind.MERCHANT,
                amount_minor=amount,
            ),
        ):
            book.do(command)


@pytest.mark.parametrize(
    ("seed", "how", "tolerance"),
    [(1, "in order", 500), (3, "backdated", 0), (4, "backdated", 0), (6, "backdated", 20_000)],
)
def test_a_day_is_what_the_engine_says(
    pool: DatabasePool, store: PostgresEventStore, seed: int, how: str, tolerance: int
) -> None:
    with store:
        book = Book(store, seed=seed, tolerance_minor=tolerance, payouts_max=1)
        book.live(12, 40, backdating=how == "backdated")
        give_credits(book)
        book.go_on(8, backdating=how == "backdated")
        projected(pool, store)
        loans = {loan_id: book.state(loan_id) for loan_id in book.loans}
    compared, late = compare(pool, loans, book.today)
    assert compared > 90
    assert late > 10


def test_a_charge_that_is_taken_back_on_its_own_day_leaves_no_day_before_it_late(
    pool: DatabasePool, store: PostgresEventStore
) -> None:
    """A restatement's row took in the charge, and not its reversal, which came after it."""
    with store:
        book = Book(store, payouts_max=1)
        book.open_loan("a")
        book.today = date(2018, 3, 10)
        row = book.state("a").rows[0]
        book.do(CloseLoanDay(loan_id="a", effective_on=book.today))
        assert book.state("a").rows[0].penalty_minor > 0
        book.pay("a", row.unpaid_minor, on=date(2018, 2, 18))
        loans = {"a": book.state("a")}
        assert loans["a"].rows[0].met_on == date(2018, 2, 18)
        projected(pool, store)
    compared, late = compare(pool, loans, book.today)
    assert (compared, late) == (6, 0)


PRODUCTS: list[dict[str, Any]] = [
    {"method": RepaymentMethod.INTEREST_ONLY},
    {"method": RepaymentMethod.BULLET, "repayment_unit": Unit.DAYS, "repayment_every": 7},
    {"method": RepaymentMethod.EQUAL_AMORTISATION},
    {"method": RepaymentMethod.FLAT},
    {"method": RepaymentMethod.FIXED_INSTALMENT},
    {"method": RepaymentMethod.CUSTOM},
    {"rate_steps_max": 1},
    {"due_days": DueDays(earliest=29)},
    {"floating": FLOATING},
    {"method": RepaymentMethod.EQUAL_PRINCIPAL, "floating": FLOATING},
    {"repayment_unit": Unit.WEEKS, "repayment_every": 2},
    {"repayment_unit": Unit.QUARTERS, "interest_free_periods": 1},
    {"repayment_unit": Unit.DAYS, "repayment_every": 10, "grace_on_principal": 1},
    {"future_instalments": FutureRule.LAST_INSTALMENT},
    {"future_instalments": FutureRule.REAMORTISATION, "method": RepaymentMethod.EQUAL_PRINCIPAL},
    {"allocation_direction": Direction.VERTICAL},
    {"interest_period": InterestPeriod.SAME_AS_REPAYMENT_PERIOD, "repayment_unit": Unit.WEEKS},
    {"arrears": ArrearsConditions(tolerance_percent=Decimal(2), tolerance_days=3)},
    {"arrears": ArrearsConditions(tolerance_day=31, counted=UnpaidParts.WITHOUT_PENALTY)},
    {"arrears": ArrearsConditions(tolerance_days=1, tolerance_day=17)},
]


def _name(value: object) -> str:
    if isinstance(value, ArrearsConditions):
        return f"{value.tolerance_percent}-{value.tolerance_days}-{value.tolerance_day}"
    if isinstance(value, DueDays):
        return f"{value.earliest}-{value.latest}"
    return value.reference if isinstance(value, FloatingConditions) else str(value)


@pytest.mark.parametrize(
    "product", PRODUCTS, ids=lambda product: "-".join(map(_name, product.values()))
)
def test_a_day_is_what_the_engine_says_of_any_product(
    pool: DatabasePool, store: PostgresEventStore, product: dict[str, Any]
) -> None:
    with store:
        book = Book(store, seed=3, instalments_min=2, payouts_max=1, **product)
        book.live(8, 25)
        projected(pool, store)
        loans = {loan_id: book.state(loan_id) for loan_id in book.loans}
    compared, late = compare(pool, loans, book.today)
    assert compared > 30
    assert late > 0


def compare(pool: DatabasePool, loans: Mapping[str, Loan], today: date) -> tuple[int, int]:
    """Hold every ninth day against the engine; how many rows were compared, how many were late.

    Of loans that the close asks the engine about it is told; the others are what is counted.
    """
    compared = late = 0
    for back in range(0, (today - START).days, 9):
        on = today - timedelta(days=back)
        with pool.transaction() as db:
            told = {
                loan_id: day_figures(loans[loan_id], on)
                for loan_id in loan_day.recalculated_loans(db, on)
            }
            loan_day.fill_day(db, on, US_BUCKETS, told)
            rows = db.rows("SELECT * FROM loan_day WHERE business_date = %s", [on])
        for row in rows:
            if row["state"] != "on_book":
                continue
            expected = day_figures(loans[row["loan_id"]], on)
            assert as_day(row) == expected, (row["loan_id"], on)
            assert row["bucket"] == US_BUCKETS.at(expected.days_past_due)
            if row["loan_id"] not in told:
                compared += 1
                late += expected.days_past_due > 0
    return compared, late
