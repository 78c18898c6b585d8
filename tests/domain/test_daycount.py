"""Day counts: tables from the definitions, and 10,000 random pairs of dates against QuantLib."""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import add_months
from domain.daycount import DayCount, ReferencePeriods, days, year_fraction
from tests.domain.quantlib import ql, to_ql

PAIRS = 10_000
QL_COUNTERS = {
    DayCount.ACT_360: ql.Actual360(),
    DayCount.ACT_364: ql.Actual364(),
    DayCount.ACT_365F: ql.Actual365Fixed(),
    DayCount.ACT_ACT_ISDA: ql.ActualActual(ql.ActualActual.ISDA),
    DayCount.THIRTY_360_US: ql.Thirty360(ql.Thirty360.USA),
    DayCount.THIRTY_360_BOND: ql.Thirty360(ql.Thirty360.BondBasis),
    DayCount.THIRTY_E_360: ql.Thirty360(ql.Thirty360.EurobondBasis),
    DayCount.THIRTY_E_360_ISDA: ql.Thirty360(ql.Thirty360.ISDA),
}


def date_pairs(seed: int) -> Iterator[tuple[date, date]]:
    """Half of the dates lie around month ends, where the rules differ."""
    random = Random(seed)  # noqa: S311
    first = date(1990, 1, 1)

    def a_date() -> date:
        day = first + timedelta(days=random.randrange(45 * 365))
        if random.random() < 0.5:
            day = day.replace(day=1) + timedelta(days=random.randrange(-3, 2))
        return day

    for _ in range(PAIRS):
        pair = sorted((a_date(), a_date()))
        yield pair[0], pair[1]


@pytest.mark.parametrize("convention", list(QL_COUNTERS))
def test_a_convention_counts_as_quantlib_does(convention: DayCount) -> None:
    counter = QL_COUNTERS[convention]
    for start, end in date_pairs(seed=20240229):
        ql_start, ql_end = to_ql(start), to_ql(end)
        assert days(convention, start, end) == counter.dayCount(ql_start, ql_end), (start, end)
        fraction = year_fraction(convention, start, end)
        assert abs(float(fraction) - counter.yearFraction(ql_start, ql_end)) < 1e-12, (start, end)


def test_30e_360_isda_leaves_february_alone_at_termination_as_quantlib_does() -> None:
    for start, end in date_pairs(seed=20230228):
        counter = ql.Thirty360(ql.Thirty360.ISDA, to_ql(end))
        counted = days(DayCount.THIRTY_E_360_ISDA, start, end, termination_on=end)
        assert counted == counter.dayCount(to_ql(start), to_ql(end)), (start, end)


