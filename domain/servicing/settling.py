"""The last unpaid instalment takes the residue, so that the plan adds up; it solves no instalment.

Sources: domain rules 9.10 "Instalment", "Early payment".
"""

from datetime import date

from domain.servicing.deferral import defer_unearned
from domain.servicing.plan import Plan
from domain.servicing.shaping import settle_principal


def settle_last(plan: Plan, till: date) -> None:
    """The last unpaid instalment takes the residue, so that principals add up to the money out."""
    if plan.by_principal:
        settle_principal(plan, till)
        return
    money_out, credited = plan.total_money_out, plan.total_credited_principal
    unpaid = max(0, money_out + credited) - plan.total_paid_principal
    _ask_no_more_than(plan, unpaid)
    index = _last_unpaid(plan)
    if index is None:
        return
    last = plan.periods[index]
    if last.future_interest or any(period.moved_up for period in plan.periods):
        last.future_interest = 0
        for period in plan.periods:
            period.moved_up = False
        plan.derive()
    owed = money_out + credited + plan.total_due_interest
    if last is plan.last and not last.interest_grace:
        owed += last.carried  # nothing comes after it to carry interest to
    emi = last.emi + owed - sum([p.emi + p.credited + p.future_interest for p in plan.periods])
    if last.fixed_interest > 0:
        emi = max(emi, last.paid_principal + last.fixed_interest)
    paid = last.total_paid - last.credited
    if emi < paid:
        last.emi = paid
        plan.derive(index)
        settle_last(plan, till)
    elif emi != last.emi:
        last.emi = emi
        plan.derive(index)
    defer_unearned(plan, last, till)


def _ask_no_more_than(plan: Plan, unpaid: int) -> None:
    """Cut instalments that ask for more principal than is left, down to what was paid of them."""
    above = [p for p in plan.periods if p.due_principal - p.paid_principal > max(0, unpaid)]
    if unpaid < 0:
        above = plan.periods
    for period in above:
        excess = period.outstanding_principal - unpaid
        floor = max(0, period.total_paid - period.credited)
        period.emi = max(period.emi - excess, floor)
    if above:
        plan.derive()


def _last_unpaid(plan: Plan) -> int | None:
    for index in range(len(plan.periods) - 1, -1, -1):
        if not plan.periods[index].fully_paid:
            return index
    last = plan.last
    untouched = plan.total_paid_principal == 0
    open_still = untouched and last.subs and last.balance_after > 0
    return len(plan.periods) - 1 if open_still else None
