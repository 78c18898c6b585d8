"""Dates of a schedule: cycles counted from an anchor, working days. Holidays come in as data."""

from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, date, timedelta
from enum import StrEnum
from itertools import pairwise

from domain.errors import Rejected

CYCLE_EVERY_MAX = 366
"""Longest cycle in its unit: a year counted in days."""

DUE_DATES_MAX = 4_000
"""Most instalments of one schedule: ten years of daily repayment."""

CLOSED_DAYS_MAX = 60
"""Longest run of non-working days an adjustment walks over; beyond it the calendar is wrong."""


SHORTEST_MONTH = 28


class MonthEnd(StrEnum):
    """Where a due day goes that the month lacks. The anchor day is kept either way (rules, 5.1)."""

    CLAMP = "clamp"  # 31 January, 28 February, 31 March
    ROLL = "roll"  # 31 January, 1 March, 31 March


class CycleUnit(StrEnum):
    """What a repayment cycle is counted in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_DAYS_OF = {CycleUnit.DAY: 1, CycleUnit.WEEK: 7}
_MONTHS_OF = {CycleUnit.MONTH: 1, CycleUnit.QUARTER: 3, CycleUnit.YEAR: 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """How often a loan falls due: every `every` units. Raises Rejected `cycle_out_of_range`."""

    unit: CycleUnit = CycleUnit.MONTH
    every: int = 1
    month_end: MonthEnd = MonthEnd.CLAMP

    def __post_init__(self) -> None:
        if not 1 <= self.every <= CYCLE_EVERY_MAX:
            detail = f"a cycle counts 1 to {CYCLE_EVERY_MAX} units, not {self.every}"
            raise Rejected("cycle_out_of_range", detail, "every")


def add_months(anchor: date, months: int, month_end: MonthEnd = MonthEnd.CLAMP) -> date:
    """Return the anchor's day in the month `months` later, or earlier when negative.

    Always counted from the anchor, so the day never drifts: 31 Jan, 28 Feb, 31 Mar (rules, 5.1).
    Raises Rejected `date_out_of_range` outside the years 1 to 9999.
    """
    year, month0 = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise Rejected("date_out_of_range", f"{months} months from {anchor} is no date")
    if anchor.day <= SHORTEST_MONTH:
        return date(year, month0 + 1, anchor.day)
    last = monthrange(year, month0 + 1)[1]
    if anchor.day <= last:
        return date(year, month0 + 1, anchor.day)
    if month_end is MonthEnd.CLAMP:
        return date(year, month0 + 1, last)
    return date(year, month0 + 1, last) + timedelta(days=1)


def add_months_each(anchor: date, months: Sequence[int], month_end: MonthEnd) -> list[date]:
    """Return what `add_months` returns for each number of months, and raise what it raises."""
    day, month = anchor.day, anchor.year * 12 + anchor.month - 1
    last = month + max(months, default=0)
    if day > SHORTEST_MONTH or last >= (MAXYEAR + 1) * 12 or min(months, default=0) < 0:
        return [add_months(anchor, count, month_end) for count in months]
    return [date((month + n) // 12, (month + n) % 12 + 1, day) for n in months]


def is_month_end(day: date) -> bool:
    """Whether a day is the last one of its month."""
    return (day + timedelta(days=1)).month != day.month


def cycle_date(anchor: date, cycle: Cycle, number: int) -> date:
    """Return the date `number` cycles after the anchor; 0 is the anchor itself.

    Raises Rejected `date_out_of_range`.
    """
    steps = number * cycle.every
    if cycle.unit in _MONTHS_OF:
        return add_months(anchor, steps * _MONTHS_OF[cycle.unit], cycle.month_end)
    try:
        return anchor + timedelta(days=steps * _DAYS_OF[cycle.unit])
    except OverflowError:
        detail = f"{steps} {cycle.unit}s from {anchor} is no date"
        raise Rejected("date_out_of_range", detail) from None


def due_dates(anchor: date, cycle: Cycle, count: int, first: int = 1) -> tuple[date, ...]:
    """Return `count` due dates, the first one `first` cycles after the anchor.

    A first due date of one's own choice is its own anchor with `first` = 0.
    Raises Rejected: `too_many_instalments` (fewer than 1 counts too), `date_out_of_range`.
    """
    if not 1 <= count <= DUE_DATES_MAX:
        detail = f"a schedule has 1 to {DUE_DATES_MAX} instalments, not {count}"
        raise Rejected("too_many_instalments", detail, "instalments")
    return tuple(cycle_date(anchor, cycle, first + k) for k in range(count))


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayCalendar:
    """Which days are worked, as plain data. `working_days` win over weekend and holidays (调休).

    The calendar answers for `first_on` to `last_on`; None means without limit. Asked for another
    day it refuses, because holidays nobody has announced yet would be a guess.
    """

    name: str
    weekend: frozenset[int] = frozenset({5, 6})  # date.weekday(): Saturday and Sunday
    holidays: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()
    first_on: date | None = None
    last_on: date | None = None

    def __post_init__(self) -> None:
        both = self.holidays & self.working_days
        if both:
            detail = f"{self.name} says of {min(both)} both holiday and working day"
            raise Rejected("calendar_contradicts_itself", detail, "working_days")
        if len(self.weekend) >= 7:  # noqa: PLR2004  # a week
            raise Rejected("calendar_never_works", f"{self.name} has no working day", "weekend")

    def is_working(self, day: date) -> bool:
        """Tell whether the day is worked. Raises Rejected `outside_calendar`."""
        if (self.first_on and day < self.first_on) or (self.last_on and day > self.last_on):
            detail = f"{self.name} knows {self.first_on} to {self.last_on}, not {day}"
            raise Rejected("outside_calendar", detail)
        if day in self.working_days:
            return True
        return day.weekday() not in self.weekend and day not in self.holidays


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarOverride:
    """What one lender does otherwise: days it closes, days it works. The override wins."""

    closed: frozenset[date] = field(default_factory=frozenset)
    worked: frozenset[date] = field(default_factory=frozenset)


def override(calendar: HolidayCalendar, name: str, change: CalendarOverride) -> HolidayCalendar:
    """Return the lender's own calendar. Raises Rejected `calendar_contradicts_itself`."""
    both = change.closed & change.worked
    if both:
        detail = f"{name} both closes and works on {min(both)}"
        raise Rejected("calendar_contradicts_itself", detail, "worked")
    return HolidayCalendar(
        name=name,
        weekend=calendar.weekend,
        holidays=(calendar.holidays | change.closed) - change.worked,
        working_days=(calendar.working_days | change.worked) - change.closed,
        first_on=calendar.first_on,
        last_on=calendar.last_on,
    )


