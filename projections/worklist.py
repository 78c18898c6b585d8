"""Collections queue `worklist`: who is late, how urgent, what to do next, who has the case.

Lateness is that of a closed day; the tiers and their next actions are a strategy given as data.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from domain.errors import Rejected
from projections.loan_day import last_closed
from projections.pages import Page, decode, limited, page_of
from projections.ports import Database, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From so many days past due, or at once from so much overdue, a tier and its next action."""

    tier: str
    from_days: int
    from_overdue_minor: int | None  # None: days alone decide
    next_action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """Graded collection (分级催收): a gentle reminder first, more force later. Mildest first."""

    name: str
    version: int
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        """Refuse steps out of order. Raises ValueError."""
        days = [step.from_days for step in self.steps]
        if not days or days != sorted(days) or days[0] != 1:
            raise ValueError("steps go from 1 day past due upwards")


DEFAULT_STRATEGY: Final = Strategy(
    name="graded",
    version=1,
    steps=(
        Step(tier="reminder", from_days=1, from_overdue_minor=None, next_action="send_reminder"),
        Step(tier="call", from_days=8, from_overdue_minor=200_000, next_action="call"),
        Step(tier="arrange", from_days=30, from_overdue_minor=1_000_000, next_action="arrange"),
        Step(tier="letter", from_days=60, from_overdue_minor=None, next_action="formal_letter"),
        Step(tier="recover", from_days=90, from_overdue_minor=None, next_action="legal_review"),
    ),
)

QUEUE = """
WITH step AS (
    SELECT * FROM unnest(%(tiers)s::text[], %(days)s::int[], %(amounts)s::bigint[],
        %(actions)s::text[]) WITH ORDINALITY AS s (tier, from_days, from_minor, action, rank)
), day AS (
    SELECT DISTINCT ON (loan_id) * FROM loan_day
    WHERE business_date = %(on)s AND loan_id IN (
        SELECT loan_id FROM loan_day WHERE business_date = %(on)s AND days_past_due > 0)
    ORDER BY loan_id, known_from DESC
), queue AS (
    SELECT d.loan_id, s.customer_id, s.currency, d.days_past_due, d.bucket,
        d.overdue_principal_minor + d.overdue_interest_minor + d.overdue_fee_minor
            + d.overdue_penalty_minor AS overdue_minor,
        d.principal_minor, s.grade, s.purpose, s.region, s.last_payment_on, s.last_payment_minor,
        s.next_due_on, c.stream AS case_stream, coalesce(c.open, false) AS case_open, c.opened_on,
        CASE WHEN c.open THEN c.claimed_by END AS claimed_by,
        CASE WHEN c.open THEN c.claimed_at END AS claimed_at, c.version AS case_version
    FROM day d
    JOIN loan_summary s ON s.loan_id = d.loan_id AND s.status = 'active'
    LEFT JOIN cases c ON c.loan_id = d.loan_id
    WHERE d.days_past_due > 0
), tiered AS (
    SELECT q.*, t.tier, t.action AS next_action, t.rank
    FROM queue q CROSS JOIN LATERAL (
        SELECT * FROM step
        WHERE q.days_past_due >= step.from_days OR q.overdue_minor >= step.from_minor
        ORDER BY step.rank DESC LIMIT 1
    ) AS t
)
"""
WORKLIST = f"""{QUEUE}
SELECT * FROM tiered
WHERE (%(tier)s::text IS NULL OR tier = %(tier)s)
    AND (%(bucket)s::text IS NULL OR bucket = %(bucket)s)
    AND (%(region)s::text IS NULL OR region = %(region)s)
    AND (%(claimed)s::text IS NULL OR CASE %(claimed)s WHEN '' THEN claimed_by IS NULL
        ELSE claimed_by = %(claimed)s END)
    AND (%(loan_id)s::text IS NULL OR loan_id = %(loan_id)s)
    AND (rank, days_past_due, overdue_minor, loan_id) < (%(after)s::bigint, %(after_days)s::int,
        %(after_minor)s::bigint, %(after_id)s)
ORDER BY rank DESC, days_past_due DESC, overdue_minor DESC, loan_id DESC
LIMIT %(limit)s
"""
TIERS = f"""{QUEUE}
SELECT tier, next_action, currency, count(*) AS loans, sum(overdue_minor)::bigint AS overdue_minor,
    count(*) FILTER (WHERE case_open) AS cases, count(claimed_by) AS claimed
FROM tiered GROUP BY tier, next_action, rank, currency ORDER BY rank DESC, currency
"""
FIRST: Final = (2**31, 0, 0, "")
FILTERS: Final = ("tier", "bucket", "region", "claimed", "loan_id")


def worklist(
    db: Database,
    *,
    on: date | None = None,
    strategy: Strategy = DEFAULT_STRATEGY,
    filters: dict[str, str] | None = None,
    limit: int = 50,
    cursor: str = "",
) -> Page:
    """List late loans, most urgent first: tier, days past due, overdue amount.

    `on` a closed date; None: the last one (no closed day: an empty page). `filters` by FILTERS;
    `claimed` is an actor's id, or empty for cases that nobody has.
    Raises Rejected: `limit_out_of_range`, `malformed_cursor`, `unknown_filter`.
    """
    day = on or last_closed(db)
    if day is None:
        return Page(rows=[], cursor=None)
    wanted = dict.fromkeys(FILTERS) | (filters or {})
    if len(wanted) > len(FILTERS):
        raise Rejected("unknown_filter", f"one of {', '.join(FILTERS)}", "filters")
    after = decode(cursor, tuple[int, int, int, str]) if cursor else FIRST
    rows = db.rows(WORKLIST, wanted | _steps(strategy) | _after(after, limit) | {"on": day})
    order = ("rank", "days_past_due", "overdue_minor", "loan_id")
    return page_of(rows, limit, lambda row: [row[column] for column in order])


def tiers(
    db: Database, *, on: date | None = None, strategy: Strategy = DEFAULT_STRATEGY
) -> list[Row]:
    """Count the queue by tier and currency, most urgent first; tiers without a loan are left out.

    Columns: tier, next_action, currency, loans, overdue_minor, cases (open), claimed.
    `on` a closed date; None: the last one (no closed day: no row).
    """
    day = on or last_closed(db)
    return [] if day is None else db.rows(TIERS, _steps(strategy) | {"on": day})


def _steps(strategy: Strategy) -> dict[str, object]:
    return {
        "tiers": [step.tier for step in strategy.steps],
        "days": [step.from_days for step in strategy.steps],
        "amounts": [step.from_overdue_minor for step in strategy.steps],
        "actions": [step.next_action for step in strategy.steps],
    }


def _after(after: tuple[int, int, int, str], limit: int) -> dict[str, object]:
    rank, days, minor, loan_id = after
    return {
        "after": rank,
        "after_days": days,
        "after_minor": minor,
        "after_id": loan_id,
        "limit": limited(limit) + 1,
    }


def tier_of(days_past_due: int, overdue_minor: int, strategy: Strategy = DEFAULT_STRATEGY) -> Step:
    """Return the step of a late loan, as the query picks it. Raises ValueError for 0 days."""
    for step in reversed(strategy.steps):
        amount = step.from_overdue_minor
        if days_past_due >= step.from_days or (amount is not None and overdue_minor >= amount):
            return step
    raise ValueError("the loan is not late")


def case(db: Database, loan_id: str) -> Row | None:
    """Return a loan's collection case, open or closed; None: there never was one."""
    return db.row("SELECT * FROM cases WHERE loan_id = %s", [loan_id])
