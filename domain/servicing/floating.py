"""Floating rates: a published reference such as the LPR plus a spread, fixed on reset dates.

A loan's rate moves on its reset dates only, by what was published then; nothing looks ahead. What
was published is a fact on the loan's time line, never looked up. Source: domain rules, 5.6, P-18.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from enum import StrEnum

from domain.calendar import Cycle, CycleUnit, cycle_date
from domain.money import INTEREST_CONTEXT

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One value of a reference rate, a fraction per year, valid from the day of publication."""

    published_on: date
    value: Decimal


class ResetRule(StrEnum):
    """When a loan reprices; the cycle is a term of the contract (domain rules, 5.6)."""

    NEW_YEAR = "new_year"  # every 1 January
    ANNIVERSARY = "anniversary"  # every year on the day of the first disbursement
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingRate:
    """Reference plus spread, fixed at signing. Cap and floor bound the sum; None is no bound."""

    reference: str  # such as "LPR-5Y"
    spread_bps: int  # basis points; negative below the reference
    reset: ResetRule
    cap_annual: Decimal | None = None
    floor_annual: Decimal | None = Decimal(0)

    def rate(self, value: Decimal) -> Decimal:
        """Return value + spread within floor and cap, a fraction per year (domain rules, 5.6)."""
        with localcontext(INTEREST_CONTEXT):
            rate = value + Decimal(self.spread_bps) / BASIS_POINTS
            if self.floor_annual is not None:
                rate = max(rate, self.floor_annual)
            if self.cap_annual is not None:
                rate = min(rate, self.cap_annual)
            return rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Repricing:
    """One reset and what came of it: all that says why the rate is what it is."""

    effective_on: date
    reference: str
    published_on: date
    value: Decimal
    spread_bps: int
    old_annual: Decimal
    new_annual: Decimal


def next_reset(rule: ResetRule, start: date, after: date) -> date:
    """Return the first reset date later than `after`; none lies on or before `start`."""
    anchor, unit = {
        ResetRule.NEW_YEAR: (date(start.year, 1, 1), CycleUnit.YEAR),
        ResetRule.ANNIVERSARY: (start, CycleUnit.YEAR),
        ResetRule.MONTHLY: (start, CycleUnit.MONTH),
        ResetRule.QUARTERLY: (start, CycleUnit.QUARTER),
    }[rule]
    cycle = Cycle(unit=unit)
    months = 12 * (after.year - anchor.year) + after.month - anchor.month
    number = max(1, months // _MONTHS_OF[unit])
    while (day := cycle_date(anchor, cycle, number)) <= max(after, start):
        number += 1
    return day


_MONTHS_OF = {CycleUnit.MONTH: 1, CycleUnit.QUARTER: 3, CycleUnit.YEAR: 12}


def published(
    publications: Sequence[Publication], publication: Publication
) -> tuple[Publication, ...]:
    """Take note of a published value; a second one of the same day corrects the first."""
    known = [p for p in publications if p.published_on != publication.published_on]
    insort(known, publication, key=lambda item: item.published_on)
    return tuple(known)


def latest(publications: Sequence[Publication], on: date) -> Publication | None:
    """Return the latest value published on or before a day; None before the first."""
    known = [item for item in publications if item.published_on <= on]
    return known[-1] if known else None
