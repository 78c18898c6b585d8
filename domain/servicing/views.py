"""The plan looked at on a day: what is due if interest stops there. Views change nothing."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from domain.servicing.deferral import factor_until
from domain.servicing.period import Period, to_minor
from domain.servicing.plan import Plan
from domain.servicing.row import I, Row
from domain.servicing.settling import settle_last
from domain.servicing.values import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Principal and interest in minor units."""

    principal: int
    interest: int


class _Tail(NamedTuple):
    """Periods behind those that a day reaches, which earn nothing by it, held as one period."""

    first: int  # index of the first of them
    one: Period
    first_asks: int
    most_asks: int


def stopped_on(plan: Plan, on: date) -> Plan:
    """Copy of the plan in which nothing is earned after a day."""
    return _stopped(plan, on, None)


def _stopped(plan: Plan, on: date, tail: _Tail | None) -> Plan:
    index = plan.period_on(on)
    reached = None if index is None else index + 2
    view = plan.copy(reached)
    if tail is not None:
        view.periods.append(tail.one)
    elif reached is not None:
        later = plan.periods[max(reached, plan.settled) :]
        view.periods += [period.without_days() for period in later]
    view.overdue_through = None
    view.open_from(on)
    if on < view.start_on:
        for period in view.periods:
            period.subs.clear()
        view.derive()
        return view
    if on >= view.maturity:
        return view
    assert index is not None, "periods follow each other without a gap"
    _cut(view, index, on)
    for period in view.periods[index + 2 : plan.settled]:  # over by facts of later days
        period.subs.clear()
    view.factor(view.periods[view.settled : index + 2])
    view.rebalance()
    settle_last(view, on)
    return view


def _tail_behind(plan: Plan, index: int | None) -> _Tail | None:
    """Return the tail behind a running period; None if its periods differ in more than amounts.

    Without days they ask for principal alone, and what settles the plan comes off the last ones
    first: what they ask for together is all that any other period needs to know of them.
    """
    if index is None or plan.by_principal or plan.settled > index + 2:
        return None
    tail = plan.periods[index + 2 :]
    alike = [period.emi for period in tail if period.emi > 0 and not _holds_more(period)]
    if len(tail) <= 1 or len(alike) < len(tail):
        return None
    if any(due > tail[0].from_on for _, _, due in plan.corrections):
        return None
    one = Period(tail[0].from_on, tail[-1].due_on, sum(alike))
    one.subs.clear()
    return _Tail(index + 2, one, alike[0], max(alike))


def _holds_more(period: Period) -> bool:
    """Whether anything was paid of a period, or moved to it or from it, or its principal fixed."""
    return bool(
        period.paid_principal
        or period.paid_interest
        or period.fixed_interest
        or period.future_interest
        or period.moved_credit
        or period.moved_up
        or period.share is not None
    )


def _seen_on(plan: Plan, on: date, period: int) -> tuple[Plan, int]:
    """Return the plan stopped on a day, to look at a period, and how many are not paid in it.

    Many are counted as two. Whole it is where a tail might divide otherwise than one period does:
    where interest is carried to it, or one of it asks for more than is left.
    """
    tail = _tail_behind(plan, plan.period_on(on))
    if tail is not None and period < tail.first:
        view = _stopped(plan, on, tail)
        carried = view.periods[tail.first - 1].carried
        if not carried and tail.most_asks <= view.total_outstanding_principal:
            return view, view.unpaid_count + (tail.one.emi > tail.first_asks)
    view = stopped_on(plan, on)
    return view, view.unpaid_count


def _cut(view: Plan, current: int, on: date) -> None:
    """End the running period on the day; those after it have no days any more."""
    for period in view.periods[view.settled : current]:
        if period.due_on > on:
            period.subs.clear()
    period = view.periods[current]
    if period.due_on > on:
        found = period.find_sub(on, first_period=current == 0)
        if found is not None:
            _end_sub(period, found, on)
    for period in view.periods[current + 1 : current + 2]:
        first = period.subs[0]
        if first.credited_interest > 0 or first.credited_principal > 0:
            first.due_on = first.from_on  # a credit on the boundary belongs to the day looked at
            del period.subs[1:]
        else:
            period.subs.clear()


