"""What payments, credits and overdue days do to the plan of a loan that recalculates.

Sources: domain rules 9.10 "Recalculation on", 9.9 S-15 (chargeback), S-18 (credit refund).
"""

from datetime import date

from domain.servicing.deferral import defer_unearned
from domain.servicing.period import Period
from domain.servicing.plan import Late, Plan
from domain.servicing.settling import settle_last
from domain.servicing.shaping import close_early
from domain.servicing.values import PreClose, RestFrequency


def put_back(plan: Plan, on: date, amount: int) -> None:
    """Put overdue principal back on the balance after a day, or take it off again.

    Instalments stay; the last unpaid one takes the rest.
    """
    period = plan.move_money(on, correction=amount)
    if period is None:
        return
    plan.corrections.append((on, amount, period.due_on))
    plan.factor([period])
    index = plan.index_of(period)
    plan.rebalance(index, index)
    settle_last(plan, on)


def pays_as_asked(plan: Plan, period: Period) -> bool:
    """Whether a payment of what a period asks for changes nothing but what is paid of it.

    So it is of a plain one, while the last one is open: interest moves no balance, whenever it is
    paid, and principal that is due comes off it on the due date, where all of it did before.
    """
    last = plan.last
    return (
        plan.at_rest
        and period is not last
        and not (last.fully_paid or last.carried or plan.by_principal)
        and not (period.credited or period.future_interest or period.fixed_interest)
        and not (period.moved_up or period.moved_down or period.interest_grace)
        and period.paid_principal + period.due_interest <= period.asked
    )


def pay_interest(plan: Plan, period: Period, on: date, amount: int) -> None:
    """Collect interest of a period."""
    if not amount:
        return
    if pays_as_asked(plan, period) and amount <= period.outstanding_interest:
        period.paid_interest += amount
        return
    index = plan.index_of(period)
    plan.open_again(index)
    period = plan.periods[index]
    if _is_latest_open(plan, index) and period is not plan.last and on >= period.due_on:
        defer_unearned(plan, index, on)
    period.paid_interest += amount
    if not plan.by_principal and period.total_paid > period.asked:
        period.emi += period.total_paid - period.asked  # its principal was paid first
    plan.rebalance(index, index)
    settle_last(plan, on)


def _is_latest_open(plan: Plan, index: int) -> bool:
    open_still = not plan.periods[index].fully_paid
    return open_still and all(period.fully_paid for period in plan.periods[index + 1 :])


def pay_principal(plan: Plan, period: Period, on: date, amount: int) -> None:
    """Collect principal of a period: the balance falls on the day, or on the due date if later.

    A period that is paid in advance with more than, or exactly, its instalment keeps what was
    paid as its instalment.
    """
    if not amount:
        return
    if on > period.due_on:
        until = rests_on(plan, on) if pays_till_due_date(plan, prepays_all=False) else on
        plan.repaid_late += (Late(period.due_on, until, amount),)
    is_due = on >= period.due_on
    if is_due and pays_as_asked(plan, period) and amount <= period.outstanding_principal:
        period.paid_principal += amount
        plan.move_money(period.due_on, correction=-amount)
    else:
        _repay(plan, period, on, amount)


def _repay(plan: Plan, period: Period, on: date, amount: int) -> None:
    index = plan.index_of(period)
    plan.open_again(index)
    period = plan.periods[index]
    owed, paid = plan.moved(), plan.total_paid_principal
    more_than_owed = paid + amount > owed.principal + owed.raised
    period.paid_principal += owed.principal - paid if more_than_owed else amount
    counts_on = min(period.due_on, on)
    moved = plan.move_money(counts_on, correction=-amount)
    if moved is None:
        plan.derive(index)
    else:
        plan.factor([moved])
        plan.rebalance(plan.index_of(moved), index)
        settle_last(plan, counts_on)
    if plan.by_principal:
        if on < period.due_on:
            close_early(plan, period)
            settle_last(plan, counts_on)
        return
    if plan.keeps_instalments:
        return
    if on < period.from_on and plan.unpaid_count > 1:
        total = period.total_paid
        if total > period.asked or total == period.original_emi + period.credited:
            period.emi = total - period.credited
            plan.derive(index, index)
            moved = None
    if moved is None:
        settle_last(plan, counts_on)


