"""Accelerated maturity: the running row takes all principal, later rows and their dates go.

What was paid into a later row before the day is paid again, into what is left; charges that fall
due later stand on a row of their own. Sources: domain rules 9.9 S-21, S-24.
"""

from datetime import date

from domain.servicing.charges import charges_of
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.period import Period
from domain.servicing.recharging import let_fees_go
from domain.servicing.row import F, I, N, P, Row
from domain.servicing.values import PAYMENT_KINDS, Kind
from domain.servicing.views import interest_of_period, share_of_outstanding

Amounts = dict[str, int]
NEW_ROWS = frozenset({Kind.RESTRUCTURE, Kind.RE_AGE})


def paid_beyond(ledger: Ledger, on: date) -> Amounts:
    """Payments that have a part on a row the acceleration removes, and their amounts."""
    current = _running(ledger, on)
    if current is None or current.met:
        return {}
    numbers = {row.number for row in _removed(ledger, on) if row.total_paid}
    return {
        entry.id: entry.amount
        for entry in _since_rows_were_made(ledger)
        if entry.kind in PAYMENT_KINDS
        and entry.on < on
        and any(line.instalment in numbers for line in entry.lines)
    }


def _since_rows_were_made(ledger: Ledger) -> list[Entry]:
    """Entries after the latest new plan: lines of earlier ones name rows that were there before."""
    entries = ledger.entries
    made = [n for n, entry in enumerate(entries) if entry.kind in NEW_ROWS and not entry.void]
    return entries[made[-1] :] if made else entries


def accelerate(ledger: Ledger, on: date) -> None:
    """End the running row on the day with all remaining principal; later rows disappear."""
    current = _running(ledger, on)
    if current is None:
        return
    removed = _removed(ledger, on)
    let_fees_go(ledger, removed, on)
    charged = _row_for_charges(ledger, removed, on)
    fixed = ledger.re_aged_equally_on is not None  # interest is owed whole: nothing is earned
    if not current.met and not fixed:
        interest = interest_by(ledger, current, on)
        if current.outstanding_of(I) > 0 or interest > 0:
            current.due[I] = max(interest, current.paid[I] + current.waived[I])
    if not current.met:
        _end_plan(ledger, current, on)
    current.due_on = on
    for row in removed:
        _take_over(current, row, charged, fixed=fixed)
    ledger.rows = [row for row in ledger.rows if row not in removed]
    if charged is not None:
        ledger.rows.append(charged)
    current.check_met(on)
    ledger.renumber()


def interest_by(ledger: Ledger, row: Row, on: date) -> int:
    """Interest of a running row up to a day."""
    period = ledger.period_of(row)
    if ledger.terms.recalculates and period is not None:
        return interest_of_period(ledger.plan, period, on)
    return share_of_outstanding(row, on)


def _running(ledger: Ledger, on: date) -> Row | None:
    """Row that contains the day, unless nothing comes after it."""
    regular = [row for row in ledger.rows if row.regular]
    if on >= regular[-1].due_on:
        return None
    if on == regular[0].from_on:
        return regular[0]
    return next((row for row in regular if row.from_on < on <= row.due_on), None)


def _removed(ledger: Ledger, on: date) -> list[Row]:
    current = _running(ledger, on)
    return [r for r in ledger.rows if r is not current and r.from_on >= on and r.due_on > on]


def _row_for_charges(ledger: Ledger, removed: list[Row], on: date) -> Row | None:
    """Additional row for charges that fall due after the day; due with the last of them."""
    dated = [
        charge
        for row in removed
        for charge in charges_of(ledger, row)
        if charge.due_on is not None and charge.due_on > on
    ]
    if not dated:
        return None
    unpaid = [charge for charge in dated if charge.outstanding > 0]
    row = Row(on, max(charge.due_on or on for charge in unpaid or dated))
    row.additional = True
    return row


def _take_over(current: Row, row: Row, charged: Row | None, *, fixed: bool) -> None:
    """Principal goes to the running row, charges to theirs; interest and fees to come are off."""
    for component, keeps in ((P, True), (I, fixed), (F, charged is not None), (N, True)):
        target = charged if charged is not None and component in (F, N) else current
        settled = row.paid[component] + row.waived[component] + row.written_off[component]
        target.due[component] += row.due[component] if keeps else settled
        target.paid[component] += row.paid[component]
        target.beside.waived[component] += row.waived[component]
        target.beside.written_off[component] += row.written_off[component]
        target.beside.credited[component] += row.credited[component]
    current.in_advance += row.in_advance
    if charged is not None:
        charged.check_met(row.met_on)


def _end_subs(period: Period, on: date) -> None:
    """End a period's days on the day; what was put back on that day stays with it."""
    kept = [sub for sub in period.subs if sub.from_on < on] or period.subs[:1]
    for sub in period.subs[len(kept) :]:
        kept[-1].credited_principal += sub.credited_principal
        kept[-1].credited_interest += sub.credited_interest
    period.subs = kept
    period.due_on = kept[-1].due_on = on


def _end_plan(ledger: Ledger, current: Row, on: date) -> None:
    """Let the plan of a loan that recalculates end on the day with one instalment for the rest."""
    plan = ledger.plan
    last = ledger.period_of(current)
    if not ledger.recalculates or last is None:
        return
    plan.open_all()  # a plan that was folded anew without later payments has noted some of it
    last = ledger.period_of(current) or last
    later = [period for period in plan.periods if period.from_on >= on and period is not last]
    interest = interest_of_period(plan, last, on)
    principal = last.due_principal + sum(period.due_principal for period in later)
    plan.periods = [period for period in plan.periods if period not in later]
    last.fixed_interest += sum(period.fixed_interest for period in later)
    interest += sum(period.fixed_interest for period in later)
    _end_subs(last, on)
    plan.keeps_instalments = True
    plan.factor([last])
    plan.rebalance()
    last.emi = principal + interest - last.credited
    if last.share is not None:
        last.share = max(0, principal - last.credited_principal)
    plan.rebalance()
