"""What the desks read: risk, the collections queue, audit, reports; given a book of known lives."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumers.log_feed import LogFeed
from consumers.projector import Projector
from domain.commands import application as ca
from domain.commands import case as cc
from domain.commands import ending as ce
from domain.commands import servicing as cs
from domain.errors import Rejected
from domain.loan.terms import ArrearsConditions, UnpaidParts
from domain.policies import US_BUCKETS
from infra.database import DatabasePool
from infra.store import PostgresEventStore
from projections import (
    audit_trail,
    business_report,
    four_eyes,
    loan_day,
    loan_summary,
    override_register,
    risk,
    transactions,
    worklist,
)
from projections.day_totals import day_totals
from tests.support.book import COLLECTOR, START, Book

MARCH = date(2018, 3, 31)
JUNE = date(2018, 6, 30)
UNCHARGED: dict[str, Any] = {"charge_rules": ()}


@dataclass
class Desk:
    """A book, its read models and a close of every day."""

    book: Book
    pool: DatabasePool
    projector: Projector

    def project(self) -> None:
        self.projector.catch_up(self.book.store.head())

    def close(self, on: date) -> list[str]:
        """Close one day as the daily close does: publish, project, fill."""
        self.book.today = max(self.book.today, on)
        self.project()
        with self.pool.transaction() as db:
            acted_on = loan_day.loans_with_something_to_do(db, on, US_BUCKETS)
        for loan_id in acted_on:
            self.book.do(ce.CloseLoanDay(loan_id=loan_id, effective_on=on))
        self.project()
        with self.pool.transaction() as db:
            loan_day.fill_day(db, on, US_BUCKETS)
        return acted_on


@pytest.fixture
def product() -> dict[str, Any]:
    """What the book's product says otherwise."""
    return {}


@pytest.fixture
def desk(pool: DatabasePool, database: str, product: dict[str, Any]) -> Iterator[Desk]:
    with PostgresEventStore(database) as store:
        yield Desk(Book(store, seed=5, **product), pool, Projector(pool, LogFeed(pool)))


@pytest.fixture
def late(desk: Desk) -> Desk:
    """Four loans: one pays, one pays the first only, one never pays, one repays all in May."""
    for loan_id in ("payer", "first-only", "never", "repaid"):
        desk.book.open_loan(loan_id, amount=1_200_000, instalments=12)
    for month in (2, 3, 4, 5, 6):
        on = desk.book.today = date(2018, month, 15)
        for loan_id in ("payer", "first-only", "repaid"):
            due = next((r for r in desk.book.state(loan_id).rows if r.met_on is None), None)
            if due and (loan_id != "first-only" or month == 2):
                desk.book.pay(loan_id, due.unpaid_minor, on)
        if month == 5:
            desk.book.pay("repaid", desk.book.state("repaid").balances.owed_minor, on)
    desk.book.today = JUNE
    for on in (MARCH, JUNE):
        desk.close(on)
    return desk


@pytest.mark.parametrize(
    "product",
    [
        {},
        {**UNCHARGED, "arrears": ArrearsConditions(tolerance_percent=Decimal("1.5"))},
        {
            **UNCHARGED,
            "arrears": ArrearsConditions(tolerance_days=4, counted=UnpaidParts.WITHOUT_PENALTY),
        },
        {**UNCHARGED, "arrears": ArrearsConditions(tolerance_day=20), "tolerance_minor": 500},
    ],
    ids=["plain", "a percentage", "days", "a day of the month"],
)
def test_the_close_finds_exactly_the_loans_that_have_something_to_say(desk: Desk) -> None:
    book = desk.book
    book.live(14, 30)
    said = 0
    for back in range(60, -1, -1):  # as days are closed: none left out
        on = book.today - timedelta(days=back)
        desk.project()
        with desk.pool.transaction() as db:
            found = loan_day.loans_with_something_to_do(db, on, US_BUCKETS)
        before = {loan_id: book.version(loan_id) for loan_id in book.loans}
        for loan_id in book.loans:
            book.do(ce.CloseLoanDay(loan_id=loan_id, effective_on=on))
        spoke = [loan_id for loan_id in book.loans if book.version(loan_id) != before[loan_id]]
        assert set(spoke) <= set(found), on
        for loan_id in set(found) - set(spoke):  # a charge may be capped, a penalty nothing yet
            conditions = book.state(loan_id).conditions
            assert conditions.charge_rules or conditions.penalty, (loan_id, on)
        said += len(spoke)
    assert said > 10


