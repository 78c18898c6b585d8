"""Which instalments and components a payment goes to: a table of buckets, read row by row.

Sources: domain rules 9.7 A-01 to A-10.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, Decimal
from itertools import islice

from domain.servicing.charges import pay_charges
from domain.servicing.ledger import AllocationLine, Entry, Ledger
from domain.servicing.movements import pay_interest, pay_principal, pays_till_due_date, rests_on
from domain.servicing.period import Period, to_minor
from domain.servicing.plan import Plan
from domain.servicing.row import F, I, N, Row
from domain.servicing.terms import AllocationRule
from domain.servicing.values import Component, Direction, DueClass, FutureRule
from domain.servicing.views import Due, due_on, stopped_on

CHARGED = frozenset({F, N})
ROUNDS_PER_ROW = 100  # a table that pays nothing would otherwise be read for ever


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What rows were found to ask for in advance, until something is paid."""

    view: Plan | None  # one for all rows, if looking at a row leaves it as it is
    asked: dict[int, Due] = field(default_factory=dict[int, Due])


@dataclass(slots=True, kw_only=True)
class _Payment:
    """A payment on its way through the table."""

    ledger: Ledger
    entry: Entry
    on: date  # value date
    rule: AllocationRule
    left: int
    exhausted: list[Row] = field(default_factory=list[Row])
    followed: bool  # whether the plan follows payments
    seen: _Seen | None = None


def allocate(ledger: Ledger, entry: Entry, amount: int, rule: AllocationRule) -> int:
    """Pay up to `amount` into the rows; what is left over is an overpayment."""
    payment = _Payment(
        ledger=ledger,
        entry=entry,
        on=entry.on,
        rule=rule,
        left=amount,
        followed=ledger.recalculates,
    )
    if (rule.direction or ledger.terms.direction) is Direction.VERTICAL:
        _pay_vertically(payment)
    else:
        _pay_horizontally(payment)
    return payment.left


def _pay_horizontally(payment: _Payment) -> None:
    for due, components in payment.rule.groups:
        if not payment.left:
            return
        payment.exhausted.clear()
        for _ in range(len(payment.ledger.rows) * ROUNDS_PER_ROW):
            if not _pay_group(payment, due, components):
                break


def _pay_group(payment: _Payment, due: DueClass, components: Sequence[Component]) -> bool:
    """Pay one selected row (or the selected future rows); whether to select again."""
    rows = _select(payment, due)
    if not rows:
        return False
    before = payment.left
    for component in components:
        if not payment.left:
            return False  # looking at what else is asked for would change nothing
        if component in CHARGED and not [row for row in rows if row.due.get(component)]:
            continue  # the plan knows of no charges, so that nothing else asks for them
        _pay_evenly(payment, rows, due, component)
    if payment.left == before and payment.ledger.plan.by_principal:
        payment.exhausted += rows  # it may ask for nothing today and for interest when it is due
    return payment.left > 0 and not all(row.met for row in payment.ledger.open_rows)


def _pay_evenly(payment: _Payment, rows: list[Row], due: DueClass, component: Component) -> int:
    """Spread what is left over rows, the remainder on the last; the last part that was used."""
    if len(rows) == 1:
        used = _pay_row(payment, rows[0], due, component, payment.left)
        payment.left -= used
        return used
    share = _share_of_each(payment.left, len(rows))
    rest = payment.left - share * len(rows)
    used_last = 0
    for row in rows:
        amount = share + rest if row is rows[-1] else share
        used = _pay_row(payment, row, due, component, amount)
        payment.left -= used
        used_last = used or used_last
    return used_last


def _share_of_each(amount: int, rows: int) -> int:
    share = to_minor(Decimal(amount) / rows)
    if share + amount - share * rows < 0:  # nothing would be left for the last one
        share = int((Decimal(amount) / rows).to_integral_value(ROUND_DOWN))
    return share


def _select(payment: _Payment, due: DueClass, component: Component | None = None) -> list[Row]:
    # A charge-off without interest may part a row that is met anew: nothing of it is owed.
    on = payment.on
    if due is DueClass.IN_ADVANCE:
        unpaid = (row for row in payment.ledger.open_rows if row.due_on > on and not row.met)
        if component is not None:
            unpaid = (row for row in unpaid if row.outstanding_of(component) > 0)
        return _select_future(payment, unpaid, component)
    past = due is DueClass.PAST_DUE
    for row in payment.ledger.rows_due(on):
        if row.met or (row.due_on < on) is not past:
            continue
        if component is None or row.outstanding_of(component) > 0:
            return [row]
    return []


