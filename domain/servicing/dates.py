"""Due dates and the half-open periods between them; knows nothing of money."""

from datetime import date, timedelta

from domain import calendar
from domain.calendar import add_months
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
    """Due date `number` (1-based), counted from the start so that month ends never drift."""
    count = number * terms.repayment_every
    if terms.repayment_unit in MONTHS_A_UNIT:
        months = count * MONTHS_A_UNIT[terms.repayment_unit]
        return add_months(start, months, _MONTH_END[terms.month_end])
    return add_units(start, terms.repayment_unit, count)


def is_regular(terms: LoanTerms, period: tuple[date, date], start: date) -> bool:
    """Whether a period of months runs from one due date of the cycle to the next."""
    months = (period[1].year - start.year) * MONTHS_A_YEAR + period[1].month - start.month
    length = terms.repayment_every * MONTHS_A_UNIT.get(terms.repayment_unit, 0)
    if not length:
        return False
    latest = months // length
    return any(
        (due_on(terms, start, number - 1), due_on(terms, start, number)) == period
        for number in range(max(1, latest - 1), latest + 1)
    )


def schedule_periods(terms: LoanTerms, disbursed_on: date) -> list[tuple[date, date]]:
    """Return (from, due] of every regular period of a loan first disbursed on a day."""
    if terms.explicit_periods:
        return list(terms.explicit_periods)
    start = schedule_start(terms, disbursed_on)
    if terms.amortisation is Amortisation.CUSTOM:
        dues = [row.due_on for row in terms.custom]
    elif terms.amortisation is Amortisation.BULLET:
        dues = [due_on(terms, start, terms.instalments)]
    else:
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
