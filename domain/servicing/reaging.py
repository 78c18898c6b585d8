"""Re-ageing: all that is unpaid moves to new instalments from a start date.

This module solves interest anew (DEFAULT); `equal_re_ageing` fixes it. Sources: domain rules 9.9
S-09 to S-11.
"""

from dataclasses import replace
from datetime import date

from domain.servicing.dates import add_units
from domain.servicing.equal_re_ageing import re_age_equally
from domain.servicing.facts import ReAged
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.movements import credit
from domain.servicing.plan import Plan
from domain.servicing.re_aged_periods import (
    append_periods,
    due_dates,
    end_plan,
    ending_periods,
    hold_early_payments,
    join_stubs,
)
from domain.servicing.re_aged_rows import (
    hold,
    lift_beyond,
    lift_from,
    rows_by_period,
    rows_follow,
    settled_on,
)
from domain.servicing.recharging import place_charges
from domain.servicing.row import I, P
from domain.servicing.row_re_ageing import re_age_rows
from domain.servicing.solving import disburse, settle_last, smooth
from domain.servicing.values import ReAgeInterest
from domain.servicing.views import outstanding_interest_on


def re_age(ledger: Ledger, fact: ReAged, entry: Entry) -> None:
    """Move everything unpaid to the new instalments; an amount of zero does nothing."""
    ledger.re_age = (fact.start_on, fact.instalments)
    if not ledger.terms.recalculates:
        re_age_rows(ledger, fact, entry)
    elif fact.interest is ReAgeInterest.DEFAULT:
        _re_age_plan(ledger, fact, entry)
    else:
        re_age_equally(ledger, fact, entry)
    entry.amount = sum(entry.parts.values())
    entry.void = entry.amount == 0


def _re_age_plan(ledger: Ledger, fact: ReAged, entry: Entry) -> None:
    """Interest due so far comes with the first new instalment (S-10 DEFAULT)."""
    plan, on = ledger.plan, entry.on
    known = rows_by_period(ledger)
    ending = ending_periods(plan, on)
    rows = [known[period] for period in ending]
    charges = lift_from(ledger, rows, due_dates(fact)[-1])
    early = settled_on(rows)
    beyond = lift_beyond(ledger)
    entry.parts[I] = outstanding_interest_on(plan, on) + beyond[I]
    entry.parts[P] = plan.total_outstanding_principal + beyond[P]
    instalments = _solve_apart(plan, fact, entry.parts[P])
    plan.grace_lifted = True
    credited = beyond[P] + sum(p.credited_principal for p in ending if p.from_on >= on < p.due_on)
    end_plan(plan, ending, on)
    if credited:
        credit(plan, min(on, plan.maturity), principal=credited)
    _close_open_periods(plan, on)
    if ending:
        hold_early_payments(plan, early.paid[P], early.paid[I])
    join_stubs(plan)
    fresh = append_periods(plan, fact)
    fresh[0].fixed_interest = beyond[I]
    for period, instalment in zip(fresh, instalments, strict=True):
        period.emi = period.original_emi = instalment
    plan.factor(fresh)
    plan.rebalance()
    settle_last(plan, on)
    smooth(plan, fresh)
    cut = rows[0] if rows else None
    if cut is not None:
        hold(cut, early, on)
    rows_follow(ledger, known, cut, on)
    place_charges(ledger, charges, on)


def _solve_apart(plan: Plan, fact: ReAged, principal: int) -> list[int]:
    """Instalments of a new loan of the principal, paid out one period before the start date."""
    dues = due_dates(fact)
    start = add_units(fact.start_on, fact.unit, -fact.every)
    terms = replace(
        plan.terms,
        repayment_every=fact.every,
        repayment_unit=fact.unit,
        grace_on_principal=0,
        grace_on_interest=0,
    )
    apart = Plan(terms, zip([start, *dues[:-1]], dues, strict=True))
    apart.rates = list(plan.rates)
    disburse(apart, start, principal)
    return [period.due_principal + period.due_interest for period in apart.periods]


def _close_open_periods(plan: Plan, on: date) -> None:
    """Open periods keep only what was paid; overdue corrections that end on the day are undone."""
    for period in plan.periods:
        if period.from_on > on or period.fully_paid:
            continue
        for sub in period.subs:
            if sub.due_on == on:
                sub.correction = 0
        last = period.subs[-1]
        if last.correction:
            last.correction -= period.outstanding_principal
        period.emi = period.total_paid
        period.moved_credit = period.credited_principal + period.credited_interest
    plan.derive()
