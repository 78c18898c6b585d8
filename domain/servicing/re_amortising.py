"""Re-amortising: what is past due is spread over the instalments to come; no date changes.

Sources: domain rules 9.9 S-12 to S-14; waiving is a rule of ours (`waiving`).
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from domain.servicing.dates import ONE_DAY
from domain.servicing.facts import ReAmortised
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.period import Period, to_minor
from domain.servicing.plan import Plan
from domain.servicing.re_aged_periods import count_on_days
from domain.servicing.row import I, P
from domain.servicing.settling import settle_last
from domain.servicing.solving import set_instalments, smooth
from domain.servicing.splitting import split_evenly
from domain.servicing.values import ReAmortiseInterest
from domain.servicing.waiving import forget_interest, waive_past_due


def re_amortise(ledger: Ledger, fact: ReAmortised, entry: Entry) -> None:
    """Spread what is past due over the remaining instalments; none left, or nothing due: do not."""
    ended = ledger.written_off or not any(row.outstanding for row in ledger.rows)
    if ended or all(period.due_on <= entry.on for period in ledger.plan.periods):
        entry.void = True
        return
    if ledger.terms.recalculates:
        _re_amortise_followed(ledger, fact, entry)
    else:
        _re_amortise_rows(ledger, fact, entry)
    entry.amount = sum(entry.parts.values())
    entry.void = entry.amount == 0


def _re_amortise_followed(ledger: Ledger, fact: ReAmortised, entry: Entry) -> None:
    plan, on = ledger.plan, entry.on
    past = [period for period in plan.periods if period.due_on <= on]
    entry.parts[P] = sum(period.outstanding_principal for period in past)
    if fact.interest is ReAmortiseInterest.WAIVE_INTEREST:
        waive_past_due(ledger, [row for row in ledger.rows if row.regular], entry)
    else:
        entry.parts[I] = sum(period.outstanding_interest for period in past)
    plan.lift_grace()
    if fact.interest is ReAmortiseInterest.EQUAL_AMORTISATION_INTEREST_SPLIT:
        _with_split(plan, on)
    else:
        close_open_periods(plan, on)
        plan.rebalance()
        _solve_future(plan, on, past if fact.interest is ReAmortiseInterest.WAIVE_INTEREST else [])
    ledger.sync_rows(on)


def close_open_periods(plan: Plan, on: date) -> None:
    """Open periods keep only what was paid; unpaid principal then is no correction any more."""
    plan.drop_corrections()
    for period in plan.periods:
        if period.from_on <= on and not period.fully_paid:
            period.keep_paid()
            period.moved_credit = period.credited_principal + period.credited_interest


def _solve_future(plan: Plan, on: date, waived: Sequence[Period] = ()) -> None:
    """Instalments are solved on what is owed now; what was paid late earned until it was paid."""
    future = plan.related(on + ONE_DAY)
    set_instalments(plan, future)
    count_on_days(plan, [])
    forget_interest(waived, on)
    plan.rebalance()
    settle_last(plan, on)
    smooth(plan, future)


def _with_split(plan: Plan, on: date) -> None:
    """The instalment is solved on the balance, past-due interest is split evenly on top."""
    past = [p for p in plan.periods if p.due_on <= on and not p.fully_paid]
    interest = sum(p.due_interest - p.paid_interest for p in past)
    future = plan.related(on + ONE_DAY)
    close_open_periods(plan, on)
    for period in past:
        period.moved_down = True
    plan.factor(future)
    if interest > 0:
        share = to_minor(Decimal(interest) / len(future))
        for period in future:
            period.fixed_interest += share
    plan.rebalance()
    _solve_future(plan, on)


def _re_amortise_rows(ledger: Ledger, fact: ReAmortised, entry: Entry) -> None:
    """Without recalculation past-due principal is divided, the remainder on the last (S-14)."""
    future = [r for r in ledger.rows if r.due_on > entry.on and r.regular and not r.re_aged]
    if not future:
        return
    if fact.interest is ReAmortiseInterest.WAIVE_INTEREST:
        waive_past_due(ledger, [row for row in ledger.rows if row.regular], entry)
    overdue = 0
    for row in ledger.rows:
        if row.due_on <= entry.on:
            unpaid = row.outstanding_of(P)
            overdue += unpaid
            row.due[P] -= unpaid
            row.update_met(entry.on)
    entry.parts[P] = overdue
    each = to_minor(Decimal(overdue) / len(future))
    multiple = ledger.terms.instalment_multiple_minor
    if multiple:
        each = int((Decimal(each) / multiple).to_integral_value()) * multiple
    for row, share in zip(future, split_evenly(overdue, len(future), each), strict=True):
        row.ask(P, share, entry.on)
    ledger.rows_lead = True
