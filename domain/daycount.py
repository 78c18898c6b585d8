"""Day-count conventions: days and exact year fractions between two dates. No balances, no rates.

Intervals are [start, end): the first day counts, the last does not (算头不算尾).
"""

from calendar import isleap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from domain.calendar import add_months


class DayCount(StrEnum):
    """The conventions by name. "30/360" alone is none of them (domain rules, 5.2)."""

    ACT_360 = "act/360"
    ACT_364 = "act/364"
    ACT_365F = "act/365f"
    ACT_ACT_ISDA = "act/act-isda"
    ACT_ACT_ICMA = "act/act-icma"
    ACT_ACT_FEB_29 = "act/act-feb29"  # 366 only for a period that reaches a 29 February
    THIRTY_360_US = "30/360-us"
    THIRTY_360_BOND = "30/360-bond"
    THIRTY_E_360 = "30e/360"
    THIRTY_E_360_ISDA = "30e/360-isda"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePeriods:
    """The regular periods ACT/ACT ICMA measures by: every `months` months through `anchor`."""

    anchor: date
    months: int

    def __post_init__(self) -> None:
        if self.months not in {1, 2, 3, 4, 6, 12}:
            raise ValueError(f"{self.months} months do not divide a year")


_FIXED_YEAR = MappingProxyType(
    {DayCount.ACT_360: 360, DayCount.ACT_364: 364, DayCount.ACT_365F: 365}
)


def fixed_year(convention: DayCount) -> int | None:
    """Length of the year of a convention that counts actual days over it; None for the others."""
    return _FIXED_YEAR.get(convention)


def days(
    convention: DayCount, start: date, end: date, *, termination_on: date | None = None
) -> int:
    """Count the days of [start, end) by the convention.

    `termination_on` is the last due date of the loan, which only 30E/360 ISDA asks for; None: the
    period is not the last one. Raises ValueError if `end` is before `start`.
    """
    _check_order(start, end)
    adjusted = _THIRTY_DAY_ENDS.get(convention)
    if adjusted is None:
        return (end - start).days
    first, last = adjusted(start, end, termination_on)
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


def year_fraction(
    convention: DayCount,
    start: date,
    end: date,
    *,
    termination_on: date | None = None,
    reference: ReferencePeriods | None = None,
) -> Fraction:
    """Return the exact part of a year that [start, end) is.

    `termination_on` as for `days`; `reference` is needed by ACT/ACT ICMA and used by no other.
    Raises ValueError if `end` is before `start` or a reference is missing.
    """
    _check_order(start, end)
    if convention in _FIXED_YEAR:
        return _fraction((end - start).days, _FIXED_YEAR[convention])
    match convention:
        case DayCount.ACT_ACT_ISDA:
            return _act_act_isda(start, end)
        case DayCount.ACT_ACT_FEB_29:
            return _act_act_feb_29(start, end)
        case DayCount.ACT_ACT_ICMA:
            if reference is None:
                raise ValueError("ACT/ACT ICMA needs the loan's reference periods")
            return _act_act_icma(start, end, reference)
        case _:
            return _fraction(days(convention, start, end, termination_on=termination_on), 360)


_fraction = lru_cache(maxsize=4096)(Fraction)  # to reduce a fraction costs more than to find it


def _check_order(start: date, end: date) -> None:
    if end < start:
        raise ValueError(f"the period ends on {end}, before it starts on {start}")


def _days_in(year: int) -> int:
    return 366 if isleap(year) else 365


def _act_act_isda(start: date, end: date) -> Fraction:
    """Split at 1 January; each part over the length of its own year (ISDA 2006, 4.16(b))."""
    if start.year == end.year:
        return Fraction((end - start).days, _days_in(start.year))
    head = Fraction((date(start.year + 1, 1, 1) - start).days, _days_in(start.year))
    tail = Fraction((end - date(end.year, 1, 1)).days, _days_in(end.year))
    return head + (end.year - start.year - 1) + tail


def _act_act_feb_29(start: date, end: date) -> Fraction:
    """Take 365 for the year unless a 29 February lies in (start, end]; then split as ISDA does.

    The interval is half open at the start, as in the ACT/365L of ICMA rule 251.1(i)(a), so that
    a leap day belongs to the period that earns it.
    """
    if not _reaches_a_leap_day(start, end):
        return Fraction((end - start).days, 365)
    return _act_act_isda(start, end)


def _reaches_a_leap_day(start: date, end: date) -> bool:
    return any(
        isleap(year) and start < date(year, 2, 29) <= end
        for year in range(start.year, min(end.year, start.year + 8) + 1)  # 1900 to 1908 is longest
    )


def _act_act_icma(start: date, end: date, reference: ReferencePeriods) -> Fraction:
    """Add up days / (periods a year x days of the period) over each reference period touched.

    A stub thus lies in the notional periods it belongs to (ICMA rule 251.1(iii)).
    """
    months = reference.months
    anchor = reference.anchor
    number = (12 * (start.year - anchor.year) + start.month - anchor.month) // months - 1
    total = Fraction(0)
    begin = add_months(anchor, number * months)
    while begin < end:
        number += 1
        finish = add_months(anchor, number * months)
        overlap = (min(end, finish) - max(start, begin)).days
        if overlap > 0:
            total += Fraction(overlap * months, 12 * (finish - begin).days)
        begin = finish
    return total


def _is_last_of_february(day: date) -> bool:
    return day.month == 2 and (day + timedelta(days=1)).month == 3  # noqa: PLR2004  # months


def _us(start: date, end: date, _termination_on: date | None) -> tuple[int, int]:
    first, last = start.day, end.day
    if _is_last_of_february(start):
        if _is_last_of_february(end):
            last = 30
        first = 30
    if last == 31 and first >= 30:  # noqa: PLR2004  # days of a month
        last = 30
    return min(first, 30), last


def _bond(start: date, end: date, _termination_on: date | None) -> tuple[int, int]:
    first = min(start.day, 30)
    return first, min(end.day, 30) if first == 30 else end.day  # noqa: PLR2004


def _eurobond(start: date, end: date, _termination_on: date | None) -> tuple[int, int]:
    return min(start.day, 30), min(end.day, 30)


def _isda(start: date, end: date, termination_on: date | None) -> tuple[int, int]:
    first = 30 if _is_last_of_february(start) else min(start.day, 30)
    if _is_last_of_february(end) and end != termination_on:
        return first, 30
    return first, min(end.day, 30)


_Ends = Callable[[date, date, date | None], tuple[int, int]]

_THIRTY_DAY_ENDS: MappingProxyType[DayCount, _Ends] = MappingProxyType(
    {
        DayCount.THIRTY_360_US: _us,
        DayCount.THIRTY_360_BOND: _bond,
        DayCount.THIRTY_E_360: _eurobond,
        DayCount.THIRTY_E_360_ISDA: _isda,
    }
)