def _end_sub(period: Period, index: int, on: date) -> None:
    sub = period.subs[index]
    sub.due_on = on
    if index + 1 < len(period.subs):
        after = period.subs[index + 1]
        sub.credited_principal += after.credited_principal
        sub.credited_interest += after.credited_interest
    del period.subs[index + 1 :]


def due_on(plan: Plan, period: Period, on: date, view: Plan | None = None) -> Due:
    """Principal and interest of a period if it is paid on a day.

    `view` is the plan stopped on the day; it may be shared if principal is fixed.
    """
    index = plan.index_of(period)
    if view is None:
        view, unpaid = _seen_on(plan, on, index)
    else:
        unpaid = view.unpaid_count
    seen = view.periods[index]
    if on <= seen.from_on and not plan.by_principal:
        _restore_instalment(view, index, period, unpaid)
    vertical = plan.terms.direction is Direction.VERTICAL
    asks_whole = vertical and unpaid > 1 and not plan.by_principal
    whole = max(seen.asked - seen.paid_interest, seen.paid_principal)
    principal = whole if asks_whole else seen.due_principal
    if not vertical or plan.by_principal:
        return Due(principal=principal, interest=seen.due_interest)
    left = view.total_due_principal - view.total_paid_principal
    left_interest = view.total_due_interest - view.total_paid_interest
    return Due(
        principal=min(principal, max(left, seen.paid_principal)),
        interest=min(seen.due_interest, max(left_interest, seen.paid_interest)),
    )


def _restore_instalment(view: Plan, index: int, source: Period, unpaid: int) -> None:
    """A future period asks for its own instalment, unless less principal is left."""
    seen = view.periods[index]
    if seen.re_aged:
        seen.emi = source.emi
    elif unpaid > 1:
        seen.emi = seen.original_emi
        view.derive(index, index)
        seen.emi -= max(0, seen.outstanding_principal - view.total_outstanding_principal)
    elif seen.fully_paid and unpaid == 1:
        left = view.total_due_principal - view.total_paid_principal
        seen.emi = min(seen.original_emi, left + seen.paid_principal + seen.due_interest)
    view.derive(index, index)


def interest_of_period(
    plan: Plan, period: Period, on: date, *, credited: bool = True, prorate_fixed: bool = False
) -> int:
    """Interest a period has earned by a day."""
    view = stopped_on(plan, on)
    seen = view.periods[plan.periods.index(period)]
    interest = seen.interest
    if prorate_fixed:
        interest = max(0, interest - seen.fixed_interest + fixed_interest_until(seen, on))
    return interest if credited else interest - seen.credited_interest


def share_of_outstanding(row: Row, on: date) -> int:
    """Interest of a row that is not paid, as far as it belongs to the days up to a day."""
    days = (row.due_on - row.from_on).days
    elapsed = (on - row.from_on).days
    return to_minor(Decimal(row.outstanding_of(I)) / days * elapsed)


def fixed_interest_until(period: Period, on: date) -> int:
    """Share of an amortised interest that belongs to the days up to a day."""
    days = (period.due_on - period.from_on).days
    elapsed = (on - period.from_on).days
    if not period.fixed_interest or days == 0 or elapsed >= days:
        return period.fixed_interest
    if elapsed <= 0:
        return 0

    return to_minor(Decimal(elapsed) / Decimal(days) * Decimal(period.fixed_interest))


def outstanding_on(plan: Plan, on: date) -> Due:
    """All principal, and the interest earned by a day, that is not paid."""
    view = plan.copy()
    view.overdue_through = None
    factor_until(view, on)
    view.rebalance()
    settle_last(view, on)
    left_interest = view.total_due_interest - view.total_paid_interest
    return Due(principal=view.total_outstanding_principal, interest=max(0, left_interest))


def outstanding_interest_on(plan: Plan, on: date) -> int:
    """Interest of the periods begun before a day that is due by then and not paid."""
    view = stopped_on(plan, on)
    return sum(p.outstanding_interest for p in view.periods if p.from_on < on)


def total_interest_on(plan: Plan, on: date) -> int:
    """Interest due over all periods if each is looked at on a day."""
    return sum(due_on(plan, period, on).interest for period in plan.periods)
