"""Deferred income: capitalised income and buy-down fees, recognised evenly by day.

Source: domain rules 9.9 S-27 to S-29.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext

from domain.servicing import facts as f
from domain.servicing.account import Account
from domain.servicing.period import to_minor
from domain.servicing.rate_factor import EXACT
from domain.servicing.terms import LoanTerms
from domain.servicing.values import Component, Kind

Moves = list[tuple[date, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """Income to post, minor units."""

    kind: Kind
    interest_minor: int = 0
    fees_minor: int = 0


def deferred_to_post(
    facts: Sequence[f.Fact], account: Account, on: date, *, in_full: bool
) -> list[Recognition]:
    """Rounded total to a day minus what is posted; less than is posted is a correction."""
    terms = account.terms
    postings = [
        _difference(
            _capitalised(facts, account, on, in_full=in_full),
            _posted(
                facts,
                Kind.CAPITALISED_INCOME_AMORTISATION,
                Kind.CAPITALISED_INCOME_AMORTISATION_ADJUSTMENT,
            ),
            terms.capitalised_income_type,
            (
                Kind.CAPITALISED_INCOME_AMORTISATION,
                Kind.CAPITALISED_INCOME_AMORTISATION_ADJUSTMENT,
            ),
        ),
        _difference(
            _bought_down(facts, account, on, in_full=in_full),
            _posted(
                facts, Kind.BUY_DOWN_FEE_AMORTISATION, Kind.BUY_DOWN_FEE_AMORTISATION_ADJUSTMENT
            ),
            terms.buy_down_income_type,
            (Kind.BUY_DOWN_FEE_AMORTISATION, Kind.BUY_DOWN_FEE_AMORTISATION_ADJUSTMENT),
        ),
    ]
    return [posting for posting in postings if posting is not None]


def _difference(
    total: int, posted: int, component: Component, kinds: tuple[Kind, Kind]
) -> Recognition | None:
    if total == posted:
        return None
    kind = kinds[0] if total > posted else kinds[1]
    amount = abs(total - posted)
    if component is Component.FEE:
        return Recognition(kind=kind, fees_minor=amount)
    return Recognition(kind=kind, interest_minor=amount)


def _posted(facts: Sequence[f.Fact], plus: Kind, minus: Kind) -> int:
    total = 0
    for fact in facts:
        if isinstance(fact, f.Posted) and fact.kind in (plus, minus):
            amount = fact.interest_minor + fact.fees_minor
            total += amount if fact.kind is plus else -amount
    return total


def _capitalised(facts: Sequence[f.Fact], account: Account, on: date, *, in_full: bool) -> int:
    taken = [(x.effective_on, x.amount_minor) for x in facts if isinstance(x, f.IncomeCapitalised)]
    kind = Kind.CAPITALISED_INCOME_ADJUSTMENT
    given = [
        (x.effective_on, x.amount_minor) for x in facts if isinstance(x, f.Paid) and x.kind is kind
    ]
    return _recognised(taken, given, account, on, in_full=in_full)


def _bought_down(facts: Sequence[f.Fact], account: Account, on: date, *, in_full: bool) -> int:
    taken = [(x.effective_on, x.amount_minor) for x in facts if isinstance(x, f.BuyDownFeeTaken)]
    given = [(x.effective_on, x.amount_minor) for x in facts if isinstance(x, f.BuyDownFeeAdjusted)]
    return _recognised(taken, given, account, on, in_full=in_full)


def _recognised(taken: Moves, given: Moves, account: Account, on: date, *, in_full: bool) -> int:
    if in_full:
        return sum(amount for _, amount in taken) - sum(amount for _, amount in given)
    total = Decimal(0)
    with localcontext(_exact(account.terms)):
        for (start, amount), adjustments in zip(taken, _assign(taken, given), strict=True):
            total += _recognised_of_one(start, amount, adjustments, account.maturity, on)
        return to_minor(total)


def _exact(terms: LoanTerms) -> Context:
    context = EXACT.copy()
    context.rounding = terms.rounding
    return context


def _assign(taken: Moves, given: Moves) -> list[Moves]:
    """Give each adjustment to the oldest amount it still fits into."""
    left = [amount for _, amount in taken]
    assigned: list[Moves] = [[] for _ in taken]
    for on, amount in sorted(given):
        fits = [i for i, rest in enumerate(left) if rest >= amount and taken[i][0] <= on]
        if fits:
            left[fits[0]] -= amount
            assigned[fits[0]].append((on, amount))
    return assigned


def _recognised_of_one(
    start: date, amount: int, adjustments: Moves, maturity: date, on: date
) -> Decimal:
    """Unrecognised x days elapsed / days to maturity, segment by segment (S-29)."""
    recognised, left = Decimal(0), Decimal(amount)
    for adjusted_on, adjustment in adjustments:
        if adjusted_on > on:
            break
        part = left * _share((adjusted_on - start).days, (maturity - start).days)
        recognised += part
        left -= part + adjustment
        start = adjusted_on
    if on < start:
        return recognised
    return recognised + left * _share((on - start).days + 1, (maturity - start).days)


def _share(elapsed: int, days: int) -> Decimal:
    if days <= 0 or elapsed >= days:
        return Decimal(1)
    return Decimal(elapsed) / Decimal(days)
