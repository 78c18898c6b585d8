"""Periods of a plan when it is re-aged: the cut on the day, what ends there, the new ones.

Sources: domain rules 9.9 S-09 to S-11. What is owed and how it is divided is not decided here.
"""

from datetime import date

from domain.servicing.dates import add_units
from domain.servicing.facts import ReAged
from domain.servicing.period import Period
from domain.servicing.plan import Plan
from domain.servicing.values import OverdueInterest


def due_dates(fact: ReAged) -> list[date]:
    """Due dates of the new instalments, counted from the start date."""
    return [add_units(fact.start_on, fact.unit, n * fact.every) for n in range(fact.instalments)]


def ending_periods(plan: Plan, on: date) -> list[Period]:
    """Periods that end: the one that is cut, and all after it; none after maturity."""
    due = [index for index, period in enumerate(plan.periods) if period.due_on == on]
    cut = due[-1] if due else plan.period_on(on)
    return [] if cut is None else plan.periods[cut:]


def end_plan(plan: Plan, ending: list[Period], on: date) -> None:
    """Cut the first of the ending periods at the day and drop the others."""
    if not ending:
        return
    cut = ending[0]
    cut.holds_early_payments = True
    if cut.due_on != on:
        cut.due_on = on
        cut.subs = [sub for sub in cut.subs if sub.from_on < on or sub is cut.subs[0]]
        cut.subs[-1].due_on = on
        plan.factor([cut])
    plan.periods = [period for period in plan.periods if period not in ending[1:]]


def count_on_days(plan: Plan, moves: list[tuple[date, int]]) -> None:
    """Let what was paid late stay in the balance until it was paid, as it earned till then.

    The plan then ends with what was owed at its maturity; `moves` are what moved later. Nothing
    changes where overdue principal does not earn.
    """
    if plan.terms.overdue_interest is not OverdueInterest.EARNS:
        return
    later = sum(amount for _, amount in moves)
    for due_on, until, amount in plan.repaid_late:
        plan.move_money(due_on, correction=amount)
        if until > plan.maturity:
            later += amount
        else:
            plan.move_money(until, correction=-amount)
    if later:
        plan.move_money(plan.maturity, correction=-later)
    plan.repaid_late = ()


def hold_early_payments(plan: Plan, principal: int, interest: int) -> None:
    """Let the cut period hold what was paid in advance."""
    cut = plan.last
    cut.paid_principal, cut.paid_interest = principal, interest
    cut.keep_paid()


def join_stubs(plan: Plan) -> None:
    """Let cut periods that follow each other and hold nothing be one."""
    joined: list[Period] = []
    for period in plan.periods:
        before = joined[-1] if joined else None
        if before is not None and _is_stub(before) and _is_stub(period):
            before.due_on = period.due_on
            before.subs += period.subs
            before.fixed_interest += period.fixed_interest
            plan.factor([before])
        else:
            joined.append(period)
    plan.periods = joined


def _is_stub(period: Period) -> bool:
    nothing = not (period.emi or period.due_principal or period.due_interest)
    return period.holds_early_payments and nothing


def append_periods(plan: Plan, fact: ReAged) -> list[Period]:
    """Add the new periods; the first runs from the end of the plan to the start date."""
    before = plan.last
    fresh: list[Period] = []
    for due in due_dates(fact):
        period = Period(plan.last.due_on, due)
        period.disbursed_before = before.disbursed_before
        period.capitalised_before = before.capitalised_before
        plan.periods.append(period)
        fresh.append(period)
    return fresh
