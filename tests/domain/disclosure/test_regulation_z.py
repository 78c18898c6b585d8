"""Regulation Z: the regulation's own examples, unit-periods, odd days, several advances."""

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Cycle, CycleUnit, due_dates
from domain.disclosure.effective import percent
from domain.disclosure.flows import CashFlow
from domain.disclosure.regulation_z import (
    TimedFlow,
    Tolerance,
    annual_percentage_rate,
    annual_percentage_rate_by_date,
    unit_period_rate,
    within_tolerance,
)
from domain.disclosure.unit_periods import (
    UnitKind,
    UnitPeriod,
    UnitTime,
    unit_period_of,
    unit_time,
)
from domain.errors import Rejected
from domain.money import parse_amount
from tests.domain.servicing.plans import plan, terms

FOLDER = Path(__file__).parents[2] / "golden" / "regulation_z"


def examples(name: str) -> list[dict[str, Any]]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"), parse_float=Decimal)


@pytest.mark.parametrize("example", examples("examples.json"), ids=lambda example: example["id"])
def test_the_general_equation_gives_the_published_rate(example: dict[str, Any]) -> None:
    """Source: 12 CFR 1026, appendix J, (b)(8) and (c)."""
    flows = [TimedFlow(amount_minor=-100 * example["amount_financed"], time=UnitTime(whole=0))]
    flows += [
        TimedFlow(
            amount_minor=int(100 * amount), time=UnitTime(whole=whole, fraction=Fraction(odd))
        )
        for amount, whole, odd in example["flows_amount_t_f"]
    ]
    rate = annual_percentage_rate(flows, Fraction(example["unit_periods_per_year"]))
    assert percent(rate, 2) == example["published_apr_pct"]
    assert percent(rate, 4) == example["computed_apr_pct"]


