"""Interest factor of a stretch of days inside a repayment period, by day count or proportionally.

Sources: domain rules 5.2; 9.10 "Rate factor" for the proportional conventions, where a whole month
of 30 days earns a twelfth and part of it is prorated by that period's own days.
"""

from calendar import isleap
from datetime import date
from decimal import Context, Decimal
from functools import lru_cache

from domain.daycount import DayCount, fixed_year, year_fraction
from domain.money import WIDE_CONTEXT
from domain.servicing.conventions import Factors
from domain.servicing.dates import add_units, is_regular
from domain.servicing.terms import LoanTerms
from domain.servicing.values import (
    DaysInMonth,
    DaysInYear,
    InterestPeriod,
    LeapYear,
    MonthEnd,
    Unit,
    YearBoundary,
)

EXACT = Context(prec=60)  # sums of factors are exact; only products and quotients are rounded
ONE = Decimal(1)
ZERO = Decimal(0)
PERIODS_A_YEAR = {
    Unit.WEEKS: Decimal(52),
    Unit.MONTHS: Decimal(12),
    Unit.QUARTERS: Decimal(4),
    Unit.YEARS: ONE,
}
DAYS_A_UNIT = {
    Unit.DAYS: ONE,
    Unit.WEEKS: Decimal(7),
    Unit.MONTHS: Decimal(30),
    Unit.QUARTERS: Decimal(90),
    Unit.YEARS: Decimal(360),
}
FIXED_YEAR = {DaysInYear.D360: 360, DaysInYear.D364: 364, DaysInYear.D365: 365}


WEIGHT_BITS = 96


class Factor:
    """What one minor unit earns: exactly, and in fractions of 2^-96 that a product is begun with.

    `to_due` is the factor from the first of its days to the due date, by which ROUNDED ones earn.
    """

    __slots__ = ("exact", "growth", "to_due", "weight")

    def __init__(self, exact: Decimal, to_due: Decimal) -> None:
        self.exact = exact
        self.to_due = to_due
        self.growth = EXACT.add(ONE, exact)
        self.weight = int(EXACT.multiply(exact, _WEIGHT_ONE))


_WEIGHT_ONE = Decimal(1 << WEIGHT_BITS)
NO_FACTOR = Factor(ZERO, ZERO)


def factors(
    terms: LoanTerms,
    rate: Decimal,
    stretch: tuple[date, date],
    period: tuple[date, date],
    span: tuple[date, date],
) -> tuple[Decimal, Decimal]:
    """Return the factor of a stretch, which solves instalments, and that of the rest of the period.

    The second one is what ROUNDED factors earn by; EXACT ones earn by the first. `span` is the
    start and the maturity of the plan.
    """
    if terms.factors is Factors.EXACT:
        factor = exact_factor(terms, rate, stretch, period, span)
        return factor, factor
    context = terms.inner_arithmetic()
    planned = proportional(context, terms, (rate, stretch, period), Decimal(terms.period_units))
    to_due = (stretch[0], period[1])
    every = Decimal(terms.period_units)
    if terms.days_in_month is DaysInMonth.D30 and terms.interest_period is InterestPeriod.DAILY:
        every = nominal_units(context, terms, period, span[0])
    return planned, proportional(context, terms, (rate, to_due, period), every)


class FactorTable:
    """The factors of one plan: where days alone count, as many days of one rate have one factor."""

    __slots__ = ("_by_days", "_latest", "_rate", "_span", "_terms", "_year")

    def __init__(self, terms: LoanTerms, span: tuple[date, date]) -> None:
        self._terms = terms
        self._span = span  # start and maturity of the plan
        self._year = None if terms.day_count is None else fixed_year(terms.day_count)
        if terms.factors is not Factors.EXACT:
            self._year = None
        self._rate = ZERO
        self._by_days: dict[int, Factor] = {}
        self._latest = NO_FACTOR

    @property
    def by_days(self) -> bool:
        """Whether days and rate say it all."""
        return self._year is not None

    def of_days(self, rate: Decimal, days: int) -> Factor:
        """Return the factor of so many days; only if they say it all."""
        if rate is not self._rate:
            self._rate, self._by_days = rate, {}
        factor = self._by_days.get(days)
        if factor is None:
            assert self._year is not None, "asked where days say it all"
            exact = _earned_in(rate, days, self._year) if rate else ZERO
            factor = self._by_days[days] = Factor(exact, exact)
        return factor

    def of(self, rate: Decimal, stretch: tuple[date, date], period: tuple[date, date]) -> Factor:
        """Return the factor of a stretch of days in a period; regular ones share theirs."""
        exact, to_due = factors(self._terms, rate, stretch, period, self._span)
        if exact != self._latest.exact or to_due != self._latest.to_due:
            self._latest = Factor(exact, to_due)
        return self._latest


