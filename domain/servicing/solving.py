"""Equal instalments: solved from factors, smoothed, and the last one adjusted to the balance.

Sources: domain rules 9.10 "Instalment", "Smoothing", "Flat", "Second disbursement".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from enum import StrEnum

from domain.money import WIDE_CONTEXT
from domain.servicing.conventions import Factors, Residue
from domain.servicing.given import allow_longest_term, end_when_repaid, given_instalments
from domain.servicing.instalment_rounding import to_instalment, to_multiple, to_whole
from domain.servicing.period import Period, to_minor
from domain.servicing.plan import Plan
from domain.servicing.rate_factor import ONE
from domain.servicing.settling import settle_last
from domain.servicing.shaping import assign_principal, spread_interest
from domain.servicing.values import Amortisation, InterestPeriod, PartialPeriod

SMOOTHING_ROUNDS_MAX = 3


class Cause(StrEnum):
    """What makes instalments be solved anew."""

    MONEY = "money"
    TERMS = "terms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """New principal on a day: paid out, or income capitalised."""

    on: date
    disbursed: int = 0
    capitalised: int = 0


def disburse(plan: Plan, on: date, amount: int) -> None:
    """Pay out: the balance rises on the day and instalments from its period on are solved anew."""
    add_money(plan, Money(on=money_counts_from(plan, on), disbursed=amount))


def money_counts_from(plan: Plan, on: date) -> date:
    """Return the day money starts to earn: whole-period interest counts from the period's start."""
    terms = plan.terms
    by_period = terms.interest_period is InterestPeriod.SAME_AS_REPAYMENT_PERIOD
    if by_period and terms.partial_period is PartialPeriod.WHOLE_PERIOD:
        return next((p.from_on for p in plan.periods if p.due_on > on), on)
    return on


def add_money(plan: Plan, money: Money) -> None:
    """Add principal on a day and solve the instalments of the containing and later periods."""
    if plan.flat:  # which earns on all that was paid out
        for period in plan.periods:
            if money.on <= period.from_on:
                period.disbursed_before += money.disbursed
                period.capitalised_before += money.capitalised
    allow_longest_term(plan, money.on)
    period = plan.move_money(money.on, disbursed=money.disbursed, capitalised=money.capitalised)
    if period is not None:
        solve(plan, due_affected(plan, period, money.on), Cause.MONEY, money)


def due_affected(plan: Plan, period: Period, on: date) -> date:
    """First due date a change reaches: one on a due date affects the next period."""
    if period.due_on == on:
        index = plan.periods.index(period) + 1
        if index < len(plan.periods):
            return plan.periods[index].due_on
    return period.due_on


def change_rate(plan: Plan, from_on: date, rate: Decimal) -> None:
    """Put a rate in force and solve the containing and later periods anew."""
    plan.set_rate(from_on, rate)
    resolve_after(plan, from_on)


def resolve_after(plan: Plan, on: date) -> None:
    """Cut the sub-periods at a day and solve the instalments from there."""
    allow_longest_term(plan, on)
    period = plan.move_money(on)
    if period is not None:
        solve(plan, due_affected(plan, period, on), Cause.TERMS)


def solve(plan: Plan, first_due: date, cause: Cause, money: Money | None = None) -> None:
    """Solve the instalments due on or after a day."""
    related = plan.related(first_due)
    _mark_interest_grace(plan)
    plan.factor(related)
    if not related:
        return
    if plan.by_principal:
        _solve_by_principal(plan, related, cause)
        return
    if plan.terms.amortisation is Amortisation.FIXED_INSTALMENT:
        set_instalments(plan, related)
        end_when_repaid(plan)
        settle_last(plan, first_due)
        return
    if plan.flat:
        _solve_flat(plan, related)
        _apply_principal_grace(plan, related)
        return
    directly = plan.is_empty or cause is Cause.TERMS or plan.bare
    if related[0] is not plan.periods[0]:
        plan.rebalance()  # the balance that is left for them
    if directly:
        set_instalments(plan, related)
    else:
        _solve_bare_contract(plan, related, money)
    _apply_principal_grace(plan, related)
    plan.rebalance()
    settle_last(plan, first_due)
    if directly:
        smooth(plan, related)