@pytest.mark.parametrize("months", [1, 2, 3, 4, 6, 12])
def test_act_act_icma_measures_stubs_by_their_notional_periods_as_quantlib_does(
    months: int,
) -> None:
    random = Random(months)  # noqa: S311
    for _ in range(PAIRS // 4):
        maturity = date(2030, 1, 1) + timedelta(days=random.randrange(2_000))
        maturity = maturity.replace(day=min(maturity.day, 28))
        effective = add_months(maturity, -random.randrange(14, 40))
        effective += timedelta(days=random.randrange(28))
        schedule = ql.Schedule(
            to_ql(effective),
            to_ql(maturity),
            ql.Period(months, ql.Months),
            ql.NullCalendar(),
            ql.Unadjusted,
            ql.Unadjusted,
            ql.DateGeneration.Backward,
            False,  # noqa: FBT003  # no end-of-month rule; the signature is QuantLib's
        )
        counter = ql.ActualActual(ql.ActualActual.ISMA, schedule)
        life = (maturity - effective).days
        start = effective + timedelta(days=random.randrange(life))
        end = start + timedelta(days=random.randrange((maturity - start).days + 1))
        fraction = year_fraction(
            DayCount.ACT_ACT_ICMA,
            start,
            end,
            reference=ReferencePeriods(anchor=maturity, months=months),
        )
        theirs = counter.yearFraction(to_ql(start), to_ql(end))
        assert abs(float(fraction) - theirs) < 1e-12, (effective, maturity, start, end)


@pytest.mark.parametrize(
    ("convention", "counted"),
    [
        (DayCount.THIRTY_360_BOND, 93),
        (DayCount.THIRTY_E_360, 92),
        (DayCount.THIRTY_360_US, 90),
        (DayCount.THIRTY_E_360_ISDA, 90),
    ],
)
def test_the_four_30_360_conventions_differ_at_the_end_of_february(
    convention: DayCount, counted: int
) -> None:
    """Source: domain rules, 5.2: 28 February to 31 May 2011."""
    assert days(convention, date(2011, 2, 28), date(2011, 5, 31)) == counted


@pytest.mark.parametrize(
    ("start", "end", "fraction"),
    [
        (
            date(2023, 12, 31),
            date(2024, 1, 1),
            Fraction(1, 365),
        ),  # the day belongs to where it starts
        (date(2024, 12, 31), date(2025, 1, 1), Fraction(1, 366)),
        (date(2023, 11, 1), date(2024, 5, 1), Fraction(61, 365) + Fraction(121, 366)),
        (date(2020, 1, 1), date(2024, 1, 1), Fraction(4)),
    ],
)
def test_act_act_isda_splits_at_new_year(start: date, end: date, fraction: Fraction) -> None:
    """Source: ISDA 2006 Definitions, 4.16(b); domain rules, 5.2."""
    assert year_fraction(DayCount.ACT_ACT_ISDA, start, end) == fraction


@pytest.mark.parametrize(
    ("start", "end", "fraction"),
    [
        (date(2024, 2, 28), date(2024, 2, 29), Fraction(1, 366)),
        (date(2024, 2, 29), date(2024, 3, 31), Fraction(31, 365)),
        (date(2024, 1, 1), date(2024, 2, 1), Fraction(31, 365)),
        (date(2024, 2, 1), date(2024, 3, 1), Fraction(29, 366)),
        (date(2023, 12, 15), date(2024, 1, 15), Fraction(31, 365)),
        (date(2023, 12, 15), date(2024, 3, 15), Fraction(17, 365) + Fraction(74, 366)),
        (date(2097, 3, 1), date(2103, 3, 1), Fraction(2191 - 1, 365)),  # 2100 is no leap year
    ],
)
def test_act_act_feb_29_takes_366_only_for_a_period_that_reaches_a_leap_day(
    start: date, end: date, fraction: Fraction
) -> None:
    """Source: domain rules, 9.10 and P-23; the interval as in ICMA's ACT/365L."""
    assert year_fraction(DayCount.ACT_ACT_FEB_29, start, end) == fraction


@pytest.mark.parametrize(
    ("start", "end", "fraction"),
    [
        (date(2024, 1, 31), date(2024, 2, 29), Fraction(1, 12)),
        (date(2024, 1, 15), date(2024, 2, 29), Fraction(16, 12 * 31) + Fraction(1, 12)),
        (date(2024, 2, 29), date(2024, 3, 15), Fraction(15, 12 * 31)),
    ],
)
def test_act_act_icma_gives_every_whole_period_the_same_part_of_the_year(
    start: date, end: date, fraction: Fraction
) -> None:
    """Source: ICMA rule 251.1(iii); domain rules, 5.2."""
    reference = ReferencePeriods(anchor=date(2023, 12, 31), months=1)
    assert year_fraction(DayCount.ACT_ACT_ICMA, start, end, reference=reference) == fraction


dates = st.dates(min_value=date(1990, 1, 1), max_value=date(2110, 12, 31))
REFERENCE = ReferencePeriods(anchor=date(2000, 1, 31), months=3)
ADDITIVE = [
    DayCount.ACT_360,
    DayCount.ACT_364,
    DayCount.ACT_365F,
    DayCount.ACT_ACT_ISDA,
    DayCount.ACT_ACT_ICMA,
    DayCount.THIRTY_E_360,
]


@given(st.sampled_from(ADDITIVE), st.lists(dates, min_size=3, max_size=3).map(sorted))
def test_the_parts_of_a_period_add_up_to_it(convention: DayCount, cut: list[date]) -> None:
    start, middle, end = cut

    def fraction(a: date, b: date) -> Fraction:
        return year_fraction(convention, a, b, reference=REFERENCE)

    assert fraction(start, middle) + fraction(middle, end) == fraction(start, end)


@given(st.sampled_from(DayCount), dates)
def test_no_time_passes_within_a_day(convention: DayCount, day: date) -> None:
    assert year_fraction(convention, day, day, reference=REFERENCE) == 0


@pytest.mark.parametrize("convention", list(DayCount))
def test_a_period_that_ends_before_it_starts_is_an_error(convention: DayCount) -> None:
    with pytest.raises(ValueError, match="before it starts"):
        year_fraction(convention, date(2024, 1, 2), date(2024, 1, 1), reference=REFERENCE)


def test_icma_without_its_periods_is_an_error() -> None:
    with pytest.raises(ValueError, match="reference periods"):
        year_fraction(DayCount.ACT_ACT_ICMA, date(2024, 1, 1), date(2024, 1, 2))
    with pytest.raises(ValueError, match="do not divide"):
        ReferencePeriods(anchor=date(2024, 1, 1), months=5)
