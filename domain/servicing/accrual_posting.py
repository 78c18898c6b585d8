"""Posting of accruals: what was earned minus what is posted, as rows of the simulated life.

Source: domain rules 9.11 G-01, G-04.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from domain.servicing import facts as f
from domain.servicing.account import Account
from domain.servicing.accruals import Earned, EarnedByRow
from domain.servicing.row import F, I, N
from domain.servicing.terms import LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import ChargeAccrual, Component, Kind

Parts = dict[Component, int]
ACCRUALS = {Kind.ACCRUAL: 1, Kind.ACCRUAL_ADJUSTMENT: -1}


class Book(Protocol):
    """What closing needs of a simulated life."""

    terms: LoanTerms
    timeline: Timeline
    today: date
    charge_accrual: ChargeAccrual
    replayed: set[str]

    @property
    def account(self) -> Account:
        """The account now."""
        ...

    def record(self, kind: type[f.Fact], on: date, /, **data: object) -> str:
        """Record a fact of today; its id."""
        ...

    def drop(self, fact_id: str) -> None:
        """Take a fact out again, without a trace."""
        ...


def post(
    life: Book, kind: Kind, on: date, parts: Parts, charges: Mapping[str, int] | None = None
) -> str | None:
    """Record a posting; None if it would be of nothing."""
    if not any(parts.values()):
        return None
    return life.record(
        f.Posted,
        on,
        kind=kind,
        interest_minor=parts[I],
        fees_minor=parts[F],
        penalties_minor=parts[N],
        charges=tuple((charges or {}).items()),
    )


def accruals(life: Book) -> Iterator[tuple[int, f.Posted]]:
    """Accruals and their adjustments that count, with their sign."""
    for fact in life.timeline.facts:
        if isinstance(fact, f.Posted) and fact.kind in ACCRUALS:
            yield ACCRUALS[fact.kind], fact


def accrued_charges(life: Book) -> Counter[str]:
    """How much of every charge is accrued."""
    total: Counter[str] = Counter()
    for sign, fact in accruals(life):
        for charge, amount in fact.charges:
            total[charge] += sign * amount
    return total


def accrue_difference(life: Book, on: date, due: Earned) -> bool:
    """Post one accrual of what is missing, one adjustment of what is too much; whether any was."""
    accrued = accrued_charges(life)
    interest = due.interest - sum(sign * fact.interest_minor for sign, fact in accruals(life))
    charges = {key: due.charges.get(key, 0) - accrued[key] for key in {*due.charges, *accrued}}
    more = _accrue(life, Kind.ACCRUAL, on, interest, charges)
    less = _accrue(
        life, Kind.ACCRUAL_ADJUSTMENT, on, -interest, {k: -v for k, v in charges.items()}
    )
    return more or less


def _accrue(life: Book, kind: Kind, on: date, interest: int, charges: Mapping[str, int]) -> bool:
    """Post the positive part of a difference."""
    kept = {key: amount for key, amount in sorted(charges.items()) if amount > 0}
    components = {charge.id: charge.component for charge in life.account.ledger.charges}
    parts: Parts = {I: max(0, interest), F: 0, N: 0}
    for key, amount in kept.items():
        parts[components.get(key.partition("@")[0], F)] += amount
    return post(life, kind, on, parts, kept) is not None


def accrue_rows(life: Book, rows: Sequence[EarnedByRow], on: date) -> bool:
    """Post one accrual for every row of a cumulative loan; whether any was posted."""
    accrued = accrued_charges(life)
    posted = [(sign, fact) for sign, fact in accruals(life)]
    done = False
    for row in rows:
        before = sum(s * fact.interest_minor for s, fact in posted if row.holds(fact.effective_on))
        charges = {key: due - accrued[key] for key, due in row.earned.charges.items()}
        interest = row.earned.interest - before
        done |= _accrue(life, Kind.ACCRUAL, min(row.due_on, on), interest, charges)
    return done


def accrue_interest(life: Book, on: date, interest: int) -> None:
    """Bring the interest accrued by a day to what was earned by it."""
    accrued = sum(
        sign * fact.interest_minor for sign, fact in accruals(life) if fact.effective_on <= on
    )
    if not _accrue(life, Kind.ACCRUAL, on, interest - accrued, {}):
        _accrue(life, Kind.ACCRUAL_ADJUSTMENT, on, accrued - interest, {})


def drop_after(life: Book, on: date) -> None:
    """Drop accruals dated after the day an account ended on."""
    for _, fact in list(accruals(life)):
        if fact.effective_on > on:
            life.drop(fact.id)


def drop_unfounded(life: Book, rows: Sequence[EarnedByRow], through: date | None) -> None:
    """Drop accruals beyond what a row earns, and the latest one inside a running row."""
    for row in rows:
        interest = 0
        for _, fact in accruals(life):
            if not row.holds(fact.effective_on):
                continue
            latest = fact.effective_on == through != row.due_on and life.terms.interest_bearing
            if latest or interest + fact.interest_minor > row.earned.interest:
                life.drop(fact.id)
            else:
                interest += fact.interest_minor
