"""Due dates of stored loans on working days: moved by a calendar, and kept for ever."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import BusinessDayRule, HolidayCalendar, adjust, closed_around
from domain.commands import changes as ch
from domain.commands import ending as ce
from domain.commands.product import DefineProductVersion
from domain.errors import Rejected
from domain.events.changes import DueDateMoved, TermExtended
from domain.events.disbursement import LoanDisbursed
from domain.events.ending import LoanRestructured, RestructureKind
from domain.loan.evolve import evolve
from domain.loan.terms import Conditions, ScheduleDayCount, Unit
from domain.product import decide
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    START,
    Life,
    accepted,
    context,
    folded_again,
    month,
    pay,
    pay_out,
    ties_to_the_ledger,
)

CALENDAR = HolidayCalendar(
    name="CN",
    holidays=frozenset(date(2018, 2, 15) + timedelta(days=k) for k in range(7)),  # 春节
    working_days=frozenset({date(2018, 2, 11), date(2018, 2, 24)}),
)
FOLLOWING = replace(
    CONDITIONS, calendar="CN", business_days=BusinessDayRule.FOLLOWING, four_eyes_from_minor=10**9
)


def on_working_days(
    conditions: Conditions = FOLLOWING, calendar: HolidayCalendar = CALENDAR, instalments: int = 12
) -> Life:
    life = accepted(instalments=instalments, conditions=conditions)
    life.calendar = calendar
    return life.when(pay_out())


def dues(life: Life) -> list[date]:
    return [row.due_on for row in life.state.rows]


def test_due_dates_are_moved_to_working_days_when_the_money_goes_out() -> None:
    """Source: domain rules, S-31: 15 February 2018 is in the holiday week, 15 April a Sunday."""
    life = on_working_days()
    assert dues(life)[:4] == [date(2018, 2, 22), month(2), date(2018, 4, 16), month(4)]
    assert all(CALENDAR.is_working(due) for due in dues(life))
    ties_to_the_ledger(life)


def test_interest_runs_to_the_day_an_instalment_moved_to() -> None:
    """Source: domain rules, S-31; CAL-15."""
    moved = on_working_days(replace(FOLLOWING, day_count=ScheduleDayCount.ACT_365F))
    first = moved.state.rows[0]
    assert (first.from_on, first.due_on) == (START, date(2018, 2, 22))
    assert first.interest_minor == round(1_000_000 * Decimal("0.12") * 38 / 365)


def test_the_loan_keeps_what_moved_its_due_dates_and_no_more() -> None:
    """Source: architecture, section 1: decide once, record the outcome."""
    told = on_working_days().last[0]
    assert isinstance(told, LoanDisbursed)
    assert set(told.closed_days) >= {date(2018, 2, 15) + timedelta(days=k) for k in range(7)}
    assert all(not CALENDAR.is_working(day) for day in told.closed_days)
    assert len(told.closed_days) < 25


def test_history_replays_the_same_whatever_calendars_say_later() -> None:
    life = on_working_days()
    life.calendar = HolidayCalendar(name="CN", weekend=frozenset({6}))
    for number in range(1, 13):
        row = life.state.rows[number - 1]
        life.when(pay(row.unpaid_minor, row.due_on))
    assert life.state.balances.owed_minor == 0
    again = folded_again(life)
    assert again.timeline is not None
    assert [row.due_on for row in again.timeline.account.instalments] == dues(life)


def test_added_instalments_fall_due_on_working_days_of_the_calendar_by_then() -> None:
    life = on_working_days()
    life.calendar = replace(CALENDAR, holidays=frozenset({month(13)}))
    extend = ch.ExtendTerm(loan_id=LOAN, effective_on=month(2), change_id="x-1", instalments=3)
    told = life.when(extend, reason="request").last[0]
    assert isinstance(told, TermExtended)
    assert month(13) in told.closed_days
    assert dues(life)[12:] == [date(2019, 2, 18), month(14), month(15)]
    folded_again(life)


def test_due_dates_after_a_moved_one_are_working_days_and_the_agreed_one_stays() -> None:
    """What was agreed by hand stays as it is: here a Saturday."""
    life = on_working_days()
    move = ch.MoveDueDate(
        loan_id=LOAN, effective_on=month(2), change_id="m-1", instalment=3, due_on=date(2018, 4, 28)
    )
    told = life.when(move, reason="payday").last[0]
    assert isinstance(told, DueDateMoved)
    assert dues(life)[2:7] == [
        date(2018, 4, 28),
        date(2018, 5, 28),
        date(2018, 6, 28),
        date(2018, 7, 30),
        date(2018, 8, 28),
    ]
    folded_again(life)


def test_a_new_plan_falls_due_on_working_days() -> None:
    life = on_working_days()
    plan = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=month(3),
        restructure_id="s-1",
        kind=RestructureKind.EXTENSION,
        first_due_on=date(2018, 5, 26),
        instalments=6,
        financial_difficulty=True,
    )
    told = life.when(plan, reason="hardship").last[0]
    assert isinstance(told, LoanRestructured)
    fresh = [row.due_on for row in life.state.rows if row.met_on is None]
    assert fresh[:3] == [date(2018, 5, 28), date(2018, 6, 26), date(2018, 7, 26)]
    folded_again(life)


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        (BusinessDayRule.PRECEDING, date(2018, 3, 30)),
        (BusinessDayRule.MODIFIED_FOLLOWING, date(2018, 3, 30)),
        (BusinessDayRule.FOLLOWING, date(2018, 4, 2)),
    ],
)
def test_each_rule_of_the_product_is_kept(rule: BusinessDayRule, first: date) -> None:
    """Source: domain rules, S-31; 31 March 2018 is a Saturday."""
    life = accepted(instalments=6, conditions=replace(FOLLOWING, business_days=rule))
    life.calendar = CALENDAR
    life.when(replace(pay_out(), first_due_on=date(2018, 3, 31)))
    assert dues(life)[0] == first
    assert all(CALENDAR.is_working(due) for due in dues(life))


def test_an_instalment_may_wait_for_the_next_repayment_date() -> None:
    rule = BusinessDayRule.NEXT_REPAYMENT_DATE
    life = on_working_days(replace(FOLLOWING, business_days=rule), instalments=3)
    assert dues(life) == [month(2), month(4), month(5)]


@pytest.mark.parametrize(
    ("conditions", "code", "field"),
    [
        (
            replace(FOLLOWING, business_days=BusinessDayRule.NONE),
            "business_days_missing",
            "business_days",
        ),
        (replace(FOLLOWING, calendar=None), "calendar_missing", "calendar"),
        (replace(FOLLOWING, repayment_unit=Unit.DAYS), "due_dates_collide", "business_days"),
    ],
)
def test_what_working_days_cannot_be_kept_for_is_refused_when_the_product_is_defined(
    conditions: Conditions, code: str, field: str
) -> None:
    command = DefineProductVersion(effective_on=START, code="P", name="n", conditions=conditions)
    given_calendar = CALENDAR if conditions.calendar else None
    with pytest.raises(Rejected) as refused:
        decide(None, command, context(START, calendar=given_calendar))
    assert (refused.value.code, refused.value.field) == (code, field)


@given(
    st.dates(date(2017, 12, 1), date(2018, 4, 1)),
    st.sampled_from(
        [rule for rule in BusinessDayRule if rule is not BusinessDayRule.NEXT_REPAYMENT_DATE]
    ),
)
def test_the_closed_days_around_a_date_move_it_as_the_calendar_does(
    day: date, rule: BusinessDayRule
) -> None:
    kept = HolidayCalendar(name="kept", weekend=frozenset(), holidays=closed_around(day, CALENDAR))
    assert adjust(day, rule, kept) == adjust(day, rule, CALENDAR)


def test_a_fold_of_the_events_asks_no_calendar() -> None:
    life = on_working_days()
    again = None
    for event in life.events:
        again = evolve(again, event)
    assert again is not None
    assert again.rows == life.state.rows