def due_dates_of(example: dict[str, Any], count: int) -> tuple[date, ...]:
    first = date.fromisoformat(example["first"])
    kind, every = example["unit"]
    match kind:
        case "semimonth":  # on the 1st and the 16th
            months = due_dates(first, Cycle(), (count + 1) // 2, first=0)
            halves = [day for begin in months for day in (begin, begin + timedelta(days=15))]
            return tuple(halves[:count])
        case "week":
            return due_dates(first, Cycle(unit=CycleUnit.WEEK, every=every), count, first=0)
        case "month":
            return due_dates(first, Cycle(every=every), count, first=0)
        case _:
            return (first,)


@pytest.mark.parametrize(
    "example", examples("examples_by_date.json"), ids=lambda example: example["id"]
)
def test_the_dates_give_the_published_rate(example: dict[str, Any]) -> None:
    """Source: 12 CFR 1026, appendix J, (b)(4), (b)(5) and (c)."""
    amounts = [amount for times, amount in example["payments"] for _ in range(times)]
    advanced_on = date.fromisoformat(example["advance"][0])
    advance = CashFlow(on=advanced_on, amount_minor=parse_amount(example["advance"][1], "USD"))
    dues = due_dates_of(example, len(amounts))
    payments = [
        CashFlow(on=on, amount_minor=parse_amount(amount, "USD"))
        for on, amount in zip(dues, amounts, strict=True)
    ]
    unit = UnitPeriod(kind=UnitKind(example["unit"][0]), count=example["unit"][1])
    found = annual_percentage_rate_by_date([advance], payments)
    assert found.unit_period == unit
    assert unit_time(advanced_on, dues[0], unit, dues[0].day) == UnitTime(
        whole=example["t"], fraction=Fraction(example["f"])
    )
    assert percent(found.rate_annual, 2) == Decimal(example["published_apr_pct"])


JAN = date(2023, 1, 31)


@pytest.mark.parametrize(
    ("dues", "unit"),
    [
        (due_dates(JAN, Cycle(), 12), UnitPeriod(kind=UnitKind.MONTH)),
        (
            due_dates(JAN, Cycle(unit=CycleUnit.QUARTER), 4),
            UnitPeriod(kind=UnitKind.MONTH, count=3),
        ),
        (due_dates(JAN, Cycle(unit=CycleUnit.YEAR), 3), UnitPeriod(kind=UnitKind.YEAR)),
        (due_dates(JAN, Cycle(unit=CycleUnit.DAY), 30), UnitPeriod(kind=UnitKind.DAY)),
        (
            due_dates(JAN, Cycle(unit=CycleUnit.WEEK, every=2), 26),
            UnitPeriod(kind=UnitKind.WEEK, count=2),
        ),
        (  # every twelve days is no standard interval; two weeks are the nearest
            due_dates(JAN, Cycle(unit=CycleUnit.DAY, every=12), 6),
            UnitPeriod(kind=UnitKind.WEEK, count=2),
        ),
        (  # the 15th and the last day of each month
            [
                date(2023, 2, 15),
                date(2023, 2, 28),
                date(2023, 3, 15),
                date(2023, 3, 31),
                date(2023, 4, 15),
                date(2023, 4, 30),
            ],
            UnitPeriod(kind=UnitKind.SEMIMONTH),
        ),
        (  # two monthly and two quarterly periods: the shorter
            [date(2023, 2, 28), date(2023, 3, 31), date(2023, 6, 30), date(2023, 9, 30)],
            UnitPeriod(kind=UnitKind.MONTH),
        ),
        (  # no period twice: 28, 62 and 150 days average 80, nearest to eleven weeks
            [date(2023, 2, 28), date(2023, 5, 1), date(2023, 9, 28)],
            UnitPeriod(kind=UnitKind.WEEK, count=11),
        ),
    ],
)
def test_the_unit_period_is_the_period_that_occurs_most(dues: list[date], unit: UnitPeriod) -> None:
    """Source: 12 CFR 1026, appendix J, (b)(4)."""
    assert unit_period_of([JAN], list(dues)) == unit


def test_whole_months_are_counted_back_from_the_scheduled_day() -> None:
    """Source: 12 CFR 1026, appendix J, (b)(3) and (b)(5)(ii)."""
    month = UnitPeriod(kind=UnitKind.MONTH)
    for due in due_dates(JAN, Cycle(), 24):
        assert unit_time(JAN, due, month, due_day=31).fraction == 0
    assert unit_time(JAN, date(2023, 4, 10), month, due_day=10) == UnitTime(
        whole=2, fraction=Fraction(10, 30)
    )


def test_odd_days_earn_simple_interest() -> None:
    """Source: 12 CFR 1026, appendix J, (b)(8): 1 + f i, not (1 + i)^f."""
    flows = [
        TimedFlow(amount_minor=-100_00, time=UnitTime(whole=0)),
        TimedFlow(amount_minor=105_00, time=UnitTime(whole=0, fraction=Fraction(1, 2))),
    ]
    assert percent(unit_period_rate(flows), 10) == 10


def test_several_advances_are_discounted_too() -> None:
    """Source: 12 CFR 1026, appendix J, (b)(8), multiple advance transactions."""
    months = due_dates(date(2024, 1, 1), Cycle(), 18, first=0)
    advances = [CashFlow(on=on, amount_minor=1_000_00) for on in months[:3]]
    owed = Decimal(0)
    for _ in range(3):
        owed = owed * Decimal("1.01") + 100_000
    payment = CashFlow(on=months[14], amount_minor=round(owed * Decimal("1.01") ** 12))
    found = annual_percentage_rate_by_date(advances, [payment])
    assert found.unit_period == UnitPeriod(kind=UnitKind.MONTH)
    assert percent(found.rate_annual, 3) == Decimal("12.000")


@pytest.mark.parametrize(
    ("disclosed", "tolerance", "accurate"),
    [
        ("0.10125", Tolerance.REGULAR, True),
        ("0.10126", Tolerance.REGULAR, False),
        ("0.09875", Tolerance.REGULAR, True),
        ("0.10250", Tolerance.IRREGULAR, True),
        ("0.10251", Tolerance.IRREGULAR, False),
    ],
)
def test_a_disclosed_rate_may_miss_by_an_eighth_or_a_quarter_of_a_point(
    disclosed: str, tolerance: Tolerance, *, accurate: bool
) -> None:
    """Source: 12 CFR 1026.22(a)(2) and (3)."""
    assert within_tolerance(Decimal(disclosed), Decimal("0.10"), tolerance) is accurate


# From the 29th on a short month ends a period early, and there are odd days (App. J (b)(5)).
@given(
    st.integers(min_value=0, max_value=6_000),
    st.integers(min_value=1, max_value=360),
    st.dates(min_value=date(2000, 1, 1), max_value=date(2040, 12, 31)).filter(
        lambda start: start.day <= 28
    ),
)
def test_a_loan_without_fees_has_its_own_rate(basis_points: int, count: int, start: date) -> None:
    rate = Decimal(basis_points) / 10_000
    rows = plan(terms(principal_minor=1_000_000_00, rate_annual=rate, instalments=count))
    payments = [
        CashFlow(on=on, amount_minor=row.payment)
        for on, row in zip(due_dates(start, Cycle(), count), rows, strict=True)
    ]
    advance = CashFlow(on=start, amount_minor=1_000_000_00)
    month = UnitPeriod(kind=UnitKind.MONTH)
    found = annual_percentage_rate_by_date([advance], payments, month)
    assert abs(found.rate_annual - rate) < Decimal("1e-6")


def test_payments_below_the_advance_have_no_rate() -> None:
    flows = [
        TimedFlow(amount_minor=-100, time=UnitTime(whole=0)),
        TimedFlow(amount_minor=99, time=UnitTime(whole=1)),
    ]
    with pytest.raises(Rejected) as refusal:
        unit_period_rate(flows)
    assert refusal.value.code == "rate_below_zero"


units = st.sampled_from(
    [
        UnitPeriod(kind=UnitKind.DAY),
        UnitPeriod(kind=UnitKind.WEEK, count=2),
        UnitPeriod(kind=UnitKind.SEMIMONTH),
        UnitPeriod(kind=UnitKind.MONTH),
        UnitPeriod(kind=UnitKind.MONTH, count=3),
        UnitPeriod(kind=UnitKind.YEAR),
    ]
)
days_of_two_years = st.dates(min_value=date(2023, 1, 1), max_value=date(2024, 12, 31))


@given(st.tuples(days_of_two_years, days_of_two_years).map(sorted), units, st.integers(1, 31))
def test_a_time_in_unit_periods_is_never_negative_and_near_the_days_it_spans(
    span: list[date], unit: UnitPeriod, due_day: int
) -> None:
    time = unit_time(span[0], span[1], unit, due_day)
    assert time.whole >= 0
    assert 0 <= time.fraction <= Fraction(31, 30)
    counted = (time.whole + time.fraction) * unit.days
    assert abs(counted - (span[1] - span[0]).days) <= 13  # thirteen days a year over 30 x 12


@given(
    st.lists(days_of_two_years, min_size=1, max_size=3),
    st.lists(
        st.dates(min_value=date(2025, 1, 1), max_value=date(2027, 1, 1)), min_size=1, max_size=9
    ),
)
def test_any_dates_have_a_unit_period_of_a_year_at_most(
    advances: list[date], payments: list[date]
) -> None:
    unit = unit_period_of(sorted(set(advances)), sorted(set(payments)))
    assert 1 <= unit.days <= 366
    assert unit.per_year >= Fraction(365, 366)
