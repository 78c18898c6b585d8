"""Why a figure is what it is: an instalment's interest, a payment's split, what a fact restated.

Every explanation ties to its figure exactly: its parts add up to the minor unit that is shown. It
computes nothing anew and changes nothing. Source: domain rules, 9.17 (14); 9.18.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.servicing.account import Account, Amounts, Transaction
from domain.servicing.conventions import Factors, RoundingPlace
from domain.servicing.period import Period, to_minor
from domain.servicing.plan import Plan
from domain.servicing.rate_factor import EXACT
from domain.servicing.row import I, Row
from domain.servicing.terms import LoanTerms
from domain.servicing.values import Component, InterestPeriod

ZERO = Decimal(0)
PARTS = ("principal", "interest", "fees", "penalties")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Days (from, until] on which balance and rate did not change, and what they earned.

    `interest` is in minor units, unrounded unless the product rounds by stretch. `credited_minor`
    is interest charged back into these days; it is part of `interest`.
    """

    from_on: date
    until_on: date
    days: int
    balance_minor: int
    rate_annual: Decimal
    basis: str
    factor: Decimal
    paused: bool
    credited_minor: int
    interest: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestExplained:
    """The interest of an instalment, in minor units.

    due = earned + fixed + from_later + carried_in - carried_out + kept + by_action. `earned` is the
    stretches' sum, rounded by `rounding`; `fixed` was agreed when the loan was re-aged or
    re-amortised; `from_later` is what an instalment paid in advance still earned; `carried` is
    interest above an instalment; `kept` was collected and is not owed any more; `by_action` is what
    a charge-off, a termination, a re-ageing or a cumulative plan asks for beside all this.
    """

    instalment: int
    from_on: date
    due_on: date
    stretches: tuple[Stretch, ...]
    exact: Decimal
    rounding: str
    earned_minor: int
    fixed_minor: int
    from_later_minor: int
    carried_in_minor: int
    carried_out_minor: int
    kept_minor: int
    by_action_minor: int
    due_minor: int


def explain_interest(account: Account) -> tuple[InterestExplained, ...]:
    """Explain the interest of every row of the schedule."""
    ledger = account.ledger
    behind = {row: period for period, row in ledger.rows_by_period().items()}
    carried: dict[Period, int] = {}
    before = 0
    for period in ledger.plan.periods:
        carried[period], before = before, period.carried
    found: list[InterestExplained] = []
    for row in ledger.rows:
        period = behind.get(row)
        if period is None or ledger.terms.cumulative:
            found.append(_by_action(row, account.terms))
        else:
            found.append(_explained(ledger.plan, row, period, carried[period]))
    return tuple(found)


def _by_action(row: Row, terms: LoanTerms) -> InterestExplained:
    return InterestExplained(
        instalment=row.number,
        from_on=row.from_on,
        due_on=row.due_on,
        stretches=(),
        exact=ZERO,
        rounding=terms.interest_rounding,
        earned_minor=0,
        fixed_minor=0,
        from_later_minor=0,
        carried_in_minor=0,
        carried_out_minor=0,
        kept_minor=0,
        by_action_minor=row.due[I],
        due_minor=row.due[I],
    )


def _explained(plan: Plan, row: Row, period: Period, carried_in: int) -> InterestExplained:
    stretches = tuple(_stretches(plan, period))
    earned = period.earned(plan.earning)
    exact = ZERO
    for stretch in stretches:
        exact = EXACT.add(exact, stretch.interest)
    wanted = earned + period.fixed_interest + period.future_interest + carried_in
    carried_out = max(0, wanted - period.due_interest)
    return InterestExplained(
        instalment=row.number,
        from_on=row.from_on,
        due_on=row.due_on,
        stretches=stretches,
        exact=exact,
        rounding=plan.terms.interest_rounding,
        earned_minor=earned,
        fixed_minor=period.fixed_interest,
        from_later_minor=period.future_interest,
        carried_in_minor=carried_in,
        carried_out_minor=carried_out,
        kept_minor=max(0, period.due_interest - wanted),
        by_action_minor=row.due[I] - period.due_interest,
        due_minor=row.due[I],
    )


