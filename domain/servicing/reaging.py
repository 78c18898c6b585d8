"""Re-ageing: all that is unpaid moves to new instalments from a start date.

Sources: domain rules 9.9 S-09 to S-11.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from domain.servicing.dates import add_units
from domain.servicing.facts import ReAged
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.movements import credit
from domain.servicing.period import Period, to_minor
from domain.servicing.plan import Plan
from domain.servicing.row import COMPONENTS, F, I, N, P, Row
from domain.servicing.solving import (
    disburse,
    settle_last,
    smooth,
    to_multiple,
)
from domain.servicing.splitting import Shares, split_evenly, split_rest
from domain.servicing.values import Component, ReAgeInterest
from domain.servicing.views import outstanding_interest_on, outstanding_on

Parts = dict[Component, int]


def re_age(ledger: Ledger, fact: ReAged, entry: Entry) -> None:
    """Move everything unpaid to the new instalments; an amount of zero does nothing."""
    ledger.re_age = (fact.start_on, fact.instalments)
    equally = fact.interest is not ReAgeInterest.DEFAULT
    if not ledger.terms.recalculates:
        _re_age_rows(ledger, fact, entry, with_charges=ledger.terms.interest_bearing and equally)
    elif equally:
        _re_age_equally(ledger, fact, entry)
    else:
        _re_age_plan(ledger, fact, entry)
    entry.amount = sum(entry.parts.values())
    entry.void = entry.amount == 0


# --- interest solved anew


def _re_age_plan(ledger: Ledger, fact: ReAged, entry: Entry) -> None:
    """DEFAULT with recalculation: interest due so far comes with the first new instalment."""
    plan, on = ledger.plan, entry.on
    entry.parts[I] = outstanding_interest_on(plan, on)
    entry.parts[P] = plan.total_outstanding_principal
    instalments = _solve_apart(plan, fact)
    plan.grace_lifted = True
    early = _paid_from(plan, on)
    credited = _credited_after(plan, on)
    _end_at(plan, on)
    if credited:
        credit(plan, on, principal=credited)
    _close_open_periods(plan, on)
    _hold_early_payments(plan, early)
    fresh = _append_periods(plan, fact)
    for period, instalment in zip(fresh, instalments, strict=True):
        period.emi = period.original_emi = instalment
    plan.factor(fresh)
    plan.rebalance()
    settle_last(plan, on)
    smooth(plan, fresh)
    _rows_follow_plan(ledger, on)


def _solve_apart(plan: Plan, fact: ReAged) -> list[int]:
    """Instalments of a new loan of the principal, paid out one period before the start date."""
    dues = _due_dates(fact)
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
    disburse(apart, start, plan.total_outstanding_principal)
    return [period.due_principal + period.due_interest for period in apart.periods]


def _due_dates(fact: ReAged) -> list[date]:
    """Due dates of the new instalments, counted from the start date."""
    return [add_units(fact.start_on, fact.unit, n * fact.every) for n in range(fact.instalments)]


def _paid_from(plan: Plan, on: date) -> tuple[int, int]:
    """Principal and interest paid on periods due on or after a day."""
    later = [period for period in plan.periods if period.due_on >= on]
    return sum(p.paid_principal for p in later), sum(p.paid_interest for p in later)


def _credited_after(plan: Plan, on: date) -> int:
    later = (p for p in plan.periods if p.from_on >= on and p.due_on > on)
    return sum(period.credited_principal for period in later)


def _end_at(plan: Plan, on: date) -> None:
    """Cut the running period at the day and drop the later ones."""
    index = plan.period_on(on)
    if index is None:
        return
    period = plan.periods[index]
    period.holds_early_payments = True
    if period.due_on != on:
        period.due_on = on
        period.subs = [sub for sub in period.subs if sub.from_on < on or sub is period.subs[0]]
        period.subs[-1].due_on = on
        plan.factor([period])
    plan.periods = [p for p in plan.periods if p.due_on <= on]


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


def _hold_early_payments(plan: Plan, early: tuple[int, int]) -> None:
    if early == (0, 0):
        return
    last = plan.last
    last.paid_principal, last.paid_interest = early
    last.emi = last.total_paid
    last.holds_early_payments = True
    plan.factor([last])


def _append_periods(plan: Plan, fact: ReAged) -> list[Period]:
    before = plan.last
    fresh: list[Period] = []
    for due in _due_dates(fact):
        period = Period(plan.last.due_on, due)
        period.disbursed_before = before.disbursed_before
        period.capitalised_before = before.capitalised_before
        plan.periods.append(period)
        fresh.append(period)
    return fresh


def _rows_follow_plan(ledger: Ledger, on: date) -> None:
    """Rebuild the regular rows from the plan; down payments and row N+1 stay."""
    old = {row.from_on: row for row in reversed(ledger.rows) if row.regular}
    in_advance = _lift_early_rows(ledger, on).in_advance
    rows = [row for row in ledger.rows if row.down_payment]
    for period in ledger.plan.periods:
        row = old.pop(period.from_on, None)
        if row is None or row in rows:
            row = Row(period.from_on, period.due_on)
            row.re_aged = True
        row.due_on = period.due_on
        row.due[P], row.due[I] = period.due_principal, period.due_interest
        row.paid[P], row.paid[I] = period.paid_principal, period.paid_interest
        if period.holds_early_payments and period.due_on == on:
            row.in_advance = in_advance
        row.update_met(on)
        rows.append(row)
    ledger.rows = rows
    ledger.renumber()


# --- everything split evenly, nothing earned afterwards


def _re_age_equally(ledger: Ledger, fact: ReAged, entry: Entry) -> None:
    plan, on = ledger.plan, entry.on
    maturity = plan.maturity
    payable = fact.interest is ReAgeInterest.EQUAL_AMORTISATION_PAYABLE_INTEREST
    owed = outstanding_on(plan, on if payable else maturity)
    charges = _lift_charges(ledger, on)
    entry.parts.update({P: owed.principal, I: owed.interest, F: charges[F], N: charges[N]})
    held = _lift_early_rows(ledger, on)
    early = _paid_from(plan, on)
    credited = _credited_after(plan, on)
    _end_at(plan, on)
    if credited:
        credit(plan, on, principal=credited)
    for period in plan.periods:
        last = period.subs[-1]
        last.credited_interest -= min(period.outstanding_interest, period.credited_interest)
        period.emi = period.total_paid
        period.moved_credit = period.credited_principal + period.credited_interest
        period.moved_down = True
    plan.derive()
    if maturity >= on:
        _hold_early_payments(plan, early)
        plan.last.holds_early_payments = plan.last.re_aged = True
    fresh = _append_periods(plan, fact)
    splits = _splits(entry.parts, fact.instalments)
    for period, interest, principal in zip(fresh, splits[I], splits[P], strict=True):
        period.re_aged = True
        period.fixed_interest = interest
        period.emi = period.original_emi = interest + principal
    plan.rebalance()
    plan.set_rate(min(on, maturity), plan.terms.rate_annual * 0)
    plan.factor(fresh)
    settle_last(plan, on)
    ledger.re_aged_equally_on = on
    _rows_of_equal_plan(ledger, fresh, splits, held, on)


def _splits(parts: Parts, count: int, multiple_of: Ledger | None = None) -> dict[Component, Shares]:
    """Split every component evenly; principal follows the instalment (domain rules S-11)."""
    others = {component: split_evenly(parts[component], count) for component in (I, F, N)}
    owed = sum(parts.values())
    each = to_minor(Decimal(owed) / count)
    if multiple_of is not None:
        each = to_multiple(multiple_of.terms, each)
    total = split_evenly(owed, count, each)
    return {**others, P: split_rest(total, list(others.values()))}


def _lift_charges(ledger: Ledger, on: date) -> Parts:
    lifted = {F: 0, N: 0}
    for row in ledger.rows:
        for component in (F, N):
            amount = row.outstanding_of(component)
            lifted[component] += amount
            row.due[component] -= amount
        row.update_met(on)
    return lifted


@dataclass(slots=True, kw_only=True)
class _Held:
    """What was paid on rows that end: it stays on the row that holds early payments."""

    fees: int = 0
    penalties: int = 0
    in_advance: int = 0


def _lift_early_rows(ledger: Ledger, on: date) -> _Held:
    held = _Held()
    for row in ledger.rows:
        if row.regular and row.due_on >= on:
            held.fees += row.paid[F]
            held.penalties += row.paid[N]
            held.in_advance += row.in_advance
    return held


def _rows_of_equal_plan(
    ledger: Ledger, fresh: list[Period], splits: dict[Component, Shares], held: _Held, on: date
) -> None:
    kept = [r for r in ledger.rows if r.down_payment or (r.due_on < on and not r.additional)]
    extra = [r for r in ledger.rows if r.additional and r.due_on > ledger.plan.maturity]
    for row in kept:
        if row.regular:
            row.due[P], row.due[I] = row.paid[P], row.paid[I]
            row.update_met(on)
    rows = [*kept, *extra]
    for period in ledger.plan.periods:
        if period.due_on < on:
            continue
        row = Row(period.from_on, period.due_on)
        row.re_aged = True
        row.due[P], row.due[I] = period.due_principal, period.due_interest
        if period.holds_early_payments:
            _fill_held(row, period, held)
        else:
            for component in (F, N):
                row.due[component] = splits[component][fresh.index(period)]
        row.check_met(on)
        rows.append(row)
    ledger.rows = rows
    ledger.renumber()


def _fill_held(row: Row, period: Period, held: _Held) -> None:
    row.paid[P], row.paid[I] = period.paid_principal, period.paid_interest
    row.credited[P], row.credited[I] = period.credited_principal, period.credited_interest
    row.due[F] = row.paid[F] = held.fees
    row.due[N] = row.paid[N] = held.penalties
    row.in_advance = held.in_advance


# --- rows only: the plan is not followed


def _re_age_rows(ledger: Ledger, fact: ReAged, entry: Entry, *, with_charges: bool) -> None:
    """Without recalculation the rows themselves are moved (common strategy, S-11)."""
    on = entry.on
    parts = _lift_rows(ledger, fact, on, with_charges=with_charges)
    entry.parts.update(parts)
    if not any(parts.values()):
        return
    splits = _splits(parts, fact.instalments, ledger)
    early = _lift_paid(ledger, on)
    ledger.rows = [
        row
        for row in ledger.rows
        if row.down_payment or row.additional or row.due_on <= on or row.outstanding
    ]
    _place_new_rows(ledger, fact, splits, early, on)


def _lift_rows(ledger: Ledger, fact: ReAged, on: date, *, with_charges: bool) -> Parts:
    parts = dict.fromkeys(COMPONENTS, 0)
    payable = fact.interest is ReAgeInterest.EQUAL_AMORTISATION_PAYABLE_INTEREST
    lifted = (P, I, F, N) if with_charges else (P,)
    for row in ledger.rows:
        if row.down_payment and with_charges:
            continue
        for component in lifted:
            amount = row.outstanding_of(component)
            parts[component] += amount
            row.due[component] -= amount
        row.update_met(on)
    if with_charges and payable:
        parts[I] = outstanding_on(ledger.plan, on).interest
    return parts


def _lift_paid(ledger: Ledger, on: date) -> Row | None:
    """Collect what was paid on later rows in the row due on the day, else in one of its own."""
    due = next((row for row in ledger.rows if row.regular and row.due_on == on), None)
    held = due or Row(on, on)
    for row in [row for row in ledger.rows if row.regular and row.due_on > on]:
        for component in COMPONENTS:
            paid = row.paid[component]
            held.due[component] += paid
            held.paid[component] += paid
            row.due[component] -= paid
            row.paid[component] = 0
        held.in_advance += row.in_advance
        row.in_advance = 0
    if due is not None:
        due.update_met(on)
        return None
    return held if held.total_paid else None


def _place_new_rows(
    ledger: Ledger,
    fact: ReAged,
    splits: dict[Component, Shares],
    early: Row | None,
    on: date,
) -> None:
    before = [
        row.due_on
        for row in ledger.rows
        if not row.down_payment
        and (row.due_on < fact.start_on or (row.regular and row.due_on == on))
    ]
    from_on = max(before, default=ledger.started_on)
    if early is not None:
        early.from_on, early.due_on = from_on, on
        early.re_aged = True
        early.check_met(on)
        ledger.rows.append(early)
        from_on = on
    for number, due in enumerate(_due_dates(fact)):
        row = Row(from_on, due)
        row.re_aged = True
        for component, shares in splits.items():
            row.due[component] = shares[number]
        _merge(ledger, row, on)
        from_on = due
    ledger.renumber()


def _merge(ledger: Ledger, row: Row, on: date) -> None:
    """Let charges of a row that ends on the same day stay with the new one."""
    for old in [r for r in ledger.rows if r.regular and r.due_on == row.due_on and r.due_on > on]:
        for component in (F, N):
            row.due[component] += old.due[component]
        ledger.rows.remove(old)
    row.check_met(on)
    ledger.rows.append(row)
