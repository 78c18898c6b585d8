"""Unit-periods of Regulation Z: which one a loan has, and how many lie before a payment.

Source: 12 CFR 1026, appendix J, (b)(3) to (b)(5).
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from domain.calendar import add_months


class UnitKind(StrEnum):
    """The standard intervals of time that a unit-period is a multiple of."""

    DAY = "day"
    WEEK = "week"
    SEMIMONTH = "semimonth"
    MONTH = "month"
    YEAR = "year"


_DAYS_OF = {
    UnitKind.DAY: 1,
    UnitKind.WEEK: 7,
    UnitKind.SEMIMONTH: 15,
    UnitKind.MONTH: 30,
    UnitKind.YEAR: 365,
}
_PER_YEAR = {
    UnitKind.DAY: 365,
    UnitKind.WEEK: 52,
    UnitKind.SEMIMONTH: 24,
    UnitKind.MONTH: 12,
    UnitKind.YEAR: 1,
}
_WEEKS_MAX = 52
_MONTHS_MAX = 11  # twelve are a year
_SEMIMONTH_DAYS = range(11, 20)  # from one half of a month to the other, whichever days they are


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPeriod:
    """A unit-period such as two weeks. A multiple of a day is the term of a single payment."""

    kind: UnitKind
    count: int = 1

    @property
    def per_year(self) -> Fraction:
        """How many of it a year holds (b)(5)."""
        return Fraction(_PER_YEAR[self.kind], self.count)

    @property
    def days(self) -> int:
        """Its length where all months are equal (b)(3)."""
        return _DAYS_OF[self.kind] * self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTime:
    """The time to a flow: whole unit-periods, then the fraction of one that comes first."""

    whole: int
    fraction: Fraction = Fraction(0)


def unit_period_of(advances: Sequence[date], payments: Sequence[date]) -> UnitPeriod:
    """Return the unit-period of a transaction, from its sorted dates, by (b)(4).

    The interval that occurs most often, the shorter of two that occur equally often; where none
    occurs twice, the standard interval nearest to their average. Never more than a year.
    """
    start = advances[0]
    if len(advances) == len(payments) == 1:
        return _single_payment_term(start, payments[0])
    chains = [[start, *payments], list(advances)]
    found = Counter[UnitPeriod](
        name for chain in chains for k in range(len(chain) - 1) for name in _names_of(chain, k)
    )
    common = [unit for unit, times in found.items() if times > 1]
    if common:
        return min(common, key=lambda unit: (-found[unit], unit.days))
    periods = (pair for chain in chains for pair in pairwise(chain))
    lengths = [(end - begin).days for begin, end in periods if begin < end]
    average = Fraction(sum(lengths), len(lengths))
    return min(_standard_intervals(), key=lambda unit: (abs(unit.days - average), unit.days))


def _single_payment_term(start: date, end: date) -> UnitPeriod:
    """Take the term itself, at most a year, by (b)(4)(ii) and (b)(5)(vi)."""
    if add_months(start, 12) <= end:
        return UnitPeriod(kind=UnitKind.YEAR)
    months = _months_apart(start, end)
    if months:
        return UnitPeriod(kind=UnitKind.MONTH, count=months)
    return UnitPeriod(kind=UnitKind.DAY, count=max((end - start).days, 1))


def _names_of(chain: Sequence[date], k: int) -> Iterator[UnitPeriod]:
    """Name the standard intervals that the period from the k-th date to the next one is."""
    begin, end = chain[k], chain[k + 1]
    days = (end - begin).days
    months = _months_apart(begin, end)
    if 1 <= months <= _MONTHS_MAX:
        yield UnitPeriod(kind=UnitKind.MONTH, count=months)
    elif months == _MONTHS_MAX + 1:
        yield UnitPeriod(kind=UnitKind.YEAR)
    if days % 7 == 0 and 1 <= days // 7 <= _WEEKS_MAX:
        yield UnitPeriod(kind=UnitKind.WEEK, count=days // 7)
    if days == 1:
        yield UnitPeriod(kind=UnitKind.DAY)
    in_halves = any(
        j >= 0 and j + 2 < len(chain) and _months_apart(chain[j], chain[j + 2]) == 1
        for j in (k - 1, k)
    )
    if in_halves and days in _SEMIMONTH_DAYS:
        yield UnitPeriod(kind=UnitKind.SEMIMONTH)


def _months_apart(begin: date, end: date) -> int:
    """Return the whole months between corresponding days, 0 if they do not correspond (b)(3).

    The last day of a month corresponds to a later day that its month lacks.
    """
    months = 12 * (end.year - begin.year) + end.month - begin.month
    corresponds = add_months(begin, months) == end or add_months(end, -months) == begin
    return months if corresponds else 0


def _standard_intervals() -> Iterator[UnitPeriod]:
    yield UnitPeriod(kind=UnitKind.DAY)
    for count in range(1, _WEEKS_MAX + 1):
        yield UnitPeriod(kind=UnitKind.WEEK, count=count)
    yield UnitPeriod(kind=UnitKind.SEMIMONTH)
    for count in range(1, _MONTHS_MAX + 1):
        yield UnitPeriod(kind=UnitKind.MONTH, count=count)
    yield UnitPeriod(kind=UnitKind.YEAR)


def unit_time(start: date, end: date, unit: UnitPeriod, due_day: int) -> UnitTime:
    """Count the unit-periods from `start` to `end`, whole ones back from the later date (b)(5).

    `due_day` is the day of month the payments are scheduled for; a month that lacks it has its
    last day instead (b)(3).
    """
    match unit.kind:
        case UnitKind.DAY | UnitKind.WEEK:
            return _divided((end - start).days, unit.days)
        case UnitKind.YEAR:
            return _years_back(start, end, due_day)
        case UnitKind.MONTH if unit.count == 1:
            months, days = _months_back(start, end, due_day)
            return UnitTime(whole=months, fraction=Fraction(days, 30))
        case UnitKind.MONTH | UnitKind.SEMIMONTH:
            months, days = _months_back(start, end, due_day)
            return _divided(30 * months + days, unit.days)


def _divided(days: int, unit_days: int) -> UnitTime:
    whole, rest = divmod(days, unit_days)
    return UnitTime(whole=whole, fraction=Fraction(rest, unit_days))


def _back(end: date, months: int, due_day: int) -> date:
    """Return the day `months` before a due date, on the scheduled day of that month."""
    cut_short = end.day < due_day and end.day == monthrange(end.year, end.month)[1]
    day = due_day if cut_short else end.day
    january_2000 = date(2000, 1, day)  # a month that holds every day
    return add_months(january_2000, 12 * (end.year - 2000) + end.month - 1 - months)


def _months_back(start: date, end: date, due_day: int) -> tuple[int, int]:
    months = 12 * (end.year - start.year) + end.month - start.month
    if _back(end, months, due_day) < start:
        months -= 1
    return months, (_back(end, months, due_day) - start).days


def _years_back(start: date, end: date, due_day: int) -> UnitTime:
    months, days = _months_back(start, end, due_day)
    whole, rest = divmod(months, 12)
    if days == 0:
        return UnitTime(whole=whole, fraction=Fraction(rest, 12))
    odd = (_back(end, 12 * whole, due_day) - start).days
    return UnitTime(whole=whole, fraction=Fraction(odd, 365))