def exact_factor(
    terms: LoanTerms,
    rate: Decimal,
    stretch: tuple[date, date],
    period: tuple[date, date],
    span: tuple[date, date],
) -> Decimal:
    """Return the factor with all digits that matter: by the day count, else proportionally.

    Irregular periods count the nominal periods they span, also where instalments are solved.
    """
    if not rate:
        return ZERO
    if terms.day_count is not None:
        if (year := fixed_year(terms.day_count)) is not None:
            return _earned_in(rate, (stretch[1] - stretch[0]).days, year)
        part = year_fraction(
            _convention_in(terms.day_count, period),
            *stretch,
            termination_on=span[1],
            reference=terms.reference_periods(span[0]),
        )
        return _earned_in(rate, part.numerator, part.denominator)
    every, units = nominal_units(WIDE_CONTEXT, terms, period, span[0]), terms.period_units
    if every != units and _has_cycle_of_its_own(terms) and is_regular(terms, period, span[0]):
        every = Decimal(units)  # wherever its due day went, it is a whole period
    return proportional(WIDE_CONTEXT, terms, (rate, stretch, period), every)


def _has_cycle_of_its_own(terms: LoanTerms) -> bool:
    """Whether due dates are not the day of the start, or the last one of a shorter month."""
    rolls = terms.month_end is MonthEnd.FIRST_DAY_OF_NEXT_MONTH
    return rolls or terms.first_due_on is not None or terms.due_day is not None


@lru_cache(maxsize=4096)
def _earned_in(rate: Decimal, days: int, year: int) -> Decimal:
    """Interest on one unit for a part of a year; the same parts come back in every schedule."""
    return WIDE_CONTEXT.divide(WIDE_CONTEXT.multiply(rate, Decimal(days)), Decimal(year))


def _convention_in(day_count: DayCount, period: tuple[date, date]) -> DayCount:
    """Let a whole period be 366ths or 365ths, however it is cut (domain rules, P-23)."""
    if day_count is not DayCount.ACT_ACT_FEB_29:
        return day_count
    return DayCount.ACT_ACT_ISDA if contains_feb_29(*period) else DayCount.ACT_365F


Stretch = tuple[Decimal, tuple[date, date], tuple[date, date]]  # rate, stretch, its period


def proportional(context: Context, terms: LoanTerms, what: Stretch, every: Decimal) -> Decimal:
    """Return the factor by `days_in_month` and `days_in_year`; `every` is the period's length."""
    rate, stretch, period = what
    if not rate:
        return ZERO
    days = (stretch[1] - stretch[0]).days
    period_days = (period[1] - period[0]).days
    by_period = terms.interest_period is InterestPeriod.SAME_AS_REPAYMENT_PERIOD
    if by_period and terms.repayment_unit in PERIODS_A_YEAR:
        whole = every if terms.factors is Factors.EXACT else Decimal(terms.period_units)
        year = PERIODS_A_YEAR[terms.repayment_unit]
        return _proportion(context, rate, context.divide(whole, year), days, period_days)
    if _splits_at_year_end(terms, stretch, period):
        return _fit(context, context.multiply(rate, _years(terms, stretch, context)))
    year = Decimal(_year_length(terms, stretch[0], period))
    if terms.days_in_month is DaysInMonth.ACTUAL:
        return _fit(context, context.multiply(rate, context.divide(Decimal(days), year)))
    months = context.multiply(DAYS_A_UNIT[terms.repayment_unit], every)
    return _proportion(context, rate, context.divide(months, year), days, period_days)


