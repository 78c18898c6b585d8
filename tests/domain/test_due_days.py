"""A due day of the month and a first due date of the loan's own, agreed and kept (固定还款日)."""

from calendar import monthrange
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import BusinessDayRule, HolidayCalendar
from domain.commands import changes as ch
from domain.commands import ending as ce
from domain.commands.disbursement import DisburseLoan
from domain.events.application import LoanReviewed
from domain.events.disbursement import LoanDisbursed
from domain.events.ending import RestructureKind
from domain.loan.state import LoanStatus
from domain.loan.terms import (
    Conditions,
    DueDays,
    FirstPeriod,
    Recalculation,
    RepaymentMethod,
    ScheduleDayCount,
    Unit,
)
from domain.servicing.values import ReAgeInterest
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    START,
    Life,
    accepted,
    apply_for,
    approve,
    close,
    disbursed,
    folded_again,
    month,
    pay,
    pay_out,
    product_refused,
    ties_to_the_ledger,
)

FREE = replace(CONDITIONS, four_eyes_from_minor=10**9)
ANY_DAY = replace(FREE, due_days=DueDays())
EXACT = replace(ANY_DAY, day_count=ScheduleDayCount.ACT_365F)


def agreed(
    conditions: Conditions = ANY_DAY,
    instalments: int = 6,
    on: date = START,
    **review: Any,  # noqa: ANN401
) -> Life:
    """A loan paid out on a day, with what the approval agreed beside its rate."""
    life = accepted(instalments=instalments, conditions=conditions, **review)
    return life.when(pay_out(on=on))


def dues(life: Life) -> list[date]:
    return [row.due_on for row in life.state.rows]


def refused(conditions: Conditions, **review: Any) -> tuple[str, str | None]:  # noqa: ANN401
    life = Life(conditions=conditions).when(apply_for())
    no = life.refused(replace(approve(), **review))
    return no.code, no.field


@pytest.mark.parametrize(
    ("first_period", "first"),
    [(FirstPeriod.LONG, date(2018, 2, 20)), (FirstPeriod.SHORT, date(2018, 1, 20))],
)
def test_instalments_fall_due_on_the_agreed_day_and_a_stub_earns_its_days(
    first_period: FirstPeriod, first: date
) -> None:
    """Source: domain rules, 5.1; P-15."""
    life = agreed(replace(EXACT, due_days=DueDays(first_period=first_period)), due_day=20)
    rows = life.state.rows
    assert rows[0].due_on == first
    assert {row.due_on.day for row in rows} == {20}
    interest = Decimal(1_000_000) * Decimal("0.12") * (first - START).days / 365
    assert rows[0].interest_minor == int(interest.to_integral_value(ROUND_HALF_UP))
    told = next(event for event in life.events if isinstance(event, LoanReviewed))
    assert told.terms is not None
    assert told.terms.due_day == 20


@given(st.integers(1, 31), st.dates(date(2018, 1, 15), date(2020, 3, 31)))
def test_each_due_date_is_the_due_day_of_its_month_or_the_last_of_a_shorter_one(
    day: int, on: date
) -> None:
    life = agreed(instalments=14, on=on, due_day=day)
    found = dues(life)
    for due in found:
        assert due.day == min(day, monthrange(due.year, due.month)[1])
    months = [due.year * 12 + due.month for due in found]
    assert months == list(range(months[0], months[0] + 14))
    assert found[0] > on


def test_a_loan_of_the_31st_is_paid_to_its_end_over_a_leap_day() -> None:
    on = date(2019, 11, 30)
    life = agreed(instalments=5, on=on, due_day=31)
    assert dues(life) == [
        date(2019, 12, 31), date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31),
        date(2020, 4, 30),
    ]  # fmt: skip
    for row in life.state.rows:
        life.when(close(row.due_on)).then()
        life.when(pay(life.state.rows[row.number - 1].unpaid_minor, row.due_on))
        ties_to_the_ledger(life)
    assert life.state.status is LoanStatus.SETTLED
    folded_again(life)


def test_a_product_with_one_due_day_need_not_be_told_it() -> None:
    life = agreed(replace(FREE, due_days=DueDays(earliest=25, latest=25)))
    assert {due.day for due in dues(life)} == {25}


