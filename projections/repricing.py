"""Read models `reference_values` and `repricings`: what was published, and what loans took over.

The close of day asks here which loans have a reset to fix; what it is, the domain decides.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from projections.ports import Database, Row
from projections.tables import Table


class ReferenceValue(msgspec.Struct, gc=False):
    """A value of a reference rate as known now; `corrected`: not the one published at first."""

    code: str
    published_on: date
    value: Decimal
    corrected: bool
    shard: int
    position: int
    recorded_at: datetime
    actor_kind: str
    actor_id: str


class Repricing(msgspec.Struct, gc=False):
    """What a loan took over on a reset date, as known now."""

    loan_id: str
    effective_on: date
    reference: str
    value: Decimal
    published_on: date
    spread_bps: int
    rate_annual_before: Decimal
    rate_annual: Decimal
    version: int
    shard: int
    position: int
    recorded_at: datetime


VALUES = Table("reference_values", ReferenceValue, ("code", "published_on"))
REPRICINGS = Table("repricings", Repricing, ("loan_id", "effective_on"))
VALUES_MAX = 1_000
"""Values of one answer, the newest: eighty years of a monthly reference."""

# The latest value known by now of a reference on a day; NULL: none was published by then.
_LATEST = """(
    SELECT v.published_on, v.value FROM reference_values v
    WHERE v.code = {code} AND v.published_on <= {on}
    ORDER BY v.published_on DESC LIMIT 1)"""

# A reset that came, or one that took a value which is not the latest of its day any more: it was
# corrected, or entered late. Loans that took the same value on the same day are one group, so the
# search steps from group to group through the index and never over all repricings.
TO_REPRICE = f"""
WITH RECURSIVE taken AS (
    (SELECT reference, effective_on, published_on, value FROM repricings
        ORDER BY reference, effective_on, published_on, value LIMIT 1)
    UNION ALL
    SELECT n.* FROM taken t CROSS JOIN LATERAL (
        SELECT r.reference, r.effective_on, r.published_on, r.value FROM repricings r
        WHERE (r.reference, r.effective_on, r.published_on, r.value)
            > (t.reference, t.effective_on, t.published_on, t.value)
        ORDER BY r.reference, r.effective_on, r.published_on, r.value LIMIT 1) AS n
),
outdated AS (
    SELECT t.* FROM taken t
    CROSS JOIN LATERAL {_LATEST.format(code="t.reference", on="t.effective_on")} AS l
    WHERE (l.published_on, l.value) <> (t.published_on, t.value)
)
SELECT s.loan_id FROM loan_summary s
WHERE s.status = 'active' AND s.next_reset_on <= %(on)s AND s.disbursed_on <= %(on)s
    AND EXISTS (SELECT 1 FROM reference_values v
        WHERE v.code = s.reference AND v.published_on <= %(on)s)
UNION
SELECT r.loan_id FROM outdated o
JOIN repricings r ON (r.reference, r.effective_on, r.published_on, r.value)
    = (o.reference, o.effective_on, o.published_on, o.value)
JOIN loan_summary s ON s.loan_id = r.loan_id
WHERE s.status = 'active' AND s.terminated_on IS NULL AND r.effective_on <= %(on)s
    AND (s.replanned_on IS NULL OR r.effective_on > s.replanned_on)
ORDER BY loan_id
"""


def loans_to_reprice(db: Database, on: date) -> list[str]:
    """Find the loans on which a reset date came by `on`, or which took an outdated value."""
    return [loan_id for (loan_id,) in db.tuples(TO_REPRICE, {"on": on})]


def values(db: Database, code: str) -> Sequence[Row]:
    """Return the values of a reference, newest first; empty: nothing was published."""
    return db.rows(
        "SELECT * FROM reference_values WHERE code = %(code)s"
        " ORDER BY published_on DESC LIMIT %(limit)s",
        {"code": code, "limit": VALUES_MAX},
    )


def repricings(db: Database, loan_id: str) -> Sequence[Row]:
    """Return what a loan took over on its reset dates, oldest first."""
    return db.rows(
        "SELECT * FROM repricings WHERE loan_id = %(loan_id)s ORDER BY effective_on",
        {"loan_id": loan_id},
    )
