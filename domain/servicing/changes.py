"""Changes of terms on the way: rates, pauses, due dates, extra instalments.

Sources: domain rules 9.9 S-02, S-04, S-05, S-07.
"""

from datetime import date
from decimal import Decimal

from domain.errors import Rejected
from domain.servicing.balancing import close_principal_gap
from domain.servicing.dates import ONE_DAY, add_units, continued, due_on, knowing, worked
from domain.servicing.facts import DueDateMoved, InterestPaused, TermExtended
from domain.servicing.given import let_rows_follow_term
from domain.servicing.ledger import Ledger
from domain.servicing.mirroring import mirror_of
from domain.servicing.period import Period
from domain.servicing.plan import Plan
from domain.servicing.row import I, P, Row
from domain.servicing.settling import settle_last
from domain.servicing.solving import change_rate, resolve_after
from domain.servicing.values import Amortisation, ChargeOffBehaviour


def apply_rate(ledger: Ledger, on: date, rate: Decimal) -> None:
    """Apply a new rate from its day inclusive, and solve the instalments from there."""
    if interest_is_fixed(ledger, on):
        return
    change_rate(ledger.plan, ledger.terms.counts_from(on), rate)
    if ledger.terms.amortisation is Amortisation.FIXED_INSTALMENT:
        let_rows_follow_term(ledger)
    let_rows_follow(ledger, ledger.plan, on)


def apply_pause(ledger: Ledger, fact: InterestPaused) -> None:
    """Paused days earn nothing; instalments stay, the last one shrinks."""
    if interest_is_fixed(ledger, fact.effective_on):
        return
    terms = ledger.terms
    until = terms.counts_until(fact.until)
    first = ledger.plan.pause(terms.counts_from(fact.effective_on), until)
    if first is not None:
        ledger.plan.factor(ledger.plan.related(first.from_on))
        ledger.plan.rebalance()
        settle_last(ledger.plan, first.from_on)
    let_rows_follow(ledger, ledger.plan, fact.effective_on)


def interest_is_fixed(ledger: Ledger, on: date) -> bool:
    """Whether interest was split before a day: nothing is earned any more, at any rate."""
    equally = ledger.re_aged_equally_on
    stopped = ledger.terms.charge_off is not ChargeOffBehaviour.REGULAR
    if _has_ended(ledger) or (ledger.charged_off_on and stopped):
        return True
    return ledger.rows_lead or (equally is not None and on > equally)


def _has_ended(ledger: Ledger) -> bool:
    """Whether there is no contract any more whose terms could change."""
    return ledger.terminated_on is not None or ledger.written_off


def _plan_of(ledger: Ledger) -> Plan:
    """Return the plan behind the rows, or one that mirrors rows which lead."""
    return mirror_of(ledger) if ledger.rows_lead else ledger.plan


def let_rows_follow(ledger: Ledger, plan: Plan, from_on: date) -> None:
    """Rows due on or after a day ask for what the plan asks; met ones if it follows payments."""
    knows_credit = ledger.terms.recalculates or ledger.rows_lead
    for row in ledger.rows:
        if not row.regular or row.due_on < from_on:
            continue
        index = plan.period_of(row.from_on, row.due_on)
        kept = row.met and row.total_due and not ledger.recalculates
        if index is not None and not kept:
            period = plan.periods[index]
            asked = {P: period.due_principal, I: period.due_interest + row.waived_beside_plan}
            for component, amount in asked.items():
                beside = 0 if knows_credit else row.credited[component]
                settled = row.paid[component] + row.waived[component]
                row.due[component] = max(amount + beside, settled)
            row.update_met(from_on)
    if not ledger.terms.recalculates:
        close_principal_gap(ledger, from_on)