def _stretches(plan: Plan, period: Period) -> Iterator[Stretch]:
    """Sub-periods that earn; none where the interest was moved or spread."""
    if period.moved_up or period.moved_down or not period.earns:
        return
    earning, terms = plan.earning, plan.terms
    free = period in plan.periods[: terms.interest_free_periods]
    for sub in period.subs:
        balance = period.flat_base(sub) if earning.flat else sub.balance
        interest = sub.interest(balance, period.due_on, earning.factors)
        if earning.place is RoundingPlace.PER_SEGMENT:
            interest = Decimal(to_minor(earning.inner.plus(interest), earning.mode))
        if not sub.days and not interest:
            continue
        to_due = (period.due_on - sub.from_on).days
        factor = sub.factor.exact
        if earning.factors is Factors.ROUNDED and to_due:
            factor = sub.factor.to_due * sub.days / to_due
        yield Stretch(
            from_on=sub.from_on,
            until_on=sub.due_on,
            days=sub.days,
            balance_minor=balance,
            rate_annual=ZERO if free else plan.rate_on(sub.from_on),
            basis=basis_of(terms),
            factor=factor,
            paused=sub.paused,
            credited_minor=sub.credited_interest,
            interest=interest,
        )


def basis_of(terms: LoanTerms) -> str:
    """Name the basis that days are counted by."""
    if terms.day_count is not None:
        return str(terms.day_count)
    proportional = f"proportional {terms.days_in_month}/{terms.days_in_year}"
    by_period = terms.interest_period is InterestPeriod.SAME_AS_REPAYMENT_PERIOD
    return f"{proportional} by whole periods" if by_period else proportional


# --- payments


@dataclass(frozen=True, slots=True, kw_only=True)
class PartExplained:
    """Which rule took which part; `instalment` and `rule` are None for what was left over."""

    instalment: int | None
    component: Component | None
    amount_minor: int
    rule: str | None


def explain_payment(payment: Transaction) -> tuple[PartExplained, ...]:
    """Explain the split of a payment: its parts add up to its amount."""
    parts = [
        PartExplained(
            instalment=line.instalment,
            component=line.component,
            amount_minor=line.amount_minor,
            rule=line.rule,
        )
        for line in payment.lines
    ]
    left = payment.amount_minor - sum(part.amount_minor for part in parts)
    if left:
        parts.append(PartExplained(instalment=None, component=None, amount_minor=left, rule=None))
    return tuple(parts)


# --- restatements


@dataclass(frozen=True, slots=True, kw_only=True)
class Restated:
    """A figure that a later fact changed. `of` is an instalment's number or a transaction's id."""

    kind: str  # instalment | transaction
    of: str
    part: str
    before_minor: int
    after_minor: int


def restated(before: Account, after: Account) -> tuple[Restated, ...]:
    """Return what changed of what was shown before: dues of instalments, splits of transactions.

    Instalments are known by their due date, transactions by their id; new ones restate nothing.
    """
    rows = {(row.due_on, row.down_payment): row for row in after.instalments}
    entries = {entry.id: entry for entry in after.transactions}
    found: list[Restated] = []
    for row in before.instalments:
        now = rows.get((row.due_on, row.down_payment))
        if now is not None:
            found += _differences("instalment", str(row.number), row.due, now.due)
    for entry in before.transactions:
        again = entries.get(entry.id)
        if again is not None:
            found += _differences("transaction", entry.id, entry.split, again.split)
            if entry.overpayment_minor != again.overpayment_minor:
                found.append(
                    Restated(
                        kind="transaction",
                        of=entry.id,
                        part="overpaid",
                        before_minor=entry.overpayment_minor,
                        after_minor=again.overpayment_minor,
                    )
                )
    return tuple(found)


def _differences(kind: str, of: str, before: Amounts, after: Amounts) -> Iterator[Restated]:
    for part in PARTS:
        old, new = getattr(before, part), getattr(after, part)
        if old != new:
            yield Restated(kind=kind, of=of, part=part, before_minor=old, after_minor=new)
