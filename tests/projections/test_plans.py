"""Queries use the index that was made for them, on tables of some size."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.policies import US_BUCKETS
from infra.database import DatabasePool
from projections import (
    audit_trail,
    case_work,
    deferred_income,
    instalments,
    loan_day,
    loan_summary,
    repricing,
    schema,
    transactions,
    worklist,
)
from projections.audit_trail import AuditEntry
from projections.folds.rows import FOR_GOOD
from projections.instalments import InstalmentVersion
from projections.loan_summary import LoanSummary
from projections.ports import Database
from projections.repricing import ReferenceValue, Repricing
from projections.transactions import Transaction

NOW = datetime(2018, 7, 1, tzinfo=UTC)
BEGIN = date(2018, 1, 1)


def loan(n: int) -> LoanSummary:
    return LoanSummary(
        loan_id=f"loan-{n}",
        status="active",
        customer_id=f"c-{n}",
        external_id=None,
        product_code="P",
        product_version=1,
        currency="USD",
        method=None,
        grade="A",
        purpose=None,
        region=None,
        channel=None,
        applied_minor=1_200,
        amount_minor=1_200,
        rate_annual=None,
        instalments=12,
        tolerance_minor=0,
        tolerance_percent=Decimal(0),
        tolerance_days=0,
        penalty_counts=True,
        four_eyes_from_minor=0,
        applied_on=BEGIN,
        shard=0,
        position=n,
        version=9,
        recorded_at=NOW,
        disbursed_on=BEGIN,
        recalculates=False,
        bears_penalties=False,
        longest_period_days=30,
        principal_minor=700,
        reference="LPR-1Y",
        next_reset_on=date(2018 + n % 7, 1, 1 + n % 28),
    )


def row(n: int, k: int) -> InstalmentVersion:
    """The k-th row; the first five are met, of every hundredth loan a day late."""
    due = BEGIN + timedelta(days=30 * k)
    met = due + timedelta(days=n % 100 == 0) if k <= 5 and n % 70 else None
    paid = 100 if met else 0
    money = (100, 0, 0, 0, paid, 0, 0, 0, 0, 0, 0)
    begin = due - timedelta(days=30)
    return InstalmentVersion(
        f"loan-{n}", k, 9, met or BEGIN, FOR_GOOD, met or BEGIN, begin, due, *money, met
    )


def payment(n: int, k: int) -> Transaction:
    return Transaction(
        loan_id=f"loan-{n}",
        transaction_id=f"p-{k}",
        kind="payment",
        revision=0,
        version=9 + k,
        shard=0,
        position=n,
        effective_on=BEGIN + timedelta(days=30 * k),
        recorded_at=NOW,
        currency="USD",
        amount_minor=100,
    )


def line(n: int) -> AuditEntry:
    return AuditEntry(
        shard=0,
        position=n,
        stream=f"loan-loan-{n // 10}",
        version=n % 10 + 1,
        topic=f"topic-{n % 30}",
        effective_on=BEGIN,
        recorded_at=NOW,
        source_recorded_at=None,
        actor_kind="human",
        actor_id=f"actor-{n % 50}",
        actor_roles=[],
        on_behalf_of=None,
        reason_code=None,
        policy_versions={},
        approvals=[],
        command_id=None,
        causation_id=None,
        correlation_id=None,
        summary="what",
    )


@pytest.fixture
def db(pool: DatabasePool) -> Iterator[Database]:
    with pool.transaction() as db:
        schema.enter_current(db)
        loan_summary.TABLE.insert(db, [loan(n) for n in range(4_000)])
        instalments.TABLE.insert(db, [row(n, k) for n in range(4_000) for k in range(1, 13)])
        payments = [payment(n, k) for n in range(4_000) for k in range(1, 5)]
        transactions.TABLE.insert(db, payments)
        audit_trail.TABLE.insert(db, [line(n) for n in range(20_000)])
        repricing.VALUES.insert(db, [value(k) for k in range(60)])
        repricing.REPRICINGS.insert(db, [reset(n, k) for n in range(4_000) for k in range(3)])
        loan_day.fill_day(db, date(2018, 5, 15), US_BUCKETS)
        db.script("ANALYZE")
        yield db


def value(k: int) -> ReferenceValue:
    return ReferenceValue(
        code="LPR-1Y",
        published_on=BEGIN - timedelta(days=30 * k),
        value=Decimal("0.0360"),
        corrected=False,
        shard=0,
        position=k,
        recorded_at=NOW,
        actor_kind="human",
        actor_id="ann",
    )


def reset(n: int, k: int) -> Repricing:
    """The k-th newest reset of the n-th loan: every 1 January."""
    return Repricing(
        loan_id=f"loan-{n}",
        effective_on=date(BEGIN.year - k, 1, 1),
        reference="LPR-1Y",
        value=Decimal("0.0360"),
        published_on=date(BEGIN.year - k, 1, 1),
        spread_bps=50,
        rate_annual_before=Decimal("0.0410"),
        rate_annual=Decimal("0.0410"),
        version=9,
        shard=0,
        position=n,
        recorded_at=NOW,
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def indexes_used(db: Database, sql: str, parameters: dict[str, Any]) -> set[str]:
    row = db.row(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
    assert row is not None
    (plan,) = row["QUERY PLAN"]
    return {node["Index Name"] for node in nodes(plan["Plan"]) if "Index Name" in node}


def test_a_schedule_is_read_by_its_loan(db: Database) -> None:
    used = indexes_used(db, instalments.SCHEDULE, {"loan_id": "loan-7"})
    assert used == {"instalments_pkey"}


def test_a_statement_is_read_by_its_loan(db: Database) -> None:
    parameters = {
        "loan_id": "loan-7",
        "restated": False,
        "from_on": None,
        "until_on": None,
        "on": date.min,
        "version": 0,
        "id": "",
        "revision": 0,
        "limit": 10,
    }
    assert indexes_used(db, transactions.TRANSACTIONS, parameters) == {"transactions_pkey"}


def test_a_close_reads_the_rows_that_were_ever_overdue(db: Database) -> None:
    parameters = loan_day.parameters(date(2018, 5, 15), US_BUCKETS)
    used = indexes_used(db, loan_day.SOMETHING_TO_DO, parameters)
    assert "instalments_ever_overdue" in used


def test_a_close_finds_running_rows_by_due_date(db: Database) -> None:
    parameters = loan_day.parameters(date(2018, 5, 15), US_BUCKETS)
    used = indexes_used(
        db,
        loan_day.FILL_DAY,
        parameters | {"known": 1, "before": date.min, "told": "[]", "only": None},
    )
    assert {"instalments_ever_overdue", "instalments_never_overdue"} <= used


def test_who_is_late_is_read_once_however_little_is_known_of_the_day(db: Database) -> None:
    on = date(2018, 5, 16)
    loan_day.fill_day(db, on, US_BUCKETS)  # and no statistics of its rows: a join would be guessed
    sql = case_work.LATE_WITHOUT_CASE.format(rows=loan_day.last_known(db, on))
    row = db.row(f"EXPLAIN (FORMAT JSON) {sql}", {"on": on})
    assert row is not None
    (plan,) = row["QUERY PLAN"]
    scans = [n for n in nodes(plan["Plan"]) if n.get("Relation Name", "").startswith("loan_day")]
    assert len(scans) == 1


def test_a_close_steps_through_what_was_taken_over_and_not_over_all_loans(db: Database) -> None:
    used = indexes_used(db, repricing.TO_REPRICE, {"on": date(2018, 5, 15)})
    assert "repricings_by_value" in used
    assert "loan_summary_by_reset" in used


def test_a_close_reads_the_transactions_that_defer_income_and_no_others(db: Database) -> None:
    used = indexes_used(db, deferred_income.TOTALS, {"on": date(2018, 5, 15)})
    assert "transactions_deferring" in used


def test_a_timeline_is_read_by_its_streams(db: Database) -> None:
    parameters = {
        "streams": ["loan-loan-7", "case-loan-7"],
        "known_at": None,
        "shard": -1,
        "position": 0,
        "limit": 10,
    }
    assert indexes_used(db, audit_trail.TIMELINE, parameters) == {"audit_trail_by_stream"}


def test_the_queue_reads_the_late_of_a_day(db: Database) -> None:
    parameters: dict[str, Any] = dict.fromkeys(worklist.FILTERS) | {
        "tiers": ["a"],
        "days": [1],
        "amounts": [None],
        "actions": ["x"],
        "after": 9,
        "after_days": 0,
        "after_minor": 0,
        "after_id": "",
        "limit": 10,
        "on": date(2018, 5, 15),
    }
    used = indexes_used(db, worklist.WORKLIST, parameters)
    assert any("days_past_due" in name for name in used)
