"""Decisions that change the terms of a loan in service (domain rules, 9.9 S-02 to S-05, S-07).

Each tells one fact; the engine says what it does to the schedule.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from domain.calendar import HolidayCalendar, add_months, closed_among
from domain.commands import changes as c
from domain.context import Context
from domain.decisions.agreeing import GIVEN
from domain.decisions.down_payments import require_instalment
from domain.decisions.guards import (
    require_contract,
    require_last,
    require_new_fact,
    require_reason,
    require_status,
    require_value_date,
)
from domain.decisions.plans import (
    rate_of,
    require_fixed_rate,
    require_no_observed_split,
    require_rate,
)
from domain.decisions.results import followed
from domain.errors import Rejected
from domain.events import changes as e
from domain.events.registry import Event
from domain.loan.down_payment import down_payments_in
from domain.loan.instalments import Instalment
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import RepaymentMethod
from domain.servicing.changes import due_dates_after, interest_is_fixed
from domain.servicing.dates import continued, keeping_due_day
from domain.servicing.grace import require_grace
from domain.servicing.timeline import Timeline

Change = (
    c.ChangeRate | c.PauseInterest | c.ExtendTerm | c.MoveDueDate | c.DeferPayments | c.GrantGrace
)

MOVED_DAYS_MAX = 366
"""An instalment moves by no more than a year: farther is a typing error, or a restructuring."""

DEFERRED_MONTHS_MAX = 12


def change_terms(loan: Loan, command: Change, context: Context) -> list[Event]:
    """Change a loan's terms; a change that is dated back restates what came after it."""
    require_status(loan, (LoanStatus.ACTIVE,))
    require_contract(loan)
    require_reason(context)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.change_id, "change_id")
    require_no_observed_split(timeline)
    _require_later_than_plan(loan, command)
    if isinstance(command, c.ChangeRate | c.PauseInterest | c.GrantGrace):
        _require_interest_runs(timeline, command.effective_on)
    if isinstance(command, c.MoveDueDate | c.DeferPayments | c.GrantGrace):
        require_last(timeline, command.effective_on)
    told = _TOLD[type(command)](loan, command)
    if context.calendar is not None:
        told = _on_working_days(loan, timeline, told, context.calendar)
    return [told, *followed(loan, timeline, told, command.change_id)]


def _on_working_days(
    loan: Loan, timeline: Timeline, told: Event, calendar: HolidayCalendar
) -> Event:
    """Say which closed days the due dates that a change makes meet; they are moved off these."""
    match told:
        case e.TermExtended() | e.GraceGranted():
            on = told.effective_on
            count = told.instalments if isinstance(told, e.TermExtended) else told.principal
            planned = timeline.read(lambda ledger: due_dates_after(ledger, count), on)
        case e.DueDateMoved() | e.PaymentDeferred():
            steps = range(1, len(loan.rows) - told.instalment + 1)
            planned = [continued(timeline.terms, told.due_on, k) for k in steps]
        case _:
            return told
    return replace(told, closed_days=closed_among(planned, calendar))


def _require_later_than_plan(loan: Loan, command: Change) -> None:
    """Refuse a change on the day of a new plan: it would come before the plan, which is agreed."""
    if loan.replanned_on and command.effective_on <= loan.replanned_on:
        raise Rejected(
            "before_restructuring",
            f"the loan was planned anew on {loan.replanned_on}; terms change after that day",
            "effective_on",
        )


def _require_interest_runs(timeline: Timeline, on: date) -> None:
    """Refuse what would change nothing: the interest was fixed when the loan was planned anew."""
    if timeline.read(lambda ledger: interest_is_fixed(ledger, on), on):
        raise Rejected("interest_is_fixed", "interest was fixed when the loan was planned anew")


def _rate(loan: Loan, command: c.ChangeRate) -> Event:
    require_fixed_rate(loan)
    require_rate(loan.conditions, command.rate_annual)
    return e.RateChanged(
        effective_on=command.effective_on,
        change_id=command.change_id,
        rate_annual=command.rate_annual,
        rate_annual_before=rate_of(loan, command.effective_on),
    )


def _pause(loan: Loan, command: c.PauseInterest) -> Event:
    last_due_on = loan.rows[-1].due_on
    if not command.effective_on <= command.until_on <= last_due_on:
        detail = f"a pause ends between its first day and {last_due_on}"
        raise Rejected("pause_out_of_range", detail, "until_on")
    return e.InterestPaused(
        effective_on=command.effective_on,
        change_id=command.change_id,
        until_on=command.until_on,
    )


