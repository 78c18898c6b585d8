"""The last unpaid instalment takes the residue, so that the plan adds up; it solves no instalment.

Sources: domain rules 9.10 "Instalment", "Early payment".
"""

from datetime import date

from domain.servicing.deferral import defer_unearned
from domain.servicing.plan import Plan
from domain.servicing.shaping import settle_principal


def settle_last(plan: Plan, till: date) -> None:
    """The last unpaid instalment takes the residue, so that principals add up to the money out.

    What it cannot give up comes off the one before, and so on. Every period must be as derived.
    """
    if plan.by_principal:
        settle_principal(plan, till)
        return
    moved = plan.moved()
    to_repay = moved.out + moved.raised
    _ask_no_more_than(plan, max(0, to_repay) - plan.total_paid_principal)
    index = _last_unpaid(plan, len(plan.periods))
    if index is None and to_repay > plan.total_asked_principal:
        index = len(plan.periods) - 1  # all were paid, and principal came back since
        plan.open_again(index)
    if index is None:
        return
    _forget_moved_up(plan)
    residue = to_repay - plan.total_left_for_principal
    while index is not None:
        residue, done = _take(plan, index, residue)
        index = None if done else _last_unpaid(plan, index)
    last = _last_unpaid(plan, len(plan.periods))
    if last is not None:
        defer_unearned(plan, last, till)
    plan.at_rest = True


def _take(plan: Plan, index: int, residue: int) -> tuple[int, bool]:
    """Ask for what is owed and not asked for with an instalment; the rest, and if that was all."""
    last = plan.periods[index]
    if last.future_interest:
        residue += last.future_interest
        last.future_interest = 0
        residue += plan.derive(index, index)
    wanted = last.emi + residue
    if last is plan.last and not last.interest_grace:
        wanted += last.carried  # nothing comes after it to carry interest to
    owed = last.fixed_interest  # whatever happens
    if last is plan.last and not last.interest_grace:
        owed = last.interest
    floor = max(last.total_paid, last.paid_principal + owed) if owed > 0 else last.total_paid
    emi = max(wanted, floor - last.credited)
    if emi != last.emi:
        residue += last.emi - emi
        last.emi = emi
        residue += plan.derive(index, index)
    return residue, emi == wanted


def _forget_moved_up(plan: Plan) -> None:
    moved = [period for period in plan.open_periods if period.moved_up]
    for period in moved:
        period.moved_up = False
    if moved:
        plan.derive()


def _ask_no_more_than(plan: Plan, unpaid: int) -> None:
    """Cut instalments that ask for more principal than is left, down to what was paid of them."""
    if unpaid < 0:
        plan.open_again()
    above = plan.open_periods
    if unpaid >= 0:
        above = [p for p in above if p.due_principal - p.paid_principal > unpaid]
    for period in above:
        excess = period.outstanding_principal - unpaid
        floor = max(0, period.total_paid - period.credited)
        period.emi = max(period.emi - excess, floor)
    if above:
        plan.derive()


def _last_unpaid(plan: Plan, before: int) -> int | None:
    """Index of the last period before one that is not paid; an untouched last one counts."""
    for index in range(before - 1, plan.settled - 1, -1):
        if not plan.periods[index].fully_paid:
            return index
    last = plan.last
    untouched = plan.total_paid_principal == 0
    open_still = untouched and last.subs and last.closing_balance() > 0
    return len(plan.periods) - 1 if open_still else None
