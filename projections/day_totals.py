"""Control totals of a closed day, as known last."""

from datetime import date

from projections.ports import Database, Row

DAY_TOTALS = """
SELECT currency, sum(loans)::bigint AS loans, sum(principal_minor)::bigint AS principal_minor,
    sum(overdue_minor)::bigint AS overdue_minor,
    sum(accrued_interest_minor)::bigint AS accrued_interest_minor
FROM (
    SELECT DISTINCT ON (shard, currency, bucket) * FROM portfolio_day
    WHERE business_date = %(on)s AND known_from = (
        SELECT max(p.known_from) FROM portfolio_day p WHERE p.business_date = %(on)s
            AND p.shard = portfolio_day.shard)
    ORDER BY shard, currency, bucket
) AS p
GROUP BY currency ORDER BY currency
"""


def day_totals(db: Database, on: date) -> list[Row]:
    """Return the control totals of a closed day, per currency; empty: not closed.

    Columns: currency, loans, principal_minor, overdue_minor, accrued_interest_minor.
    """
    return db.rows(DAY_TOTALS, {"on": on})