def credit(plan: Plan, on: date, *, principal: int = 0, interest: int = 0) -> None:
    """Put back principal or interest that had been paid: a chargeback or a refund of credit."""
    if plan.move_money(on, correction=principal) is None:
        return
    period = _credited_period(plan, on)
    if period is not None:
        starting = [sub for sub in period.subs if sub.from_on == on]
        if starting:
            starting[-1].credited_principal += principal
            starting[-1].credited_interest += interest
    index = plan.period_on(on)
    if index is not None:
        plan.factor([plan.periods[index]])
    if period is not None:
        plan.factor([period])
    plan.rebalance()
    settle_last(plan, on)


def _credited_period(plan: Plan, on: date) -> Period | None:
    for period in plan.periods:
        on_maturity = period is plan.last and on == period.due_on
        if period.from_on <= on < period.due_on or on_maturity:
            return period
    return None


def pays_till_due_date(plan: Plan, *, prepays_all: bool) -> bool:
    """Whether a payment in advance pays the interest of the whole current period."""
    terms = plan.terms
    if terms.pre_close is PreClose.TILL_PRE_CLOSE_DATE:
        return False
    return terms.rest is RestFrequency.SAME_AS_REPAYMENT or prepays_all


def rests_on(plan: Plan, on: date) -> date:
    """Return the end of the period that runs on a day; the day itself if none does."""
    index = plan.period_on(on)
    if index is None or plan.periods[index].from_on == on:
        return on
    return plan.periods[index].due_on


def overdue_has_earned(plan: Plan, on: date) -> bool:
    """Whether what is overdue has earned up to a day, or to the end of the loan: no more comes."""
    return plan.overdue_through is not None and plan.overdue_through >= min(on, plan.maturity)


def earn_on_overdue(plan: Plan, on: date, *, prepays_all: bool = False) -> bool:
    """Put due and unpaid principal back on the balance of the days up to a day.

    Returns whether anything changed. Interest lands in the current period.
    """
    if overdue_has_earned(plan, on):
        return False
    until = min(on, plan.maturity)
    if plan.periods[min(plan.settled, len(plan.periods) - 1)].due_on >= until:
        return False  # the first that is open is due, and so are all behind it
    late = [period for period in plan.due_before(until) if not period.holds_early_payments]
    if not late:
        return False
    index = plan.period_on(until)
    current = plan.last if index is None else plan.periods[index]
    changed = False
    overdue = total = 0
    for period in late:
        if overdue:
            changed |= _add_overdue(plan, period, until, (overdue, total), prepays_all=prepays_all)
        overdue = period.outstanding_principal
        total += overdue
    if total:
        changed |= _add_overdue(plan, current, until, (overdue, total), prepays_all=prepays_all)
    if total > 0 and (plan.overdue_through is None or plan.overdue_through < until):
        plan.overdue_through = until
    return changed


def _add_overdue(
    plan: Plan, period: Period, until: date, overdue: tuple[int, int], *, prepays_all: bool
) -> bool:
    """Add the principal of the last period that stayed unpaid; end all of it at `until`."""
    through = plan.overdue_through
    if through is not None and until <= through:
        return False
    starts = period.from_on if through is None or period.from_on > through else through
    put_back(plan, starts, overdue[0])
    if period.from_on < until <= period.due_on:
        ends = period.due_on if pays_till_due_date(plan, prepays_all=prepays_all) else until
        put_back(plan, ends, -overdue[1])
        plan.overdue_through = ends
    return True
