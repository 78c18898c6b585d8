"""When instalments fall due: cycles, month ends, due days, stubs, working days."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from domain.calendar import BusinessDayRule, CalendarOverride, HolidayCalendar, override
from domain.daycount import DayCount
from domain.errors import Rejected
from domain.servicing import facts as f
from domain.servicing.conventions import FirstPeriod
from domain.servicing.timeline import Timeline
from domain.servicing.values import Amortisation, DaysInMonth, DaysInYear, MonthEnd, Unit
from tests.domain.servicing.plans import START, plan, terms

CHINA_2024 = HolidayCalendar(
    name="CN",
    holidays=frozenset(date(2024, 10, day) for day in range(1, 8)),
    working_days=frozenset({date(2024, 9, 29), date(2024, 10, 12)}),
)


def dues(**changes: Any) -> list[date]:  # noqa: ANN401 - any field of the terms
    rows = Timeline.start(terms(**({"instalments": 3} | changes))).planned().instalments
    return [row.due_on for row in rows]


@pytest.mark.parametrize(
    ("unit", "every", "expected"),
    [
        (Unit.DAYS, 10, [(1, 25), (2, 4), (2, 14)]),
        (Unit.WEEKS, 2, [(1, 29), (2, 12), (2, 26)]),
        (Unit.MONTHS, 1, [(2, 15), (3, 15), (4, 15)]),
        (Unit.QUARTERS, 1, [(4, 15), (7, 15), (10, 15)]),
        (Unit.YEARS, 1, [(1, 15)] * 3),
    ],
)
def test_instalments_fall_due_every_so_many_units(
    unit: Unit, every: int, expected: list[tuple[int, int]]
) -> None:
    """Source: domain rules, P-40."""
    found = dues(repayment_unit=unit, repayment_every=every)
    assert [(day.month, day.day) for day in found] == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (MonthEnd.LAST_DAY_OF_MONTH, [date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]),
        (
            MonthEnd.FIRST_DAY_OF_NEXT_MONTH,
            [date(2024, 3, 1), date(2024, 3, 31), date(2024, 5, 1)],
        ),
    ],
)
def test_a_day_the_month_lacks_is_clamped_or_rolls_and_never_drifts(
    rule: MonthEnd, expected: list[date]
) -> None:
    """Source: domain rules, P-43, 5.1 (the anchor is kept)."""
    assert dues(expected_disbursement_on=date(2024, 1, 31), month_end=rule) == expected


def test_a_month_whose_due_day_rolled_on_still_earns_a_twelfth() -> None:
    rows = plan(
        terms(
            instalments=3,
            expected_disbursement_on=date(2024, 1, 31),
            month_end=MonthEnd.FIRST_DAY_OF_NEXT_MONTH,
            amortisation=Amortisation.INTEREST_ONLY,
        )
    )
    assert [row.interest for row in rows] == [10_00, 10_00, 10_00]


@pytest.mark.parametrize(
    ("day", "side", "first"),
    [
        (5, FirstPeriod.SHORT, date(2024, 2, 5)),
        (5, FirstPeriod.LONG, date(2024, 3, 5)),
        (15, FirstPeriod.SHORT, date(2024, 2, 15)),
        (15, FirstPeriod.LONG, date(2024, 2, 15)),
        (25, FirstPeriod.SHORT, date(2024, 1, 25)),
        (25, FirstPeriod.LONG, date(2024, 2, 25)),
        (31, FirstPeriod.LONG, date(2024, 2, 29)),
    ],
)
def test_a_due_day_makes_a_short_or_a_long_first_period(
    day: int, side: FirstPeriod, first: date
) -> None:
    """Source: domain rules, 5.1 (broken-period interest); 固定还款日."""
    found = dues(due_day=day, first_period=side)
    assert found[0] == first
    assert day == 31 or {due.day for due in found} == {day}
    assert (found[1].month - first.month, found[2].month - first.month) == (1, 2)


def test_the_31st_as_due_day_is_the_last_of_every_month() -> None:
    assert dues(due_day=31) == [date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]


def test_a_first_due_date_of_the_loans_own_anchors_the_others() -> None:
    """Source: domain rules, P-15."""
    assert dues(first_due_on=date(2024, 3, 31)) == [
        date(2024, 3, 31),
        date(2024, 4, 30),
        date(2024, 5, 31),
    ]


@pytest.mark.parametrize("last", [date(2024, 4, 1), date(2024, 5, 3)])
def test_a_maturity_of_the_loans_own_makes_a_short_or_a_long_last_period(last: date) -> None:
    """Source: domain rules, P-41, for a date instead of a length."""
    assert dues(matures_on=last) == [date(2024, 2, 15), date(2024, 3, 15), last]


@pytest.mark.parametrize(
    ("due_on", "months"),
    [
        (date(2024, 2, 5), Fraction(21, 31)),
        (date(2024, 3, 5), 1 + Fraction(19, 29)),
        (date(2024, 3, 15), Fraction(2)),
    ],
)
def test_a_stub_earns_for_the_part_of_a_month_it_is(due_on: date, months: Fraction) -> None:
    """Source: domain rules, 9.10 (nominal periods, fraction included)."""
    for convention in (
        {},
        {"days_in_month": DaysInMonth.D30, "days_in_year": DaysInYear.D360},
    ):
        rows = plan(terms(first_due_on=due_on, amortisation=Amortisation.EQUAL_PRINCIPAL,
                          **convention))  # fmt: skip
        exact = 10_00 * months
        assert rows[0].interest == (2 * exact.numerator + exact.denominator) // (
            2 * exact.denominator
        )


def test_a_level_instalment_knows_that_the_first_period_is_short() -> None:
    """The present value of the instalments at the loan's own factors is the principal."""
    rows = plan(terms(instalments=6, first_due_on=date(2024, 1, 30)))
    assert {row.payment for row in rows[:-1]} == {rows[0].payment}
    assert abs(rows[-1].payment - rows[0].payment) <= 6
    assert rows[0].interest < 10_00


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (BusinessDayRule.NONE, [(10, 1), (11, 1), (12, 1)]),
        (BusinessDayRule.FOLLOWING, [(10, 8), (11, 1), (12, 2)]),
        (BusinessDayRule.PRECEDING, [(9, 30), (11, 1), (11, 29)]),
        (BusinessDayRule.MODIFIED_FOLLOWING, [(10, 8), (11, 1), (12, 2)]),
        (BusinessDayRule.MODIFIED_PRECEDING, [(10, 8), (11, 1), (12, 2)]),
        (BusinessDayRule.NEXT_REPAYMENT_DATE, [(11, 1), (1, 1), (4, 1)]),
    ],
)
def test_a_due_date_moves_to_a_working_day_by_the_products_rule(
    rule: BusinessDayRule, expected: list[tuple[int, int]]
) -> None:
    """Source: domain rules, S-31."""
    found = dues(expected_disbursement_on=date(2024, 9, 1), business_days=rule, calendar=CHINA_2024)
    assert [(day.month, day.day) for day in found] == expected