def _solve_by_principal(plan: Plan, related: list[Period], cause: Cause) -> None:
    """Let rates change interest alone; money, and instalments added, change the principal due."""
    plan.rebalance()
    evenly = plan.terms.amortisation is Amortisation.EQUAL_AMORTISATION
    if cause is Cause.MONEY or evenly or any(period.share is None for period in related):
        assign_principal(plan, related)
    if evenly:
        spread_interest(plan, related, _annuity_interest(plan, related))
    plan.rebalance()
    settle_last(plan, related[0].due_on)


def _annuity_interest(plan: Plan, related: list[Period]) -> int:
    """Interest of the same periods were they repaid by level instalments."""
    level = plan.without_payments()
    level.by_principal = False
    same = level.periods[-len(related) :]
    for period in same:
        period.share, period.fixed_interest, period.earns = None, 0, True
    level.rebalance()
    set_instalments(level, same)
    level.rebalance()
    settle_last(level, same[0].due_on)
    return sum(period.due_interest for period in same)


def _solve_bare_contract(plan: Plan, related: list[Period], money: Money | None) -> None:
    """Solve as if nothing had been paid, and take over the instalments."""
    bare = plan.without_payments()
    if money is not None:
        period = bare.move_money(money.on)
        if period is not None:
            solve(bare, due_affected(bare, period, money.on), Cause.MONEY)
    solved = {p.due_on: p for p in bare.periods}
    for period in related:
        period.original_emi = solved[period.due_on].original_emi
        period.emi = max(solved[period.due_on].emi, period.total_paid - period.credited)
    plan.derive()


def set_instalments(plan: Plan, periods: Sequence[Period]) -> None:
    """EMI = B * prod(1 + rf) / fn, on periods that have not been paid more than that.

    What falls due follows when the plan is balanced again.
    """
    if not periods:
        return
    if plan.by_principal:
        assign_principal(plan, periods)
        return
    if plan.flat:
        _solve_flat(plan, periods)
        return
    given = given_instalments(plan, periods)
    if given is not None:
        for period, amount in zip(periods, given, strict=True):
            period.emi = period.original_emi = max(amount, period.total_paid)
        return
    if plan.steps:
        _set_in_steps(plan, periods)
    else:
        _set_level(plan, periods)


def _set_in_steps(plan: Plan, periods: Sequence[Period]) -> None:
    """Solve as if the rate stayed, and again from every step on for the rest of the term."""
    rates = plan.rates
    starts = {on for on, _ in plan.steps}
    for index, period in enumerate(periods):
        if index and period.from_on not in starts:
            continue
        hidden = {on for on in starts if on > period.from_on}
        plan.rates = [entry for entry in rates if entry[0] not in hidden]
        plan.factor(periods[index:])
        plan.rebalance()
        _set_level(plan, periods[index:])
    plan.rates = rates
    plan.factor(periods)
    plan.rebalance()


def _set_level(plan: Plan, periods: Sequence[Period]) -> None:
    level = to_whole(plan.terms, _level(plan, periods))
    emi = to_multiple(plan.terms, level + _even_fixed_interest(periods))
    for period in periods:
        if emi >= period.paid_principal + period.paid_interest:
            period.emi = period.original_emi = emi


def _level(plan: Plan, periods: Sequence[Period]) -> Decimal:
    """Solve B * prod(1 + rf) / fn, fn_k = 1 + fn_(k-1) * (1 + rf_k), with the factors' digits."""
    exact = plan.terms.factors is Factors.EXACT
    with localcontext(WIDE_CONTEXT if exact else None):
        growths = [ONE if period.interest_grace else period.growth() for period in periods]
        product, fn = ONE * growths[0], ONE
        for growth in growths[1:]:
            product *= growth
            fn = ONE + fn * growth
        return product * Decimal(_opening_balance(plan, periods[0])) / fn


def _opening_balance(plan: Plan, first: Period) -> int:
    index = plan.periods.index(first)
    before = plan.periods[index - 1].closing_balance() if index else 0
    return before + first.disbursed + first.capitalised


def _even_fixed_interest(periods: Sequence[Period]) -> int:
    fixed = sum([period.fixed_interest for period in periods])
    return to_minor(Decimal(fixed) / len(periods))