def test_buckets_and_portfolio_at_risk_count_the_whole_balance(late: Desk) -> None:
    state = late.book.state
    with late.pool.transaction() as db:
        buckets = {row["bucket"]: row["loans"] for row in risk.by_bucket(db, JUNE)}
        ratios = {r.definition: r for r in risk.portfolio_at_risk(db, JUNE)}
        totals = day_totals(db, JUNE)
    # Never: due 15 Feb, so 135 days late on 30 June. First-only: due 15 March, 107 days.
    assert buckets == {"current": 1, "90-119": 1, "120-149": 1}
    at_risk = sum(state(loan).balances.principal_minor for loan in ("never", "first-only"))
    book = at_risk + state("payer").balances.principal_minor
    assert (ratios["par30"].numerator, ratios["par30"].denominator) == (at_risk, book)
    assert ratios["par90"].numerator == at_risk
    assert ratios["par30"].value == (Decimal(at_risk) / book).quantize(Decimal("0.000001"))
    assert [(t["currency"], t["loans"], t["principal_minor"]) for t in totals] == [("USD", 3, book)]


def test_delinquency_by_segment_covers_the_book_once(late: Desk) -> None:
    with late.pool.transaction() as db:
        for segment in risk.SEGMENTS:
            counts = [r for r in risk.delinquency(db, JUNE, by=segment) if r.currency is None]
            assert sum(r.numerator for r in counts) == 2
            assert sum(r.denominator for r in counts) == 3
        with pytest.raises(Rejected, match="unknown_segment"):
            risk.delinquency(db, JUNE, by="colour")
        assert [r.value for r in risk.delinquency(db, date(2017, 1, 1))] == []


def test_migration_rows_sum_to_one_and_name_where_loans_went(late: Desk) -> None:
    late.book.do(ce.ChargeOffLoan(loan_id="never", effective_on=JUNE, cause="loss"))
    late.book.today = date(2018, 7, 1)
    late.close(late.book.today)
    with late.pool.transaction() as db:
        cells = risk.migration(db, MARCH, date(2018, 7, 1))
        assert {cell.to_state for cell in cells} == {
            "current",
            "closed_paid",
            "charged_off",
            "90-119",
        }
        for bucket in {cell.from_bucket for cell in cells}:
            assert sum(c.share_of_loans for c in cells if c.from_bucket == bucket) == 1
        assert sum(cell.loans for cell in cells) == 4
        with pytest.raises(Rejected, match="dates_out_of_order"):
            risk.migration(db, JUNE, MARCH)


def test_a_day_filled_again_says_nothing_new_and_a_restatement_adds(late: Desk) -> None:
    with late.pool.transaction() as db:
        assert loan_day.fill_day(db, JUNE, US_BUCKETS) == 0
        then = risk.by_bucket(db, JUNE)
        known = db.row("SELECT max(position) AS position FROM feed_positions")
    assert known is not None
    late.book.pay("never", 50_000, date(2018, 2, 15))
    late.project()
    with late.pool.transaction() as db:
        assert loan_day.fill_day(db, JUNE, US_BUCKETS) == 1
        days = loan_day.loan_days(db, "never", from_on=JUNE, until_on=JUNE)
        assert len(days) == 1
        rows = db.rows("SELECT * FROM loan_day WHERE loan_id = 'never' ORDER BY known_from")
        assert len([row for row in rows if row["business_date"] == JUNE]) == 2
        assert risk.by_bucket(db, JUNE, known["position"]) == then
        assert risk.by_bucket(db, JUNE) != then


def test_the_queue_is_in_order_of_urgency_and_pages(late: Desk) -> None:
    late.book.do(cc.OpenCase(loan_id="never", effective_on=JUNE, tier="recover"))
    late.book.do(cc.ClaimCase(loan_id="never", effective_on=JUNE), COLLECTOR)
    late.project()
    with late.pool.transaction() as db:
        first = worklist.worklist(db, limit=1)
        assert [row["loan_id"] for row in first.rows] == ["never"]
        (row,) = first.rows
        step = worklist.tier_of(row["days_past_due"], row["overdue_minor"])
        assert (row["tier"], row["next_action"]) == (step.tier, step.next_action)
        assert row["claimed_by"] == COLLECTOR.id
        assert first.cursor is not None
        second = worklist.worklist(db, limit=1, cursor=first.cursor)
        assert [row["loan_id"] for row in second.rows] == ["first-only"]
        assert second.cursor is None
        nobody = worklist.worklist(db, filters={"claimed": ""})
        assert [row["loan_id"] for row in nobody.rows] == ["first-only"]
        with pytest.raises(Rejected, match="malformed_cursor"):
            worklist.worklist(db, cursor="nonsense")
        tiers = worklist.tiers(db)
        queue = worklist.worklist(db).rows
        assert [(t["tier"], t["loans"], t["cases"], t["claimed"]) for t in tiers] == [
            ("recover", 2, 1, 1)
        ]
        assert tiers[0]["overdue_minor"] == sum(row["overdue_minor"] for row in queue)
    late.book.do(cc.ReleaseCase(loan_id="never", effective_on=JUNE, cause="done"), COLLECTOR)
    late.project()
    with late.pool.transaction() as db:
        assert len(worklist.worklist(db, filters={"claimed": ""}).rows) == 2