def _select_future(
    payment: _Payment, unpaid: Iterator[Row], component: Component | None
) -> list[Row]:
    """Rows in advance, by the rule of the payment (domain rules A-04 to A-07)."""
    if payment.exhausted and payment.ledger.plan.by_principal:
        unpaid = (row for row in unpaid if row not in payment.exhausted)
    if payment.rule.future is FutureRule.NEXT_INSTALMENT:
        return list(islice(unpaid, 1))  # of a long loan most are not looked at
    future = list(unpaid)
    if payment.rule.future is FutureRule.REAMORTISATION:
        return future
    if payment.rule.future is FutureRule.NEXT_LAST_INSTALMENT:
        current = [row for row in future if row.from_on <= payment.on]
        if current:
            return current
    return _latest(payment, future, component)


def _latest(payment: _Payment, future: list[Row], component: Component | None) -> list[Row]:
    """Return the latest open row; when the plan recalculates, one that asks for nothing is open."""
    if component is not None or not payment.followed:
        return future[-1:]
    candidates = [
        row
        for row in payment.ledger.open_rows
        if row.due_on > payment.on
        and (not row.met or (row.total_due == 0 and row not in payment.exhausted))
    ]
    return candidates[-1:]


def _pay_row(payment: _Payment, row: Row, due: DueClass, component: Component, amount: int) -> int:
    if not payment.followed or component in CHARGED:  # the plan knows of no charges
        return _collect(payment, row, component, amount, due)
    ledger, plan = payment.ledger, payment.ledger.plan
    period = None if row.down_payment else ledger.period_of(row)
    if period is None or row.due_on > plan.maturity:
        payment.exhausted.append(row)
        return _collect(payment, row, component, amount, due)
    pay_on = payment.on
    if due is DueClass.IN_ADVANCE:
        pay_on = _counts_on(payment)
        asked = _asked_in_advance(payment, row, period, pay_on)
        if not asked.interest and not asked.principal:
            payment.exhausted.append(row)
        whole = asked.interest if component is I else asked.principal
        row.due[component] = whole + (row.waived_beside_plan if component is I else 0)
        index = plan.index_of(period)
        plan.follow_again(index)
    used = _collect(payment, row, component, amount, due)
    if used:
        pays = pay_interest if component is I else pay_principal
        pays(plan, period, pay_on, used)
        payment.seen = None
    ledger.sync_changed(payment.on)
    return used


def _asked_in_advance(payment: _Payment, row: Row, period: Period, on: date) -> Due:
    """What a row asks for on a day; until something is paid, that is the same."""
    plan = payment.ledger.plan
    if payment.seen is None:
        payment.seen = _Seen(view=stopped_on(plan, on) if plan.by_principal else None)
    asked = payment.seen.asked.get(row.number)
    if asked is None:
        asked = payment.seen.asked[row.number] = due_on(plan, period, on, payment.seen.view)
    return asked


def _counts_on(payment: _Payment) -> date:
    """Return the day up to which what is paid in advance has earned: its own, or the rest."""
    plan = payment.ledger.plan
    if not pays_till_due_date(plan, prepays_all=payment.ledger.prepays_all):
        return payment.on
    return rests_on(plan, payment.on)


def _collect(payment: _Payment, row: Row, component: Component, amount: int, due: DueClass) -> int:
    used = row.pay(component, amount, payment.on)
    if used:
        entry, rule = payment.entry, payment.rule.bucket_names[due, component]
        entry.parts[component] += used
        entry.lines.append(AllocationLine(row.number, component, used, rule))
        if component in CHARGED:
            pay_charges(payment.ledger, row, component, used)
    return used


def _pay_vertically(payment: _Payment) -> None:
    """Pay one bucket across all its rows, then the next bucket (domain rules A-09)."""
    for due, component in payment.rule.order:
        payment.exhausted.clear()
        for _ in range(len(payment.ledger.rows) * ROUNDS_PER_ROW):
            rows = _select(payment, due, component)
            if not rows or not payment.left:
                break
            if _pay_evenly(payment, rows, due, component):
                continue
            if not payment.ledger.plan.by_principal or due is not DueClass.IN_ADVANCE:
                break
            payment.exhausted += rows  # it asks for nothing today; the next one may
