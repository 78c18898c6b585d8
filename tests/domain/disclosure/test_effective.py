"""Effective rates: published EU examples, the two ways of counting time, refusals, the solver."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from math import isnan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Cycle, due_dates
from domain.disclosure.effective import (
    YearRule,
    effective_apr,
    effective_interest_rate,
    percent,
    years_between,
)
from domain.disclosure.flows import FLOWS_MAX, CashFlow
from domain.disclosure.roots import RATE_MAX
from domain.errors import Rejected
from domain.money import AMOUNT_MINOR_MAX

numpy_financial: Any = import_module("numpy_financial")

DAY = date(1994, 1, 1)


def after(days: int, amount_minor: int) -> CashFlow:
    return CashFlow(on=DAY + timedelta(days=days), amount_minor=amount_minor)


LENT = after(0, 1_000_00)


@pytest.mark.parametrize(
    ("payments", "apr"),
    [
        ([after(546, 1_200_00)], "13.0"),
        ([after(0, 50_00), after(546, 1_200_00)], "16.9"),
        ([after(365, 600_00), after(730, 600_00)], "13.1"),
        ([after(91, 272_00), after(182, 272_00), after(365, 544_00)], "13.2"),
    ],
)
def test_the_eu_rate_of_the_directives_examples(payments: list[CashFlow], apr: str) -> None:
    """Source: the examples in annex II of Directive 98/7/EC, days / 365."""
    assert percent(effective_apr([LENT], payments), 1) == Decimal(apr)


def test_months_as_twelfths_and_days_over_365_differ() -> None:
    """Source: domain rules, 5.7 (`eu_apr_time`): 1.2^(12/18) - 1 against 1.2^(365/546) - 1."""
    payments = [CashFlow(on=date(1995, 7, 1), amount_minor=1_200_00)]
    by_months = effective_apr([LENT], payments, YearRule.MONTHS_12)
    by_days = effective_apr([LENT], payments, YearRule.DAYS_365)
    assert (percent(by_months, 2), percent(by_days, 2)) == (Decimal("12.92"), Decimal("12.96"))


@pytest.mark.parametrize(
    ("start", "end", "rule", "years"),
    [
        (date(2023, 1, 31), date(2023, 2, 28), YearRule.MONTHS_12, Fraction(1, 12)),
        (
            date(2024, 1, 15),
            date(2024, 3, 1),
            YearRule.MONTHS_12,
            Fraction(1, 12) + Fraction(17, 365),
        ),
        (
            date(2024, 2, 10),
            date(2024, 4, 1),
            YearRule.MONTHS_12,
            Fraction(1, 12) + Fraction(20, 366),
        ),
        (date(2024, 1, 1), date(2025, 1, 1), YearRule.DAYS_365, Fraction(366, 365)),
        (date(2024, 1, 1), date(2024, 12, 30), YearRule.WEEKS_52, Fraction(1)),
    ],
)
def test_time_becomes_years_by_the_rule(
    start: date, end: date, rule: YearRule, years: Fraction
) -> None:
    """Source: Directive 2011/90/EU: whole periods, then days over the year they end in."""
    assert years_between(start, end, rule) == years


def test_the_effective_interest_rate_counts_the_lenders_own_costs() -> None:
    """Source: IFRS 9, appendix A: transaction costs raise the carrying amount, lower the rate."""
    payments = [after(365, 1_100_00)]
    assert percent(effective_interest_rate([LENT], payments), 6) == Decimal(10)
    costs = [after(0, 10_00)]
    assert percent(effective_interest_rate([LENT], payments, costs), 4) == Decimal("8.9109")


@pytest.mark.parametrize(
    ("places", "printed"), [(1, "12.4"), (2, "12.35"), (3, "12.350"), (0, "12")]
)
def test_a_rate_is_printed_half_up(places: int, printed: str) -> None:
    """Source: Directive 2008/48/EC, annex I (d)."""
    assert str(percent(Decimal("0.1235"), places)) == printed


@given(
    st.lists(st.integers(min_value=1, max_value=10**8), min_size=1, max_size=40),
    st.integers(min_value=1, max_value=10**10),
)
def test_the_rate_of_whole_years_is_numpy_financials_irr(amounts: list[int], cost: int) -> None:
    lent = max(sum(amounts) - cost, 1)
    dues = [DAY + timedelta(days=365 * k) for k in range(1, len(amounts) + 1)]
    payments = [
        CashFlow(on=on, amount_minor=amount) for on, amount in zip(dues, amounts, strict=True)
    ]
    rate = effective_apr([after(0, lent)], payments)
    present = [float(amount) / float(1 + rate) ** k for k, amount in enumerate(amounts, 1)]
    assert sum(present) == pytest.approx(lent, rel=1e-9)
    theirs = numpy_financial.irr([-lent, *amounts])
    if not isnan(theirs) and rate < 10:  # it gives NaN where its polynomial solver loses the root
        assert float(rate) == pytest.approx(theirs, rel=1e-6, abs=1e-9)


@given(
    st.lists(
        st.tuples(st.integers(min_value=30, max_value=4_000), st.integers(1, 10**7)),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from(YearRule),
)
def test_the_rate_found_balances_the_present_values(
    flows: list[tuple[int, int]], rule: YearRule
) -> None:
    payments = [after(days, amount) for days, amount in flows]
    lent = max(sum(amount for _, amount in flows) * 9 // 10, 1)
    rate = effective_apr([after(0, lent)], payments, rule)
    present = sum(
        float(flow.amount_minor) / float(1 + rate) ** float(years_between(DAY, flow.on, rule))
        for flow in payments
    )
    assert present == pytest.approx(lent, rel=1e-9)


def test_a_fee_raises_the_rate() -> None:
    dues = due_dates(DAY, Cycle(), 12)
    payments = [CashFlow(on=on, amount_minor=90_00) for on in dues]
    without = effective_apr([LENT], payments)
    assert effective_apr([LENT], [after(0, 1), *payments]) > without


def test_a_loan_that_costs_nothing_has_the_rate_zero() -> None:
    assert effective_apr([LENT], [after(100, 1_000_00)]) == 0


def test_a_very_dear_week_still_has_a_rate() -> None:
    """30 % a week compounds to 1.3^(365/7) - 1 a year."""
    rate = effective_apr([LENT], [after(7, 1_300_00)])
    assert float(rate) == pytest.approx(1.3 ** (365 / 7) - 1, rel=1e-9)


@pytest.mark.parametrize(
    ("advances", "payments", "code"),
    [
        ([], [after(1, 1)], "no_advance"),
        ([LENT], [], "no_payment"),
        ([LENT], [after(1, 0)], "no_payment"),
        ([after(0, 0)], [after(1, 1)], "no_advance"),
        ([LENT], [after(1, -1)], "amount_out_of_range"),
        ([after(0, -5)], [after(1, 1)], "amount_out_of_range"),
        ([after(0, 10**15 + 1)], [after(1, 1)], "amount_out_of_range"),
        ([LENT], [after(1, 1)] * FLOWS_MAX, "too_many_flows"),
        ([LENT], [after(-1, 2_000_00)], "payment_before_advance"),
        ([LENT], [after(0, 1_000_00)], "payment_before_advance"),
        ([LENT], [after(100, 999_99)], "rate_below_zero"),
        ([LENT, after(60, 100_00)], [after(30, 1_001_00), after(90, 100_00)], "ambiguous_flows"),
        ([LENT], [after(1, 1_300_00)], "rate_too_high"),
    ],
)
def test_flows_without_one_rate_are_refused(
    advances: list[CashFlow], payments: list[CashFlow], code: str
) -> None:
    """A refusal rather than one of several roots, or a number nobody can check."""
    with pytest.raises(Rejected) as refusal:
        effective_apr(advances, payments)
    assert refusal.value.code == code


def test_the_largest_flows_and_the_most_flows_have_a_rate() -> None:
    largest = after(0, AMOUNT_MINOR_MAX)
    assert effective_apr([largest], [after(0, 0), after(365, AMOUNT_MINOR_MAX)]) == 0
    payments = [after(days, 1) for days in range(1, FLOWS_MAX)]
    assert effective_apr([after(0, FLOWS_MAX - 1)], payments) == 0


def test_money_back_before_any_was_given_is_refused_to_the_cent() -> None:
    with pytest.raises(Rejected) as refusal:
        effective_apr([LENT], [after(-1, 1), after(100, 1_000_00)])
    assert refusal.value.code == "payment_before_advance"


def test_the_highest_rate_is_far_above_any_loan() -> None:
    assert Decimal("1.4") ** 52 < RATE_MAX
