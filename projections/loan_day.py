"""`loan_day`: one row a loan and business day, computed set-based; the close of day calls this.

Everything here is a function of a date and of what the read models know. Days past due are those
of `domain.loan.arrears` (domain rules, 2.1): a test holds them equal on random books. Facts of
later value dates are taken back out, so a late close says what an early one would have said.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Final

from domain.calendar import is_month_end
from domain.loan.day import DayFigures
from domain.policies import BucketSet
from projections.day_lines import COVERED, SAID
from projections.overdue_turns import CHARGED_TODAY
from projections.ports import Database, Row
from projections.tolerance import OVERDUE
from projections.transactions import CREDITS

ON_BOOK: Final = "on_book"
SORT_MEMORY: Final = "128MB"
"""Of one sort or hash table while a day is computed; the server's own default spills to disk."""

_ROW = """
    SELECT i.loan_id, i.number, i.version, i.from_on, i.due_on, i.seen_until,
        i.interest_minor AS asked,
        i.principal_minor - i.principal_paid_minor AS principal,
        i.interest_minor - i.interest_paid_minor - i.interest_waived_minor AS interest,
        i.fee_minor - i.fee_paid_minor - i.fee_waived_minor AS fee,
        i.penalty_minor - i.penalty_paid_minor - i.penalty_waived_minor AS penalty
    FROM instalments i
    WHERE i.valid_from <= %(on)s AND i.valid_to > %(on)s
        AND (i.met_on IS NULL OR i.met_on > %(on)s)"""

_EVER_OVERDUE = "i.valid_to > i.due_on AND (i.met_on IS NULL OR i.met_on > i.due_on)"

# What was due before the date and not met by it, rows as they stood on the date. The last line
# follows from the others: it names the index of rows that were ever overdue.
_DUE = f"""{_ROW}
        AND i.due_on < %(on)s AND {_EVER_OVERDUE}"""

# The row whose period runs on the date. The longest period of all bounds the search by due date.
_RUNNING = f"""{_ROW}
        AND i.from_on < %(on)s AND i.due_on >= %(on)s
        AND i.due_on <= %(on)s + (SELECT coalesce(max(longest_period_days), 0)::int
            FROM loan_summary)"""

_UNMET = f"""
-- A restatement's rows take in facts of later value dates, known by then: they are taken out.
taken_in AS (
    SELECT r.loan_id, r.number,
        sum(coalesce(l.principal_minor, 0)) AS principal,
        sum(CASE t.component WHEN 'interest' THEN t.interest_minor
            ELSE coalesce(l.interest_minor, 0) END) AS interest,
        sum(CASE t.kind WHEN 'waiver' THEN t.fee_minor WHEN 'charge' THEN -t.fee_minor
            WHEN 'charge_reversal' THEN t.fee_minor
            ELSE coalesce(l.fee_minor, 0) END) AS fee,
        sum(CASE t.kind WHEN 'waiver' THEN t.penalty_minor WHEN 'charge' THEN -t.penalty_minor
            WHEN 'charge_reversal' THEN t.penalty_minor
            ELSE coalesce(l.penalty_minor, 0) END) AS penalty
    FROM stood r
    JOIN transactions t ON t.loan_id = r.loan_id AND t.effective_on > %(on)s
        AND t.effective_on <= r.seen_until AND t.version <= r.version
        AND t.superseded_position IS NULL
        AND t.kind IN {(*CREDITS, "charge", "charge_reversal", "waiver")}
    LEFT JOIN LATERAL jsonb_to_recordset(t.lines) AS l (
        instalment bigint, principal_minor bigint, interest_minor bigint,
        fee_minor bigint, penalty_minor bigint
    ) ON l.instalment = r.number
    WHERE r.seen_until > %(on)s AND coalesce(l.instalment, t.instalment) = r.number
    GROUP BY r.loan_id, r.number
),
unmet AS MATERIALIZED (
    SELECT r.loan_id, r.number, r.from_on, r.due_on, r.asked,
        (r.principal + coalesce(x.principal, 0))::bigint AS principal,
        (r.interest + coalesce(x.interest, 0))::bigint AS interest,
        (r.fee + coalesce(x.fee, 0))::bigint AS fee,
        (r.penalty + coalesce(x.penalty, 0))::bigint AS penalty
    FROM stood r LEFT JOIN taken_in x ON x.loan_id = r.loan_id AND x.number = r.number
),
arrears AS MATERIALIZED (
    SELECT u.loan_id, (%(on)s::date - min(u.due_on)) AS days, array_agg(u.number) AS numbers,
        sum(u.principal)::bigint AS principal, sum(u.interest)::bigint AS interest,
        sum(u.fee)::bigint AS fee, sum(u.penalty)::bigint AS penalty
    FROM unmet u JOIN loan_summary s ON s.loan_id = u.loan_id
    WHERE {OVERDUE}
    GROUP BY u.loan_id
)
"""

