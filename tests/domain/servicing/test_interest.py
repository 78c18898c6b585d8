"""Interest of a period in the engine: every day count, where it is rounded, and half a cent."""

from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.daycount import DayCount, ReferencePeriods, year_fraction
from domain.servicing import facts as f
from domain.servicing.conventions import RoundingPlace
from domain.servicing.timeline import Timeline
from domain.servicing.values import DaysInMonth, DaysInYear, Unit
from tests.domain.servicing.plans import START, figures, plan, terms

RATES = st.decimals(min_value="0.0001", max_value="0.9", places=4)
DAYS = st.dates(min_value=date(2019, 1, 1), max_value=date(2031, 12, 31))
AMOUNTS = st.integers(min_value=1, max_value=10**12)


def half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


@given(st.sampled_from(DayCount), AMOUNTS, RATES, DAYS, st.integers(min_value=1, max_value=24))
def test_a_period_earns_by_the_day_count_of_the_product(
    day_count: DayCount, amount: int, rate: Decimal, start: date, months: int
) -> None:
    """Source: domain rules, 5.2; `year_fraction` is held to QuantLib in test_daycount.py."""
    assume(day_count is not DayCount.ACT_ACT_ICMA or 12 % months == 0)
    loan = terms(
        principal_minor=amount,
        rate_annual=rate,
        instalments=1,
        repayment_every=months,
        expected_disbursement_on=start,
        day_count=day_count,
    )
    (row,) = Timeline.start(loan).planned().instalments
    reference = None
    if day_count is DayCount.ACT_ACT_ICMA:
        reference = ReferencePeriods(anchor=start, months=months)
    part = year_fraction(
        day_count, start, row.due_on, termination_on=row.due_on, reference=reference
    )
    assert row.due.interest == half_up(amount * Fraction(rate) * part)


@pytest.mark.parametrize(
    ("unit", "every", "factor"),
    [
        (Unit.WEEKS, 2, Fraction(2, 52)),
        (Unit.MONTHS, 1, Fraction(1, 12)),
        (Unit.QUARTERS, 1, Fraction(1, 4)),
        (Unit.YEARS, 1, Fraction(1)),
    ],
)
def test_a_whole_period_earns_its_part_of_the_year(
    unit: Unit, every: int, factor: Fraction
) -> None:
    """Source: domain rules, 9.10 (rate factor, whole periods)."""
    loan = terms(repayment_unit=unit, repayment_every=every, instalments=2)
    assert plan(loan)[0].interest == half_up(1_000_00 * Fraction(12, 100) * factor)


def test_under_30_day_months_a_month_is_a_twelfth_and_part_of_it_is_prorated() -> None:
    """Source: domain rules, 9.10: the proportional 30/360."""
    loan = terms(
        rate_annual=Decimal("0.36"),
        days_in_month=DaysInMonth.D30,
        days_in_year=DaysInYear.D360,
        multiple_disbursements=True,
    )
    tranches = [f.Disbursed(id=str(n), effective_on=on, entered_on=on, amount_minor=500_00)
                for n, on in enumerate((START, date(2024, 1, 31)))]  # fmt: skip
    timeline = Timeline.start(loan)
    for fact in tranches:
        timeline = timeline.record(fact)
    first = figures(timeline.account.instalments[0])
    assert first.interest == 15_00 + half_up(Fraction(15_00 * 15, 31))


@given(st.integers(min_value=1, max_value=4_000), st.integers(min_value=0, max_value=10**6))
def test_every_tie_of_half_a_cent_is_seen(basis_points: int, cents: int) -> None:
    """A twelfth of a rate has no last digit; exactly half a cent still rounds as half a cent."""
    assume(basis_points % 2 == 1)
    principal = (2 * cents + 1) * 60_000  # times any rate / 12 this ends in half a cent
    loan = terms(
        principal_minor=principal, rate_annual=Decimal(basis_points) / 10_000, instalments=1
    )
    assert plan(loan)[0].interest == (2 * cents + 1) * basis_points // 2 + 1


@pytest.mark.parametrize(
    ("mode", "interest"),
    [(ROUND_HALF_UP, 1), (ROUND_HALF_EVEN, 0), (ROUND_DOWN, 0), (ROUND_UP, 1)],
)
def test_the_rounding_of_interest_is_a_term(mode: str, interest: int) -> None:
    """Source: domain rules, 5.3."""
    loan = terms(principal_minor=50, instalments=1, interest_rounding=mode)
    assert plan(loan)[0].interest == interest


@pytest.mark.parametrize(
    ("place", "interest"), [(RoundingPlace.PER_PERIOD, 50), (RoundingPlace.PER_SEGMENT, 51)]
)
def test_interest_is_rounded_once_a_period_or_by_stretch_as_the_product_says(
    place: RoundingPlace, interest: int
) -> None:
    """Source: domain rules, 5.3 (`interest_rounding_scope`): 0.6, 1.2 and 48.6 cents."""
    loan = terms(
        rate_annual=Decimal("0.06"),
        day_count=DayCount.ACT_360,
        rounding_place=place,
        instalments=1,
        multiple_disbursements=True,
    )
    timeline = Timeline.start(loan)
    for n, on in enumerate((date(2024, 2, 12), date(2024, 2, 13), date(2024, 2, 14))):
        drawn = f.Disbursed(id=str(n), effective_on=on, entered_on=on, amount_minor=36_00)
        timeline = timeline.record(drawn)
    assert timeline.account.instalments[0].due.interest == interest
