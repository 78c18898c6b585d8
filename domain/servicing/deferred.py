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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Income:
    """One kind of deferred income: what was taken, given back and posted so far."""

    component: Component
    kinds: tuple[Kind, Kind]
    taken: Moves
    given: Moves
    posted: int

    def recognised(self, account: Account, on: date, *, in_full: bool) -> int:
        """Minor units to be recognised by a day."""
        whole = sum(amount for _, amount in self.taken)
        if in_full:
            return whole - sum(amount for _, amount in self.given)
        if not self.given and self.posted == whole:
            return whole  # a loan that comes back after its end does not defer again
        total = 0
        with localcontext(_exact(account.terms)):
            for (start, amount), given in zip(self.taken, self._assigned(), strict=True):
                part = _recognised_of_one(start, amount, given, account.maturity, on)
                total += to_minor(part)
        return total

    def _assigned(self) -> list[Moves]:
        """Give each adjustment to the oldest amount it still fits into."""
        left = [amount for _, amount in self.taken]
        assigned: list[Moves] = [[] for _ in self.taken]
        for on, amount in sorted(self.given):
            fits = [i for i, rest in enumerate(left) if rest >= amount and self.taken[i][0] <= on]
            if fits:
                left[fits[0]] -= amount
                assigned[fits[0]].append((on, amount))
        return assigned


def deferred_to_post(
    facts: Sequence[f.Fact], account: Account, on: date, *, in_full: bool
) -> list[Recognition]:
    """Rounded total to a day minus what is posted; less than is posted is a correction."""
    in_full = in_full or account.ledger.charged_off_on is not None
    postings = [
        _difference(income, income.recognised(account, on, in_full=in_full))
        for income in (_capitalised(facts, account.terms), _bought_down(facts, account.terms))
    ]
    return [posting for posting in postings if posting is not None]


def _difference(income: _Income, total: int) -> Recognition | None:
    if total == income.posted:
        return None
    kind = income.kinds[0] if total > income.posted else income.kinds[1]
    amount = abs(total - income.posted)
    if income.component is Component.FEE:
        return Recognition(kind=kind, fees_minor=amount)
    return Recognition(kind=kind, interest_minor=amount)


def _posted(facts: Sequence[f.Fact], kinds: tuple[Kind, Kind]) -> int:
    total = 0
    for fact in facts:
        if isinstance(fact, f.Posted) and fact.kind in kinds:
            amount = fact.interest_minor + fact.fees_minor
            total += amount if fact.kind is kinds[0] else -amount
    return total


def _capitalised(facts: Sequence[f.Fact], terms: LoanTerms) -> _Income:
    kinds = (
        Kind.CAPITALISED_INCOME_AMORTISATION,
        Kind.CAPITALISED_INCOME_AMORTISATION_ADJUSTMENT,
    )
    given = Kind.CAPITALISED_INCOME_ADJUSTMENT
    return _Income(
        component=terms.capitalised_income_type,
        kinds=kinds,
        taken=[
            (x.effective_on, x.amount_minor) for x in facts if isinstance(x, f.IncomeCapitalised)
        ],
        given=[
            (x.effective_on, x.amount_minor)
            for x in facts
            if isinstance(x, f.Paid) and x.kind is given
        ],
        posted=_posted(facts, kinds),
    )


def _bought_down(facts: Sequence[f.Fact], terms: LoanTerms) -> _Income:
    kinds = (Kind.BUY_DOWN_FEE_AMORTISATION, Kind.BUY_DOWN_FEE_AMORTISATION_ADJUSTMENT)
    return _Income(
        component=terms.buy_down_income_type,
        kinds=kinds,
        taken=[(x.effective_on, x.amount_minor) for x in facts if isinstance(x, f.BuyDownFeeTaken)],
        given=[
            (x.effective_on, x.amount_minor) for x in facts if isinstance(x, f.BuyDownFeeAdjusted)
        ],
        posted=_posted(facts, kinds),
    )


def _exact(terms: LoanTerms) -> Context:
    context = EXACT.copy()
    context.rounding = terms.rounding
    return context


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