def _extend(loan: Loan, command: c.ExtendTerm) -> Event:
    if loan.conditions.method is RepaymentMethod.BULLET:
        detail = "a bullet has one instalment: move its due date, or restructure the loan"
        raise Rejected("one_instalment", detail, "instalments")
    if loan.conditions.method in GIVEN and loan.replanned_on is None:
        raise Rejected("instalments_given", "they were agreed: restructure the loan", "instalments")
    most = loan.conditions.instalments_max - _instalments(loan)
    if not 1 <= command.instalments <= most:
        detail = f"the product allows {loan.conditions.instalments_max} instalments in all"
        raise Rejected("too_many_instalments", detail, "instalments")
    if command.effective_on >= loan.rows[-1].due_on:
        raise Rejected("after_maturity", "the loan has matured; restructure it", "effective_on")
    return e.TermExtended(
        effective_on=command.effective_on,
        change_id=command.change_id,
        instalments=command.instalments,
    )


def _instalments(loan: Loan) -> int:
    """Count the instalments; down payments are beside them (domain rules, P-51)."""
    return len(loan.rows) - len(down_payments_in(loan.timeline))


def _move(loan: Loan, command: c.MoveDueDate) -> Event:
    row = _still_to_come(loan, command)
    if not max(row.from_on, command.effective_on) < command.due_on:
        raise Rejected(
            "due_date_out_of_order",
            f"it must be after {row.from_on} and after the value date",
            "due_on",
        )
    if command.due_on > row.due_on + timedelta(days=MOVED_DAYS_MAX):
        raise Rejected("due_date_too_late", f"at most {MOVED_DAYS_MAX} days later", "due_on")
    if command.due_on == row.due_on:
        raise Rejected("unchanged", "the instalment is due on that day already", "due_on")
    return e.DueDateMoved(
        effective_on=command.effective_on,
        change_id=command.change_id,
        instalment=row.number,
        due_on_before=row.due_on,
        due_on=command.due_on,
    )


def _still_to_come(loan: Loan, command: c.MoveDueDate) -> Instalment:
    """Return the instalment; what is past due stays so, and what is met is done with."""
    if not 1 <= command.instalment <= len(loan.rows):
        raise Rejected(
            "unknown_instalment", f"the loan has {len(loan.rows)} instalments", "instalment"
        )
    row = loan.rows[command.instalment - 1]
    require_instalment(loan, row.number)
    if row.met_on is not None:
        raise Rejected("instalment_met", f"it was met on {row.met_on}", "instalment")
    if row.due_on < command.effective_on:
        raise Rejected("instalment_past_due", f"it fell due on {row.due_on}", "instalment")
    return row


def _defer(loan: Loan, command: c.DeferPayments) -> Event:
    if not 1 <= command.months <= DEFERRED_MONTHS_MAX:
        raise Rejected("deferral_out_of_range", f"1..{DEFERRED_MONTHS_MAX} months", "months")
    assert loan.timeline is not None, "a loan in service has a time line"
    row = _to_come(loan, command.effective_on)[0]
    return e.PaymentDeferred(
        effective_on=command.effective_on,
        change_id=command.change_id,
        instalment=row.number,
        months=command.months,
        due_on_before=row.due_on,
        due_on=keeping_due_day(
            loan.timeline.terms, row.due_on, add_months(row.due_on, command.months)
        ),
    )


def _to_come(loan: Loan, on: date) -> list[Instalment]:
    """Return the open instalments that are not past due, at least one."""
    at_once = down_payments_in(loan.timeline)
    rows = [
        row
        for row in loan.rows
        if row.met_on is None and row.due_on >= on and row.number not in at_once
    ]
    if not rows:
        raise Rejected("after_maturity", "the loan has matured; restructure it", "effective_on")
    return rows


def _grace(loan: Loan, command: c.GrantGrace) -> Event:
    conditions = loan.conditions
    assert loan.timeline is not None, "a loan in service has a time line"
    require_grace(loan.timeline.terms, command.interest)
    to_come = _to_come(loan, command.effective_on)
    most = conditions.instalments_max - _instalments(loan)
    if command.principal < 0 or command.interest < 0 or not command.principal + command.interest:
        raise Rejected("no_grace", "how many instalments are under the grace?", "principal")
    if command.principal > most:
        detail = f"the product allows {conditions.instalments_max} instalments in all"
        raise Rejected("too_many_instalments", detail, "principal")
    if command.interest >= len(to_come) + command.principal:
        raise Rejected("grace_too_long", "an instalment must collect the interest", "interest")
    return e.GraceGranted(
        effective_on=command.effective_on,
        change_id=command.change_id,
        instalment=to_come[0].number,
        due_on=to_come[0].due_on,
        principal=command.principal,
        interest=command.interest,
    )


_TOLD: dict[type[Change], Callable[[Loan, Any], Event]] = {
    c.ChangeRate: _rate,
    c.PauseInterest: _pause,
    c.ExtendTerm: _extend,
    c.MoveDueDate: _move,
    c.DeferPayments: _defer,
    c.GrantGrace: _grace,
}
