"""What a product may say of its loans, each choice lived through as a stored loan."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.commands import changes as ch
from domain.events import changes as ec
from domain.events.ending import LoanSettled
from domain.loan.day import day_figures
from domain.loan.state import LoanStatus
from domain.loan.terms import (
    DEFAULT_ALLOCATION,
    Component,
    OverdueInterest,
    Recalculation,
    RepaymentMethod,
    Unit,
)
from domain.servicing.values import ReAgeInterest
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    Life,
    apply_for,
    close,
    days_after,
    disbursed,
    month,
    pay,
    product_refused,
    ties_to_the_ledger,
)

EQUAL_PRINCIPAL = RepaymentMethod.EQUAL_PRINCIPAL
INTEREST_ONLY = RepaymentMethod.INTEREST_ONLY
BULLET = RepaymentMethod.BULLET
FLAT = RepaymentMethod.FLAT
SPREAD = RepaymentMethod.EQUAL_AMORTISATION

# 6,000.00 at 12 % a year over six periods of a month: principal and interest of each instalment.
SCHEDULES: list[tuple[str, dict[str, Any], list[int], list[int]]] = [
    ("先息后本", {"method": INTEREST_ONLY}, [0] * 5 + [600_000], [6_000] * 6),
    ("到期一次性还本付息", {"method": BULLET}, [600_000], [36_000]),
    ("等本等息", {"method": FLAT}, [100_000] * 6, [6_000] * 6),
    ("an annuity's interest, spread", {"method": SPREAD}, [100_000] * 6, [3_529] * 5 + [3_530]),
    (
        "principal grace",
        {"method": EQUAL_PRINCIPAL, "grace_on_principal": 2},
        [0, 0] + [150_000] * 4,
        [6_000, 6_000, 6_000, 4_500, 3_000, 1_500],
    ),
    (
        "interest-free periods 免息期",
        {"method": EQUAL_PRINCIPAL, "interest_free_periods": 2},
        [100_000] * 6,
        [0, 0, 4_000, 3_000, 2_000, 1_000],
    ),
]
DUE_DATES: list[tuple[dict[str, Any], list[date]]] = [
    ({"repayment_unit": Unit.WEEKS}, [date(2018, 1, 22), date(2018, 1, 29), date(2018, 2, 5)]),
    (
        {"repayment_unit": Unit.WEEKS, "repayment_every": 2},
        [date(2018, 1, 29), date(2018, 2, 12), date(2018, 2, 26)],
    ),
    (
        {"repayment_unit": Unit.DAYS, "repayment_every": 10},
        [date(2018, 1, 25), date(2018, 2, 4), date(2018, 2, 14)],
    ),
    ({"repayment_every": 2}, [date(2018, 3, 15), date(2018, 5, 15), date(2018, 7, 15)]),
    ({"repayment_unit": Unit.QUARTERS}, [date(2018, 4, 15), date(2018, 7, 15), date(2018, 10, 15)]),
    ({"repayment_unit": Unit.YEARS}, [date(2019, 1, 15), date(2020, 1, 15), date(2021, 1, 15)]),
    ({"method": BULLET}, [date(2018, 4, 15)]),
]


def lent(amount: int = 600_000, instalments: int = 6, **product: Any) -> Life:  # noqa: ANN401
    conditions = replace(PLANNED, **product)
    return disbursed(amount, instalments, conditions=conditions)


@pytest.mark.parametrize(
    ("product", "principal", "interest"),
    [row[1:] for row in SCHEDULES],
    ids=[row[0] for row in SCHEDULES],
)
def test_each_instalment_is_paid_as_planned_and_the_last_settles_the_loan(
    product: dict[str, Any], principal: list[int], interest: list[int]
) -> None:
    life = lent(**product)
    rows = life.state.rows
    assert [row.principal_minor for row in rows] == principal
    assert [row.interest_minor for row in rows] == interest
    for row in rows:
        life.when(close(row.due_on)).then()
        life.when(pay(row.due_minor, row.due_on))
        ties_to_the_ledger(life)
    assert isinstance(life.last[-1], LoanSettled)
    assert life.state.status is LoanStatus.SETTLED


@pytest.mark.parametrize("recalculation", [Recalculation.NONE, Recalculation.CONTINUOUS])
@pytest.mark.parametrize(("product", "due"), DUE_DATES)
def test_instalments_fall_due_as_often_as_the_product_says(
    product: dict[str, Any], due: list[date], recalculation: Recalculation
) -> None:
    life = lent(instalments=3, recalculation=recalculation, **product)
    assert [row.due_on for row in life.state.rows] == due
    life.when(close(due[0])).then()
    life.when(close(days_after(due[0], 1)))
    assert day_figures(life.state, days_after(due[0], 1)).days_past_due == 1
    life.when(pay(life.payoff(days_after(due[0], 2)), days_after(due[0], 2)))
    assert life.state.status is LoanStatus.SETTLED
    ties_to_the_ledger(life)


def test_interest_under_grace_is_earned_day_by_day_and_collected_after_it() -> None:
    product: dict[str, Any] = {"method": EQUAL_PRINCIPAL, "recalculation": Recalculation.CONTINUOUS}
    plain, graced = lent(**product), lent(**product, grace_on_interest=2)
    interest = [row.interest_minor for row in graced.state.rows]
    assert interest == [0, 0, 6_000 + 5_000 + 4_000, 3_000, 2_000, 1_000]
    for on in (days_after(month(0), 20), month(1), days_after(month(1), 9), month(2)):
        earned = [day_figures(life.state, on).accrued_interest_minor for life in (plain, graced)]
        assert earned[0] == earned[1] > 0
        assert graced.payoff(on) == plain.payoff(on)


def test_an_early_payoff_of_a_bullet_costs_the_days_it_ran() -> None:
    life = lent(method=BULLET, recalculation=Recalculation.CONTINUOUS)
    on = days_after(month(0), 90)
    assert life.payoff(on) == 600_000 + 17_901  # 36,000 of interest x 90 of 181 days
    life.when(pay(life.payoff(on), on))
    assert life.state.status is LoanStatus.SETTLED
    ties_to_the_ledger(life)


def test_overdue_principal_goes_on_earning_or_not_as_the_product_says() -> None:
    late = days_after(month(1), 10)
    costs: list[int] = []
    for earns in OverdueInterest:
        life = lent(recalculation=Recalculation.CONTINUOUS, overdue_interest=earns)
        planned = sum(row.interest_minor for row in life.state.rows)
        life.when(pay(life.state.rows[0].due_minor, late))
        for row in life.state.rows[1:]:
            life.when(pay(life.state.rows[row.number - 1].unpaid_minor, row.due_on))
        assert life.state.status is LoanStatus.SETTLED
        ties_to_the_ledger(life)
        costs.append(sum(row.interest_minor for row in life.state.rows) - planned)
    # 975.29 of principal ten of February's 28 days late: 97,529 x 1 % x 10/28 = 3.48, and the rest
    # of the loan earns a little on what that leaves for later.
    assert costs[0] >= 348
    assert costs[1] == 0


def test_a_bullet_has_no_term_to_extend() -> None:
    extended = ch.ExtendTerm(loan_id=LOAN, effective_on=month(1), change_id="c-1", instalments=2)
    no = lent(method=BULLET).refused(extended, reason="hardship")
    assert (no.code, no.field) == ("one_instalment", "instalments")


def test_a_loan_has_at_least_the_instalments_of_its_product() -> None:
    life = Life(conditions=replace(CONDITIONS, instalments_min=3, grace_on_principal=2))
    no = life.refused(apply_for(instalments=2))
    assert (no.code, no.field) == ("instalments_outside_product", "instalments")
    life.when(apply_for(instalments=3))


def test_a_re_aged_loan_is_due_as_often_as_before() -> None:
    life = lent(
        repayment_unit=Unit.WEEKS, repayment_every=2, recalculation=Recalculation.CONTINUOUS
    )
    on = date(2019, 3, 1)
    command = ch.ReAgeLoan(
        loan_id=LOAN,
        effective_on=on,
        re_age_id="r-1",
        first_due_on=date(2019, 3, 10),
        instalments=3,
        interest=ReAgeInterest.DEFAULT,
        willing_and_able=True,
    )
    life.when(pay(400_000, date(2019, 2, 1))).when(command, reason="hardship")
    told = life.last[0]
    assert isinstance(told, ec.LoanReaged)
    assert (told.repayment_every, told.repayment_unit) == (2, Unit.WEEKS)
    new = [row.due_on for row in life.state.rows if row.due_on > on]
    assert new == [date(2019, 3, 10), date(2019, 3, 24), date(2019, 4, 7)]
    ties_to_the_ledger(life)


@pytest.mark.parametrize(
    "order",
    [(), DEFAULT_ALLOCATION[:3], (*DEFAULT_ALLOCATION, DEFAULT_ALLOCATION[0])],
    ids=["nothing", "one left out", "one twice"],
)
def test_an_order_of_allocation_names_each_component_once(order: tuple[Component, ...]) -> None:
    no = product_refused(replace(CONDITIONS, allocation=order))
    assert (no.code, no.field) == ("bad_allocation", "allocation")
