"""The decision that lets the delinquent days of a loan stand still; raw days past due run on.

Source: domain rules, 2.2. How they are counted is `domain.loan.arrears`.
"""

from datetime import timedelta

from domain.commands import servicing as c
from domain.context import Context
from domain.decisions.guards import require_reason, require_status, require_value_date
from domain.errors import Rejected
from domain.events.arrears import DelinquencyPaused
from domain.events.registry import Event
from domain.loan.state import Loan, LoanStatus

PAUSE_DAYS_MAX = 366
"""Longer is a typing error, or a new plan."""


def pause_delinquency(loan: Loan, command: c.PauseDelinquency, context: Context) -> list[Event]:
    """Hold the second counter from the day after the value date up to and including a day.

    Raises Rejected: `pause_out_of_range`; `already_paused`, for days are not held twice.
    """
    require_status(loan, (LoanStatus.ACTIVE,))
    require_reason(context)
    start, end = command.effective_on, command.until_on
    require_value_date(loan, start, context)
    if not start < end <= start + timedelta(days=PAUSE_DAYS_MAX):
        detail = f"it ends after its value date, {PAUSE_DAYS_MAX} days later at the latest"
        raise Rejected("pause_out_of_range", detail, "until_on")
    for other in loan.count_pauses:
        if start < other.until_on and other.effective_on < end:
            detail = f"days are held from {other.effective_on} to {other.until_on}"
            raise Rejected("already_paused", detail, "effective_on")
    return [DelinquencyPaused(effective_on=start, until_on=end)]
