"""Decisions that plan what is unpaid anew: re-ageing under its guard, and re-amortising.

Sources: domain rules 2.7; 9.9 S-09 to S-14.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from domain.calendar import add_months
from domain.commands import changes as c
from domain.context import Context
from domain.decisions.guards import (
    require_contract,
    require_last,
    require_new_fact,
    require_reason,
    require_status,
    require_value_date,
)
from domain.decisions.plans import (
    plan_summary,
    rate_of,
    require_first_due,
    require_instalments,
    require_no_observed_split,
    rows_after,
    waived_interest,
)
from domain.decisions.results import changed, recorded
from domain.errors import Rejected
from domain.events import changes as e
from domain.events.registry import Event
from domain.loan.arrears import overdue
from domain.loan.booking import standing_on
from domain.loan.facts import fact_of
from domain.loan.instalments import Instalment
from domain.loan.state import Loan, LoanStatus
from domain.servicing.facts import Paid
from domain.servicing.re_ageing_guard import ReAgeingPolicy, Request, why_not
from domain.servicing.timeline import Timeline
from domain.servicing.values import Component, Kind


def re_age(loan: Loan, command: c.ReAgeLoan, context: Context) -> list[Event]:
    """Move all that is unpaid to new instalments, if the lender's policy lets it (rule RAG-1)."""
    on = command.effective_on
    timeline = _require_open_to_a_plan(loan, on, context, command.re_age_id, "re_age_id")
    require_first_due(command.first_due_on, on)
    require_instalments(loan, command.instalments)
    policy = _policy(loan, context)
    before = standing_on(timeline, on).rows
    late = _past_due(loan, before, on)
    since = _arrears_since(before, late[0])
    _require_policy(_request(loan, timeline, late[0], since, command), policy)
    summary = plan_summary(loan, before, on, rate_of(loan, on))
    told = e.LoanReaged(
        effective_on=on,
        re_age_id=command.re_age_id,
        first_due_on=command.first_due_on,
        instalments=command.instalments,
        interest=command.interest,
        programme=command.programme,
        repayment_every=loan.conditions.repayment_every,
        repayment_unit=loan.conditions.repayment_unit,
        policy_version=policy.version,
        principal_minor=0,
        interest_minor=0,
        fee_minor=0,
        penalty_minor=0,
        waived_interest_minor=0,
        before=summary,
        after=summary,
    )
    booked = recorded(loan, timeline, fact_of(told))
    told = replace(
        told,
        **booked.part_fields,
        waived_interest_minor=waived_interest(loan, booked),
        after=plan_summary(loan, rows_after(loan, booked), on, rate_of(loan, on)),
    )
    return [told, changed(booked, command.re_age_id, on)]


def _require_open_to_a_plan(
    loan: Loan, on: date, context: Context, fact_id: str, field: str
) -> Timeline:
    """Return the time line of a loan that may be planned anew on a day."""
    require_status(loan, (LoanStatus.ACTIVE,))
    require_contract(loan)
    require_reason(context)
    timeline = require_value_date(loan, on, context)
    require_new_fact(loan, fact_id, field)
    require_last(timeline, on)
    require_no_observed_split(timeline)
    return timeline


def _past_due(loan: Loan, rows: Sequence[Instalment], on: date) -> list[Instalment]:
    late = overdue(rows, on, loan.conditions)
    if not late:
        raise Rejected("nothing_past_due", "no instalment is past due", "effective_on")
    return late


def _arrears_since(rows: Sequence[Instalment], oldest: Instalment) -> date:
    """Return the due date on which the running spell of arrears began.

    The oldest row past due may be late for less long: payments met others that were late before it.
    """
    since = oldest.due_on
    for row in reversed(rows[: oldest.number - 1]):
        if row.met_on is not None and row.met_on > since:
            since = min(since, row.due_on)
    return since


def _request(
    loan: Loan, timeline: Timeline, oldest: Instalment, since: date, command: c.ReAgeLoan
) -> Request:
    """Say what is known of the loan: what the borrower paid since it was last current.

    A minimum payment is principal and interest of the oldest instalment past due.
    """
    assert loan.disbursed_on is not None, "a loan with a time line was paid out"
    paid = [
        (fact.effective_on, fact.amount_minor)
        for fact in timeline.facts
        if isinstance(fact, Paid) and fact.kind is Kind.REPAYMENT and fact.effective_on >= since
    ]
    minimum = oldest.principal_minor + oldest.interest_minor
    return Request(
        on=command.effective_on,
        opened_on=loan.disbursed_on,
        programme=command.programme,
        before=loan.re_ageings,
        consecutive=_consecutive(paid, minimum, command.effective_on),
        paid_minor=sum(amount for _, amount in paid),
        minimum_minor=minimum,
        willing_and_able=command.willing_and_able,
    )


def _consecutive(paid: Sequence[tuple[date, int]], minimum: int, on: date) -> int:
    """Count the months back from a day, without a gap, in each of which the minimum was paid."""
    months = 0
    while minimum > 0:
        until, since = add_months(on, -months), add_months(on, -months - 1)
        if sum(amount for day, amount in paid if since < day <= until) < minimum:
            break
        months += 1
    return months


def _policy(loan: Loan, context: Context) -> ReAgeingPolicy:
    """Return the lender's limits, counted in windows with the edges that the product says."""
    policy, edge = context.policies.re_ageing, loan.conditions.re_age_window
    return policy if edge is None else replace(policy, edge=edge)


def _require_policy(request: Request, policy: ReAgeingPolicy) -> None:
    """Refuse with the first criterion that fails; the detail names all of them."""
    failed = list(why_not(request, policy))
    if failed:
        field = "willing_and_able" if failed[0].field == "willing_and_able" else None
        raise Rejected(failed[0].code, "; ".join(one.reason for one in failed), field)


def re_amortise(loan: Loan, command: c.ReAmortiseLoan, context: Context) -> list[Event]:
    """Spread what is past due over the instalments to come; no due date changes."""
    on, name = command.effective_on, "re_amortisation_id"
    timeline = _require_open_to_a_plan(loan, on, context, command.re_amortisation_id, name)
    rows = standing_on(timeline, on).rows
    if on >= rows[-1].due_on:
        raise Rejected("after_maturity", "the loan has matured; restructure it", "effective_on")
    _past_due(loan, rows, on)
    told = e.LoanReamortized(
        effective_on=on,
        re_amortisation_id=command.re_amortisation_id,
        interest=command.interest,
        principal_minor=0,
        interest_minor=0,
        waived_interest_minor=0,
    )
    booked = recorded(loan, timeline, fact_of(told))
    told = replace(
        told,
        principal_minor=booked.parts[Component.PRINCIPAL],
        interest_minor=booked.parts[Component.INTEREST],
        waived_interest_minor=waived_interest(loan, booked),
    )
    return [told, changed(booked, command.re_amortisation_id, on)]
