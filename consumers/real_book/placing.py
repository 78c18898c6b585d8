"""Places a published loan in time: its issue day and how many instalments it has met (rule 2)."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType

from consumers.real_book.dataset import PublishedLoan, PublishedStatus
from consumers.real_book.snapshot import SNAPSHOT_ON
from domain.calendar import add_months
from domain.loan.instalments import Instalment

DAYS_PAST_DUE: Mapping[PublishedStatus, tuple[int, int]] = MappingProxyType(
    {
        PublishedStatus.CURRENT: (-31, -1),  # what is due on the snapshot date itself is paid
        PublishedStatus.IN_GRACE: (1, 15),
        PublishedStatus.LATE_16: (16, 30),
        PublishedStatus.LATE_31: (31, 120),
        PublishedStatus.CHARGED_OFF: (1, 120),
    }
)
"""The publisher's words as days past due on the snapshot date, both ends included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """When the loan was paid out, and how many instalments were met by the snapshot date."""

    issued_on: date
    met: int
    off_by_days: int = 0  # how far the days past due are from what the status says; 0: they fit


def place(loan: PublishedLoan, plan: Sequence[Instalment]) -> Placing:
    """Choose issue day and instalments met. Only the amounts of `plan` are looked at."""
    if loan.status is PublishedStatus.FULLY_PAID:
        days = monthrange(loan.issue_month.year, loan.issue_month.month)[1]
        return Placing(issued_on=_deal(loan, range(1, days + 1)), met=0)
    best = min(
        (_misfit(loan.status, loan.issue_month, met)[0], -met)
        for met in range(_months_until_snapshot(loan.issue_month) + 1)
        if covers(loan, plan, met)
    )
    misfit, met = best[0], -best[1]
    days_that_fit = _misfit(loan.status, loan.issue_month, met)[1]
    return Placing(issued_on=_deal(loan, days_that_fit), met=met, off_by_days=misfit)


def covers(loan: PublishedLoan, plan: Sequence[Instalment], met: int) -> bool:
    """Tell whether the paid totals meet so many instalments: all principal, or 9/10 of all."""
    principal = sum(row.principal_minor for row in plan[:met])
    interest = sum(row.interest_minor for row in plan[:met])
    paid = loan.paid_principal_minor + loan.paid_interest_minor
    return loan.paid_principal_minor >= principal or 10 * paid >= 9 * (principal + interest)


@cache
def _misfit(status: PublishedStatus, month: date, met: int) -> tuple[int, tuple[int, ...]]:
    """Return by how many days a number of instalments misses the status, and the days that do so.

    A payment lies on its due date, so no day may put the last one after the snapshot date.
    """
    by_day: dict[int, int] = {}
    for day in range(1, monthrange(month.year, month.month)[1] + 1):
        issued_on = month.replace(day=day)
        if add_months(issued_on, met) <= SNAPSHOT_ON:
            late = (SNAPSHOT_ON - add_months(issued_on, met + 1)).days
            low, high = DAYS_PAST_DUE[status]
            by_day[day] = max(0, low - late, late - high)
    least = min(by_day.values())
    return least, tuple(day for day, misfit in by_day.items() if misfit == least)


def _months_until_snapshot(month: date) -> int:
    return (SNAPSHOT_ON.year - month.year) * 12 + SNAPSHOT_ON.month - month.month


def _deal(loan: PublishedLoan, days: Sequence[int]) -> date:
    return loan.issue_month + timedelta(days=days[loan.row % len(days)] - 1)