# A bucket set begins at 0 days and leaves no gap, so the last edge that is reached names it.
_BUCKET = "(%(names)s::text[])[width_bucket(coalesce({}a.days, 0), %(edges)s::integer[])]"
_FIRST_BUCKET = "(%(names)s::text[])[1]"

_DAY = f"""
stood AS MATERIALIZED (
    SELECT * FROM ({_DUE}
        UNION ALL {_RUNNING} AND {_EVER_OVERDUE}
        UNION ALL {_RUNNING} AND NOT ({_EVER_OVERDUE})
    ) AS r -- Where the engine says the figures of all loans, no row is looked at.
    WHERE (SELECT EXISTS (SELECT FROM loan_summary WHERE NOT recalculates))
),
{_UNMET},
-- Interest owed to the date (算头不算尾, domain rules 5.6): of rows due by then what is open, of
-- the running one what its days have earned, half up, and was not paid.
accrued AS (
    SELECT u.loan_id, sum(CASE WHEN u.due_on <= %(on)s THEN u.interest ELSE greatest(0, u.interest
        - u.asked + round(u.asked::numeric * (%(on)s - u.from_on) / (u.due_on - u.from_on))
        ) END)::bigint AS interest
    FROM unmet u GROUP BY u.loan_id
),
later AS (
    SELECT t.loan_id, sum(CASE t.kind WHEN 'restructuring' THEN -t.principal_minor
        ELSE t.principal_minor END)::bigint AS principal
    FROM transactions t
    WHERE t.effective_on > %(on)s AND t.superseded_position IS NULL
        AND t.kind IN {(*CREDITS, "restructuring")}
    GROUP BY t.loan_id
),
book AS (
    SELECT s.loan_id, s.shard, s.currency, s.recalculates,
        s.principal_minor + coalesce(l.principal, 0) AS principal,
        coalesce(s.restructured_on <= %(on)s, false) AS restructured
    FROM loan_summary s LEFT JOIN later l ON l.loan_id = s.loan_id
    WHERE s.disbursed_on <= %(on)s AND (s.left_on IS NULL OR s.left_on > %(on)s)
),
-- What the engine says of loans whose interest follows what is paid, today or by an earlier line:
-- rows as published do not say it.
told_today AS (
    SELECT * FROM jsonb_to_recordset(%(told)s::jsonb) AS e (loan_id text, days_past_due integer,
        principal_minor bigint, overdue_principal_minor bigint, overdue_interest_minor bigint,
        overdue_fee_minor bigint, overdue_penalty_minor bigint, accrued_interest_minor bigint)
),
told AS (
    SELECT * FROM told_today
    UNION ALL
    SELECT * FROM ({SAID}) AS said
    WHERE NOT EXISTS (SELECT FROM told_today t WHERE t.loan_id = said.loan_id)
),
day AS (
    SELECT b.loan_id, b.shard, '{ON_BOOK}' AS state, b.currency,
        {_BUCKET.format("e.days_past_due, ")} AS bucket,
        coalesce(e.days_past_due, a.days, 0) AS days_past_due,
        coalesce(e.principal_minor, b.principal) AS principal_minor,
        coalesce(e.overdue_principal_minor, a.principal, 0) AS overdue_principal_minor,
        coalesce(e.overdue_interest_minor, a.interest, 0) AS overdue_interest_minor,
        coalesce(e.overdue_fee_minor, a.fee, 0) AS overdue_fee_minor,
        coalesce(e.overdue_penalty_minor, a.penalty, 0) AS overdue_penalty_minor,
        coalesce(e.accrued_interest_minor, o.interest, 0) AS accrued_interest_minor,
        b.restructured
    FROM book b
    LEFT JOIN told e ON e.loan_id = b.loan_id
    LEFT JOIN arrears a ON a.loan_id = b.loan_id
    LEFT JOIN accrued o ON o.loan_id = b.loan_id
    -- A loan that moved on after the engine was asked gets its row when it was asked again.
    WHERE e.loan_id IS NOT NULL OR NOT b.recalculates
)
"""

