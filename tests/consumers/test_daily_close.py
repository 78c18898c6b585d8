"""The close of business days: what it publishes, its order, restarts, kills, parked loans."""

import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zlib import crc32

import pytest

from consumers.close_helpers import CloseHelpers, Workplace
from consumers.daily_close import CloseOfDay
from consumers.loan_work import LoanWork
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from domain.commands.ending import CloseLoanDay
from domain.commands.income import CapitaliseIncome
from domain.context import Context
from domain.decide import LOAN_RULES
from domain.decisions import arrears
from domain.envelope import Position
from domain.errors import Rejected
from domain.events.registry import Event
from domain.loan.day import DayFigures, day_figures
from domain.loan.state import Loan
from domain.loan.terms import ArrearsConditions, CapitalisedIncome, Recalculation, Unit
from domain.ports import EventStore
from domain.service import Service
from infra.database import DatabasePool
from infra.errors import Unavailable
from infra.settings import Limits
from infra.store import PostgresEventStore
from projections.case_work import parked
from projections.loan_day import loan_days
from projections.worklist import case
from tests.support.book import START, Book
from tests.support.book_products import CODES
from tests.support.charge_rules import OVERDUE

DUE = date(2018, 2, 15)
LATE_FROM = date(2018, 2, 16)


def closer(pool: DatabasePool, store: EventStore) -> CloseOfDay:
    projector = Projector(pool, LogFeed(pool))
    return CloseOfDay(
        service=Service(store),
        database=pool,
        catch_up=lambda: projector.catch_up(store.head()),
    )


def topics(store: PostgresEventStore) -> Counter[str]:
    events = store.read(Position(shard=0, number=0), 10_000)
    return Counter(event.topic for event in events)


def three_loans(store: PostgresEventStore) -> Book:
    """Loans paid out on START: one pays on time, one eight days late, one never."""
    book = Book(store)
    for name in ("good", "late", "bad"):
        book.open_loan(name)
    return book


def instalment(book: Book, loan_id: str) -> int:
    return next(row.unpaid_minor for row in book.state(loan_id).rows if row.met_on is None)


def test_days_are_closed_in_order_and_publish_only_what_changed(
    pool: DatabasePool, store: PostgresEventStore
) -> None:
    book, close = three_loans(store), closer(pool, store)
    book.today = DUE
    book.pay("good", instalment(book, "good"))

    days = close.close_until(LATE_FROM, first=START)
    assert [day.on for day in days] == [START + timedelta(days=k) for k in range(33)]
    assert sum(day.loans_acted_on for day in days[:-1]) == 0
    assert (days[-1].loans_open, days[-1].loans_acted_on, days[-1].cases_opened) == (3, 2, 2)

    book.today = date(2018, 2, 24)
    close.close_until(book.today - timedelta(days=1))
    book.pay("late", instalment(book, "late"))
    cured = close.close_day(book.today)
    assert (cured.loans_acted_on, cured.cases_closed) == (1, 1)
    with pool.transaction() as db:
        assert (case(db, "late") or {})["closed_how"] == "cured"
        assert (case(db, "bad") or {})["open"] is True
        rows = loan_days(db, "bad", from_on=DUE, until_on=book.today)
    assert [row["days_past_due"] for row in rows] == list(range(10))
    seen = topics(store)
    assert (seen["loan.payment_missed.v1"], seen["loan.arrears_cured.v1"]) == (2, 1)
    assert seen["day.closed.v1"] == 41


def test_the_engine_says_the_days_of_loans_whose_interest_follows_what_is_paid(
    pool: DatabasePool, store: PostgresEventStore
) -> None:
    """Overdue principal goes on earning: the rows that were published do not say so."""
    book, close = Book(store, recalculation=Recalculation.CONTINUOUS), closer(pool, store)
    for name in ("good", "bad"):
        book.open_loan(name)
    planned = sum(row.interest_minor for row in book.state("bad").rows[:2])
    book.today = DUE
    book.pay("good", instalment(book, "good"))
    book.today = date(2018, 4, 1)
    close.close_until(book.today, first=START)
    for loan_id in ("good", "bad"):
        with pool.transaction() as db:
            rows = loan_days(db, loan_id, from_on=START, until_on=book.today)
        told = [DayFigures(**{n: row[n] for n in DayFigures.__dataclass_fields__}) for row in rows]
        assert told == [day_figures(book.state(loan_id), row["business_date"]) for row in rows]
    assert rows[-1]["overdue_interest_minor"] > planned


