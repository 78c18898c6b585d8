"""Decisions that take back a re-ageing, a re-amortisation or a termination, while nothing followed.

The loan stands as if it had never been; both events stay visible. Sources: domain rules 9.9 S-09,
S-12, S-24: only if it is the latest transaction.
"""

from dataclasses import replace
from datetime import date

from domain.commands import undoing as c
from domain.context import Context
from domain.decisions.guards import require_reason, require_reversal_date, require_status
from domain.decisions.plans import waived_interest
from domain.decisions.results import owed_again, recorded, results_of
from domain.errors import Rejected
from domain.events import undoing as e
from domain.events.registry import Event
from domain.loan.facts import TERMINATION_ID, fact_of
from domain.loan.state import Loan, LoanStatus
from domain.servicing.facts import Fact, ReAged, ReAmortised, Restructured, Terminated
from domain.servicing.timeline import Timeline


def reverse_re_ageing(loan: Loan, command: c.ReverseReAgeing, context: Context) -> list[Event]:
    """Take a re-ageing back: instalments fall due as before, and it counts for no guard."""
    timeline, fact = _latest(loan, command.re_age_id, ReAged, "re_age_id")
    _require_may_be_undone(fact, command.effective_on, context)
    told = e.ReagingReversed(
        effective_on=command.effective_on,
        re_age_id=fact.id,
        waived_interest_minor=0,
        replanned_on=_plan_before(timeline, fact),
        cause=command.cause,
    )
    return _taken_back(loan, timeline, told, fact)


def reverse_re_amortisation(
    loan: Loan, command: c.ReverseReAmortisation, context: Context
) -> list[Event]:
    """Take a re-amortisation back: what was past due is past due again."""
    name = "re_amortisation_id"
    timeline, fact = _latest(loan, command.re_amortisation_id, ReAmortised, name)
    _require_may_be_undone(fact, command.effective_on, context)
    told = e.ReamortizationReversed(
        effective_on=command.effective_on,
        re_amortisation_id=fact.id,
        waived_interest_minor=0,
        cause=command.cause,
    )
    return _taken_back(loan, timeline, told, fact)


def _taken_back(
    loan: Loan,
    timeline: Timeline,
    told: e.ReagingReversed | e.ReamortizationReversed,
    fact: Fact,
) -> list[Event]:
    """Return a plan's reversal, with the interest that is owed again, and what follows from it."""
    booked = recorded(loan, timeline, fact_of(told))
    told = replace(told, waived_interest_minor=-waived_interest(loan, booked))
    on, since_on = told.effective_on, fact.effective_on
    return [told, *results_of(loan, booked, fact.id, on, since_on=since_on)]


def reverse_termination(loan: Loan, command: c.ReverseTermination, context: Context) -> list[Event]:
    """Let a terminated contract run on, with the instalments it had."""
    timeline, fact = _latest(loan, TERMINATION_ID, Terminated, None)
    on = command.effective_on
    _require_may_be_undone(fact, on, context)
    told = e.TerminationReversed(
        effective_on=on,
        principal_minor=0,
        interest_minor=0,
        fee_minor=0,
        penalty_minor=0,
        cause=command.cause,
    )
    booked = recorded(loan, timeline, fact_of(told))
    told = replace(told, **owed_again(loan, booked, on))
    return [told, *results_of(loan, booked, fact.id, on, since_on=fact.effective_on)]


def _latest(loan: Loan, fact_id: str, kind: type[Fact], field: str | None) -> tuple[Timeline, Fact]:
    """Return the time line and the fact to take back, which must be the newest on it."""
    require_status(loan, (LoanStatus.ACTIVE,))
    timeline = loan.timeline
    fact = None if timeline is None else timeline.find(fact_id)
    if timeline is None or not isinstance(fact, kind):
        raise Rejected("nothing_to_reverse", "it does not stand on this loan", field)
    newest = timeline.newest
    if newest is None or newest.id != fact_id:
        detail = "something followed on it" if newest is None else f"{newest.id} followed on it"
        raise Rejected("not_latest", detail, field)
    return timeline, fact


def _require_may_be_undone(fact: Fact, on: date, context: Context) -> None:
    require_reason(context)
    require_reversal_date(fact.effective_on, on, context, str(fact.effective_on))


def _plan_before(timeline: Timeline, fact: Fact) -> date | None:
    """Return the day of the plan that is in force again; None: the first one."""
    plans = [x for x in timeline.facts if isinstance(x, Restructured | ReAged) and x is not fact]
    return max((plan.effective_on for plan in plans), default=None)