_COLUMNS = """loan_id, shard, state, currency, bucket, days_past_due, principal_minor,
    overdue_principal_minor, overdue_interest_minor, overdue_fee_minor, overdue_penalty_minor,
    accrued_interest_minor, restructured"""

FILL_DAY = f"""
WITH {_DAY},
-- Who was on the book at the close before and is not any more leaves a last row.
gone AS (
    SELECT s.loan_id, s.shard,
        CASE s.left_on WHEN s.charged_off_on THEN 'charged_off'
            WHEN s.returned_on THEN 'returned' ELSE 'closed_paid' END AS state,
        s.currency, {_FIRST_BUCKET} AS bucket,
        0 AS days_past_due, 0::bigint AS principal_minor, 0::bigint AS overdue_principal_minor,
        0::bigint AS overdue_interest_minor, 0::bigint AS overdue_fee_minor,
        0::bigint AS overdue_penalty_minor, 0::bigint AS accrued_interest_minor,
        s.restructured_on IS NOT NULL AS restructured
    FROM loan_summary s
    WHERE s.left_on <= %(on)s AND s.disbursed_on < s.left_on
        AND (s.left_on > %(before)s::date OR s.loan_id IN (
            SELECT loan_id FROM loan_day
            WHERE business_date = %(before)s::date AND state = 'on_book'))
),
known AS (
    SELECT DISTINCT ON (d.loan_id) d.* FROM loan_day d WHERE d.business_date = %(on)s
    ORDER BY d.loan_id, d.known_from DESC
),
said AS (
    SELECT {_COLUMNS} FROM day UNION ALL SELECT {_COLUMNS} FROM gone
)
INSERT INTO loan_day (business_date, known_from, bucket_set, {_COLUMNS})
SELECT %(on)s, %(known)s, %(bucket_set)s, s.*
FROM said s LEFT JOIN known k ON k.loan_id = s.loan_id
WHERE (%(only)s::text[] IS NULL OR s.loan_id = ANY (%(only)s::text[])) AND (k.loan_id IS NULL
    OR (s.state, s.bucket, s.days_past_due, s.principal_minor, s.overdue_principal_minor,
        s.overdue_interest_minor, s.overdue_fee_minor, s.overdue_penalty_minor,
        s.accrued_interest_minor, s.restructured)
    <> (k.state, k.bucket, k.days_past_due, k.principal_minor, k.overdue_principal_minor,
        k.overdue_interest_minor, k.overdue_fee_minor, k.overdue_penalty_minor,
        k.accrued_interest_minor, k.restructured))
ORDER BY s.loan_id
ON CONFLICT (business_date, loan_id, known_from) DO NOTHING
"""

