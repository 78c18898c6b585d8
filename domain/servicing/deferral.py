"""Interest that periods paid in advance still earn is deferred to the last unpaid instalment.

Source: domain rules 9.10 "Period interest" (unrecognised interest) and "Early payment".
"""

from datetime import date

from domain.servicing.period import Period
from domain.servicing.plan import Plan
from domain.servicing.rate_factor import NO_FACTOR


def factor_until(plan: Plan, on: date) -> None:
    """Recompute factors so that nothing is earned after a day."""
    plan.open_from(on)
    index = plan.period_on(on)
    if index is not None:
        period = plan.periods[index]
        found = period.find_sub(on, first_period=index == 0)
        if found is not None:
            period.subs[found].due_on = on
    plan.factor(plan.open_periods)
    for period in plan.open_periods:
        for sub in period.subs:
            if sub.due_on > on:
                sub.factor = NO_FACTOR
                sub.factored = None


def defer_unearned(plan: Plan, index: int, till: date) -> None:
    """Collect with an unpaid instalment what later, already paid periods earned by a day."""
    target, later = plan.periods[index], plan.periods[index + 1 :]
    if not later or target.due_on >= plan.maturity:
        return  # no later period: nothing can have been carried past it
    beyond = any(due > target.due_on for _, _, due in plan.corrections)
    reset = not beyond and any(due == target.due_on for _, _, due in plan.corrections)
    if not reset and not target.carried and not any(_earns_by(period, till) for period in later):
        return
    view = plan.copy()
    if reset:
        view.drop_corrections()
    factor_until(view, till)
    if reset:
        view.rebalance()
    else:
        view.derive()
    for period in reversed(view.periods):
        if period.carried > 0 and period.due_on > target.due_on:
            principal = target.due_principal
            target.future_interest = period.carried
            for paid in later:
                if paid.due_on > target.due_on:
                    paid.moved_up = True
            plan.derive()
            if target.due_principal > principal:  # interest that was paid stood for some of it
                target.emi -= target.due_principal - principal
                plan.derive(index, index)
            return


def _earns_by(period: Period, on: date) -> bool:
    """Whether a period may hold interest if nothing is earned after a day."""
    if period.from_on < on or period.fixed_interest or period.future_interest:
        return True
    return any(sub.credited_interest for sub in period.subs)
