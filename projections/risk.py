"""Risk monitoring: what the desk asks of the closed days. It reads `loan_day` and writes nothing.

Ratios come as {value, numerator, denominator, n, ...}; a denominator of 0 gives None, never 0 %
(domain rules, section 4). `known` None: as known now; else as known at that position, so that an
answer once given stays (4.2).
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from domain.errors import Rejected
from projections.ports import Database, Row

SEGMENTS: Final = ("grade", "purpose", "region", "channel", "product_code", "currency")
PAR_DAYS: Final = (30, 60, 90)

# Of each loan the row of a day, as known then.
BOOK = """book AS (
    SELECT DISTINCT ON (loan_id) * FROM loan_day
    WHERE business_date = %(on)s AND (%(known)s::bigint IS NULL OR known_from <= %(known)s)
    ORDER BY loan_id, known_from DESC
)"""

BUCKETS = f"""
WITH {BOOK}
SELECT currency, bucket, count(*) AS loans, sum(principal_minor)::bigint AS principal_minor,
    sum(overdue_principal_minor + overdue_interest_minor + overdue_fee_minor
        + overdue_penalty_minor)::bigint AS overdue_minor
FROM book WHERE state = 'on_book'
GROUP BY currency, bucket ORDER BY currency, min(days_past_due)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A figure with what it is made of. `value` None: the denominator is 0."""

    definition: str
    as_of: date
    currency: str | None  # None: a count
    numerator: int  # minor units of the currency, or loans
    denominator: int
    n: int  # loans in the denominator
    segment: str | None = None

    @property
    def value(self) -> Decimal | None:
        """The fraction, six places."""
        if self.denominator == 0:
            return None
        return (Decimal(self.numerator) / self.denominator).quantize(Decimal("0.000001"))


def by_bucket(db: Database, on: date, known: int | None = None) -> list[Row]:
    """Return loans, principal and overdue amount per currency and bucket, mildest first."""
    return db.rows(BUCKETS, {"on": on, "known": known})


PAR = f"""
WITH {BOOK}
SELECT currency, count(*) AS loans, sum(principal_minor)::bigint AS principal_minor,
    {
    ", ".join(
        f"coalesce(sum(principal_minor) FILTER (WHERE days_past_due > {k}), 0)::bigint AS par{k}, "
        f"coalesce(sum(principal_minor) FILTER (WHERE days_past_due > {k} OR restructured), 0)"
        f"::bigint AS par{k}_incl_restructured"
        for k in PAR_DAYS
    )
}
FROM book WHERE state = 'on_book' GROUP BY currency ORDER BY currency
"""


def portfolio_at_risk(db: Database, on: date, known: int | None = None) -> list[Ratio]:
    """Return PAR30, PAR60, PAR90, with and without restructured loans, per currency.

    The full outstanding principal of each late loan, not the late instalment (section 4.1).
    """
    names = [f"par{k}{tail}" for k in PAR_DAYS for tail in ("", "_incl_restructured")]
    return [
        Ratio(
            definition=name,
            as_of=on,
            currency=row["currency"],
            numerator=row[name],
            denominator=row["principal_minor"],
            n=row["loans"],
        )
        for row in db.rows(PAR, {"on": on, "known": known})
        for name in names
    ]


def delinquency(
    db: Database, on: date, *, by: str | None = None, from_days: int = 1, known: int | None = None
) -> list[Ratio]:
    """Return delinquency rates, by count and by balance, of the book or of each segment.

    `by` one of SEGMENTS, None: the whole book. `from_days` the least days past due that count.
    Raises Rejected `unknown_segment`.
    """
    if by is not None and by not in SEGMENTS:
        raise Rejected("unknown_segment", f"one of {', '.join(SEGMENTS)}", "by")
    column = f"s.{by}" if by else "NULL"
    sql = f"""
        WITH {BOOK}
        SELECT b.currency, {column} AS segment, count(*) AS loans,
            count(*) FILTER (WHERE b.days_past_due >= %(from_days)s) AS late_loans,
            sum(b.principal_minor)::bigint AS principal_minor,
            coalesce(sum(b.principal_minor) FILTER (WHERE b.days_past_due >= %(from_days)s), 0)
                ::bigint AS late_principal_minor
        FROM book b JOIN loan_summary s ON s.loan_id = b.loan_id
        WHERE b.state = 'on_book' GROUP BY b.currency, segment ORDER BY b.currency, segment
    """
    ratios: list[Ratio] = []
    for row in db.rows(sql, {"on": on, "known": known, "from_days": from_days}):
        by_count = Ratio(
            definition=f"delinquency_{from_days}_by_count",
            as_of=on,
            currency=None,
            numerator=row["late_loans"],
            denominator=row["loans"],
            n=row["loans"],
            segment=row["segment"],
        )
        by_balance = replace(
            by_count,
            definition=f"delinquency_{from_days}_by_balance",
            currency=row["currency"],
            numerator=row["late_principal_minor"],
            denominator=row["principal_minor"],
        )
        ratios += [by_count, by_balance]
    return ratios


MIGRATION = """
WITH opening AS (
    SELECT DISTINCT ON (loan_id) * FROM loan_day
    WHERE business_date = %(from_on)s AND (%(known)s::bigint IS NULL OR known_from <= %(known)s)
    ORDER BY loan_id, known_from DESC
), closing AS (
    SELECT DISTINCT ON (loan_id) * FROM loan_day
    WHERE business_date = %(until_on)s AND (%(known)s::bigint IS NULL OR known_from <= %(known)s)
    ORDER BY loan_id, known_from DESC
), gone AS (
    SELECT DISTINCT ON (loan_id) loan_id, state FROM loan_day
    WHERE business_date > %(from_on)s AND business_date <= %(until_on)s AND state <> 'on_book'
        AND (%(known)s::bigint IS NULL OR known_from <= %(known)s)
    ORDER BY loan_id, business_date DESC, known_from DESC
)
SELECT o.currency, o.bucket AS from_bucket,
    CASE WHEN c.state = 'on_book' THEN c.bucket ELSE coalesce(g.state, c.state, 'unknown') END
        AS to_state,
    count(*) AS loans, sum(o.principal_minor)::bigint AS principal_minor,
    min(o.days_past_due) AS days_past_due_from