def test_a_lender_may_work_on_a_day_the_country_rests() -> None:
    """Source: S-31, with the lender's own calendar."""
    open_on = CalendarOverride(worked=frozenset({date(2024, 10, 1)}))
    ours = override(CHINA_2024, "our bank", open_on)
    found = dues(
        expected_disbursement_on=date(2024, 9, 1),
        business_days=BusinessDayRule.FOLLOWING,
        calendar=ours,
    )
    assert found[0] == date(2024, 10, 1)


def test_interest_runs_to_the_day_the_instalment_moved_to() -> None:
    loan = terms(
        instalments=3,
        amortisation=Amortisation.INTEREST_ONLY,
        expected_disbursement_on=date(2024, 9, 1),
        day_count=DayCount.ACT_360,
        rate_annual=Decimal("0.36"),
        business_days=BusinessDayRule.FOLLOWING,
        calendar=CHINA_2024,
    )
    assert [row.interest for row in plan(loan)] == [37_00, 24_00, 31_00]


def test_instalments_added_later_continue_the_cycle() -> None:
    """Source: domain rules, S-04; on working days as the others."""
    loan = terms(
        instalments=2,
        due_day=1,
        expected_disbursement_on=date(2024, 7, 20),
        business_days=BusinessDayRule.FOLLOWING,
        calendar=CHINA_2024,
    )
    on = loan.expected_disbursement_on
    timeline = Timeline.start(loan)
    timeline = timeline.record(
        f.Disbursed(id="1", effective_on=on, entered_on=on, amount_minor=1_000_00)
    )
    timeline = timeline.record(
        f.TermExtended(id="2", effective_on=date(2024, 10, 8), entered_on=on, instalments=1)
    )
    found = [row.due_on for row in timeline.account.instalments]
    assert found == [date(2024, 9, 2), date(2024, 10, 8), date(2024, 11, 1)]


@pytest.mark.parametrize(
    "own",
    [
        {"first_due_on": START},
        {"first_due_on": date(2023, 12, 1)},
        {"matures_on": date(2024, 3, 15)},
        {"fixed_length": 1},
    ],
)
def test_dates_that_do_not_follow_each_other_are_refused(own: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as refusal:
        dues(**own)
    assert refusal.value.code == "due_dates_out_of_order"
