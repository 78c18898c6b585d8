"""Re-ageing: all that is unpaid moves to new instalments from a start date.

This module solves interest anew; `equal_re_ageing` and `row_re_ageing` fix it. Sources: domain
rules 9.9 S-09 to S-11; waiving is a rule of ours (`waiving`).
"""

from dataclasses import replace
from datetime import date

from domain.servicing.dates import add_units
from domain.servicing.equal_re_ageing import re_age_equally
from domain.servicing.facts import ReAged
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.period import Period
from domain.servicing.plan import Plan
from domain.servicing.principal_owed import moved_after
from domain.servicing.re_aged_periods import (
    append_periods,
    count_on_days,
    due_dates,
    hold_early_payments,
    join_stubs,
)
from domain.servicing.re_aged_rows import (
    Ending,
    begin_ending,
    credited_later,
    end_plan_and_rows,
    lift_from,
    rows_follow,
)
from domain.servicing.re_amortising import close_open_periods
from domain.servicing.recharging import place_charges
from domain.servicing.row import I, P
from domain.servicing.row_re_ageing import EQUALLY, re_age_rows
from domain.servicing.settling import settle_last
from domain.servicing.solving import disburse, smooth
from domain.servicing.values import Amortisation, OverdueInterest, ReAgeInterest
from domain.servicing.views import interest_of_period, outstanding_interest_on
from domain.servicing.waiving import forget_interest, waive_past_due


def re_age(ledger: Ledger, fact: ReAged, entry: Entry) -> None:
    """Move everything unpaid to the new instalments; if nothing is, nothing changes."""
    if not any(row.outstanding for row in ledger.rows):
        entry.void = True
        return
    _solve_from_now_on(ledger)
    terms = ledger.terms
    ledger.re_age = fact
    ledger.plan.keep_instalments()
    if terms.recalculates and fact.interest in EQUALLY:
        re_age_equally(ledger, fact, entry)
    elif terms.recalculates:
        _re_age_followed(ledger, fact, entry)
    elif fact.interest in EQUALLY or not terms.interest_bearing or ledger.rows_lead:
        re_age_rows(ledger, fact, entry)
    else:
        _re_age_unfollowed(ledger, fact, entry)
    entry.amount = sum(entry.parts.values())
    entry.void = entry.amount == 0


def _solve_from_now_on(ledger: Ledger) -> None:
    """What had amounts or dates of its own has none for the new instalments: they are solved."""
    if ledger.terms.amortisation in (Amortisation.FIXED_INSTALMENT, Amortisation.CUSTOM):
        level = ledger.terms.amortisation_when_re_aged
        terms = replace(ledger.terms, amortisation=level, instalment_minor=None, custom=())
        ledger.terms = ledger.plan.terms = terms


def _re_age_followed(ledger: Ledger, fact: ReAged, entry: Entry) -> None:
    """Interest due so far comes with the first new instalment, or what is past due is waived."""
    plan, on = ledger.plan, entry.on
    past = [period for period in plan.periods if period.due_on <= on]
    ending = begin_ending(ledger, on)
    charges = lift_from(ledger, ending.rows, due_dates(fact)[-1])
    waives = fact.interest is ReAgeInterest.WAIVE_INTEREST
    waived = waive_past_due(ledger, ending.known.values(), entry) if waives else 0
    carried = ending.beyond[I] + sum(p.fixed_interest for p in ending.periods if p.from_on >= on)
    entry.parts[I] = carried + max(0, outstanding_interest_on(plan, on) - waived)
    entry.parts[P] = plan.total_outstanding_principal + ending.beyond[P]
    instalments = _solve_apart(plan, fact, entry.parts[P])
    earns = ledger.terms.overdue_interest is OverdueInterest.EARNS
    moves = moved_after(ledger, plan.maturity, entry.parts[P]) if earns else []
    end_plan_and_rows(ledger, ending, on, credited_later(ending, on))
    count_on_days(plan, moves)
    close_open_periods(plan, on)
    if waives:
        forget_interest(past, on)
    plan.derive()
    if ending.periods:
        hold_early_payments(plan, ending.early.paid[P], ending.early.paid[I])
    join_stubs(plan)
    fresh = append_periods(plan, fact)
    fresh[0].fixed_interest = carried
    for day, amount in moves:
        plan.move_money(day, correction=amount)
    _ask_for(plan, fresh, instalments, on)
    rows_follow(ledger, ending, on)
    place_charges(ledger, charges, on)


def _re_age_unfollowed(ledger: Ledger, fact: ReAged, entry: Entry) -> None:
    """The same without recalculation: the plan first takes over what the rows know."""
    plan, on = ledger.plan, entry.on
    ending = begin_ending(ledger, on)
    charges = lift_from(ledger, ending.rows, due_dates(fact)[-1])
    if fact.interest is ReAgeInterest.WAIVE_INTEREST:
        waive_past_due(ledger, ending.known.values(), entry)
    entry.parts[I] = ending.beyond[I] + _interest_owed(plan, ending, on)
    principal = sum(row.outstanding_of(P) for row in ending.known.values())
    entry.parts[P] = principal + ending.beyond[P]
    instalments = _solve_apart(plan, fact, entry.parts[P])
    end_plan_and_rows(ledger, ending, on)
    last = ending.known[plan.last]
    last.beside.credited[P] += ending.beyond_credited + sum(
        row.credited[P] for row in ending.rows[1:]
    )
    _take_over(plan, ending)
    join_stubs(plan)
    fresh = append_periods(plan, fact)
    fresh[0].fixed_interest = entry.parts[I]
    for period in fresh:
        period.disbursed_before, period.capitalised_before = entry.parts[P], 0  # flat interest
    _ask_for(plan, fresh, instalments, on)
    rows_follow(ledger, ending, on)
    place_charges(ledger, charges, on)


def _interest_owed(plan: Plan, ending: Ending, on: date) -> int:
    """Unpaid interest of rows due up to the day, and what the running one earned by then."""
    past = sum(row.outstanding_of(I) for row in ending.known.values() if row.due_on <= on)
    if not ending.periods or ending.rows[0].due_on <= on:
        return past
    running = interest_of_period(plan, ending.periods[0], on)
    return past + max(0, running - ending.early.paid[I] - ending.early.waived[I])


def _take_over(plan: Plan, ending: Ending) -> None:
    """Let periods of the past know what was paid and credited on their rows, and earn nothing."""
    for period in plan.periods:
        row = ending.known[period]
        period.paid_principal, period.paid_interest = row.paid[P], row.paid[I]
        period.emi = period.total_paid
        last = period.subs[-1]
        last.credited_principal = period.moved_credit = row.credited[P]
        last.correction = row.credited[P] - row.paid[P]
        period.fixed_interest = period.future_interest = 0
        period.moved_down = True
    plan.derive()


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
        interest_free_periods=0,
        amortisation=plan.terms.amortisation_when_re_aged,
    )
    apart = Plan(terms, zip([start, *dues[:-1]], dues, strict=True))
    apart.rates = list(plan.rates)
    disburse(apart, start, principal)
    return [period.due_principal + period.due_interest for period in apart.periods]


def _ask_for(plan: Plan, fresh: list[Period], instalments: list[int], on: date) -> None:
    """Ask for the instalments; the last one settles, and a large difference is spread."""
    for period, instalment in zip(fresh, instalments, strict=True):
        period.emi = period.original_emi = instalment
    plan.factor(fresh)
    plan.rebalance()
    settle_last(plan, on)
    smooth(plan, fresh)