class Join(StrEnum):
    """When a joint calendar works."""

    ALL_WORK = "all_work"
    ANY_WORKS = "any_works"


def joint(name: str, calendars: Sequence[HolidayCalendar], join: Join) -> HolidayCalendar:
    """Return one calendar that works when all, or any, of the calendars do.

    It answers for the days that all of them know. Raises ValueError for no calendars.
    """
    if not calendars:
        raise ValueError("a joint calendar needs calendars")
    combine = frozenset[int].union if join is Join.ALL_WORK else frozenset[int].intersection
    weekend = combine(*(calendar.weekend for calendar in calendars))
    firsts = [calendar.first_on for calendar in calendars if calendar.first_on]
    lasts = [calendar.last_on for calendar in calendars if calendar.last_on]
    first_on, last_on = max(firsts, default=None), min(lasts, default=None)
    exceptions = frozenset[date]().union(
        *(calendar.holidays | calendar.working_days for calendar in calendars)
    )
    known = [day for day in exceptions if (first_on or date.min) <= day <= (last_on or date.max)]
    quorum = all if join is Join.ALL_WORK else any
    worked = frozenset(
        day for day in known if quorum(calendar.is_working(day) for calendar in calendars)
    )
    return HolidayCalendar(
        name=name,
        weekend=weekend,
        holidays=frozenset(known) - worked,
        working_days=worked,
        first_on=first_on,
        last_on=last_on,
    )