def test_a_reversal_and_a_restatement_stay_visible(desk: Desk) -> None:
    book = desk.book
    book.open_loan("a", amount=1_200_000)
    book.today = date(2018, 4, 1)
    book.pay("a", 100_000, date(2018, 3, 1))
    book.pay("a", 20_000, date(2018, 2, 1))
    desk.project()
    with desk.pool.transaction() as db:
        told = transactions.transactions(db, "a", restated=True).rows
        standing = transactions.transactions(db, "a").rows
        one = transactions.transactions(db, "a", limit=1)
        rest = transactions.transactions(db, "a", cursor=one.cursor or "")
    assert [(r["kind"], r["revision"]) for r in standing] == [
        ("disbursement", 0),
        ("payment", 0),
        ("payment", 1),
    ]
    assert len(told) == 4
    assert [*one.rows, *rest.rows] == standing
    payment = standing[1]["transaction_id"]
    book.do(
        cs.ReversePayment(loan_id="a", effective_on=book.today, payment_id=payment, cause="nsf")
    )
    desk.project()
    with desk.pool.transaction() as db:
        rows = transactions.transactions(db, "a").rows
        row = loan_summary.loan(db, "a")
    assert row is not None
    (reversed_row,) = [r for r in rows if r["kind"] == "payment" and r["reversed_on"]]
    assert (reversed_row["principal_minor"], reversed_row["interest_minor"]) == (0, 0)
    assert [r["amount_minor"] for r in rows if r["kind"] == "reversal"] == [20_000]
    assert row["principal_paid_minor"] + row["interest_paid_minor"] == 100_000


def test_the_audit_desk_sees_everything_and_refusals_too(desk: Desk) -> None:
    desk.book.open_loan("a")
    desk.book.do(ca.AcceptOffer(loan_id="a", effective_on=START))
    desk.project()
    head = desk.book.store.head().number
    with desk.pool.transaction() as db:
        everything = audit_trail.audit_trail(db, limit=500).rows
        assert [row["position"] for row in everything] == list(range(head, 0, -1))
        life = audit_trail.timeline(db, "a").rows
        assert life[0]["topic"] == "loan.applied.v1"
        assert life[-1]["summary"].startswith("Paid out 10000.00 USD")
        assert {row["actor_id"] for row in life} == {"ann", "bob"}
        by_bob = audit_trail.audit_trail(db, filters={"actor_id": "bob"}).rows
        assert [row["topic"] for row in by_bob] == ["loan.disbursement_checked.v1"]
        (refusal,) = audit_trail.refusals(db, filters={"stream": "loan-a"}).rows
        assert refusal["code"] == "wrong_status"
        (payout,) = four_eyes.four_eyes(db).rows
        assert (payout["prepared_by"], payout["checked_by"]) == ("ann", "bob")
        assert payout["passed"]
        assert payout["exception"] is None
        assert four_eyes.four_eyes(db, exceptions=True).rows == []
        overrides = override_register.overrides(db).rows
        recommended = loan_summary.loan(db, "a")
        assert recommended is not None
        assert len(overrides) == (recommended["recommended"] == "declined")


def test_the_report_counts_each_period(late: Desk) -> None:
    with late.pool.transaction() as db:
        months = business_report.business_report(db, date(2018, 1, 1), JUNE)
    by_month = {row["period"].month: row for row in months}
    assert by_month[1]["applications"] == by_month[1]["approvals"] == 4
    assert by_month[1]["disbursed_minor"] == 4 * 1_200_000
    assert by_month[5]["settlements"] == 1
    assert by_month[6]["active_loans"] == 3
    assert by_month[2]["active_loans"] is None
