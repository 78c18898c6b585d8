"""Which instalments of a stored loan are overdue, and for how long, by what its product tolerates.

It counts days and nothing else: interest and penalties run from the due date whatever is tolerated.
Sources: domain rules 2.1, 2.2, P-47, P-60.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache

from domain.loan.instalments import Instalment
from domain.loan.state import Loan
from domain.loan.terms import ArrearsConditions, Conditions, UnpaidParts
from domain.servicing.arrears import DelinquencyPause, Tolerance, late_from, paused_days


def overdue(rows: Sequence[Instalment], on: date, conditions: Conditions) -> list[Instalment]:
    """Return the rows that are late and short by more than the product tolerates.

    `rows` are all rows of the loan on which something is left, those to come too: a percentage is
    of their principal.
    """
    agreed = conditions.arrears
    if agreed is None or agreed.counted is UnpaidParts.ALL:
        return _late(rows, on, conditions, lambda row: row.unpaid_minor)
    return _late(rows, on, conditions, lambda row: row.unpaid_minor - row.penalty_left_minor)


def overdue_beside_charges(
    rows: Sequence[Instalment], on: date, conditions: Conditions
) -> list[Instalment]:
    """Return the rows whose principal and interest alone make them overdue."""
    return _late(
        rows, on, conditions, lambda row: row.principal_left_minor + row.interest_left_minor
    )


def days_past_due(late: Iterable[Instalment], on: date) -> int:
    """Count days since the oldest overdue due date; 0: nothing is overdue (rule 2.1)."""
    oldest = min((row.due_on for row in late), default=on)
    return (on - oldest).days


def delinquent_days(loan: Loan, late: Iterable[Instalment], on: date) -> int:
    """Count days past due less those of pauses since the oldest due date, and the grace (2.2)."""
    oldest = min((row.due_on for row in late), default=on)
    pauses = [DelinquencyPause(start=x.effective_on, end=x.until_on) for x in loan.count_pauses]
    agreed = loan.conditions.arrears
    grace = 0 if agreed is None else agreed.grace_days
    return max(0, (on - oldest).days - paused_days(pauses, oldest, on) - grace)


def _late(
    rows: Sequence[Instalment],
    on: date,
    conditions: Conditions,
    unpaid_minor: Callable[[Instalment], int],
) -> list[Instalment]:
    tolerated = conditions.arrears_tolerance_minor
    due = [row for row in rows if row.due_on < on and row.met_on is None]
    if due and conditions.arrears is not None:
        tolerance = _tolerance(tolerated, conditions.arrears)
        due = [row for row in due if late_from(row.due_on, tolerance) < on]
        left = sum(row.principal_left_minor for row in rows if row.met_on is None)
        tolerated = tolerance.of(left) if due else tolerated
    return [row for row in due if unpaid_minor(row) > tolerated]


@lru_cache(maxsize=64)
def _tolerance(amount_minor: int, agreed: ArrearsConditions) -> Tolerance:
    return Tolerance(
        amount_minor=amount_minor,
        percent=agreed.tolerance_percent,
        days=agreed.tolerance_days,
        monthly_day=agreed.tolerance_day,
    )