# Where nothing was restated since, nearly always, there is one row a loan and nothing to sort.
_RESTATED = """
SELECT min(known_from) < max(known_from) AS restated FROM loan_day WHERE business_date = %(on)s
"""
_LAST_KNOWN = """(
    SELECT DISTINCT ON (loan_id) * FROM loan_day WHERE business_date = %(on)s
    ORDER BY loan_id, known_from DESC
)"""
_ONLY_KNOWN = "(SELECT * FROM loan_day WHERE business_date = %(on)s)"


def last_known(db: Database, on: date) -> str:
    """Return SQL for the rows of a day as known last: `FROM {...} AS d`, with `on` bound."""
    row = db.row(_RESTATED, {"on": on})
    return _LAST_KNOWN if row and row["restated"] else _ONLY_KNOWN


_FILL_PORTFOLIO = """
INSERT INTO portfolio_day (business_date, shard, currency, bucket_set, bucket, known_from, loans,
    principal_minor, overdue_minor, accrued_interest_minor, days_past_due_from)
SELECT %(on)s, d.shard, d.currency, d.bucket_set, d.bucket, %(known)s, count(*),
    sum(d.principal_minor), sum(d.overdue_principal_minor + d.overdue_interest_minor
        + d.overdue_fee_minor + d.overdue_penalty_minor), sum(d.accrued_interest_minor),
    min(d.days_past_due)
FROM {rows} AS d
WHERE d.state = 'on_book'
GROUP BY d.shard, d.currency, d.bucket_set, d.bucket
ON CONFLICT DO NOTHING
"""

SOMETHING_TO_DO = f"""
WITH stood AS MATERIALIZED ({_DUE}
),
{_UNMET}
SELECT s.loan_id
FROM loan_summary s
LEFT JOIN arrears a ON a.loan_id = s.loan_id
WHERE s.status = 'active' AND s.disbursed_on <= %(on)s
    AND (a.loan_id IS NOT NULL OR s.in_arrears OR s.days_past_due > 0 OR s.misused_on IS NOT NULL)
    AND (NOT a.numbers <@ s.missed
        OR (s.bears_penalties AND %(month_end)s)
        OR {CHARGED_TODAY}
        OR (s.in_arrears AND a.loan_id IS NULL)
        OR coalesce(s.bucket, {_FIRST_BUCKET}) <> {_BUCKET.format("")})
ORDER BY s.loan_id
"""


_UNTOLD = f"""
SELECT s.loan_id, s.version FROM loan_summary s
WHERE s.recalculates AND s.disbursed_on <= %(on)s AND (s.left_on IS NULL OR s.left_on > %(on)s)
    AND NOT {COVERED}
ORDER BY s.loan_id
"""


_REACHED = """
SELECT (SELECT coalesce(max(position), 0) FROM feed_positions) AS position,
    (SELECT max(business_date) FROM portfolio_day WHERE business_date < %s) AS before
"""
Told = Mapping[str, DayFigures]
Names = Collection[str]


def parameters(on: date, buckets: BucketSet) -> dict[str, object]:
    """Return what the statements of a day ask for: the date, and the bucket set as data."""
    return {
        "on": on,
        "bucket_set": buckets.name,
        "names": [bucket.name for bucket in buckets.buckets],
        "edges": [bucket.from_days for bucket in buckets.buckets],
        "month_end": is_month_end(on),
    }


def loans_with_something_to_do(db: Database, on: date, buckets: BucketSet) -> list[str]:
    """Find the loans whose close of `on` would publish something.

    Newly overdue instalments, another bucket than published, cured arrears, or a turn of a charge.
    """
    _take_room(db)
    rows = db.tuples(SOMETHING_TO_DO, parameters(on, buckets))
    return [loan_id for (loan_id,) in rows]


