"""Due dates and the half-open periods between them; knows nothing of money."""

from calendar import monthrange
from datetime import date, timedelta

from domain.servicing.terms import LoanTerms
from domain.servicing.values import MonthEnd, StartFrom, Unit

MONTHS_A_YEAR = 12
ONE_DAY = timedelta(days=1)


def add_months(start: date, months: int) -> date:
    """`start` moved by months; a day the month lacks becomes its last day."""
    count = start.year * MONTHS_A_YEAR + start.month - 1 + months
    year, month = divmod(count, MONTHS_A_YEAR)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def add_units(start: date, unit: Unit, count: int) -> date:
    """`start` moved by `count` units; month ends clamp."""
    if unit is Unit.MONTHS:
        return add_months(start, count)
    if unit is Unit.YEARS:
        return add_months(start, count * MONTHS_A_YEAR)
    return start + timedelta(days=count * (7 if unit is Unit.WEEKS else 1))


def due_on(terms: LoanTerms, start: date, number: int) -> date:
    """Due date `number` (1-based), counted from the start so that month ends never drift."""
    due = add_units(start, terms.repayment_unit, number * terms.repayment_every)
    rolls = terms.month_end is MonthEnd.FIRST_DAY_OF_NEXT_MONTH
    if rolls and terms.repayment_unit is Unit.MONTHS and due.day < start.day:
        return due + ONE_DAY
    return due


def schedule_periods(terms: LoanTerms, disbursed_on: date) -> list[tuple[date, date]]:
    """Return (from, due] of every regular period of a loan first disbursed on a day."""
    if terms.explicit_periods:
        return list(terms.explicit_periods)
    start = schedule_start(terms, disbursed_on)
    dues = [due_on(terms, start, n) for n in range(1, terms.instalments + 1)]
    if terms.fixed_length is not None:
        dues[-1] = add_units(start, terms.repayment_unit, terms.fixed_length)
    return list(zip([start, *dues[:-1]], dues, strict=True))


def schedule_start(terms: LoanTerms, disbursed_on: date) -> date:
    """Return the day the periods are counted from."""
    if terms.start_from is StartFrom.SUBMISSION and terms.submitted_on is not None:
        return terms.submitted_on
    return disbursed_on


def whole_months_between(start: date, end: date) -> int:
    """Count the whole months from `start` to a later `end`."""
    months = (end.year - start.year) * MONTHS_A_YEAR + end.month - start.month
    return months - (end.day < start.day)
