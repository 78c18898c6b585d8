"""Decisions that change the terms of a loan in service (domain rules, 9.9 S-04, S-05, S-07).

Each tells one fact; the engine says what it does to the schedule.
"""

from collections.abc import Callable
from typing import Any

from domain.commands import changes as c
from domain.context import Context
from domain.decisions.guards import (
    require_new_fact,
    require_reason,
    require_status,
    require_value_date,
)
from domain.decisions.plans import rate_of, require_no_observed_split
from domain.decisions.results import followed
from domain.errors import Rejected
from domain.events import changes as e
from domain.events.registry import Event
from domain.loan.state import Loan, LoanStatus
from domain.servicing.changes import interest_is_fixed
from domain.servicing.timeline import Timeline

Change = c.ChangeRate | c.PauseInterest | c.ExtendTerm


def change_terms(loan: Loan, command: Change, context: Context) -> list[Event]:
    """Change a loan's terms; a change that is dated back restates what came after it."""
    require_status(loan, (LoanStatus.ACTIVE,))
    require_reason(context)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.change_id, "change_id")
    require_no_observed_split(timeline)
    if isinstance(command, c.ChangeRate | c.PauseInterest):
        _require_interest_runs(timeline, command)
    told = _TOLD[type(command)](loan, command)
    return [told, *followed(loan, timeline, told, command.change_id)]


def _require_interest_runs(timeline: Timeline, command: c.ChangeRate | c.PauseInterest) -> None:
    """Refuse what would change nothing: the interest was fixed when the loan was planned anew."""
    on = command.effective_on
    if timeline.read(lambda ledger: interest_is_fixed(ledger, on), on):
        raise Rejected("interest_is_fixed", "interest was fixed when the loan was planned anew")


def _rate(loan: Loan, command: c.ChangeRate) -> Event:
    if not 0 <= command.rate_annual <= loan.conditions.rate_annual_max:
        detail = f"the product allows up to {loan.conditions.rate_annual_max} a year"
        raise Rejected("rate_outside_product", detail, "rate_annual")
    return e.RateChanged(
        effective_on=command.effective_on,
        change_id=command.change_id,
        rate_annual=command.rate_annual,
        rate_annual_before=rate_of(loan),
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
    most = loan.conditions.instalments_max - len(loan.rows)
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


_TOLD: dict[type[Change], Callable[[Loan, Any], Event]] = {
    c.ChangeRate: _rate,
    c.PauseInterest: _pause,
    c.ExtendTerm: _extend,
}
