"""What the engine says about a loan at the end of a day, beside what was published."""

from dataclasses import dataclass
from datetime import date

from domain.decisions.arrears import days_past_due, overdue
from domain.loan.booking import standing
from domain.loan.state import Loan
from domain.servicing.restructuring import interest_owed


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """Amounts in minor units of the loan's currency."""

    days_past_due: int
    principal_minor: int
    overdue_principal_minor: int
    overdue_interest_minor: int
    overdue_fee_minor: int
    overdue_penalty_minor: int
    accrued_interest_minor: int  # owed to the day (算头不算尾; domain rules, 5.6)


def day_figures(loan: Loan, on: date) -> DayFigures:
    """Look at a loan that was paid out, as of a day: later facts do not count."""
    if loan.timeline is None:
        raise ValueError("a loan that was not paid out has no day")
    stood, accrued = loan.timeline.read(
        lambda ledger: (standing(ledger, on), interest_owed(ledger, on)), on
    )
    late = overdue(stood.rows, on, loan.conditions.arrears_tolerance_minor)
    return DayFigures(
        days_past_due=days_past_due(late, on),
        principal_minor=stood.balances.principal_minor,
        overdue_principal_minor=sum(row.principal_left_minor for row in late),
        overdue_interest_minor=sum(row.interest_left_minor for row in late),
        overdue_fee_minor=sum(row.fee_left_minor for row in late),
        overdue_penalty_minor=sum(row.penalty_left_minor for row in late),
        accrued_interest_minor=accrued,
    )