def _solve_flat(plan: Plan, periods: Sequence[Period]) -> None:
    """EMI = (principal + all interest) / n; the last takes the remainder."""
    plan.rebalance()
    interests = [period.earned(plan.earning) for period in periods]
    first = periods[0]
    index = plan.periods.index(first)
    repaid = 0
    if index:
        before = plan.periods[index - 1]
        out = before.disbursed_before + before.capitalised_before
        out += sum(s.disbursed + s.capitalised for s in before.subs if s.due_on != before.from_on)
        repaid = out - before.closing_balance()
        interests[0] += before.carried
    left = first.flat_base(first.subs[-1]) - repaid
    emi = to_instalment(plan.terms, Decimal(left + sum(interests)) / len(periods))
    for period, interest in zip(periods, interests, strict=True):
        # Of a tiny loan there may be no principal left for the last ones.
        share = left + interest if period is periods[-1] else min(emi, left + interest)
        left -= share - interest
        period.emi = period.original_emi = max(share, period.total_paid)
    plan.rebalance()


def _mark_interest_grace(plan: Plan) -> None:
    graced = plan.under_interest_grace
    if graced:
        for period in plan.periods:
            period.interest_grace = period in graced


def _apply_principal_grace(plan: Plan, related: list[Period]) -> None:
    """Let instalments under a grace hold interest only; solve the others (domain rules P-27)."""
    for period in plan.periods:
        period.principal_grace = False
    graced = plan.under_principal_grace
    if not graced:
        return
    solved = [period for period in graced if period.due_on >= related[0].due_on]
    for period in graced:
        if period in solved:
            period.emi = 0
            period.principal_grace = True
        elif not period.due_principal:
            period.principal_grace = True
    plan.rebalance()
    for period in solved:
        earned = 0 if period.interest_grace else period.earned(plan.earning)
        asked = max(earned, period.total_paid - period.credited)
        period.emi = period.original_emi = asked
    plan.rebalance()
    set_instalments(plan, [period for period in related if not period.principal_grace])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Difference:
    """How far the last instalment is from the others."""

    emi: int
    amount: int
    periods: int
    graced: int
    uncountable: int

    @property
    def matters(self) -> bool:
        """More than half a minor unit for every period."""
        half = (self.periods - self.graced) // 2
        return half > 0 and self.amount != 0 and abs(self.amount) > half

    @property
    def adjusted_emi(self) -> int:
        share = Decimal(self.amount) / max(1, self.periods - self.uncountable)
        return self.emi + int(share.to_integral_value(ROUND_HALF_EVEN))


def _difference(periods: Sequence[Period]) -> _Difference:
    graced = sum(period.principal_grace for period in periods)
    for index in range(len(periods) - 1, 0, -1):
        last, before = periods[index], periods[index - 1]
        if last.principal_grace or before.principal_grace:
            continue
        if not last.fully_paid and not before.fully_paid:
            beyond = sum(p.principal_grace or before.emi < p.total_paid for p in periods)
            return _Difference(
                emi=before.emi,
                amount=last.emi - before.emi,
                periods=len(periods),
                graced=graced,
                uncountable=beyond,
            )
    return _Difference(
        emi=periods[0].emi, amount=0, periods=len(periods), graced=graced, uncountable=0
    )


def smooth(plan: Plan, related: list[Period]) -> None:
    """Spread a last instalment that differs by more than half a unit a period; three rounds."""
    if plan.terms.residue is Residue.LAST_ABSORBS:
        return
    trial: Plan | None = None
    first = related[0]
    for _ in range(SMOOTHING_ROUNDS_MAX):
        difference = _difference(related)
        emi = to_multiple(plan.terms, difference.adjusted_emi)
        if not difference.matters or emi == difference.emi:
            return
        trial = trial or plan.copy()
        candidates = [
            period
            for period in trial.periods
            if period.from_on >= first.from_on
            and period.due_on >= first.due_on
            and not period.holds_early_payments
            and not period.principal_grace
        ]
        for period in candidates:
            if emi >= period.total_paid:
                period.emi = period.original_emi = emi
        trial.rebalance()
        settle_last(trial, first.due_on)
        if abs(_difference(trial.periods).amount) >= abs(difference.amount):
            return
        targets = [period for period in related if not period.principal_grace]
        for period, better in zip(targets, candidates, strict=False):
            period.emi = period.original_emi = better.emi
        plan.rebalance()
