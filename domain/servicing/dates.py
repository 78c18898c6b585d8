"""Due dates and the half-open periods between them; knows nothing of money."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from domain import calendar
from domain.calendar import (
    DUE_DATES_MAX,
    BusinessDayRule,
    HolidayCalendar,
    add_months,
    add_months_each,
    adjust,
    business_due_dates,
    closed_around,
)
from domain.errors import Rejected
from domain.servicing.conventions import FirstPeriod
from domain.servicing.terms import MONTHS_A_UNIT, LoanTerms
from domain.servicing.values import Amortisation, MonthEnd, StartFrom, Unit

MONTHS_A_YEAR = 12
ONE_DAY = timedelta(days=1)
_MONTH_END = {
    MonthEnd.LAST_DAY_OF_MONTH: calendar.MonthEnd.CLAMP,
    MonthEnd.FIRST_DAY_OF_NEXT_MONTH: calendar.MonthEnd.ROLL,
}


def add_units(start: date, unit: Unit, count: int) -> date:
    """`start` moved by `count` units; month ends clamp."""
    if unit in MONTHS_A_UNIT:
        return add_months(start, count * MONTHS_A_UNIT[unit])
    return start + timedelta(days=count * (7 if unit is Unit.WEEKS else 1))


def due_on(terms: LoanTerms, start: date, number: int) -> date:
    """Due date `number` (1-based) of the cycle, counted from its anchor: month ends never drift.

    The anchor is the start, the first due date if one was agreed, or the product's due day.
    """
    return due_dates(terms, start, (number,))[0]


def due_dates(terms: LoanTerms, start: date, numbers: Sequence[int]) -> list[date]:
    """Return the due dates of some numbers of the cycle; see `due_on`."""
    first, day = terms.first_due_on, terms.due_day
    if day is not None:
        if first is not None:  # of a new plan
            return [continued(terms, first, number - 1) for number in numbers]
        return [_due_on_day(terms, day, start, number) for number in numbers]
    if first is not None:
        start, numbers = first, [number - 1 for number in numbers]
    every, unit = terms.repayment_every, terms.repayment_unit
    if unit not in MONTHS_A_UNIT:
        return [add_units(start, unit, number * every) for number in numbers]
    months, month_end = every * MONTHS_A_UNIT[unit], _MONTH_END[terms.month_end]
    return add_months_each(start, [number * months for number in numbers], month_end)


def _due_on_day(terms: LoanTerms, day: int, start: date, number: int) -> date:
    """Count from the due day next to the regular first date, before it or after it (固定还款日)."""
    length = terms.repayment_every * MONTHS_A_UNIT[terms.repayment_unit]
    regular = add_months(start, length)
    january = date(regular.year, 1, day)  # a month that has every day
    months = regular.month - 1
    if terms.first_period is FirstPeriod.SHORT and add_months(january, months) > regular:
        months -= 1
    if add_months(january, months) <= start:
        months += 1
    if terms.first_period is FirstPeriod.LONG and add_months(january, months) < regular:
        months += 1
    months += (number - 1) * length
    return add_months(january, months, _MONTH_END[terms.month_end])


def continued(terms: LoanTerms, due: date, count: int) -> date:
    """Due date that is `count` periods after a given one: on the due day if that one is."""
    count *= terms.repayment_every
    if terms.repayment_unit not in MONTHS_A_UNIT:
        return add_units(due, terms.repayment_unit, count)
    months = count * MONTHS_A_UNIT[terms.repayment_unit]
    return keeping_due_day(terms, due, add_months(due, months, _MONTH_END[terms.month_end]))


def keeping_due_day(terms: LoanTerms, before: date, after: date) -> date:
    """Return `after`, or the due day of its month if `before` is one: the 31st after 30 June."""
    day = terms.due_day
    if day is None or before != _day_of_month(before, day):
        return after
    return _day_of_month(after, day)


def _day_of_month(on: date, day: int) -> date:
    return add_months(date(on.year, 1, day), on.month - 1)


def is_regular(terms: LoanTerms, period: tuple[date, date], start: date) -> bool:
    """Whether a period of months runs from one due date of the cycle to the next."""
    months = (period[1].year - start.year) * MONTHS_A_YEAR + period[1].month - start.month
    length = terms.repayment_every * MONTHS_A_UNIT.get(terms.repayment_unit, 0)
    if not length:
        return False
    latest = months // length
    return period in pairwise(due_dates(terms, start, range(max(0, latest - 2), latest + 2)))


def schedule_periods(terms: LoanTerms, disbursed_on: date) -> list[tuple[date, date]]:
    """Return (from, due] of every regular period of a loan first disbursed on a day."""
    if terms.explicit_periods:
        return list(terms.explicit_periods)
    start = schedule_start(terms, disbursed_on)
    dues = _due_dates(terms, start)
    periods = list(pairwise([start, *dues]))
    for from_on, due in periods:
        if due <= from_on:
            detail = f"an instalment of {due} cannot follow on {from_on}"
            raise Rejected("due_dates_out_of_order", detail, "instalments")
    return periods


def _due_dates(terms: LoanTerms, start: date) -> list[date]:
    if terms.amortisation is Amortisation.CUSTOM:
        return [row.due_on for row in terms.custom]
    if terms.calendar is None:
        return _regular(terms, start)
    planned, count = _planned(terms, start)
    return list(business_due_dates(planned, count, terms.business_days, terms.calendar))


def _regular(terms: LoanTerms, start: date) -> list[date]:
    """Return the due dates before any is moved; the last one may be agreed, or be given by length.

    A bullet has one: the last of its cycle.
    """
    only = terms.amortisation is Amortisation.BULLET
    first = terms.instalments if only else 1
    dues = due_dates(terms, start, range(first, terms.instalments + 1))
    if terms.matures_on is not None:
        dues[-1] = terms.matures_on
    elif terms.fixed_length is not None:
        dues[-1] = add_units(start, terms.repayment_unit, terms.fixed_length)
    return dues


def _planned(terms: LoanTerms, start: date) -> tuple[Callable[[int], date], int]:
    """Return how due dates are counted before any is moved, and how many there are.

    Behind the last one, which working days may reach, the cycle goes on.
    """
    regular = _regular(terms, start)

    def planned(number: int) -> date:
        if number <= len(regular):
            return regular[number - 1]
        only = terms.amortisation is Amortisation.BULLET
        return due_on(terms, start, number + (terms.instalments - 1 if only else 0))

    return planned, len(regular)


def closed_days(terms: LoanTerms, start: date, calendar: HolidayCalendar) -> tuple[date, ...]:
    """Return the closed days that the due dates of a schedule meet, in order.

    With no other days closed the calendar moves the due dates alike: that is what a loan keeps of
    it, so that its history replays the same whatever calendars say later.
    Raises Rejected: `outside_calendar`, `no_working_day`.
    """
    planned, count = _planned(terms, start)
    closed: set[date] = set()
    waits = terms.business_days is BusinessDayRule.NEXT_REPAYMENT_DATE
    for number in range(1, DUE_DATES_MAX + 1):
        if count == 0:
            break
        around = closed_around(planned(number), calendar)
        count -= not (waits and around)
        closed |= around
    return tuple(sorted(closed))


def knowing(terms: LoanTerms, closed: Sequence[date]) -> LoanTerms:
    """Return terms whose calendar has some more closed days."""
    if not closed or terms.calendar is None:
        return terms
    holidays = terms.calendar.holidays.union(closed)
    return replace(terms, calendar=replace(terms.calendar, holidays=holidays))


def worked(terms: LoanTerms, due: date) -> date:
    """Return a due date moved to a working day as the product says."""
    if terms.calendar is None or terms.business_days is BusinessDayRule.NEXT_REPAYMENT_DATE:
        return due
    return adjust(due, terms.business_days, terms.calendar)


def schedule_start(terms: LoanTerms, disbursed_on: date) -> date:
    """Return the day the periods are counted from."""
    if terms.start_from is StartFrom.SUBMISSION and terms.submitted_on is not None:
        return terms.submitted_on
    return disbursed_on


def whole_months_between(start: date, end: date) -> int:
    """Count the whole months from `start` to a later `end`."""
    months = (end.year - start.year) * MONTHS_A_YEAR + end.month - start.month
    return months - (end.day < start.day)
