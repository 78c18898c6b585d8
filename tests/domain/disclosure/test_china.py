"""China's all-in cost: compound and simple, said which; flat fees; daily rates."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Cycle, due_dates
from domain.disclosure.china import (
    CostMethod,
    DailyYear,
    Repayment,
    all_in_cost,
    annualised_daily_rate,
    flat_fee_cost,
    periodic_irr,
)
from domain.disclosure.effective import percent
from domain.disclosure.flows import CashFlow
from domain.errors import Rejected
from tests.domain.servicing.plans import plan, terms

START = date(2025, 1, 10)
LENT = CashFlow(on=START, amount_minor=12_000_00)


def flat_loan() -> list[Repayment]:
    """A fee of 0.6 % of the first principal with each of twelve equal parts (按初始本金收费)."""
    return [
        Repayment(on=on, principal_minor=1_000_00, cost_minor=72_00)
        for on in due_dates(START, Cycle(), 12)
    ]


def test_a_flat_fee_of_0_6_percent_a_month_costs_almost_twice_what_it_is_called() -> None:
    """Source: domain rules, 5.1: nominal = 12 x monthly IRR, effective = (1 + IRR)^12 - 1.

    Monthly IRR by numpy_financial.rate(12, -1072, 12000, 0): 1.0862 %.
    """
    cost = flat_fee_cost(12_000_00, [1_072_00] * 12, Decimal("0.006"), 12)
    assert percent(cost.quoted_annual, 2) == Decimal("7.20")
    assert percent(cost.nominal_annual, 2) == Decimal("13.03")
    assert percent(cost.effective_annual, 2) == Decimal("13.84")


def test_the_cost_says_by_which_method_it_was_annualised() -> None:
    """Source: PBC announcement 2021 No. 3."""
    compound = all_in_cost([LENT], flat_loan(), CostMethod.IRR_COMPOUND)
    simple = all_in_cost([LENT], flat_loan(), CostMethod.SIMPLE)
    assert (compound.method, simple.method) == (CostMethod.IRR_COMPOUND, CostMethod.SIMPLE)
    assert percent(compound.rate_annual, 2) == Decimal("13.90")  # by days; 13.84 by months
    assert simple.rate_annual == pytest.approx(
        Decimal(864 * 365) / 2_363_000
    )  # 2,363,000 yuan-days


def test_the_simple_cost_is_cost_over_occupied_principal_and_time() -> None:
    """Source: PBC announcement 2021 No. 3: 实际占用的贷款本金. 100 for 1,000 over 73 days: 50 %."""
    lent = CashFlow(on=date(2025, 1, 1), amount_minor=1_000_00)
    repaid = Repayment(on=date(2025, 3, 15), principal_minor=1_000_00, cost_minor=100_00)
    assert all_in_cost([lent], [repaid], CostMethod.SIMPLE).rate_annual == Decimal("0.5")


def test_interest_withheld_in_advance_is_not_principal_occupied() -> None:
    """Source: Civil Code of the PRC, article 670 (利息不得预先在本金中扣除)."""
    received = CashFlow(on=date(2025, 1, 1), amount_minor=900_00)
    repaid = Repayment(on=date(2026, 1, 1), principal_minor=1_000_00, cost_minor=0)
    for method in CostMethod:
        rate = all_in_cost([received], [repaid], method).rate_annual
        assert percent(rate, 4) == Decimal("11.1111")


@pytest.mark.parametrize(("year", "rate"), [(DailyYear.X_365, "0.1825"), (DailyYear.X_360, "0.18")])
def test_a_daily_rate_of_5_in_10000_is_annualised_as_the_disclosure_says(
    year: DailyYear, rate: str
) -> None:
    """Source: domain rules, 5.7 (万分之五)."""
    cost = annualised_daily_rate(Decimal("0.0005"), year)
    assert (cost.rate_annual, cost.method) == (Decimal(rate), year)


@given(
    st.integers(min_value=1, max_value=3_600),
    st.integers(min_value=1, max_value=120),
)
def test_a_plan_without_fees_has_its_own_periodic_rate(basis_points: int, count: int) -> None:
    rate = Decimal(basis_points) / 10_000
    rows = plan(terms(principal_minor=10_000_000_00, rate_annual=rate, instalments=count))
    found = periodic_irr(10_000_000_00, [row.payment for row in rows])
    assert abs(found - rate / 12) < Decimal("1e-8")


def test_a_loan_that_returns_less_than_it_gave_has_no_cost() -> None:
    repaid = Repayment(on=date(2026, 1, 1), principal_minor=11_000_00, cost_minor=0)
    for method in CostMethod:
        with pytest.raises(Rejected) as refusal:
            all_in_cost([LENT], [repaid], method)
        assert refusal.value.code == "rate_below_zero"


def test_a_negative_part_of_a_repayment_is_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        Repayment(on=START, principal_minor=200, cost_minor=-100)
    assert refusal.value.code == "amount_out_of_range"