class BusinessDayRule(StrEnum):
    """Where a due date goes that is not a working day (domain rules, S-31)."""

    NONE = "none"
    FOLLOWING = "following"
    MODIFIED_FOLLOWING = "modified_following"  # following, but never into another month
    PRECEDING = "preceding"
    MODIFIED_PRECEDING = "modified_preceding"
    NEXT_REPAYMENT_DATE = "next_repayment_date"  # the cycle skips; the term grows by it


def adjust(day: date, rule: BusinessDayRule, calendar: HolidayCalendar) -> date:
    """Move one day to a working day. Raises Rejected: `outside_calendar`, `no_working_day`.

    Raises ValueError for NEXT_REPAYMENT_DATE, which needs a cycle: `business_due_dates`.
    """
    match rule:
        case BusinessDayRule.NONE:
            return day
        case BusinessDayRule.FOLLOWING:
            return _walk(day, calendar, 1)
        case BusinessDayRule.PRECEDING:
            return _walk(day, calendar, -1)
        case BusinessDayRule.MODIFIED_FOLLOWING:
            return _walk_within_month(day, calendar, 1)
        case BusinessDayRule.MODIFIED_PRECEDING:
            return _walk_within_month(day, calendar, -1)
        case BusinessDayRule.NEXT_REPAYMENT_DATE:
            raise ValueError("the next repayment date of one day alone is unknown")


def closed_around(day: date, calendar: HolidayCalendar) -> frozenset[date]:
    """Return a closed day and those beside it, up to the next working day on either side.

    It is all that any rule asks when it moves the day: whoever keeps these days can move it again
    without the calendar. Raises Rejected: `outside_calendar`, `no_working_day`.
    """
    if calendar.is_working(day):
        return frozenset()
    first, last = _walk(day, calendar, -1), _walk(day, calendar, 1)
    return frozenset(first + timedelta(days=k) for k in range(1, (last - first).days))


def closed_among(days: Iterable[date], calendar: HolidayCalendar) -> tuple[date, ...]:
    """Return the closed days that any of some days meets, in order. Raises as `closed_around`."""
    return tuple(sorted(frozenset[date]().union(*(closed_around(day, calendar) for day in days))))


def _walk_within_month(day: date, calendar: HolidayCalendar, step: int) -> date:
    moved = _walk(day, calendar, step)
    return moved if moved.month == day.month else _walk(day, calendar, -step)


def _walk(day: date, calendar: HolidayCalendar, step: int) -> date:
    for distance in range(CLOSED_DAYS_MAX):
        candidate = day + timedelta(days=step * distance)
        if calendar.is_working(candidate):
            return candidate
    detail = f"{calendar.name} works on none of {CLOSED_DAYS_MAX} days from {day}"
    raise Rejected("no_working_day", detail)


def business_due_dates(
    cycle: Callable[[int], date], count: int, rule: BusinessDayRule, calendar: HolidayCalendar
) -> tuple[date, ...]:
    """Return `count` due dates on working days; `cycle(n)` is the n-th planned one, from 1.

    Every date is adjusted from its planned place in the cycle, so a move never carries over.
    Under NEXT_REPAYMENT_DATE an instalment waits for the next date of the cycle that is worked;
    those behind it move up one each and the term grows.
    Raises Rejected: `due_dates_collide` when two instalments land on one day, `no_working_day`
    when the cycle never meets the calendar, and what `cycle` and `adjust` raise.
    """
    if rule is not BusinessDayRule.NEXT_REPAYMENT_DATE:
        dues = tuple(adjust(cycle(number), rule, calendar) for number in range(1, count + 1))
        for earlier, later in pairwise(dues):
            if later <= earlier:
                detail = f"two instalments fall on {later}; choose next_repayment_date"
                raise Rejected("due_dates_collide", detail, "business_days")
        return dues
    worked: list[date] = []
    for number in range(1, DUE_DATES_MAX + 1):
        if len(worked) == count:
            return tuple(worked)
        day = cycle(number)
        if calendar.is_working(day):
            worked.append(day)
    if len(worked) == count:
        return tuple(worked)
    raise Rejected("no_working_day", f"the cycle meets {calendar.name} too rarely")
