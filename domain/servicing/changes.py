"""Changes of terms on the way: rates, pauses, due dates, extra instalments, re-amortisation.

Sources: domain rules 9.9 S-02, S-04, S-05, S-07, S-12 to S-14.
"""

from datetime import date
from decimal import Decimal

from domain.servicing.dates import ONE_DAY, add_units
from domain.servicing.facts import (
    DueDateMoved,
    InterestPaused,
    RateChanged,
    ReAmortised,
    TermExtended,
)
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.period import Period, to_minor
from domain.servicing.plan import Plan
from domain.servicing.row import I, P, Row
from domain.servicing.solving import (
    change_rate,
    resolve_after,
    set_instalments,
    settle_last,
    smooth,
)
from domain.servicing.splitting import split_evenly
from domain.servicing.values import ReAmortiseInterest


def apply_rate(ledger: Ledger, fact: RateChanged) -> None:
    """Apply a new rate from its day inclusive: the sub-period ends the day before."""
    if ledger.re_aged_equally_on is not None and fact.effective_on > ledger.re_aged_equally_on:
        return  # interest was fixed: nothing is earned any more, at any rate
    change_rate(ledger.plan, fact.effective_on - ONE_DAY, fact.rate_annual)
    _follow(ledger, fact.effective_on)


def apply_pause(ledger: Ledger, fact: InterestPaused) -> None:
    """Paused days earn nothing; instalments stay, the last one shrinks."""
    first = ledger.plan.pause(fact.effective_on, fact.until)
    if first is not None:
        ledger.plan.factor(ledger.plan.related(first.from_on))
        ledger.plan.rebalance()
        settle_last(ledger.plan, first.from_on)
    _follow(ledger, fact.effective_on)


def _follow(ledger: Ledger, from_on: date) -> None:
    """Rows that are not met and due on or after a day ask for what the plan asks."""
    for row in ledger.rows:
        if row.regular and row.due_on >= from_on and not (row.met and row.met_on):
            period = ledger.period_of(row)
            if period is not None:
                row.due[P], row.due[I] = period.due_principal, period.due_interest
                row.update_met(from_on)


def move_due_date(ledger: Ledger, fact: DueDateMoved) -> None:
    """Move a due date; later ones continue from the new date, instalments stay."""
    plan, terms = ledger.plan, ledger.terms
    index = next((i for i, p in enumerate(plan.periods) if p.due_on == fact.effective_on), None)
    if index is None:
        return
    rows = {(r.from_on, r.due_on): r for r in ledger.rows if r.regular}
    due = fact.new_due_on
    for position in range(index, len(plan.periods)):
        period = plan.periods[position]
        row = rows.get((period.from_on, period.due_on))
        if position > index:
            period.from_on = plan.periods[position - 1].due_on
            steps = (position - index) * terms.repayment_every
            due = add_units(fact.new_due_on, terms.repayment_unit, steps)
            if period is plan.last and terms.fixed_length is not None:
                due += add_units(plan.start_on, terms.repayment_unit, terms.fixed_length) - due
                due += fact.new_due_on - fact.effective_on
            period.subs[0].from_on = period.from_on
        period.due_on = due
        period.subs[-1].due_on = due
        if row is not None:
            row.from_on, row.due_on = period.from_on, period.due_on
    plan.factor(plan.periods[index:])
    plan.rebalance()
    settle_last(plan, fact.effective_on)
    ledger.renumber()
    _follow(ledger, fact.effective_on)


