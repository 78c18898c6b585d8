"""What the close of a business day says about one loan.

Charges on what is overdue, missed instalments, days past due, bucket, cure.
"""

from datetime import date

from domain.calendar import is_month_end
from domain.commands.ending import CloseLoanDay
from domain.context import Context
from domain.decisions.overdue_charges import charge_overdue
from domain.decisions.penalties import charged_by
from domain.events import arrears as e
from domain.events.registry import Event
from domain.loan.arrears import days_past_due, overdue
from domain.loan.booking import standing_on
from domain.loan.evolve import fold
from domain.loan.instalments import Instalment
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Recalculation
from domain.servicing.timeline import Timeline


def _rows_on(loan: Loan, timeline: Timeline, on: date) -> tuple[Instalment, ...]:
    """Show the rows as of a day: what was published, unless time or later facts changed them."""
    planned = loan.conditions.recalculation is Recalculation.NONE
    if planned and loan.conditions.penalty is None and timeline.seen_on(on):
        return loan.rows
    return standing_on(timeline, on).rows


def _charged(loan: Loan, on: date) -> list[Event]:
    """Charge what is overdue; penalties that have run come first, as before whatever happens.

    At a month's end penalties are charged in any case.
    """
    charges = charge_overdue(loan, on)
    if not charges and not is_month_end(on):
        return []
    if penalties := charged_by(loan, on):
        charges = charge_overdue(fold(loan, penalties), on)
    return [*penalties, *charges]


def close_day(loan: Loan, command: CloseLoanDay, context: Context) -> list[Event]:
    """Publish what changed at the end of a business day. Nothing changed: no event.

    Only facts effective on or before the day count, so a late close says what an early one would.
    """
    on = command.effective_on
    if loan.status is not LoanStatus.ACTIVE or loan.timeline is None:
        return []
    charges = _charged(loan, on)
    loan = fold(loan, charges)
    assert loan.timeline is not None, "a charge takes no time line away"
    rows = _rows_on(loan, loan.timeline, on)
    late = overdue(rows, on, loan.conditions)
    events: list[Event] = charges + [
        e.PaymentMissed(effective_on=on, instalment=row.number, unpaid_minor=row.unpaid_minor)
        for row in late
        if row.number not in loan.missed
    ]
    days = days_past_due(late, on)
    if loan.in_arrears and not late:
        events.append(e.ArrearsCured(effective_on=on, days_past_due_before=loan.days_past_due))
    buckets = context.policies.buckets
    before, after = loan.bucket or buckets.at(0), buckets.at(days)
    if before != after:
        events.append(
            e.DelinquencyBucketChanged(
                effective_on=on,
                bucket_set=buckets.name,
                before=before,
                after=after,
                days_past_due=days,
            )
        )
    return events
