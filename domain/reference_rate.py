"""Floating rates: a published reference such as the LPR plus a spread, fixed on reset dates.

A loan's rate moves on its reset dates only, by what was published then; nothing looks ahead.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from enum import StrEnum

from domain.calendar import Cycle, CycleUnit, cycle_date
from domain.errors import Rejected
from domain.money import INTEREST_CONTEXT

RESETS_MAX = 1_200
"""Most resets of one loan: a hundred years of months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One value of a reference rate, a fraction per year, valid from the day of publication."""

    published_on: date
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRate:
    """A reference rate with all that was published, in order, such as the LPR of one tenor.

    Raises Rejected `publications_out_of_order`, also for two values of one day.
    """

    name: str
    publications: tuple[Publication, ...]

    def __post_init__(self) -> None:
        days = [publication.published_on for publication in self.publications]
        if days != sorted(set(days)):
            detail = f"the values of {self.name} must rise by day"
            raise Rejected("publications_out_of_order", detail, "publications")

    def latest(self, on: date) -> Publication:
        """Return the latest value published on or before a day (domain rules, 5.6).

        Raises Rejected `reference_rate_unknown` before the first.
        """
        after = bisect_right(self.publications, on, key=lambda it: it.published_on)
        if after == 0:
            raise Rejected("reference_rate_unknown", f"{self.name} has no value on {on}")
        return self.publications[after - 1]


class ResetRule(StrEnum):
    """When a loan reprices; the cycle is a term of the contract (domain rules, 5.6)."""

    NEW_YEAR = "new_year"  # every 1 January
    ANNIVERSARY = "anniversary"  # every year on the day of the loan
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingTerms:
    """Reference plus spread, fixed at signing. Cap and floor bound the sum; None is no bound.

    Raises Rejected `floor_above_cap`.
    """

    spread: Decimal  # fraction per year: 0.0050 is 50 basis points
    reset: ResetRule
    cap_annual: Decimal | None = None
    floor_annual: Decimal | None = Decimal(0)

    def __post_init__(self) -> None:
        cap, floor = self.cap_annual, self.floor_annual
        if cap is not None and floor is not None and floor > cap:
            raise Rejected("floor_above_cap", f"{floor} is above {cap}", "floor_annual")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repricing:
    """One reset and what came of it: all an event needs to say why the rate is what it is."""

    effective_on: date
    index: str
    published_on: date
    value: Decimal
    spread: Decimal
    old_annual: Decimal
    new_annual: Decimal


def floating_rate(terms: FloatingTerms, value: Decimal) -> Decimal:
    """Return value + spread within floor and cap, a fraction per year (domain rules, 5.6)."""
    with localcontext(INTEREST_CONTEXT):
        rate = value + terms.spread
        if terms.floor_annual is not None:
            rate = max(rate, terms.floor_annual)
        if terms.cap_annual is not None:
            rate = min(rate, terms.cap_annual)
        return rate


def reset_dates(rule: ResetRule, start: date, until_on: date) -> tuple[date, ...]:
    """Return the reset dates after `start`, up to and including `until_on` (domain rules, 5.6).

    Raises Rejected `too_many_resets`.
    """
    anchor, unit = {
        ResetRule.NEW_YEAR: (date(start.year, 1, 1), CycleUnit.YEAR),
        ResetRule.ANNIVERSARY: (start, CycleUnit.YEAR),
        ResetRule.MONTHLY: (start, CycleUnit.MONTH),
        ResetRule.QUARTERLY: (start, CycleUnit.QUARTER),
    }[rule]
    cycle = Cycle(unit=unit)
    dates: list[date] = []
    for number in range(1, RESETS_MAX + 1):
        day = cycle_date(anchor, cycle, number)
        if day > until_on:
            return tuple(dates)
        dates.append(day)
    raise Rejected("too_many_resets", f"more than {RESETS_MAX} resets until {until_on}")


def repricings(
    terms: FloatingTerms, reference: ReferenceRate, start: date, until_on: date
) -> Sequence[Repricing]:
    """Return each reset's outcome, also where the rate stays, by what was published by then.

    Source: domain rules, 5.6 (latest LPR published on the repricing date, plus the spread).
    Raises Rejected: `reference_rate_unknown`, `too_many_resets`.
    """
    rate = floating_rate(terms, reference.latest(start).value)
    outcomes: list[Repricing] = []
    for day in reset_dates(terms.reset, start, until_on):
        publication = reference.latest(day)
        new = floating_rate(terms, publication.value)
        outcomes.append(
            Repricing(
                effective_on=day,
                index=reference.name,
                published_on=publication.published_on,
                value=publication.value,
                spread=terms.spread,
                old_annual=rate,
                new_annual=new,
            )
        )
        rate = new
    return tuple(outcomes)


def rate_on(terms: FloatingTerms, reference: ReferenceRate, start: date, on: date) -> Decimal:
    """Return the rate a loan of `start` bears on a day: that of its latest reset, or its first.

    Raises Rejected as `repricings` does; ValueError before the start.
    """
    if on < start:
        raise ValueError(f"the loan starts on {start}, after {on}")
    resets = reset_dates(terms.reset, start, on)
    return floating_rate(terms, reference.latest(resets[-1] if resets else start).value)