def test_instalments_added_go_on_with_the_due_day_also_after_a_deferral() -> None:
    extend = ch.ExtendTerm(loan_id=LOAN, effective_on=month(2), change_id="x-1", instalments=2)
    life = agreed(due_day=20).when(extend, reason="request")
    assert dues(life)[6:] == [date(2018, 8, 20), date(2018, 9, 20)]
    defer = ch.DeferPayments(loan_id=LOAN, effective_on=month(2), change_id="x-2", months=3)
    life = (
        agreed(due_day=31)
        .when(defer, reason="hardship")
        .when(replace(extend, effective_on=month(3)), reason="request")
    )
    assert dues(life)[-3:] == [date(2018, 10, 31), date(2018, 11, 30), date(2018, 12, 31)]
    folded_again(life)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (date(2018, 6, 30), date(2018, 7, 31)),  # the 31st of June: the due day is kept
        (date(2018, 6, 12), date(2018, 7, 12)),  # another day was agreed with the plan
    ],
)
def test_a_new_plan_keeps_the_due_day_if_it_begins_on_it(first: date, second: date) -> None:
    plan = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=month(4),
        restructure_id="s-1",
        kind=RestructureKind.EXTENSION,
        first_due_on=first,
        instalments=4,
        financial_difficulty=True,
    )
    life = agreed(due_day=31).when(plan, reason="hardship")
    fresh = [row.due_on for row in life.state.rows if row.met_on is None]
    assert fresh[:2] == [first, second]
    ties_to_the_ledger(life)
    folded_again(life)


def test_a_re_aged_loan_counts_from_the_date_agreed_with_it() -> None:
    on = date(2019, 3, 1)
    command = ch.ReAgeLoan(
        loan_id=LOAN,
        effective_on=on,
        re_age_id="r-1",
        first_due_on=date(2019, 3, 20),
        instalments=3,
        interest=ReAgeInterest.DEFAULT,
        willing_and_able=True,
    )
    life = agreed(due_day=20)
    life.when(pay(900_000, date(2019, 2, 1))).when(command, reason="hardship")
    new = [row.due_on for row in life.state.rows if row.due_on > on]
    assert new == [date(2019, 3, 20), date(2019, 4, 20), date(2019, 5, 20)]


def test_a_due_day_is_moved_to_a_working_day_and_comes_back_the_month_after() -> None:
    calendar = HolidayCalendar(name="CN", holidays=frozenset({date(2018, 2, 20)}))
    product = replace(ANY_DAY, calendar="CN", business_days=BusinessDayRule.FOLLOWING)
    life = accepted(instalments=4, conditions=product, due_day=20)
    life.calendar = calendar
    life.when(pay_out())
    assert dues(life) == [
        date(2018, 2, 21), date(2018, 3, 20), date(2018, 4, 20), date(2018, 5, 21),
    ]  # fmt: skip
    folded_again(life)


def test_a_revolving_loan_has_its_statement_days_on_the_due_day() -> None:
    line = replace(ANY_DAY, method=RepaymentMethod.REVOLVING, payouts_max=100)
    life = agreed(line, due_day=5)
    assert {due.day for due in dues(life)} == {5}
    more = DisburseLoan(loan_id=LOAN, effective_on=month(1), disbursement_id="d-2", amount_minor=1)
    assert life.refused(more).code == "limit_exceeded"
    life.when(pay(500_000, date(2018, 3, 5))).when(
        replace(more, effective_on=date(2018, 3, 20), amount_minor=200_000)
    )
    assert {due.day for due in dues(life)} == {5}
    ties_to_the_ledger(life)


# --- a first due date of the loan's own


def test_a_first_due_date_agreed_with_the_approval_anchors_the_others() -> None:
    """Source: domain rules, P-15."""
    life = agreed(FREE, instalments=3, first_due_on=date(2018, 3, 31))
    assert dues(life) == [date(2018, 3, 31), date(2018, 4, 30), date(2018, 5, 31)]
    told = life.last[0]
    assert isinstance(told, LoanDisbursed)
    assert told.first_due_on == date(2018, 3, 31)
    folded_again(life)


