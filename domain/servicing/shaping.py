"""Methods that fix the principal of each instalment; interest comes on top, whatever it is.

Equal principal 等额本金, interest first 先息后本, bullet 到期一次性还本付息, revolving 随借随还,
a list of the loan's own, equal amortisation. Sources: domain rules 5.1, P-37, P-38, P-45.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from domain.servicing.deferral import defer_unearned
from domain.servicing.instalment_rounding import to_instalment
from domain.servicing.period import Period, to_minor
from domain.servicing.plan import Plan
from domain.servicing.splitting import Shares, split_evenly
from domain.servicing.values import Amortisation

AT_THE_END = frozenset({Amortisation.INTEREST_ONLY, Amortisation.BULLET, Amortisation.REVOLVING})


def assign_principal(plan: Plan, periods: Sequence[Period]) -> None:
    """Spread the principal that no other period holds over periods, by the product's method."""
    held = sum(_contractual(p) for p in plan.periods if p not in periods)
    credited = sum(p.credited_principal for p in periods)
    total = max(0, plan.total_due_principal - held - credited)
    graced = plan.under_principal_grace
    open_periods = [period for period in periods if period not in graced]
    for period in periods:
        period.share = 0
    shares = _shares(plan, open_periods, total)
    for period, share in zip(open_periods, shares, strict=True):
        period.share = share
    plan.derive()


def _contractual(period: Period) -> int:
    if period.share is None:
        return period.due_principal
    return period.share + period.credited_principal


def _shares(plan: Plan, periods: Sequence[Period], total: int) -> Shares:
    terms, count = plan.terms, len(periods)
    if terms.amortisation in AT_THE_END:
        return [0] * (count - 1) + [total]
    if terms.custom and len(plan.periods) == len(terms.custom):
        return _given(plan, periods, total)
    each = to_instalment(terms, terms.inner_arithmetic().divide(total, count))
    return split_evenly(total, count, each)


def _given(plan: Plan, periods: Sequence[Period], total: int) -> Shares:
    shares: Shares = []
    for period in periods[:-1]:
        wanted = plan.terms.custom[plan.periods.index(period)].principal_minor or 0
        shares.append(min(wanted, total - sum(shares)))
    return [*shares, total - sum(shares)]


def spread_interest(plan: Plan, periods: Sequence[Period], total: int) -> None:
    """Let periods ask for equal parts of an interest and earn nothing of their own (P-38)."""
    each = to_minor(Decimal(total) / len(periods))
    for period, share in zip(periods, split_evenly(total, len(periods), each), strict=True):
        period.fixed_interest = share
        period.earns = False
    plan.derive()


def settle_principal(plan: Plan, till: date) -> None:
    """The last instalments take the residue, so that principals add up to the money out.

    Every period must be as derived.
    """
    over = plan.settled
    unpaid = [n for n, period in enumerate(plan.open_periods, over) if not period.fully_paid]
    _take_back_moved_up(plan, unpaid[-1] if unpaid else None)
    excess = plan.total_asked_principal - plan.total_due_principal
    if excess:
        _change_last_shares(plan, excess)
    if unpaid:
        defer_unearned(plan, unpaid[-1], till)


def _take_back_moved_up(plan: Plan, collected_with: int | None) -> None:
    """Let periods hold again the interest that an unpaid one collected for them."""
    moved = [period for period in plan.open_periods if period.moved_up]
    for period in moved:
        period.moved_up = False
    collects = collected_with is not None and plan.periods[collected_with].future_interest != 0
    if collected_with is not None:
        plan.periods[collected_with].future_interest = 0
    if moved or collects:
        plan.derive()


def _change_last_shares(plan: Plan, excess: int) -> None:
    """Cut the last shares, not below what was paid; or let the last one ask for the rest."""
    last = len(plan.periods) - 1
    first = last
    for index in range(last, plan.settled - 1, -1):
        if excess <= 0:
            break
        period, first = plan.periods[index], index
        share = period.share or 0
        cut = min(excess, share, period.due_principal - period.paid_principal)
        period.share = share - cut
        excess -= cut
    if excess < 0:
        first = _last_that_asks(plan)
        target = plan.periods[first]
        target.share = (target.share or 0) - excess
    plan.derive(first, last)


def _last_that_asks(plan: Plan) -> int:
    """Return the index of the last period that was not closed early, or of the last of all."""
    asking = [index for index, period in enumerate(plan.periods) if not period.closed_early]
    index = asking[-1] if asking else len(plan.periods) - 1
    plan.open_again(index)
    return index


def close_early(plan: Plan, period: Period) -> None:
    """Let an instalment whose principal is paid before it is due ask for no more interest.

    What its days still earn comes with the next one (domain rules, 9.10 "Early payment").
    """
    complete = period.share and period.paid_principal >= period.share + period.credited_principal
    others_open = any(not p.fully_paid for p in plan.open_periods if p is not period)
    if complete and others_open:
        period.closed_early = True
        plan.rebalance()