def _proportion(
    context: Context, rate: Decimal, share: Decimal, days: int, period_days: int
) -> Decimal:
    if not period_days:
        return ZERO
    earned = context.multiply(context.multiply(rate, share), Decimal(days))
    return _fit(context, context.divide(earned, Decimal(period_days)))


def _fit(context: Context, factor: Decimal) -> Decimal:
    """Round to as many decimal places as the context has digits."""
    last_place, wide = _places(context.prec, context.rounding)
    return factor.quantize(last_place, context=wide)


@lru_cache(maxsize=32)
def _places(digits: int, rounding: str) -> tuple[Decimal, Context]:
    return Decimal(1).scaleb(-digits), Context(prec=digits + 20, rounding=rounding)


def _splits_at_year_end(
    terms: LoanTerms, stretch: tuple[date, date], period: tuple[date, date]
) -> bool:
    if terms.days_in_year is not DaysInYear.ACTUAL or stretch[0].year == stretch[1].year:
        return False
    return terms.leap_year is LeapYear.WHOLE_YEAR or contains_feb_29(*period)


def _years(terms: LoanTerms, stretch: tuple[date, date], context: Context) -> Decimal:
    """Add up the shares of the years a stretch crosses."""
    from_on, last = stretch
    total = ZERO
    for year in range(from_on.year, last.year + 1):
        if year == last.year:
            until = last
        elif terms.year_boundary is YearBoundary.JANUARY_1:
            until = date(year + 1, 1, 1)
        else:
            until = date(year, 12, 31)
        share = context.divide(Decimal((until - from_on).days), Decimal(year_days(year)))
        total = context.add(total, share)
        from_on = until
    return total


def _year_length(terms: LoanTerms, from_on: date, period: tuple[date, date]) -> int:
    if terms.days_in_year is not DaysInYear.ACTUAL:
        return FIXED_YEAR[terms.days_in_year]
    length = year_days(from_on.year)
    if terms.leap_year is LeapYear.FEB_29_PERIOD_ONLY and length == 366:  # noqa: PLR2004
        return 366 if contains_feb_29(*period) else 365
    return length


def year_days(year: int) -> int:
    """Length of a calendar year."""
    return 366 if isleap(year) else 365


def contains_feb_29(from_on: date, due_on: date) -> bool:
    """Whether (from, due] contains a leap day."""
    return any(
        isleap(year) and from_on < date(year, 2, 29) <= due_on
        for year in range(from_on.year, due_on.year + 1)
    )


def nominal_units(
    context: Context, terms: LoanTerms, period: tuple[date, date], start: date
) -> Decimal:
    """Whole units the period spans plus the fraction of the next (1 Feb to 15 Apr: 2 + 14/30)."""
    every = (terms.repayment_unit, terms.repayment_every)
    whole, rest, following = _spanned(every, period, start)
    if not rest:
        return Decimal(whole)
    return EXACT.add(context.divide(Decimal(rest), Decimal(following)), Decimal(whole))


@lru_cache(maxsize=16_384)
def _spanned(
    every: tuple[Unit, int], period: tuple[date, date], start: date
) -> tuple[int, int, int]:
    """Whole units, days beyond them, and days of the unit that those are part of."""
    (unit, count), (from_on, due_on) = every, period
    if add_units(due_on, unit, -count) == from_on and _on_grid(start, due_on, unit):
        return count, 0, 1
    whole = 0
    while add_units(from_on, unit, whole + 1) <= due_on:
        whole += 1
    reached = add_units(from_on, unit, whole)
    following = add_units(from_on, unit, whole + 1)
    return whole, (due_on - reached).days, (following - reached).days


def _on_grid(start: date, due_on: date, unit: Unit) -> bool:
    if unit is Unit.DAYS:
        return True
    if unit is Unit.WEEKS:
        return (due_on - start).days % 7 == 0
    months = (due_on.year - start.year) * 12 + due_on.month - start.month
    return add_units(start, Unit.MONTHS, months) == due_on
