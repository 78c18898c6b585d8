"""Compliance audit `four_eyes`: who prepared a payout, who checked exactly what, and exceptions."""

from datetime import date, datetime

import msgspec

from projections.pages import Page, decode, limited, page_of
from projections.ports import Database
from projections.tables import Table


class FourEyes(msgspec.Struct, gc=False):
    """A row: one preparation of a payout. `passed` None: not checked."""

    loan_id: str
    disbursement_id: str
    prepared_version: int
    currency: str
    amount_minor: int
    four_eyes_from_minor: int
    shard: int
    position: int
    payload_hash: str | None = None
    prepared_by: str | None = None
    prepared_at: datetime | None = None
    checked_by: str | None = None
    checked_at: datetime | None = None
    checked_payload_hash: str | None = None
    checks: list[str] = []
    passed: bool | None = None
    disbursed_on: date | None = None


TABLE = Table("four_eyes", FourEyes, ("loan_id", "disbursement_id", "prepared_version"))

ACTIONS = """
SELECT * FROM (
    SELECT f.*, CASE
        WHEN f.checked_by = f.prepared_by THEN 'checker_is_maker'
        WHEN f.checked_payload_hash <> f.payload_hash THEN 'payload_changed'
        WHEN f.passed IS FALSE THEN 'rejected'
        WHEN f.disbursed_on IS NOT NULL AND f.passed IS NULL
            AND f.amount_minor >= f.four_eyes_from_minor THEN 'paid_unchecked'
        END AS exception
    FROM four_eyes f
    WHERE (f.shard, f.position) < (%(shard)s::bigint, %(position)s::bigint)
) AS f
WHERE (NOT %(exceptions)s OR f.exception IS NOT NULL)
    AND (NOT %(waiting)s OR (f.checked_by IS NULL AND f.disbursed_on IS NULL
        AND f.prepared_by IS NOT NULL))
    AND (%(actor_id)s::text IS NULL OR f.prepared_by = %(actor_id)s OR f.checked_by = %(actor_id)s)
ORDER BY f.shard DESC, f.position DESC LIMIT %(limit)s
"""


def four_eyes(
    db: Database,
    *,
    exceptions: bool = False,
    waiting: bool = False,
    actor_id: str | None = None,
    limit: int = 100,
    cursor: str = "",
) -> Page:
    """List preparations and checks, newest first, each with `exception` or None.

    `exceptions`: only those; `waiting`: only those that nobody has checked.
    Raises Rejected: `limit_out_of_range`, `malformed_cursor`.
    """
    shard, position = decode(cursor, tuple[int, int]) if cursor else (2**31, 0)
    parameters = {
        "shard": shard,
        "position": position,
        "exceptions": exceptions,
        "waiting": waiting,
        "actor_id": actor_id,
        "limit": limited(limit) + 1,
    }
    rows = db.rows(ACTIONS, parameters)
    return page_of(rows, limit, lambda row: (row["shard"], row["position"]))
