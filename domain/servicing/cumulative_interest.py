"""Interest and annuities of the cumulative family: periods a year, days, one rounding a stretch.

Compatibility with loans brought over; new products use the progressive family (`rate_factor`).
Source: domain rules 9.10 "Cumulative engine".
"""

from datetime import date
from decimal import Context, Decimal

from domain.servicing.dates import MONTHS_A_YEAR, add_months, whole_months_between
from domain.servicing.period import to_minor
from domain.servicing.terms import LoanTerms
from domain.servicing.values import (
    DaysInMonth,
    DaysInYear,
    InterestPeriod,
    PartialPeriod,
    Unit,
)

DAYS_A_YEAR = {DaysInYear.D360: 360, DaysInYear.D364: 364}  # ACTUAL counts 365, leap years too
PERIODS_A_YEAR = {Unit.DAYS: 365, Unit.WEEKS: 52, Unit.MONTHS: MONTHS_A_YEAR, Unit.YEARS: 1}
DAYS_A_UNIT = {Unit.DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: 30, Unit.YEARS: 365}
DAYS_A_WEEK = 7
ANNUITY = Context(prec=34)


def interest(terms: LoanTerms, rate: Decimal, balance: int, from_on: date, to_on: date) -> int:
    """Minor units earned on a balance over (from, to], rounded once."""
    return to_minor(Decimal(balance) * _stretch_rate(terms, rate, from_on, to_on))


def instalment(terms: LoanTerms, rate: Decimal, balance: int, periods: int) -> int:
    """Level instalment that repays a balance in periods, to the product's multiple; minor units.

    Daily interest counts 30 days a month here whatever the convention; nothing is smoothed.
    """
    growth = _period_rate(terms, rate)
    if growth:
        discount = ANNUITY.power(1 + growth, -periods)
        level = ANNUITY.divide(Decimal(balance) * growth, 1 - discount)
    else:
        level = Decimal(balance) / periods
    multiple = terms.instalment_multiple_minor
    if not multiple:
        return to_minor(level)
    return int((level / multiple).to_integral_value()) * multiple


def flat_interest(terms: LoanTerms, rate: Decimal, principal: int, from_on: date, due: date) -> int:
    """Minor units a principal earns over the whole term."""
    if terms.interest_period is InterestPeriod.DAILY:
        share = _one_day(terms, rate) * (due - from_on).days
    else:
        periods = Decimal(terms.instalments * terms.repayment_every)
        if terms.partial_period is PartialPeriod.FROM_ITS_DAY:
            periods = units_between(terms.repayment_unit, from_on, due)
        share = rate / _periods_a_year(terms) * periods
    return to_minor(Decimal(principal) * share)


def units_between(unit: Unit, start: date, end: date) -> Decimal:
    """Whole units between two days plus the fraction of the next."""
    days = (end - start).days
    if unit is Unit.DAYS:
        return Decimal(days)
    if unit is Unit.WEEKS:
        return Decimal(days // DAYS_A_WEEK) + Decimal(days % DAYS_A_WEEK) / DAYS_A_WEEK
    step = MONTHS_A_YEAR if unit is Unit.YEARS else 1
    whole = whole_months_between(start, end) // step
    reached, following = add_months(start, whole * step), add_months(start, (whole + 1) * step)
    return Decimal(whole) + Decimal((end - reached).days) / (following - reached).days


def _stretch_rate(terms: LoanTerms, rate: Decimal, from_on: date, to_on: date) -> Decimal:
    if terms.interest_period is InterestPeriod.DAILY:
        days = Decimal((to_on - from_on).days)
        if terms.repayment_unit is Unit.MONTHS and terms.days_in_month is DaysInMonth.D30:
            days = 30 * units_between(Unit.MONTHS, from_on, to_on)
        return _one_day(terms, rate) * days
    periods = Decimal(terms.repayment_every)
    if terms.partial_period is PartialPeriod.FROM_ITS_DAY:
        periods = units_between(terms.repayment_unit, from_on, to_on)
    return rate / _periods_a_year(terms) * periods


def _period_rate(terms: LoanTerms, rate: Decimal) -> Decimal:
    if terms.interest_period is InterestPeriod.DAILY:
        return _one_day(terms, rate) * DAYS_A_UNIT[terms.repayment_unit] * terms.repayment_every
    return rate / _periods_a_year(terms) * terms.repayment_every


def _one_day(terms: LoanTerms, rate: Decimal) -> Decimal:
    return rate / DAYS_A_YEAR.get(terms.days_in_year, 365)


def _periods_a_year(terms: LoanTerms) -> int:
    if terms.repayment_unit is Unit.DAYS:
        return DAYS_A_YEAR.get(terms.days_in_year, 365)
    return PERIODS_A_YEAR[terms.repayment_unit]
