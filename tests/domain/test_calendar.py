"""Due dates and working days: tables, properties, and QuantLib's calendars as an oracle."""

from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import (
    DUE_DATES_MAX,
    BusinessDayRule,
    CalendarOverride,
    Cycle,
    CycleUnit,
    HolidayCalendar,
    Join,
    MonthEnd,
    add_months,
    adjust,
    business_due_dates,
    cycle_date,
    due_dates,
    joint,
    override,
)
from domain.errors import Rejected
from tests.domain.quantlib import from_ql, ql, to_ql

FIRST, LAST = date(2010, 1, 1), date(2025, 12, 31)
QL_CALENDARS = {
    "China": ql.China(ql.China.IB),  # the interbank calendar knows the worked weekends
    "United States": ql.UnitedStates(ql.UnitedStates.FederalReserve),
    "United Kingdom": ql.UnitedKingdom(),
    "TARGET": ql.TARGET(),
    "Japan": ql.Japan(),
}
QL_RULES = {
    BusinessDayRule.NONE: ql.Unadjusted,
    BusinessDayRule.FOLLOWING: ql.Following,
    BusinessDayRule.MODIFIED_FOLLOWING: ql.ModifiedFollowing,
    BusinessDayRule.PRECEDING: ql.Preceding,
    BusinessDayRule.MODIFIED_PRECEDING: ql.ModifiedPreceding,
}


def as_data(name: str) -> HolidayCalendar:
    calendar = QL_CALENDARS[name]
    all_days = [FIRST + timedelta(days=k) for k in range((LAST - FIRST).days + 1)]
    return HolidayCalendar(
        name=name,
        holidays=frozenset(from_ql(day) for day in calendar.holidayList(to_ql(FIRST), to_ql(LAST))),
        working_days=frozenset(
            day for day in all_days if day.weekday() >= 5 and calendar.isBusinessDay(to_ql(day))
        ),
    )


def random_days(seed: int, count: int) -> list[date]:
    random = Random(seed)  # noqa: S311
    inside = (LAST - FIRST).days - 60
    return [FIRST + timedelta(days=30 + random.randrange(inside)) for _ in range(count)]


@pytest.mark.parametrize("rule", list(QL_RULES))
@pytest.mark.parametrize("name", list(QL_CALENDARS))
def test_a_business_day_rule_moves_a_date_as_quantlib_does(
    name: str, rule: BusinessDayRule
) -> None:
    calendar = as_data(name)
    for day in random_days(seed=7, count=2_000):
        theirs = from_ql(QL_CALENDARS[name].adjust(to_ql(day), QL_RULES[rule]))
        assert adjust(day, rule, calendar) == theirs, day


@pytest.mark.parametrize(
    ("join", "ql_join"),
    [(Join.ALL_WORK, ql.JoinHolidays), (Join.ANY_WORKS, ql.JoinBusinessDays)],
)
def test_joint_calendars_work_as_quantlibs_do(join: Join, ql_join: int) -> None:
    names = ["China", "United States", "TARGET"]
    ours = joint("three", [as_data(name) for name in names], join)
    theirs = ql.JointCalendar(*(QL_CALENDARS[name] for name in names), ql_join)
    for day in random_days(seed=11, count=4_000):
        assert ours.is_working(day) == theirs.isBusinessDay(to_ql(day)), day


def test_joint_calendars_of_different_weekends() -> None:
    gulf = HolidayCalendar(
        name="gulf", weekend=frozenset({4, 5}), holidays=frozenset({date(2024, 5, 5)})
    )
    west = HolidayCalendar(name="west", working_days=frozenset({date(2024, 5, 4)}))
    both = joint("both", [gulf, west], Join.ALL_WORK)
    either = joint("either", [gulf, west], Join.ANY_WORKS)
    worked = {day: (both.is_working(day), either.is_working(day)) for day in (
        date(2024, 5, 2),
        date(2024, 5, 3),  # Friday: gulf rests
        date(2024, 5, 4),  # Saturday: west works by exception
        date(2024, 5, 5),  # Sunday: both rest
        date(2024, 5, 12),  # Sunday: west rests
    )}  # fmt: skip
    assert list(worked.values()) == [
        (True, True),
        (False, True),
        (False, True),
        (False, False),
        (False, True),
    ]


