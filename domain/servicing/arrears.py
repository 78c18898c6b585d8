"""Days past due and delinquent days: two counters, with tolerance, grace and pauses.

Pure functions of what an account shows on a day; the day's close publishes them, nothing rests on
it. Sources: domain rules, 2.1, 2.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext

from domain.calendar import add_months
from domain.money import WIDE_CONTEXT
from domain.servicing.account import Account, Amounts, Instalment

NOTHING = Amounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What may be unpaid without being late: the larger of amount and percentage, or some days.

    `percent` is of the outstanding principal. With a `monthly_day` an instalment is late from that
    day of a month on, the first one on or after its due date. Amounts are minor units.
    """

    amount_minor: int = 0
    percent: Decimal = Decimal(0)
    days: int = 0
    monthly_day: int | None = None

    def of(self, principal_minor: int) -> int:
        """Return what may be unpaid of an instalment, minor units, by the outstanding principal."""
        with localcontext(WIDE_CONTEXT):
            share = principal_minor * self.percent / 100
        return max(self.amount_minor, int(share))


@dataclass(frozen=True, slots=True, kw_only=True)
class DelinquencyPause:
    """The delinquency counter stands still from the day after `start` to `end` inclusive."""

    start: date
    end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrearsRules:
    """How a product counts. Penalty alone keeps no loan delinquent unless the policy says so."""

    tolerance: Tolerance = Tolerance()
    grace_days: int = 0
    penalty_counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrears:
    """Both counters on a day, and what is past due, by component."""

    past_due_days: int = 0  # raw: grace and pauses never touch it
    delinquent_days: int = 0
    oldest_due_on: date | None = None
    delinquent_on: date | None = None
    past_due: Amounts = NOTHING


def arrears(
    account: Account, on: date, rules: ArrearsRules, pauses: Sequence[DelinquencyPause] = ()
) -> Arrears:
    """Count the days of an account as of a day, which must be what the account shows.

    On the due date the count is 0, the next day 1; it falls to 0 when the arrears are paid.
    """
    late = overdue(account, on, rules)
    if not late:
        return Arrears()
    oldest = min(row.due_on for row in late)
    past_due_days = (on - oldest).days
    delinquent = past_due_days - paused_days(pauses, oldest, on) - rules.grace_days
    return Arrears(
        past_due_days=past_due_days,
        delinquent_days=max(0, delinquent),
        oldest_due_on=oldest,
        delinquent_on=oldest + timedelta(days=rules.grace_days),
        past_due=_total([row for row in account.instalments if row.due_on < on]),
    )


def overdue(account: Account, on: date, rules: ArrearsRules) -> list[Instalment]:
    """Return the instalments that are late beyond tolerance (domain rules, 2.1)."""
    tolerated = rules.tolerance.of(account.outstanding.principal)
    return [
        row
        for row in account.instalments
        if late_from(row.due_on, rules.tolerance) < on
        and _unpaid(row, penalty_counts=rules.penalty_counts) > tolerated
    ]


def late_from(due_on: date, tolerance: Tolerance) -> date:
    """Return the day after which an unpaid instalment is late."""
    late = due_on + timedelta(days=tolerance.days)
    if tolerance.monthly_day is None:
        return late
    january = date(late.year, 1, tolerance.monthly_day)  # a month that has every day
    in_month = add_months(january, late.month - 1)
    return in_month if in_month >= late else add_months(january, late.month)


def paused_days(pauses: Sequence[DelinquencyPause], oldest: date, on: date) -> int:
    """Return the days of pauses since the oldest unmet due date, each [start, end) (2.2)."""
    return sum(max(0, (min(pause.end, on) - max(pause.start, oldest)).days) for pause in pauses)


def _unpaid(row: Instalment, *, penalty_counts: bool) -> int:
    settled = row.paid.penalties + row.waived.penalties + row.written_off.penalties
    penalty = row.due.penalties - settled
    return row.outstanding if penalty_counts else row.outstanding - penalty


def _total(rows: Sequence[Instalment]) -> Amounts:
    def unpaid(part: str) -> int:
        return sum(
            getattr(row.due, part)
            - getattr(row.paid, part)
            - getattr(row.waived, part)
            - getattr(row.written_off, part)
            for row in rows
        )

    return Amounts(
        principal=unpaid("principal"),
        interest=unpaid("interest"),
        fees=unpaid("fees"),
        penalties=unpaid("penalties"),
    )
