"""Read model `loan_summary`: one row a loan, for screens, lists and the close of day."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from projections.pages import Page, decode, limited, page_of
from projections.ports import Database, Row
from projections.tables import Table


class LoanSummary(msgspec.Struct, gc=False):
    """A row. Amounts in minor units of `currency`; None: has not happened."""

    loan_id: str
    status: str
    customer_id: str
    external_id: str | None
    product_code: str
    product_version: int
    currency: str
    method: str | None
    grade: str | None
    purpose: str | None
    region: str | None
    channel: str | None
    applied_minor: int
    amount_minor: int | None
    rate_annual: Decimal | None
    instalments: int
    tolerance_minor: int
    tolerance_percent: Decimal
    tolerance_days: int
    penalty_counts: bool
    four_eyes_from_minor: int
    recalculates: bool
    bears_penalties: bool
    applied_on: date
    shard: int
    position: int
    version: int
    recorded_at: datetime
    tolerance_day: int | None = None
    model_id: str | None = None
    model_version: str | None = None
    model_score: Decimal | None = None
    recommended: str | None = None
    decision: str | None = None
    reviewed_on: date | None = None
    accepted_on: date | None = None
    withdrawn_on: date | None = None
    disbursed_on: date | None = None
    returned_on: date | None = None
    last_due_on: date | None = None
    longest_period_days: int = 0
    rows_total: int = 0
    next_instalment: int | None = None
    next_due_on: date | None = None
    next_due_minor: int | None = None
    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0
    overpaid_minor: int = 0
    principal_paid_minor: int = 0
    interest_paid_minor: int = 0
    fee_paid_minor: int = 0
    penalty_paid_minor: int = 0
    waived_minor: int = 0
    recovered_minor: int = 0
    recovery_cost_minor: int = 0
    last_payment_on: date | None = None
    last_payment_minor: int | None = None
    last_fact_on: date | None = None
    bucket_set: str | None = None
    bucket: str | None = None
    days_past_due: int = 0
    in_arrears: bool = False
    missed: list[int] = []
    restructured_on: date | None = None
    restructure_kind: str | None = None
    restructures: int = 0
    financial_difficulty: bool = False
    charged_off_on: date | None = None
    charged_off_minor: int | None = None
    terminated_on: date | None = None
    reference: str | None = None
    spread_bps: int | None = None
    reset: str | None = None
    repriced_on: date | None = None
    next_reset_on: date | None = None
    replanned_on: date | None = None
    written_off_on: date | None = None
    written_off_minor: int | None = None
    settled_on: date | None = None
    settled_how: str | None = None
    overdue_turns: list[dict[str, Any]] = []
    misused_on: date | None = None
    suspends_accrual: bool = False
    non_accrual_on: date | None = None


TABLE = Table("loan_summary", LoanSummary, ("loan_id",))


def load(db: Database, loan_ids: Sequence[str]) -> dict[str, LoanSummary]:
    """Read the rows of some loans."""
    if not loan_ids:
        return {}
    tail = "WHERE t.loan_id = ANY(%(ids)s)"
    return {row.loan_id: row for row in TABLE.load(db, tail, {"ids": list(loan_ids)})}


def loan(db: Database, loan_id: str) -> Row | None:
    """Return one loan's row; None: not known (yet)."""
    return db.row("SELECT * FROM loan_summary WHERE loan_id = %s", [loan_id])


def loan_by_external_id(db: Database, external_id: str) -> Row | None:
    """Return the row of the loan that an upstream system knows under its own id."""
    return db.row("SELECT * FROM loan_summary WHERE external_id = %s", [external_id])


LOANS = """
SELECT * FROM loan_summary
WHERE loan_id > %(after)s
    AND (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(bucket)s::text IS NULL OR coalesce(bucket, 'current') = %(bucket)s)
    AND (%(grade)s::text IS NULL OR grade = %(grade)s)
    AND (%(purpose)s::text IS NULL OR purpose = %(purpose)s)
    AND (%(region)s::text IS NULL OR region = %(region)s)
    AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
    AND (%(product_code)s::text IS NULL OR product_code = %(product_code)s)
ORDER BY loan_id LIMIT %(limit)s
"""
FILTERS = ("status", "bucket", "grade", "purpose", "region", "customer_id", "product_code")


def loans(
    db: Database, *, filters: dict[str, str] | None = None, limit: int = 50, cursor: str = ""
) -> Page:
    """List loans in order of id; `filters` by the columns of FILTERS.

    Raises Rejected: `limit_out_of_range`, `malformed_cursor`. Raises KeyError for another filter.
    """
    wanted = dict.fromkeys(FILTERS) | (filters or {})
    if len(wanted) > len(FILTERS):
        raise KeyError(sorted(set(wanted) - set(FILTERS)))
    (after,) = decode(cursor, tuple[str]) if cursor else ("",)
    rows = db.rows(LOANS, wanted | {"after": after, "limit": limited(limit) + 1})
    return page_of(rows, limit, lambda row: (row["loan_id"],))


COUNTS = "SELECT status, count(*) AS loans FROM loan_summary GROUP BY status ORDER BY status"


def counts_by_status(db: Database) -> dict[str, int]:
    """Count loans by status."""
    return {row["status"]: row["loans"] for row in db.rows(COUNTS)}


TOTALS = """
SELECT currency, count(*) AS loans, coalesce(sum(amount_minor), 0)::bigint AS amount_minor,
    sum(principal_minor)::bigint AS principal_minor, sum(interest_minor)::bigint AS interest_minor,
    sum(fee_minor)::bigint AS fee_minor, sum(penalty_minor)::bigint AS penalty_minor,
    sum(overpaid_minor)::bigint AS overpaid_minor,
    sum(principal_paid_minor)::bigint AS principal_paid_minor,
    sum(interest_paid_minor)::bigint AS interest_paid_minor,
    sum(fee_paid_minor)::bigint AS fee_paid_minor,
    sum(penalty_paid_minor)::bigint AS penalty_paid_minor,
    sum(recovered_minor)::bigint AS recovered_minor
FROM loan_summary WHERE disbursed_on IS NOT NULL GROUP BY currency ORDER BY currency
"""


def totals(db: Database) -> list[Row]:
    """Sum what was disbursed, is owed and was paid, per currency: the control account."""
    return db.rows(TOTALS)