def recalculated_loans(db: Database, on: date) -> dict[str, int]:
    """Find the loans on the book of a day whose figures only the engine can say: their versions.

    Left out are those of which it said them before, for all days until something happens.
    """
    return dict(db.tuples(_UNTOLD, {"on": on}))


def fill_day(
    db: Database, on: date, buckets: BucketSet, told: Told | None = None, only: Names | None = None
) -> int:
    """Write the rows of a business day; return how many.

    `told`: figures of the engine by loan; of other loans they are computed from the rows that were
    published. `only`: rows of these loans alone. Idempotent: a second call adds only rows that say
    something new, known from the position that the read models have reached by now.
    """
    _take_room(db)
    _ensure_month(db, on)
    reached = db.row(_REACHED, [on])
    assert reached is not None
    figures = [{"loan_id": loan_id, **asdict(said)} for loan_id, said in (told or {}).items()]
    wanted = parameters(on, buckets) | {
        "told": json.dumps(figures),
        "known": reached["position"],
        "only": None if only is None else list(only),
        "before": reached["before"] or date.min,
    }
    rows = db.execute(FILL_DAY, wanted)
    db.execute(_FILL_PORTFOLIO.format(rows=last_known(db, on)), wanted)
    return rows


def _take_room(db: Database) -> None:
    """Let the rest of the transaction sort in memory."""
    db.execute("SELECT set_config('work_mem', %s, true)", [SORT_MEMORY])


def _ensure_month(db: Database, on: date) -> None:
    """Make the partition of a month; making it locks readers out for a moment, once a month."""
    # Beside its parent, whatever the search path: a partition in a generation would go with it.
    parent = db.row(
        "SELECT relnamespace::regnamespace::text AS schema FROM pg_class"
        " WHERE oid = 'loan_day'::regclass"
    )
    assert parent is not None
    name = f"{parent['schema']}.loan_day_{on:%Y%m}"
    if db.row("SELECT 1 WHERE to_regclass(%s) IS NOT NULL", [name]) is None:
        begin = on.replace(day=1)
        end = date(on.year + on.month // 12, on.month % 12 + 1, 1)
        db.script(
            f"CREATE TABLE {name} PARTITION OF loan_day"
            f" FOR VALUES FROM ('{begin.isoformat()}') TO ('{end.isoformat()}')"
        )


_ACCRUED = """
SELECT s.product_code, d.currency, sum(d.accrued_interest_minor)::bigint AS amount_minor
FROM {rows} AS d
JOIN loan_summary s ON s.loan_id = d.loan_id
WHERE d.state = 'on_book' AND (s.non_accrual_on IS NULL OR s.non_accrual_on > %(on)s)
GROUP BY s.product_code, d.currency
"""


def accrued_interest(db: Database, on: date) -> dict[tuple[str, str], int]:
    """Return interest owed up to a closed day and accrued as income, by (product, currency)."""
    rows = db.rows(_ACCRUED.format(rows=last_known(db, on)), {"on": on})
    return {(row["product_code"], row["currency"]): row["amount_minor"] for row in rows}


def last_closed(db: Database) -> date | None:
    """Return the last business date that has rows; None: no day was closed."""
    row = db.row("SELECT max(business_date) AS day FROM portfolio_day")
    return row["day"] if row else None


LOAN_DAYS = """
SELECT DISTINCT ON (business_date) * FROM loan_day
WHERE loan_id = %(loan_id)s AND business_date BETWEEN %(from_on)s AND %(until_on)s
    AND (%(known)s::bigint IS NULL OR known_from <= %(known)s)
ORDER BY business_date, known_from DESC
"""


def loan_days(
    db: Database, loan_id: str, *, from_on: date, until_on: date, known: int | None = None
) -> Sequence[Row]:
    """Return a loan's days in order; `known` None: as known now, else as known at a position."""
    return db.rows(
        LOAN_DAYS, {"loan_id": loan_id, "from_on": from_on, "until_on": until_on, "known": known}
    )