def test_a_joint_calendar_answers_only_for_days_that_all_know() -> None:
    early = HolidayCalendar(name="early", last_on=date(2024, 12, 31))
    late = HolidayCalendar(
        name="late", first_on=date(2024, 1, 1), holidays=frozenset({date(2025, 5, 1)})
    )
    joined = joint("joined", [early, late], Join.ALL_WORK)
    assert (joined.first_on, joined.last_on) == (date(2024, 1, 1), date(2024, 12, 31))
    with pytest.raises(ValueError, match="needs calendars"):
        joint("none", [], Join.ALL_WORK)


def test_a_due_day_the_month_lacks_is_clamped_and_never_drifts() -> None:
    """Source: domain rules, 5.1, month-end anchoring."""
    assert due_dates(date(2024, 1, 31), Cycle(), 3) == (
        date(2024, 2, 29),
        date(2024, 3, 31),
        date(2024, 4, 30),
    )


def test_a_due_day_the_month_lacks_may_roll_to_the_first_of_the_next() -> None:
    """Source: domain rules, P-43."""
    assert due_dates(date(2023, 1, 31), Cycle(month_end=MonthEnd.ROLL), 3) == (
        date(2023, 3, 1),
        date(2023, 3, 31),
        date(2023, 5, 1),
    )


@pytest.mark.parametrize(
    ("unit", "every", "second"),
    [
        (CycleUnit.DAY, 10, date(2024, 3, 20)),
        (CycleUnit.WEEK, 2, date(2024, 3, 28)),
        (CycleUnit.MONTH, 1, date(2024, 4, 29)),
        (CycleUnit.QUARTER, 1, date(2024, 8, 29)),
        (CycleUnit.YEAR, 1, date(2026, 2, 28)),
    ],
)
def test_a_cycle_counts_in_its_unit(unit: CycleUnit, every: int, second: date) -> None:
    assert cycle_date(date(2024, 2, 29), Cycle(unit=unit, every=every), 2) == second


@pytest.mark.parametrize("every", [0, -1, 367])
def test_an_impossible_cycle_is_refused(every: int) -> None:
    with pytest.raises(Rejected) as refusal:
        Cycle(every=every)
    assert (refusal.value.code, refusal.value.field) == ("cycle_out_of_range", "every")


@pytest.mark.parametrize("count", [0, -1, DUE_DATES_MAX + 1])
def test_an_impossible_number_of_instalments_is_refused(count: int) -> None:
    with pytest.raises(Rejected) as refusal:
        due_dates(date(2024, 1, 1), Cycle(), count)
    assert refusal.value.code == "too_many_instalments"


@pytest.mark.parametrize("unit", list(CycleUnit))
def test_a_schedule_that_leaves_the_calendar_is_refused(unit: CycleUnit) -> None:
    with pytest.raises(Rejected) as refusal:
        due_dates(date(9999, 12, 31), Cycle(unit=unit), 1)
    assert refusal.value.code == "date_out_of_range"


dates = st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 12, 31))
cycles = st.builds(
    Cycle,
    unit=st.sampled_from(CycleUnit),
    every=st.integers(min_value=1, max_value=12),
    month_end=st.sampled_from(MonthEnd),
)


@given(dates, st.integers(min_value=-240, max_value=240))
def test_months_are_added_as_quantlib_adds_them(anchor: date, months: int) -> None:
    theirs = from_ql(to_ql(anchor) + ql.Period(months, ql.Months))
    assert add_months(anchor, months) == theirs


@given(dates, cycles, st.integers(min_value=2, max_value=60))
def test_due_dates_rise_strictly(anchor: date, cycle: Cycle, count: int) -> None:
    dues = (anchor, *due_dates(anchor, cycle, count))
    assert all(earlier < later for earlier, later in pairwise(dues))


CHINA = HolidayCalendar(
    name="CN",
    holidays=frozenset(date(2024, 10, day) for day in (1, 2, 3, 4, 7)),
    working_days=frozenset({date(2024, 9, 29), date(2024, 10, 12)}),
)