FROM opening o
LEFT JOIN closing c ON c.loan_id = o.loan_id
LEFT JOIN gone g ON g.loan_id = o.loan_id
WHERE o.state = 'on_book'
GROUP BY o.currency, from_bucket, to_state
ORDER BY o.currency, min(min(o.days_past_due)) OVER (PARTITION BY o.currency, o.bucket), to_state
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One cell of the matrix: of the loans in `from_bucket` how many are in `to_state` now."""

    currency: str
    from_bucket: str
    to_state: str  # a bucket, closed_paid, charged_off or returned
    loans: int
    principal_minor: int  # at the opening date
    share_of_loans: Decimal  # of the row; a row's shares sum to 1 but for their 12th place
    share_of_principal: Decimal | None


def migration(
    db: Database, from_on: date, until_on: date, known: int | None = None
) -> list[Migration]:
    """Return the migration matrix between two closed dates (迁徙率), same loans only.

    Loans that were paid out in between are not in it. Raises Rejected `dates_out_of_order`.
    """
    if from_on >= until_on:
        raise Rejected("dates_out_of_order", "the first date lies before the second", "from")
    cells = db.rows(MIGRATION, {"from_on": from_on, "until_on": until_on, "known": known})
    loans: dict[tuple[str, str], int] = {}
    principal: dict[tuple[str, str], int] = {}
    for cell in cells:
        key = (cell["currency"], cell["from_bucket"])
        loans[key] = loans.get(key, 0) + cell["loans"]
        principal[key] = principal.get(key, 0) + cell["principal_minor"]
    return [
        Migration(
            currency=cell["currency"],
            from_bucket=cell["from_bucket"],
            to_state=cell["to_state"],
            loans=cell["loans"],
            principal_minor=cell["principal_minor"],
            share_of_loans=_share(cell["loans"], loans[key]),
            share_of_principal=_share(cell["principal_minor"], principal[key])
            if principal[key]
            else None,
        )
        for cell in cells
        for key in [(cell["currency"], cell["from_bucket"])]
    ]


def _share(part: int, whole: int) -> Decimal:
    return (Decimal(part) / whole).quantize(Decimal("0.000000000001"))


HISTORY = """
SELECT business_date, currency, bucket, loans, principal_minor, overdue_minor,
    accrued_interest_minor, days_past_due_from
FROM (
    SELECT p.*, max(known_from) OVER (PARTITION BY business_date, shard) AS newest
    FROM portfolio_day p
    WHERE business_date BETWEEN %(from_on)s AND %(until_on)s
        AND (%(known)s::bigint IS NULL OR known_from <= %(known)s)
) AS p
WHERE known_from = newest
ORDER BY business_date, currency, days_past_due_from
"""


def history(db: Database, from_on: date, until_on: date, known: int | None = None) -> list[Row]:
    """Return balances and counts by bucket for each closed day of a range, for charts."""
    return db.rows(HISTORY, {"from_on": from_on, "until_on": until_on, "known": known})