def extend_term(ledger: Ledger, fact: TermExtended) -> None:
    """Add instalments at the end, on the regular dates, and solve anew."""
    plan, terms = ledger.plan, ledger.terms
    start, count = plan.start_on, len(plan.periods)
    if ledger.re_age is not None:
        start, count = ledger.re_age[0], ledger.re_age[1] - 1
    last = plan.last
    for number in range(count, count + fact.instalments):
        from_on = plan.last.due_on
        due_on = add_units(start, terms.repayment_unit, (number + 1) * terms.repayment_every)
        period = Period(from_on, due_on)
        period.disbursed_before = last.disbursed_before
        period.capitalised_before = last.capitalised_before
        plan.periods.append(period)
        row = Row(from_on, due_on)
        row.met = False
        ledger.rows.append(row)
    ledger.renumber()
    resolve_after(plan, fact.effective_on - ONE_DAY)
    _follow(ledger, fact.effective_on)


def re_amortise(ledger: Ledger, fact: ReAmortised, entry: Entry) -> None:
    """Spread what is past due over the remaining instalments."""
    if ledger.terms.recalculates:
        past = [p for p in ledger.plan.periods if p.due_on <= entry.on]
        entry.parts[P] = sum(p.outstanding_principal for p in past)
        entry.parts[I] = sum(p.outstanding_interest for p in past)
        ledger.plan.grace_lifted = True
        if fact.interest is ReAmortiseInterest.DEFAULT:
            _re_amortise_plan(ledger.plan, entry.on)
        else:
            _re_amortise_with_split(ledger.plan, entry.on)
        ledger.sync_rows(entry.on)
    else:
        _re_amortise_rows(ledger, entry)
        ledger.rows_lead = True
    entry.amount = sum(entry.parts.values())
    entry.void = entry.amount == 0


def _re_amortise_plan(plan: Plan, on: date) -> None:
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
    plan.rebalance()
    _solve_future(plan, on)


def _solve_future(plan: Plan, on: date) -> None:
    future = plan.related(on + ONE_DAY)
    if not future:
        return
    set_instalments(plan, future)
    plan.rebalance()
    settle_last(plan, on)
    smooth(plan, future)


def _re_amortise_with_split(plan: Plan, on: date) -> None:
    """The instalment is solved on the balance, past-due interest is split evenly on top."""
    past = [p for p in plan.periods if p.due_on <= on and not p.fully_paid]
    interest = sum(p.due_interest - p.paid_interest for p in past)
    future = plan.related(on + ONE_DAY)
    _reset_corrections(plan, on)
    for period in past:
        period.subs[-1].correction -= period.paid_principal
        period.emi = period.total_paid
        period.moved_credit = period.credited_principal + period.credited_interest
        period.moved_down = True
    plan.factor(future)
    if future and interest > 0:
        share = to_minor(Decimal(interest) / len(future))
        for period in future:
            period.fixed_interest += share
    plan.rebalance()
    _solve_future(plan, on)


def _reset_corrections(plan: Plan, on: date) -> None:
    for period in plan.periods:
        for sub in period.subs:
            sub.correction = 0
    for index, period in enumerate(plan.periods):
        if period.fully_paid and period.due_on <= on:
            following = plan.periods[index + 1 : index + 2]
            credited = sum(p.credited_principal for p in following)
            paid = period.paid_principal - credited
            if paid > 0:
                period.subs[-1].correction -= paid


def _re_amortise_rows(ledger: Ledger, entry: Entry) -> None:
    """Without recalculation past-due principal is divided, the remainder on the last (S-14)."""
    overdue = 0
    for row in ledger.rows:
        if row.due_on <= entry.on:
            unpaid = row.outstanding_of(P)
            overdue += unpaid
            row.due[P] -= unpaid
            row.update_met(entry.on)
    future = [r for r in ledger.rows if r.due_on > entry.on and r.regular and not r.re_aged]
    entry.parts[P] = overdue
    if not future:
        return
    each = to_minor(Decimal(overdue) / len(future))
    multiple = ledger.terms.instalment_multiple_minor
    if multiple:
        each = int((Decimal(each) / multiple).to_integral_value()) * multiple
    for row, share in zip(future, split_evenly(overdue, len(future), each), strict=True):
        row.ask(P, share, entry.on)