def test_a_swapped_weekend_is_a_working_day() -> None:
    """Source: the State Council's holiday notice for 2024 (调休)."""
    assert CHINA.is_working(date(2024, 9, 29))  # a Sunday
    assert not CHINA.is_working(date(2024, 10, 7))  # a Monday
    assert adjust(date(2024, 10, 1), BusinessDayRule.FOLLOWING, CHINA) == date(2024, 10, 8)
    assert adjust(date(2024, 9, 28), BusinessDayRule.MODIFIED_FOLLOWING, CHINA) == date(2024, 9, 29)


def test_a_lender_may_work_and_close_on_days_of_its_own() -> None:
    change = CalendarOverride(
        closed=frozenset({date(2024, 10, 12), date(2024, 10, 9)}),
        worked=frozenset({date(2024, 10, 1), date(2024, 10, 5)}),
    )
    own = override(CHINA, "our branch", change)
    assert [own.is_working(date(2024, 10, day)) for day in (1, 2, 5, 8, 9, 12)] == [
        True,
        False,
        True,
        True,
        False,
        False,
    ]


def test_a_calendar_that_contradicts_itself_is_refused() -> None:
    day = frozenset({date(2024, 10, 1)})
    for build in (
        lambda: HolidayCalendar(name="x", holidays=day, working_days=day),
        lambda: override(CHINA, "x", CalendarOverride(closed=day, worked=day)),
    ):
        with pytest.raises(Rejected) as refusal:
            build()
        assert refusal.value.code == "calendar_contradicts_itself"


def test_a_calendar_that_never_works_is_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        HolidayCalendar(name="x", weekend=frozenset(range(7)))
    assert refusal.value.code == "calendar_never_works"
    closed = frozenset(date(2024, 1, 1) + timedelta(days=k) for k in range(100))
    with pytest.raises(Rejected) as refusal:
        adjust(
            date(2024, 1, 1), BusinessDayRule.FOLLOWING, HolidayCalendar(name="x", holidays=closed)
        )
    assert refusal.value.code == "no_working_day"


def test_a_calendar_refuses_to_guess_outside_its_years() -> None:
    known = HolidayCalendar(name="x", first_on=date(2024, 1, 1), last_on=date(2024, 12, 31))
    assert known.is_working(date(2024, 1, 1))
    assert known.is_working(date(2024, 12, 31))
    for day in (date(2023, 12, 31), date(2025, 1, 1)):
        with pytest.raises(Rejected) as refusal:
            known.is_working(day)
        assert refusal.value.code == "outside_calendar"


MONTHLY = partial(cycle_date, date(2024, 9, 1), Cycle())


def test_a_moved_due_date_does_not_carry_over_to_the_next() -> None:
    """Source: domain rules, S-31."""
    dues = business_due_dates(MONTHLY, 3, BusinessDayRule.FOLLOWING, CHINA)
    assert dues == (date(2024, 10, 8), date(2024, 11, 1), date(2024, 12, 2))


def test_an_instalment_may_wait_for_the_next_repayment_date_and_the_term_grows() -> None:
    """Source: domain rules, S-31."""
    dues = business_due_dates(MONTHLY, 3, BusinessDayRule.NEXT_REPAYMENT_DATE, CHINA)
    assert dues == (date(2024, 11, 1), date(2025, 1, 1), date(2025, 4, 1))


def test_two_instalments_on_one_day_are_refused() -> None:
    daily = partial(cycle_date, date(2024, 5, 2), Cycle(unit=CycleUnit.DAY))
    with pytest.raises(Rejected) as refusal:
        business_due_dates(daily, 5, BusinessDayRule.FOLLOWING, CHINA)
    assert refusal.value.code == "due_dates_collide"
    assert len(business_due_dates(daily, 5, BusinessDayRule.NEXT_REPAYMENT_DATE, CHINA)) == 5


def test_a_cycle_that_never_meets_a_working_day_is_refused() -> None:
    weekly = partial(cycle_date, date(2024, 5, 4), Cycle(unit=CycleUnit.WEEK))
    with pytest.raises(Rejected) as refusal:
        business_due_dates(weekly, 5, BusinessDayRule.NEXT_REPAYMENT_DATE, CHINA)
    assert refusal.value.code == "no_working_day"


def test_the_next_repayment_date_of_a_lone_day_is_unknown() -> None:
    with pytest.raises(ValueError, match="unknown"):
        adjust(date(2024, 10, 1), BusinessDayRule.NEXT_REPAYMENT_DATE, CHINA)
