"""Deferred income: capitalised income and buy-down fees, recognised evenly by day.

Source: domain rules 9.9 S-27 to S-29. What is taken is recognised from its day to maturity, and an
adjustment is the same below zero: the straight lines of both add up to S-29's, segment by segment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

from domain.money import WIDE_CONTEXT, to_minor
from domain.servicing import facts as f
from domain.servicing.account import Account, maturity_of
from domain.servicing.ledger import Ledger
from domain.servicing.terms import LoanTerms
from domain.servicing.values import Component, DeferredKind, Kind

_ENTRIES = {
    DeferredKind.CAPITALISED_INCOME: (
        Kind.CAPITALISED_INCOME,
        Kind.CAPITALISED_INCOME_ADJUSTMENT,
    ),
    DeferredKind.BUY_DOWN_FEE: (Kind.BUY_DOWN_FEE, Kind.BUY_DOWN_FEE_ADJUSTMENT),
}
"""What is taken, and what of it is given back."""

_POSTINGS = {
    DeferredKind.CAPITALISED_INCOME: (
        Kind.CAPITALISED_INCOME_AMORTISATION,
        Kind.CAPITALISED_INCOME_AMORTISATION_ADJUSTMENT,
    ),
    DeferredKind.BUY_DOWN_FEE: (
        Kind.BUY_DOWN_FEE_AMORTISATION,
        Kind.BUY_DOWN_FEE_AMORTISATION_ADJUSTMENT,
    ),
}


class Part(NamedTuple):
    """An amount that is recognised from a day on, minor units; an adjustment is below zero."""

    id: str
    on: date
    amount_minor: int

    def days(self, maturity: date, on: date) -> tuple[int, int]:
        """Count the days that are over by the end of a day, and all days to maturity."""
        whole = max(0, (maturity - self.on).days)
        return min(whole, max(0, (on - self.on).days + 1)), whole

    def recognised(self, maturity: date, on: date) -> Fraction:
        """Return what is recognised of it by the end of a day, exact; all of it at maturity."""
        over, whole = self.days(maturity, on)
        return Fraction(self.amount_minor) * (Fraction(over, whole) if whole else 1)


class Deferral(NamedTuple):
    """Where income of one kind stands at the end of a day. Amounts in minor units."""

    kind: DeferredKind
    parts: tuple[Part, ...]
    maturity: date
    ended: bool  # paid or charged off: nothing is deferred any more
    recognised_minor: int
    deferred_minor: int


class Deferred(NamedTuple):
    """What is not recognised yet, minor units."""

    capitalised_minor: int = 0
    bought_down_minor: int = 0


NOTHING_DEFERRED = Deferred()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """Income to post, minor units."""

    kind: Kind
    interest_minor: int = 0
    fees_minor: int = 0


# --- on a day


def deferrals(ledger: Ledger, on: date) -> tuple[Deferral, ...]:
    """Say where the deferred income of a loan stands at the end of a day, by kind; () for none.

    The ledger is of the day. A loan on which nothing is owed, or that is charged off, defers
    nothing (S-27).
    """
    ended = ledger.charged_off_on is not None or all(row.outstanding == 0 for row in ledger.rows)
    stands: list[Deferral] = []
    for kind in DeferredKind:
        parts = _parts(ledger, kind, on)
        if parts:
            stands.append(_stands(ledger, kind, parts, on, ended=ended))
    return tuple(stands)


def deferred_on(ledger: Ledger, on: date) -> Deferred:
    """Return what a loan defers at the end of a day."""
    left = {one.kind: one.deferred_minor for one in deferrals(ledger, on)}
    return Deferred(
        capitalised_minor=left.get(DeferredKind.CAPITALISED_INCOME, 0),
        bought_down_minor=left.get(DeferredKind.BUY_DOWN_FEE, 0),
    )


def _parts(ledger: Ledger, kind: DeferredKind, on: date) -> tuple[Part, ...]:
    taken, given = _ENTRIES[kind]
    return tuple(
        Part(entry.id, entry.on, entry.amount if entry.kind is taken else -entry.amount)
        for entry in ledger.entries
        if entry.kind in (taken, given) and entry.on <= on
    )


def _stands(
    ledger: Ledger, kind: DeferredKind, parts: tuple[Part, ...], on: date, *, ended: bool
) -> Deferral:
    whole = sum(part.amount_minor for part in parts)
    maturity = maturity_of(ledger)
    recognised = whole if ended else _recognised(parts, maturity, on)
    return Deferral(kind, parts, maturity, ended, recognised, whole - recognised)


def _recognised(parts: Iterable[Part], maturity: date, on: date) -> int:
    """Add up what is recognised by the end of a day, and round once, half up (S-29; 5.3)."""
    exact = sum((part.recognised(maturity, on) for part in parts), Fraction())
    with localcontext(WIDE_CONTEXT):
        return to_minor(Decimal(exact.numerator) / exact.denominator)


# --- to post on a simulated loan


def deferred_to_post(
    facts: Sequence[f.Fact], account: Account, on: date, *, in_full: bool
) -> list[Recognition]:
    """Rounded total to a day minus what is posted; less than is posted is a correction."""
    ledger = account.ledger
    postings: list[Recognition] = []
    for kind in DeferredKind:
        posted = _posted(facts, kind)
        every = _parts(ledger, kind, date.max)
        if every or posted:
            total = _total(ledger, every, posted, on, in_full=in_full)
            postings += _difference(ledger.terms, kind, total, posted)
    return postings


def _total(ledger: Ledger, parts: tuple[Part, ...], posted: int, on: date, *, in_full: bool) -> int:
    """Return the income to be recognised by a day, minor units."""
    whole = sum(part.amount_minor for part in parts)
    if in_full or ledger.charged_off_on is not None:
        return whole
    if posted == whole and all(part.amount_minor > 0 for part in parts):
        return whole  # a loan that comes back after its end does not defer again
    by_then = [part for part in parts if part.on <= on]
    return _recognised(by_then, maturity_of(ledger), on)


def _posted(facts: Sequence[f.Fact], kind: DeferredKind) -> int:
    more, less = _POSTINGS[kind]
    total = 0
    for fact in facts:
        if isinstance(fact, f.Posted) and fact.kind in (more, less):
            amount = fact.interest_minor + fact.fees_minor
            total += amount if fact.kind is more else -amount
    return total


def _difference(terms: LoanTerms, kind: DeferredKind, total: int, posted: int) -> list[Recognition]:
    if total == posted:
        return []
    more, less = _POSTINGS[kind]
    capitalised = kind is DeferredKind.CAPITALISED_INCOME
    component = terms.capitalised_income_type if capitalised else terms.buy_down_income_type
    amount, posting = abs(total - posted), more if total > posted else less
    if component is Component.FEE:
        return [Recognition(kind=posting, fees_minor=amount)]
    return [Recognition(kind=posting, interest_minor=amount)]