def move_due_date(ledger: Ledger, fact: DueDateMoved) -> None:
    """Move a due date; later ones continue from the new date, instalments stay."""
    if _has_ended(ledger):
        return
    terms = ledger.terms = knowing(ledger.terms, fact.closed_days)
    plan = _plan_of(ledger)
    before = fact.effective_on if fact.due_on is None else fact.due_on
    index = next((i for i, p in enumerate(plan.periods) if p.due_on == before), None)
    if index is None:
        return
    rows = {(r.from_on, r.due_on): r for r in ledger.rows if r.regular}
    due = fact.new_due_on
    moved: dict[date, date] = {}
    for position in range(index, len(plan.periods)):
        period = plan.periods[position]
        row = rows.get((period.from_on, period.due_on))
        if position > index:
            period.from_on = plan.periods[position - 1].due_on
            due = worked(terms, continued(terms, fact.new_due_on, position - index))
            _require_order(period.from_on, due)
            if period is plan.last and terms.fixed_length is not None:
                due += add_units(plan.start_on, terms.repayment_unit, terms.fixed_length) - due
                due += fact.new_due_on - before
            period.subs[0].from_on = period.from_on
        period.due_on = due
        period.subs[-1].due_on = due
        if row is not None:
            moved[row.due_on] = period.due_on
            row.from_on, row.due_on = period.from_on, period.due_on
    _move_charges(ledger, moved)
    plan.factor(plan.periods[index:])
    plan.rebalance()
    settle_last(plan, before)
    ledger.renumber()
    let_rows_follow(ledger, plan, min(before, fact.new_due_on))


def _move_charges(ledger: Ledger, moved: dict[date, date]) -> None:
    """Let charges that fall due with an instalment go on doing so."""
    for charge in ledger.charges:
        if charge.due_on is not None:
            charge.due_on = moved.get(charge.due_on, charge.due_on)
        charge.shares = {moved.get(on, on): share for on, share in charge.shares.items()}


def extend_term(ledger: Ledger, fact: TermExtended) -> None:
    """Add instalments at the end, on the regular dates, and solve anew."""
    if _has_ended(ledger):
        return
    ledger.terms = knowing(ledger.terms, fact.closed_days)
    plan = _plan_of(ledger)
    add_instalments(ledger, plan, fact.instalments)
    resolve_after(plan, fact.effective_on - ONE_DAY)
    let_rows_follow(ledger, plan, fact.effective_on)


def add_instalments(ledger: Ledger, plan: Plan, count: int) -> None:
    """Add instalments at the end, with their rows; they are not solved yet."""
    last = plan.last
    for planned in due_dates_after(ledger, count):
        due = worked(ledger.terms, planned)
        _require_order(plan.last.due_on, due)
        period = Period(plan.last.due_on, due)
        period.disbursed_before = last.disbursed_before
        period.capitalised_before = last.capitalised_before
        plan.periods.append(period)
        row = Row(period.from_on, due)
        row.met, row.re_aged = False, ledger.rows_lead
        ledger.rows.append(row)
    ledger.renumber()


def _require_order(from_on: date, due: date) -> None:
    """Refuse what working days make of a short cycle: two instalments on one day."""
    if due <= from_on:
        raise Rejected("due_dates_collide", f"an instalment of {due} cannot follow on {from_on}")


def due_dates_after(ledger: Ledger, count: int) -> list[date]:
    """Due dates that continue the plan's, or the latest re-ageing's, before any is moved."""
    plan = _plan_of(ledger)
    unit, every = ledger.terms.repayment_unit, ledger.terms.repayment_every
    start, done = plan.start_on, len(plan.periods)
    if ledger.re_age is not None:
        unit, every, start = ledger.re_age.unit, ledger.re_age.every, ledger.re_age.start_on
        done = sum(period.due_on > start for period in plan.periods)
    elif due_on(ledger.terms, start, done + 1) > plan.maturity:
        return [due_on(ledger.terms, start, done + n) for n in range(1, count + 1)]
    if ledger.re_age is None:  # due dates were moved: continue from the last one
        return [continued(ledger.terms, plan.maturity, n) for n in range(1, count + 1)]
    if add_units(start, unit, (done + 1) * every) <= plan.maturity:
        start, done = plan.maturity, 0
    return [add_units(start, unit, (done + n) * every) for n in range(1, count + 1)]