def test_payments_that_go_on_coming_hold_up_no_close(
    pool: DatabasePool, store: PostgresEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time the engine is asked, another loan moves on; a close gave up after five of them."""
    book, close = Book(store, recalculation=Recalculation.CONTINUOUS), closer(pool, store)
    loans = [f"loan-{number}" for number in range(8)]
    for name in loans:
        book.open_loan(name)
    book.today = DUE
    close.close_until(DUE - timedelta(days=1), first=START)
    to_pay = iter(loans)

    def paid_first(task: Callable[..., Any]) -> Callable[..., Any]:
        def work(*args: Any) -> Any:  # noqa: ANN401 - whatever the task takes and answers
            book.pay(next(to_pay), 100)
            close.catch_up()
            return task(*args)

        return work

    monkeypatch.setattr(LoanWork, "tell", paid_first(LoanWork.tell))
    monkeypatch.setattr(LoanWork, "tell_with_lines", paid_first(LoanWork.tell_with_lines))
    assert close.close_day(DUE).loans_open == len(loans)
    monkeypatch.undo()
    for name in loans:
        with pool.transaction() as db:
            assert len(loan_days(db, name, from_on=DUE, until_on=DUE)) == 1


@pytest.fixture
def helpers(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloseHelpers]:
    monkeypatch.setattr("consumers.close_helpers.LOANS_TO_START", 1)
    monkeypatch.setattr("consumers.close_helpers.LOANS_TO_SHARE", 1)
    with CloseHelpers(Workplace(dsn=database, limits=Limits()), 1) as helpers:
        yield helpers


def eight_loans(store: PostgresEventStore) -> Book:
    """Loans that nobody pays, some of them every process's."""
    book = Book(store, recalculation=Recalculation.CONTINUOUS)
    for number in range(8):
        book.open_loan(f"bad-{number}")
    assert {crc32(loan_id.encode()) % 2 for loan_id in book.loans} == {0, 1}
    return book


def test_several_processes_close_what_one_would(
    pool: DatabasePool, store: PostgresEventStore, helpers: CloseHelpers
) -> None:
    book, close = eight_loans(store), replace(closer(pool, store), helpers=helpers)
    days = close.close_until(LATE_FROM, first=DUE - timedelta(days=1))
    assert len(multiprocessing.active_children()) == 1
    assert [day.loans_acted_on for day in days] == [0, 0, 8]
    assert topics(store)["loan.payment_missed.v1"] == 8
    for loan_id in book.loans:
        with pool.transaction() as db:
            rows = loan_days(db, loan_id, from_on=START, until_on=LATE_FROM)
        told = [DayFigures(**{n: row[n] for n in DayFigures.__dataclass_fields__}) for row in rows]
        assert told == [day_figures(book.state(loan_id), row["business_date"]) for row in rows]


def test_a_helper_that_was_killed_is_replaced_when_the_day_is_closed_again(
    pool: DatabasePool, store: PostgresEventStore, helpers: CloseHelpers
) -> None:
    book, close = eight_loans(store), replace(closer(pool, store), helpers=helpers)
    close.close_until(DUE, first=DUE)
    (child,) = multiprocessing.active_children()
    child.kill()
    child.join()
    with pytest.raises(Unavailable, match="close the day again"):
        close.close_day(LATE_FROM)
    assert close.close_day(LATE_FROM).loans_open == len(book.loans)
    assert topics(store)["loan.payment_missed.v1"] == 8
    assert topics(store)["day.closed.v1"] == 2


def test_a_closed_day_stays_as_it_is(pool: DatabasePool, store: PostgresEventStore) -> None:
    three_loans(store)
    close = closer(pool, store)
    close.close_until(LATE_FROM, first=DUE)
    head = store.head()
    again = closer(pool, store).close_day(LATE_FROM)
    assert again.was_closed
    assert store.head() == head


@pytest.mark.parametrize(
    ("on", "code"),
    [(DUE + timedelta(days=2), "day_before_open"), (DUE - timedelta(days=3), "day_passed")],
)
def test_a_day_out_of_order_is_refused(
    pool: DatabasePool, store: PostgresEventStore, on: date, code: str
) -> None:
    three_loans(store)
    close = closer(pool, store)
    close.close_day(DUE)
    with pytest.raises(Rejected) as no:
        close.close_day(on)
    assert no.value.code == code


def test_two_closes_at_once_do_what_one_does(pool: DatabasePool, store: PostgresEventStore) -> None:
    three_loans(store)
    with ThreadPoolExecutor(2) as threads:
        closes = [closer(pool, store), closer(pool, store)]
        running = [threads.submit(c.close_until, LATE_FROM, first=DUE) for c in closes]
        for one in running:
            one.result()
    seen = topics(store)
    assert seen["loan.payment_missed.v1"] == 3
    assert seen["case.opened.v1"] == 3
    assert seen["day.closed.v1"] == 2


def test_a_loan_that_fails_is_parked_and_the_others_go_on(
    pool: DatabasePool, store: PostgresEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_loans(store)
    close = closer(pool, store)

    def broken(loan: Loan, command: CloseLoanDay, context: Context) -> list[Event]:
        assert command.loan_id != "bad", "this loan is broken"
        return arrears.close_day(loan, command, context)

    monkeypatch.setitem(LOAN_RULES, CloseLoanDay, broken)
    day = close.close_day(LATE_FROM)
    assert (day.loans_acted_on, day.parked) == (2, 1)
    with pool.transaction() as db:
        (left,) = parked(db, LATE_FROM)
    assert left["loan_id"] == "bad"
    assert "this loan is broken" in left["reason"]

    monkeypatch.setitem(LOAN_RULES, CloseLoanDay, arrears.close_day)
    mended = close.close_day(LATE_FROM + timedelta(days=1))
    assert (mended.loans_acted_on, mended.parked) == (1, 0)
    assert topics(store)["loan.payment_missed.v1"] == 3


def closing(database: str, until: date, failpoints: str = "") -> int:
    """Close days in a process of its own; return its exit code, -9 when it was killed."""
    command = [sys.executable, "-m", "api.cli.main", "close-day", str(DUE), "--until", str(until)]
    environment = os.environ | {
        "LOANBOOK_DATABASE_URL": database,
        "LOANBOOK_FAILPOINTS": failpoints,
    }
    return subprocess.run(command, check=False, env=environment).returncode  # noqa: S603


FAILPOINTS = ["close.after_loans", "close.after_fill", "close.after_cases", "projector.after_rows"]


@pytest.mark.parametrize("place", FAILPOINTS)
def test_a_close_that_was_killed_goes_on_where_it_was(
    place: str, pool: DatabasePool, store: PostgresEventStore, database: str
) -> None:
    three_loans(store)
    until = LATE_FROM + timedelta(days=1)
    assert closing(database, until, failpoints=f"{place}=kill@2") == -9
    assert closing(database, until) == 0
    seen = topics(store)
    assert seen["loan.payment_missed.v1"] == 3
    assert seen["case.opened.v1"] == 3
    assert seen["day.closed.v1"] == 3
    with pool.transaction() as db:
        rows = db.rows("SELECT DISTINCT loan_id, business_date FROM loan_day")
    assert len(rows) == 9


def charged_by_march(
    pool: DatabasePool, book: Book, so_far: Callable[[], object] = lambda: None
) -> list[str]:
    """Close the days of a loan of which nothing is paid; the days on which it was charged."""
    book.open_loan("bad", approved=5_000_000)
    book.today = date(2018, 3, 25)
    so_far()
    closer(pool, book.store).close_until(book.today, first=START)
    events = book.store.read(Position(shard=0, number=0), 10_000)
    charged = [x.effective_on for x in events if x.topic == "loan.charge_assessed.v1"]
    return [f"{on:%m-%d}" for on in charged]


@pytest.mark.parametrize(
    ("turns", "days"),
    [
        ({"every": None}, ["02-21", "03-21"]),
        ({"every": 10, "every_unit": Unit.DAYS}, ["02-21", "03-03", "03-13", "03-21", "03-23"]),
        ({"every": 2, "every_unit": Unit.WEEKS}, ["02-21", "03-07", "03-21", "03-21"]),
        ({"every": 1, "every_unit": Unit.MONTHS}, ["02-21", "03-21", "03-21"]),
    ],
    ids=["once", "ten days", "two weeks", "a month"],
)
def test_overdue_instalments_are_charged_on_their_turns(
    pool: DatabasePool, store: PostgresEventStore, turns: dict[str, Any], days: list[str]
) -> None:
    """Due on 15 February and 15 March, five days to wait: charged on the 21st, then by turns."""
    rule = replace(OVERDUE, cap_minor=None, **turns)
    assert charged_by_march(pool, Book(store, charge_rules=(rule,))) == days


@pytest.mark.parametrize(
    ("arrears", "days"),
    [
        (ArrearsConditions(tolerance_days=10), ["02-26"]),
        (ArrearsConditions(tolerance_day=28), ["03-01"]),
        (ArrearsConditions(tolerance_percent=Decimal(5)), ["02-21", "03-21"]),
        (ArrearsConditions(tolerance_percent=Decimal(20)), []),
    ],
    ids=["days", "a day of the month", "less than is due", "more than is due"],
)
def test_what_is_tolerated_is_not_charged(
    pool: DatabasePool, store: PostgresEventStore, arrears: ArrearsConditions, days: list[str]
) -> None:
    """Five days to wait, but what is tolerated is longer; a charge is put when it is over."""
    rule = replace(OVERDUE, cap_minor=None, every=None)
    assert charged_by_march(pool, Book(store, charge_rules=(rule,), arrears=arrears)) == days


def test_what_is_tolerated_follows_the_principal_of_the_day_not_what_was_added_later(
    pool: DatabasePool, store: PostgresEventStore
) -> None:
    """A twelfth is more than five in a hundred, also where income is added before the close."""
    rule = replace(OVERDUE, cap_minor=None, every=None)
    book = Book(
        store,
        charge_rules=(rule,),
        arrears=ArrearsConditions(tolerance_percent=Decimal(5)),
        capitalised_income=CapitalisedIncome(code=CODES[-1]),
    )
    income = CapitaliseIncome(
        loan_id="bad", effective_on=date(2018, 3, 1), income_id="i", amount_minor=4_000_000
    )
    assert charged_by_march(pool, book, lambda: book.do(income)) == ["02-21", "03-21"]
