"""The tables are what the row structs say, and every query runs on them, empty as they are."""

from datetime import date
from importlib.resources import files
from re import findall

import msgspec
import pytest

from domain.policies import US_BUCKETS
from infra.database import DatabasePool
from projections import (
    audit_trail,
    business_report,
    collection_cases,
    four_eyes,
    instalments,
    journal,
    loan_day,
    loan_summary,
    override_register,
    risk,
    schema,
    transactions,
    worklist,
)
from projections.day_totals import day_totals
from projections.tables import Table

DAY = date(2018, 3, 31)
TABLES = [
    audit_trail.TABLE,
    collection_cases.TABLE,
    four_eyes.TABLE,
    instalments.TABLE,
    journal.TABLE,
    loan_summary.TABLE,
    override_register.TABLE,
    transactions.TABLE,
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_has_the_columns_of_its_struct(
    pool: DatabasePool, table: Table[msgspec.Struct]
) -> None:
    with pool.transaction() as db:
        stored = db.tuples(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'read_v1'"
            " AND table_name = %s AND is_generated = 'NEVER'",
            [table.name],
        )
    assert {name for (name,) in stored} == set(table.columns)


def test_installing_again_changes_nothing(pool: DatabasePool) -> None:
    with pool.transaction() as db:
        assert schema.install(db) == 1
        assert schema.enter_current(db) == 1


def test_every_key_and_index_that_is_written_down_is_made(pool: DatabasePool) -> None:
    """They are made a table at a time, found by the table's name: none may be overlooked."""
    written = files("projections").joinpath("sql", "read_models_indexes.sql").read_text()
    with pool.transaction() as db:
        made = db.tuples(
            "SELECT i.indexname FROM pg_indexes i WHERE i.schemaname = 'read_v1' AND i.indexname"
            " NOT IN (SELECT conname FROM pg_constraint WHERE contype = 'p')"
        )
        keys = db.tuples("SELECT conname FROM pg_constraint WHERE contype = 'p'")
    assert {name for (name,) in made} == set(findall(r"CREATE (?:UNIQUE )?INDEX (\w+)", written))
    keyed = set(findall(r"ALTER TABLE (\w+) ADD PRIMARY KEY", written))
    assert keyed
    assert {f"{table}_pkey" for table in keyed} <= {name for (name,) in keys}


def test_every_query_answers_on_an_empty_book(pool: DatabasePool) -> None:
    with pool.transaction() as db:
        assert loan_summary.loan(db, "nobody") is None
        assert journal.trial_balance(db, DAY) == []
        assert journal.balances_on(db, "loan_portfolio", DAY) == {}
        assert journal.entries(db, "loan-nobody").rows == []
        assert loan_summary.loan_by_external_id(db, "nobody") is None
        assert loan_summary.loans(db, filters={"status": "active"}).rows == []
        assert loan_summary.counts_by_status(db) == {}
        assert loan_summary.totals(db) == []
        assert instalments.schedule(db, "nobody") == []
        assert instalments.schedule(db, "nobody", DAY) == []
        assert transactions.transactions(db, "nobody").rows == []
        assert worklist.worklist(db).rows == []
        assert worklist.worklist(db, on=DAY, filters={"claimed": ""}).rows == []
        assert audit_trail.audit_trail(db, filters={"topic": "loan.applied.v1"}).rows == []
        assert audit_trail.timeline(db, "nobody").rows == []
        assert audit_trail.refusals(db).rows == []
        assert override_register.overrides(db).rows == []
        assert override_register.override_counts(db) == []
        assert four_eyes.four_eyes(db, exceptions=True).rows == []
        assert risk.by_bucket(db, DAY) == []
        assert risk.portfolio_at_risk(db, DAY) == []
        assert risk.delinquency(db, DAY, by="region") == []
        assert risk.migration(db, date(2018, 2, 28), DAY) == []
        assert risk.history(db, date(2018, 1, 1), DAY) == []
        assert business_report.business_report(db, date(2018, 1, 1), DAY, "week") == []
        assert loan_day.loans_with_something_to_do(db, DAY, US_BUCKETS) == []
        assert loan_day.fill_day(db, DAY, US_BUCKETS) == 0
        assert day_totals(db, DAY) == []
        assert loan_day.last_closed(db) is None
        assert loan_day.loan_days(db, "nobody", from_on=DAY, until_on=DAY) == []
