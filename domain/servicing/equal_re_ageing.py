"""Re-ageing that splits everything evenly; nothing is earned afterwards.

Here the plan is followed; `row_re_ageing` moves rows alone. Sources: domain rules 9.9 S-10
EQUAL_AMORTIZATION_..., S-11.
"""

from decimal import Decimal

from domain.servicing.facts import ReAged
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.period import to_minor
from domain.servicing.plan import Plan
from domain.servicing.re_aged_periods import append_periods, hold_early_payments, join_stubs
from domain.servicing.re_aged_rows import (
    Parts,
    begin_ending,
    credited_later,
    end_plan_and_rows,
    rows_follow,
)
from domain.servicing.recharging import Lifted, lift_charges, spread_charges
from domain.servicing.row import F, I, N, P
from domain.servicing.settling import settle_last
from domain.servicing.splitting import Shares, split_evenly
from domain.servicing.values import Component, ReAgeInterest
from domain.servicing.views import outstanding_on

Split = dict[Component, Shares]


def re_age_equally(ledger: Ledger, fact: ReAged, entry: Entry) -> None:
    """Let the plan end on the day and ask for even shares after it."""
    plan, on = ledger.plan, entry.on
    maturity = plan.maturity
    payable = fact.interest is ReAgeInterest.EQUAL_AMORTISATION_PAYABLE_INTEREST
    owed = outstanding_on(plan, on if payable else maturity)
    charges = lift_charges(ledger, [row for row in ledger.rows if not row.down_payment])
    ending = begin_ending(ledger, on)
    entry.parts.update(sums_of(charges))
    entry.parts[P] = owed.principal + ending.beyond[P]
    entry.parts[I] = owed.interest + ending.beyond[I]
    end_plan_and_rows(ledger, ending, on, credited_later(ending, on))
    _close(plan)
    if ending.periods:
        hold_early_payments(plan, ending.early.paid[P], ending.early.paid[I])
        plan.last.re_aged = True
    join_stubs(plan)
    fresh = append_periods(plan, fact)
    split = split_equally(entry.parts, fact.instalments)
    for period, interest, principal in zip(fresh, split[I], split[P], strict=True):
        period.re_aged = True
        period.fixed_interest = interest
        period.emi = period.original_emi = interest + principal
    plan.rebalance()
    plan.stop_earning(min(on, maturity))
    plan.factor(fresh)
    settle_last(plan, on)
    ledger.re_aged_equally_on = on
    spread_charges(charges, rows_follow(ledger, ending, on))


def _close(plan: Plan) -> None:
    """Periods keep only what was paid, and earn nothing."""
    for period in plan.periods:
        last = period.subs[-1]
        last.credited_interest -= min(period.outstanding_interest, period.credited_interest)
        period.emi = period.total_paid
        period.moved_credit = period.credited_principal + period.credited_interest
        period.moved_down = True
        period.fixed_interest = 0
    plan.derive()


def sums_of(charges: list[Lifted]) -> Parts:
    """Sum up lifted charges by component."""
    return {c: sum(part.amount for part in charges if part.component is c) for c in (F, N)}


def split_equally(parts: Parts, count: int) -> Split:
    """Split principal and interest: the instalment is even, principal follows interest."""
    each = each_of(sum(parts.values()), count) - each_of(parts[F], count) - each_of(parts[N], count)
    interest = split_evenly(parts[I], count)
    whole = split_evenly(parts[P] + parts[I], count, max(each, 0))
    principal = [a - b for a, b in zip(whole, interest, strict=True)]
    if min(principal) < 0:  # next to nothing is owed: rounding alone would make it negative
        principal = split_evenly(parts[P], count)
    return {P: principal, I: interest}


def each_of(amount: int, count: int) -> int:
    """Round an even share."""
    return to_minor(Decimal(amount) / count)
