"""Compliance audit `override_register`: every decision against a model's recommendation."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from projections.pages import Page, decode, limited, page_of
from projections.ports import Database, Row
from projections.tables import Table


class Override(msgspec.Struct, gc=False):
    """A row."""

    loan_id: str
    version: int
    shard: int
    position: int
    effective_on: date
    recorded_at: datetime
    actor_kind: str
    actor_id: str
    reason_code: str | None
    approvals: list[dict[str, Any]]
    recommended: str
    decided: str
    direction: str
    model_id: str | None
    model_version: str | None
    model_score: Decimal | None
    grade: str | None
    purpose: str | None
    region: str | None


TABLE = Table("override_register", Override, ("loan_id", "version"))

OVERRIDES = """
SELECT o.*, s.status, s.bucket, s.days_past_due, s.charged_off_on
FROM override_register o JOIN loan_summary s ON s.loan_id = o.loan_id
WHERE (o.shard, o.position) < (%(shard)s::bigint, %(position)s::bigint)
    AND (%(direction)s::text IS NULL OR o.direction = %(direction)s)
    AND (%(actor_id)s::text IS NULL OR o.actor_id = %(actor_id)s)
ORDER BY o.shard DESC, o.position DESC LIMIT %(limit)s
"""


def overrides(
    db: Database,
    *,
    direction: str | None = None,
    actor_id: str | None = None,
    limit: int = 100,
    cursor: str = "",
) -> Page:
    """List overrides, newest first, with how the loan fares now.

    `direction`: high_side or low_side. Raises Rejected: `limit_out_of_range`, `malformed_cursor`.
    """
    shard, position = decode(cursor, tuple[int, int]) if cursor else (2**31, 0)
    parameters = {
        "shard": shard,
        "position": position,
        "direction": direction,
        "actor_id": actor_id,
        "limit": limited(limit) + 1,
    }
    rows = db.rows(OVERRIDES, parameters)
    return page_of(rows, limit, lambda row: (row["shard"], row["position"]))


RATES = """
SELECT o.actor_id, o.direction, o.reason_code, count(*) AS overrides
FROM override_register o GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
"""


def override_counts(db: Database) -> list[Row]:
    """Count overrides by officer, direction and reason."""
    return db.rows(RATES)