@pytest.mark.parametrize("days", [20, 45])
def test_the_first_due_date_lies_within_the_products_days_after_the_payout(days: int) -> None:
    """Source: domain rules, P-14."""
    bounded = replace(FREE, first_due_days_min=20, first_due_days_max=45)
    life = accepted(instalments=3, conditions=bounded)
    for outside in (19, 46):
        told = replace(pay_out(), first_due_on=date.fromordinal(START.toordinal() + outside))
        no = life.refused(told)
        assert (no.code, no.field) == ("first_due_outside_product", "first_due_on")
    on = date.fromordinal(START.toordinal() + days)
    life.when(replace(pay_out(), first_due_on=on))
    assert dues(life)[0] == on


def test_the_day_of_the_payout_decides_whether_an_agreed_first_due_date_can_be_kept() -> None:
    agreed_on = date(2018, 2, 10)
    life = accepted(instalments=3, conditions=FREE, first_due_on=agreed_on)
    late = life.refused(pay_out(on=agreed_on))
    assert (late.code, late.field) == ("first_due_too_early", "first_due_on")
    other = life.refused(replace(pay_out(), first_due_on=date(2018, 2, 11)))
    assert (other.code, other.field) == ("first_due_agreed", "first_due_on")
    life.when(replace(pay_out(), first_due_on=agreed_on))
    assert dues(life)[0] == agreed_on


# --- what is refused


@pytest.mark.parametrize(
    ("conditions", "review", "code", "field"),
    [
        (ANY_DAY, {}, "due_day_missing", "due_day"),
        (FREE, {"due_day": 5}, "due_day_not_offered", "due_day"),
        (replace(FREE, due_days=DueDays(latest=28)), {"due_day": 29},
         "due_day_outside_product", "due_day"),
        (ANY_DAY, {"due_day": 5, "first_due_on": date(2018, 2, 5)},
         "dates_given_twice", "first_due_on"),
        (FREE, {"first_due_on": START}, "first_due_too_early", "first_due_on"),
        (replace(FREE, payouts_max=3, full_term_tranches=True), {"first_due_on": month(1)},
         "not_offered", "first_due_on"),
    ],
)  # fmt: skip
def test_what_the_product_does_not_let_be_agreed_is_refused_with_the_approval(
    conditions: Conditions, review: dict[str, Any], code: str, field: str
) -> None:
    assert refused(conditions, **review) == (code, field)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"due_days": DueDays(earliest=0)}, "bad_bounds", "due_days"),
        ({"due_days": DueDays(earliest=9, latest=8)}, "bad_bounds", "due_days"),
        ({"due_days": DueDays(latest=32)}, "bad_bounds", "due_days"),
        ({"due_days": DueDays(), "repayment_unit": Unit.WEEKS}, "due_day_needs_months", "due_days"),
        ({"due_days": DueDays(), "payouts_max": 2, "full_term_tranches": True},
         "not_offered", "due_days"),
        ({"due_days": DueDays(), "day_count": ScheduleDayCount.ACT_ACT_ICMA},
         "needs_regular_periods", "due_days"),
        ({"first_due_days_min": 0}, "bad_bounds", "first_due_days_min"),
        ({"first_due_days_min": 9, "first_due_days_max": 8}, "bad_bounds", "first_due_days_min"),
        ({"first_due_days_max": 3_661}, "bad_bounds", "first_due_days_min"),
    ],
)  # fmt: skip
def test_due_days_that_cannot_be_are_refused_when_the_product_is_defined(
    change: dict[str, Any], code: str, field: str
) -> None:
    no = product_refused(replace(FREE, **change))
    assert (no.code, no.field) == (code, field)


@pytest.mark.parametrize("recalculation", [Recalculation.NONE, Recalculation.CONTINUOUS])
def test_a_bullet_is_due_on_the_due_day_of_its_last_month(recalculation: Recalculation) -> None:
    product = replace(ANY_DAY, method=RepaymentMethod.BULLET, recalculation=recalculation)
    life = disbursed(600_000, 3, conditions=product, due_day=20)
    assert dues(life) == [date(2018, 4, 20)]
