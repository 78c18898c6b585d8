"""Conventions that a product names, each lived through as a stored loan: what it changes.

10,000.00 at 12 % paid out on 15 January 2018, unless something else is said.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.commands import changes as ch
from domain.events import changes as ec
from domain.loan.instalments import Instalment
from domain.loan.state import LoanStatus
from domain.loan.terms import (
    Conditions,
    DayInclusion,
    Direction,
    DueDays,
    FutureRule,
    InterestPeriod,
    MonthEnd,
    Recalculation,
    RepaymentMethod,
    Rounding,
    RoundingPlace,
    ScheduleDayCount,
    Unit,
    WindowEdge,
)
from tests.domain.test_replanning import late, re_age
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    Life,
    days_after,
    disbursed,
    folded_again,
    month,
    pay,
    product_refused,
    ties_to_the_ledger,
)

INTEREST_ONLY = replace(PLANNED, method=RepaymentMethod.INTEREST_ONLY)
ACT_360 = replace(
    CONDITIONS, method=RepaymentMethod.INTEREST_ONLY, day_count=ScheduleDayCount.ACT_360
)


def settles(life: Life) -> Life:
    """Pay every instalment on its day; the last one settles the loan, and the books tie."""
    for row in life.state.rows:
        unpaid = life.state.rows[row.number - 1].unpaid_minor
        if unpaid:
            life.when(pay(unpaid, row.due_on, f"all-{row.number}"))
    assert life.state.status is LoanStatus.SETTLED
    ties_to_the_ledger(life)
    folded_again(life)
    return life


@pytest.mark.parametrize(
    ("unit", "by_days", "by_period"),
    [(Unit.WEEKS, 2_333, 2_308), (Unit.MONTHS, 10_000, 10_000), (Unit.QUARTERS, 30_000, 30_000)],
)
def test_interest_is_counted_by_days_or_by_whole_periods(
    unit: Unit, by_days: int, by_period: int
) -> None:
    """Source: domain rules, P-19; 9.10 "Rate factor": a week is 7/360 of the rate, or a 52nd."""
    for interest_period, interest in (
        (InterestPeriod.DAILY, by_days),
        (InterestPeriod.SAME_AS_REPAYMENT_PERIOD, by_period),
    ):
        product = replace(INTEREST_ONLY, repayment_unit=unit, interest_period=interest_period)
        life = disbursed(instalments=4, conditions=product)
        assert [row.interest_minor for row in life.state.rows] == [interest] * 4
        settles(life)


@pytest.mark.parametrize(
    ("scope", "interest"), [(RoundingPlace.PER_PERIOD, 17_334), (RoundingPlace.PER_SEGMENT, 17_335)]
)
def test_a_period_is_rounded_once_or_by_stretch(scope: RoundingPlace, interest: int) -> None:
    """Source: domain rules, 5.3: 10,000.60 earns 33.3353 in ten days and 140.0084 in the rest.

    Each stretch is rounded up by itself, and the sum of both is rounded down.
    """
    life = disbursed(1_000_060, 3, conditions=replace(ACT_360, interest_rounding_scope=scope))
    life.when(change_rate(date(2018, 1, 25), "0.24"), reason="agreed")
    assert life.state.rows[0].interest_minor == interest
    settles(life)


def change_rate(on: date, rate: str) -> ch.ChangeRate:
    return ch.ChangeRate(loan_id=LOAN, effective_on=on, change_id="c-1", rate_annual=Decimal(rate))


@pytest.mark.parametrize(
    ("inclusion", "interest"),
    [(DayInclusion.FIRST_NOT_LAST, 17_333), (DayInclusion.LAST_NOT_FIRST, 17_667)],
)
def test_a_new_rate_counts_from_its_day_or_from_the_day_before(
    inclusion: DayInclusion, interest: int
) -> None:
    """Source: domain rules, 0.4: ten days at 3.33 1/3 and 21 at 6.66 2/3, or nine and 22."""
    life = disbursed(instalments=3, conditions=replace(ACT_360, day_inclusion=inclusion))
    life.when(change_rate(date(2018, 1, 25), "0.24"), reason="agreed")
    assert life.state.rows[0].interest_minor == interest
    settles(life)


@pytest.mark.parametrize("recalculation", [Recalculation.NONE, Recalculation.CONTINUOUS])
@pytest.mark.parametrize(
    ("month_end", "moved"),
    [
        (MonthEnd.LAST_DAY_OF_MONTH, [date(2018, 2, 28), date(2018, 4, 30)]),
        (MonthEnd.FIRST_DAY_OF_NEXT_MONTH, [date(2018, 3, 1), date(2018, 5, 1)]),
    ],
)
def test_a_due_day_that_its_month_lacks_is_its_last_day_or_the_first_of_the_next(
    month_end: MonthEnd, moved: list[date], recalculation: Recalculation
) -> None:
    """Source: domain rules, P-43; the anchor stays, and whole months earn a twelfth."""
    product = replace(INTEREST_ONLY, month_end=month_end, recalculation=recalculation)
    life = disbursed(instalments=5, conditions=product, first_due_on=date(2018, 1, 31))
    rows = life.state.rows
    assert [row.due_on for row in rows] == [
        date(2018, 1, 31), moved[0], date(2018, 3, 31), moved[1], date(2018, 5, 31)
    ]  # fmt: skip
    assert [row.interest_minor for row in rows[1:]] == [10_000] * 4
    extended = ch.ExtendTerm(
        loan_id=LOAN, effective_on=date(2018, 2, 1), change_id="c-2", instalments=1
    )
    life.when(extended, reason="hardship")
    assert life.state.rows[-1].due_on.month in {6, 7}
    settles(life)


def test_a_month_between_two_agreed_days_earns_a_twelfth() -> None:
    """Source: domain rules, 5.2, 9.10: from the last day of February to 31 March too."""
    life = disbursed(
        instalments=5, conditions=replace(INTEREST_ONLY, due_days=DueDays(earliest=31))
    )
    rows = life.state.rows
    assert [row.due_on.day for row in rows[1:]] == [31, 30, 31, 30]
    assert [row.interest_minor for row in rows[1:]] == [10_000] * 4
    settles(life)


def test_a_due_date_that_was_moved_keeps_the_rule_of_month_ends() -> None:
    product = replace(INTEREST_ONLY, month_end=MonthEnd.FIRST_DAY_OF_NEXT_MONTH)
    life = disbursed(instalments=4, conditions=product)
    moved = ch.MoveDueDate(
        loan_id=LOAN,
        effective_on=days_after(month(0), 1),
        change_id="c-1",
        instalment=1,
        due_on=date(2018, 1, 31),
    )
    life.when(moved, reason="agreed").then(ec.DueDateMoved, *[type(e) for e in life.last[1:]])
    assert [row.due_on for row in life.state.rows] == [
        date(2018, 1, 31), date(2018, 3, 1), date(2018, 3, 31), date(2018, 5, 1)
    ]  # fmt: skip
    settles(life)


def test_a_fixed_length_ends_the_loan_whatever_its_instalments_are() -> None:
    """Source: domain rules, P-41: the last of twelve falls due after fourteen months."""
    life = disbursed(instalments=12, conditions=replace(INTEREST_ONLY, fixed_length=14))
    assert [row.due_on for row in life.state.rows] == [*[month(k) for k in range(1, 12)], month(14)]
    assert [row.interest_minor for row in life.state.rows] == [10_000] * 11 + [30_000]
    settles(life)


@pytest.mark.parametrize(
    ("mode", "interest"),
    [
        (Rounding.HALF_UP, (10_001, 10_002)),
        (Rounding.HALF_EVEN, (10_000, 10_002)),
        (Rounding.HALF_DOWN, (10_000, 10_001)),
        (Rounding.UP, (10_001, 10_002)),
        (Rounding.DOWN, (10_000, 10_001)),
    ],
)
def test_half_a_cent_of_interest_is_rounded_in_the_mode_of_the_product(
    mode: Rounding, interest: tuple[int, int]
) -> None:
    """Source: domain rules, 5.3: 1 % of 10,000.50 and of 10,001.50."""
    product = replace(INTEREST_ONLY, interest_rounding=mode)
    for amount, expected in zip((1_000_050, 1_000_150), interest, strict=True):
        life = disbursed(amount, 3, conditions=product)
        assert life.state.rows[0].interest_minor == expected
        settles(life)


@pytest.mark.parametrize(
    ("day_count", "interest"),
    [
        (ScheduleDayCount.ACT_ACT_ISDA, 10_164),  # 31 days of a leap year
        (ScheduleDayCount.ACT_ACT_FEB_29, 10_192),  # whose period has no leap day
        (ScheduleDayCount.ACT_365F, 10_192),
        (ScheduleDayCount.ACT_364, 10_220),
        (ScheduleDayCount.ACT_360, 10_333),
        (ScheduleDayCount.THIRTY_360_PROPORTIONAL, 10_000),
        (ScheduleDayCount.ACT_ACT_ICMA, 10_000),
        (ScheduleDayCount.THIRTY_360_US, 10_000),
        (ScheduleDayCount.THIRTY_360_BOND, 10_000),
        (ScheduleDayCount.THIRTY_E_360, 10_000),
        (ScheduleDayCount.THIRTY_E_360_ISDA, 10_000),
    ],
)
def test_a_stored_loan_earns_by_the_day_count_of_its_product(
    day_count: ScheduleDayCount, interest: int
) -> None:
    """Source: domain rules, 5.2, P-23: 15 July to 15 August 2020, the thirtieth month."""
    life = disbursed(instalments=31, conditions=replace(INTEREST_ONLY, day_count=day_count))
    (row,) = [row for row in life.state.rows if row.due_on == date(2020, 8, 15)]
    assert row.interest_minor == interest


def paid_in_advance(rule: FutureRule, conditions: Conditions) -> list[Instalment]:
    """2,000.00 comes in on the day after the first instalment of six was paid."""
    life = disbursed(600_000, 6, conditions=replace(conditions, future_instalments=rule))
    life.when(pay(life.state.rows[0].unpaid_minor, month(1), "first"))
    life.when(pay(200_000, days_after(month(1), 1), "extra"))
    rows = list(life.state.rows)
    settles(life)
    return rows


EQUAL = replace(PLANNED, method=RepaymentMethod.EQUAL_PRINCIPAL)
PREPAID: list[tuple[FutureRule, list[int]]] = [
    (FutureRule.NEXT_INSTALMENT, [100_000, 91_000, 0, 0, 0]),
    (FutureRule.LAST_INSTALMENT, [0, 0, 0, 97_000, 100_000]),
    (FutureRule.NEXT_LAST_INSTALMENT, [100_000, 0, 0, 0, 94_000]),
    (FutureRule.REAMORTISATION, [37_000] * 5),
]


@pytest.mark.parametrize(("rule", "principal"), PREPAID)
def test_money_in_advance_goes_to_the_instalments_that_the_product_says(
    rule: FutureRule, principal: list[int]
) -> None:
    """Source: domain rules, A-04 to A-07, by planned interest: the next, the last, this, all."""
    rows = paid_in_advance(rule, EQUAL)
    assert [row.principal_paid_minor for row in rows[1:]] == principal
    assert sum(row.paid_minor for row in rows[1:]) == 200_000


def test_the_rule_decides_whether_the_loan_is_shorter_or_its_instalments_smaller() -> None:
    """Source: domain rules, 5.6: level instalments whose interest follows what is paid."""
    level = disbursed(600_000, 6).state.rows[1].due_minor
    for rule, expected in {
        FutureRule.NEXT_INSTALMENT: "next",
        FutureRule.LAST_INSTALMENT: "shorter",
        FutureRule.NEXT_LAST_INSTALMENT: "next and last",
        FutureRule.REAMORTISATION: "smaller",
    }.items():
        unpaid = [row.unpaid_minor for row in paid_in_advance(rule, CONDITIONS)[1:]]
        said = {
            "next": unpaid[0] == 0 and unpaid[2] == level,
            "shorter": unpaid[-1] == 0 and unpaid[0] == level,
            "next and last": unpaid[0] == 0 and unpaid[-1] < unpaid[1] == level,
            "smaller": 0 < max(unpaid) < level,
        }
        assert said[expected], (rule, level, unpaid)


@pytest.mark.parametrize(
    ("direction", "paid"),
    [
        (Direction.HORIZONTAL, [(6_000, 100_000), (1_000, 0)]),
        (Direction.VERTICAL, [(6_000, 96_000), (5_000, 0)]),
    ],
)
def test_instalment_by_instalment_or_part_by_part(
    direction: Direction, paid: list[tuple[int, int]]
) -> None:
    """Source: domain rules, A-08, A-09: interest and principal of two instalments past due."""
    life = disbursed(600_000, 6, conditions=replace(EQUAL, allocation_direction=direction))
    life.when(pay(107_000, days_after(month(2), 1)))
    rows = life.state.rows[:2]
    assert [(row.interest_paid_minor, row.principal_paid_minor) for row in rows] == paid
    settles(life)


@pytest.mark.parametrize(
    ("edge", "code"),
    [
        (None, None),
        (WindowEdge.EXCLUDED, None),
        (WindowEdge.INCLUDED, "re_aged_too_often"),
    ],
)
def test_the_same_day_a_year_later_is_in_the_window_or_not(
    edge: WindowEdge | None, code: str | None
) -> None:
    """Source: domain rules, 0.4 `window_edges`, 2.7."""
    life = late(replace(CONDITIONS, re_age_window=edge)).when(re_age(), reason="any")
    for k in (22, 23, 24):
        life.when(pay(40_000, days_after(month(k), 1), f"again-{k}"))
    on = days_after(month(24), 10)
    again = re_age(effective_on=on, re_age_id="a-2", first_due_on=month(25))
    if code is None:
        assert isinstance(life.when(again, reason="any").last[0], ec.LoanReaged)
    else:
        assert life.refused(again, reason="any").code == code


ROLLED: dict[str, Any] = {"month_end": MonthEnd.FIRST_DAY_OF_NEXT_MONTH}
BY_PERIOD: dict[str, Any] = {"interest_period": InterestPeriod.SAME_AS_REPAYMENT_PERIOD}
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({**BY_PERIOD, "repayment_unit": Unit.DAYS}, "not_used", "interest_period"),
    ({**BY_PERIOD, "day_count": ScheduleDayCount.ACT_360}, "not_offered", "day_count"),
    ({**ROLLED, "repayment_unit": Unit.WEEKS}, "not_used", "month_end"),
    ({**ROLLED, "method": RepaymentMethod.CUSTOM}, "not_used", "month_end"),
    ({**ROLLED, "due_days": DueDays()}, "not_offered", "month_end"),
    ({**ROLLED, "payouts_max": 3, "full_term_tranches": True}, "not_offered", "month_end"),
    (
        {**ROLLED, "day_count": ScheduleDayCount.ACT_ACT_ICMA},
        "needs_regular_periods",
        "month_end",
    ),
    ({"fixed_length": 0}, "count_out_of_range", "fixed_length"),
    ({"fixed_length": 359}, "due_dates_out_of_order", "instalments_max"),
    ({"fixed_length": 1_000}, "term_too_long", "fixed_length"),
    (
        {"fixed_length": 400, "method": RepaymentMethod.BULLET},
        "dates_given_twice",
        "fixed_length",
    ),
    (
        {"fixed_length": 400, "method": RepaymentMethod.FIXED_INSTALMENT},
        "dates_given_twice",
        "fixed_length",
    ),
    (
        {"fixed_length": 400, "method": RepaymentMethod.CUSTOM},
        "dates_given_twice",
        "fixed_length",
    ),
    (
        {"fixed_length": 400, "payouts_max": 3, "full_term_tranches": True},
        "not_offered",
        "fixed_length",
    ),
    ({"instalment_rounding": Rounding.HALF_EVEN}, "not_offered", "instalment_rounding"),
    ({"instalment_rounding": Rounding.HALF_DOWN}, "not_offered", "instalment_rounding"),
]


@pytest.mark.parametrize(("change", "code", "field"), REFUSED)
def test_conventions_that_cannot_be_kept_are_refused_with_the_product(
    change: dict[str, Any], code: str, field: str
) -> None:
    no = product_refused(replace(PLANNED, **change))
    assert (no.code, no.field) == (code, field)
