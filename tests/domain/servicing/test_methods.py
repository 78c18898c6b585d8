"""Repayment methods planned by the engine: golden files, numpy-financial, properties."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from domain.daycount import DayCount
from domain.servicing import facts as f
from domain.servicing.conventions import InstalmentRounding, Residue
from domain.servicing.terms import CustomInstalment, LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import (
    Amortisation,
    ChargeBasis,
    ChargeKind,
    ChargeTime,
    InterestMethod,
)
from tests.domain.golden_methods import payments
from tests.domain.servicing.plans import START, golden_plan, plan, terms

numpy_financial: Any = import_module("numpy_financial")

GOLDEN_TERMS: dict[str, dict[str, Any]] = {
    "annuity_12.csv": {"principal_minor": 100_000_00, "rate_annual": "0.06"},
    "annuity_360.csv": {
        "principal_minor": 1_000_000_00, "rate_annual": "0.0395", "instalments": 360,
    },
    "annuity_24_act_365.csv": {
        "principal_minor": 50_000_00,
        "rate_annual": "0.12",
        "instalments": 24,
        "expected_disbursement_on": date(2024, 1, 31),
        "day_count": DayCount.ACT_365F,
    },
    "equal_principal_12.csv": {
        "principal_minor": 120_000_00,
        "rate_annual": "0.049",
        "amortisation": Amortisation.EQUAL_PRINCIPAL,
    },
    "equal_principal_7.csv": {
        "principal_minor": 100_000_00,
        "rate_annual": "0.065",
        "instalments": 7,
        "amortisation": Amortisation.EQUAL_PRINCIPAL,
    },
    "interest_then_principal_12_act_360.csv": {
        "principal_minor": 200_000_00,
        "rate_annual": "0.0435",
        "day_count": DayCount.ACT_360,
        "amortisation": Amortisation.INTEREST_ONLY,
    },
    "bullet_act_360.csv": {
        "principal_minor": 80_000_00,
        "rate_annual": "0.05",
        "expected_disbursement_on": date(2024, 3, 1),
        "day_count": DayCount.ACT_360,
        "amortisation": Amortisation.BULLET,
    },
    "bullet_act_365.csv": {
        "principal_minor": 80_000_01,
        "rate_annual": "0.05",
        "instalments": 1,
        "expected_disbursement_on": date(2023, 9, 30),
        "day_count": DayCount.ACT_365F,
        "amortisation": Amortisation.CUSTOM,
        "custom": (CustomInstalment(due_on=date(2024, 3, 29)),),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", list(GOLDEN_TERMS))
def test_a_method_gives_the_golden_plan(name: str) -> None:
    """Source: domain rules, 5.1; figures as tests/golden/methods/README.md says."""
    given = GOLDEN_TERMS[name]
    rows = plan(terms(**(given | {"rate_annual": Decimal(given["rate_annual"])})))
    assert rows == golden_plan(name)
    assert [row.payment for row in rows] == payments(name)


@given(
    st.integers(min_value=1_000_00, max_value=10_000_000_00),
    st.integers(min_value=1, max_value=40_00),
    st.integers(min_value=2, max_value=360),
)
def test_an_annuity_is_that_of_numpy_financial(amount: int, basis_points: int, count: int) -> None:
    """Source: domain rules, 5.1 (等额本息). Half a cent apart is the float's own rounding."""
    rate = Decimal(basis_points) / 10_000
    rows = plan(terms(principal_minor=amount, rate_annual=rate, instalments=count))
    theirs = -numpy_financial.pmt(float(rate) / 12, count, amount)
    assert abs(rows[0].payment - theirs) <= 0.5 + 1e-9 * theirs


def test_unequal_periods_change_the_instalment() -> None:
    """Source: domain rules, 5.1: A = P prod(1 + i_k) / fn_n, here with 59 and 31 days."""
    loan = terms(
        rate_annual=Decimal("3.65"),
        instalments=2,
        expected_disbursement_on=date(2023, 1, 1),
        day_count=DayCount.ACT_365F,
        amortisation=Amortisation.EQUAL_INSTALMENTS,
        explicit_periods=(
            (date(2023, 1, 1), date(2023, 3, 1)),
            (date(2023, 3, 1), date(2023, 4, 1)),
        ),
    )
    level = round(1_000_00 * 1.59 * 1.31 / (1 + 1.31))
    assert [row.payment for row in plan(loan)] == [level, pytest.approx(level, abs=1)]


def test_the_last_instalment_absorbs_the_rounding() -> None:
    """Source: domain rules, 5.1."""
    rows = plan(terms(principal_minor=100_00, rate_annual=Decimal(0), instalments=3))
    assert [row.payment for row in rows] == [33_33, 33_33, 33_34]


def test_or_the_level_instalment_is_smoothed_towards_the_last() -> None:
    """Source: domain rules, 9.10 "Smoothing": more than half a cent a period moves it."""
    loan = {"principal_minor": 10_000_00, "rate_annual": Decimal("0.0913"), "instalments": 60}
    last, smooth = (
        [row.payment for row in plan(terms(**loan, residue=residue))]
        for residue in (Residue.LAST_ABSORBS, Residue.SMOOTHED)
    )
    assert (last[0], last[-1]) == (208_22, 207_84)
    assert (smooth[0], smooth[-1]) == (208_21, 208_57)


def test_equal_principal_earns_the_textbook_total_before_rounding() -> None:
    """Source: domain rules, 5.1: total interest = P i (n + 1) / 2."""
    rows = plan(terms(principal_minor=120_000_00, amortisation=Amortisation.EQUAL_PRINCIPAL))
    assert sum(row.interest for row in rows) == 120_000_00 * 13 // 200
    assert {a.payment - b.payment for a, b in pairwise(rows)} == {100_00}


def test_interest_comes_first_and_the_principal_last() -> None:
    """Source: domain rules, 5.1 (先息后本)."""
    rows = plan(terms(instalments=3, amortisation=Amortisation.INTEREST_ONLY))
    assert [(row.principal, row.interest) for row in rows] == [
        (0, 10_00),
        (0, 10_00),
        (1_000_00, 10_00),
    ]


def test_a_bullet_bears_simple_interest_over_the_whole_term() -> None:
    """Source: domain rules, 5.1 (到期一次性还本付息)."""
    (row,) = Timeline.start(terms(amortisation=Amortisation.BULLET)).planned().instalments
    assert (row.due.principal, row.due.interest) == (1_000_00, 120_00)
    assert (row.from_on, row.due_on) == (START, date(2025, 1, 15))


def test_flat_interest_is_that_of_the_first_principal_spread_evenly() -> None:
    """Source: domain rules, 9.10 "Flat"."""
    rows = plan(terms(interest_method=InterestMethod.FLAT))
    assert {row.interest for row in rows} == {10_00}
    assert [row.payment for row in rows] == [93_33] * 11 + [93_37]


def test_a_fee_on_the_first_principal_stays_while_the_balance_falls() -> None:
    """Source: domain rules, 5.1 (按初始本金收费): 0.6 % a month of what was paid out."""
    loan = terms(rate_annual=Decimal(0), amortisation=Amortisation.EQUAL_PRINCIPAL)
    paid_out = f.Disbursed(id="1", effective_on=START, entered_on=START, amount_minor=1_000_00)
    fee = f.ChargeAdded(
        id="2",
        effective_on=START,
        entered_on=START,
        code="INSTALMENT_FEE",
        kind=ChargeKind.FEE,
        time=ChargeTime.INSTALMENT,
        basis=ChargeBasis.PERCENT_OF_DISBURSED,
        percent=Decimal("0.6"),
    )
    rows = Timeline.start(loan).record(paid_out).record(fee).account.instalments
    assert [row.due.fees for row in rows] == [6_00] * 12
    assert {row.due.interest for row in rows} == {0}


def test_equal_amortisation_spreads_the_annuitys_interest_evenly() -> None:
    """Source: domain rules, P-38."""
    loan: dict[str, Any] = {"principal_minor": 100_000_00, "rate_annual": Decimal("0.06")}
    rows = plan(terms(**loan, amortisation=Amortisation.EQUAL_AMORTISATION))
    total = sum(row.interest for row in plan(terms(**loan)))
    assert sum(row.interest for row in rows) == total == 3_279_73
    assert {row.interest for row in rows[:-1]} == {273_31}
    assert {row.principal for row in rows[:-1]} == {8_333_33}


def test_with_a_fixed_instalment_the_number_follows_and_the_last_is_smaller() -> None:
    """Source: domain rules, 5.1 (fixed payment amount)."""
    loan = terms(amortisation=Amortisation.FIXED_INSTALMENT, instalment_minor=300_00)
    assert [row.payment for row in plan(loan)] == [300_00, 300_00, 300_00, 122_48]


def custom(**rows: int | None) -> tuple[CustomInstalment, ...]:
    field = rows.pop("by", 0)
    dues = [START.replace(month=month) for month in (3, 4, 9, 12)]
    amounts = list(rows.values())
    if field:
        return tuple(
            CustomInstalment(due_on=on, principal_minor=amount)
            for on, amount in zip(dues, amounts, strict=True)
        )
    return tuple(
        CustomInstalment(due_on=on, instalment_minor=amount)
        for on, amount in zip(dues, amounts, strict=True)
    )


def test_a_loan_may_list_the_principal_of_each_date() -> None:
    """Source: domain rules, P-50; interest for the months that lie between the dates."""
    rows = plan(
        terms(
            instalments=4,
            amortisation=Amortisation.CUSTOM,
            custom=custom(a=200_00, b=0, c=300_00, d=None, by=1),
        )
    )
    assert [row.principal for row in rows] == [200_00, 0, 300_00, 500_00]
    assert [row.interest for row in rows] == [20_00, 8_00, 40_00, 15_00]


def test_a_loan_may_list_the_instalment_of_each_date() -> None:
    """Source: domain rules, P-50; the last one is what is left."""
    rows = plan(
        terms(
            instalments=4,
            amortisation=Amortisation.CUSTOM,
            custom=custom(a=220_00, b=8_00, c=340_00, d=None),
        )
    )
    assert [row.payment for row in rows] == [220_00, 8_00, 340_00, 515_00]


def test_interest_free_periods_earn_nothing() -> None:
    """Source: domain rules, P-26 (免息期)."""
    rows = plan(terms(amortisation=Amortisation.EQUAL_PRINCIPAL, interest_free_periods=3))
    assert [row.interest for row in rows[:5]] == [0, 0, 0, 7_50, 6_67]


@pytest.mark.parametrize("method", [Amortisation.EQUAL_INSTALMENTS, Amortisation.EQUAL_PRINCIPAL])
def test_principal_grace_repays_in_the_other_periods(method: Amortisation) -> None:
    """Source: domain rules, 5.1, P-45 (principal grace)."""
    rows = plan(terms(instalments=6, amortisation=method, grace_on_principal=2))
    assert [(row.principal, row.interest) for row in rows[:2]] == [(0, 10_00), (0, 10_00)]
    assert rows[2:] == plan(terms(instalments=4, amortisation=method))


def test_interest_grace_collects_with_the_first_instalment_after_it() -> None:
    """Source: domain rules, P-46."""
    loan: dict[str, Any] = {"instalments": 4, "amortisation": Amortisation.EQUAL_PRINCIPAL}
    rows, without = plan(terms(**loan, grace_on_interest=2)), plan(terms(**loan))
    assert [row.interest for row in rows] == [0, 0, 10_00 + 7_50 + 5_00, 2_50]
    assert [row.principal for row in rows] == [row.principal for row in without]


@pytest.mark.parametrize(
    ("rounding", "multiple", "level"),
    [
        (InstalmentRounding.NEAREST, None, 8_606_64),
        (InstalmentRounding.UP, None, 8_606_65),
        (InstalmentRounding.DOWN, None, 8_606_64),
        (InstalmentRounding.NEAREST, 10_00, 8_610_00),
        (InstalmentRounding.UP, 10_00, 8_610_00),
        (InstalmentRounding.DOWN, 10_00, 8_600_00),
        (InstalmentRounding.NEAREST, 100_000_00, 8_606_64),  # 0 keeps the cents
    ],
)
def test_an_instalment_is_rounded_in_a_direction_and_to_a_multiple(
    rounding: InstalmentRounding, multiple: int | None, level: int
) -> None:
    """Source: domain rules, 5.3, P-48; the last takes the difference."""
    rows = plan(
        terms(
            principal_minor=100_000_00,
            rate_annual=Decimal("0.06"),
            instalment_rounding=rounding,
            instalment_multiple_minor=multiple,
        )
    )
    assert {row.payment for row in rows[:-1]} == {level}
    assert sum(row.principal for row in rows) == 100_000_00


METHODS = [
    {"amortisation": method}
    for method in Amortisation
    if method not in {Amortisation.CUSTOM, Amortisation.FIXED_INSTALMENT}
] + [{"interest_method": InterestMethod.FLAT}, {"grace_on_principal": 0}]


def of(method: dict[str, Any], amount: int, rate: Decimal, count: int) -> LoanTerms:
    return terms(principal_minor=amount, rate_annual=rate, instalments=count, **method)


AMOUNT = st.integers(min_value=1, max_value=10**12)
RATE = st.decimals(min_value=0, max_value=Decimal("0.6"), places=4)


@given(st.sampled_from(METHODS), AMOUNT, RATE, st.integers(min_value=1, max_value=60))
@example({"interest_method": InterestMethod.FLAT}, 2, Decimal("0.0000"), 4)
@example({"interest_method": InterestMethod.FLAT}, 190, Decimal("0.0316"), 25)
def test_every_method_repays_what_was_lent_and_no_part_is_below_zero(
    method: dict[str, Any], amount: int, rate: Decimal, count: int
) -> None:
    """Source: domain rules, 10 (invariant 6)."""
    rows = plan(of(method, amount, rate, count))
    assert sum(row.principal for row in rows) == amount
    assert rows[-1].balance == 0
    assert all(min(row.principal, row.interest, row.balance) >= 0 for row in rows)


@given(AMOUNT, RATE, st.integers(min_value=2, max_value=400))
def test_the_last_instalment_lies_within_half_a_cent_per_period_of_the_level_one(
    amount: int, rate: Decimal, count: int
) -> None:
    """Source: domain rules, 10 no. 6; each half cent of a period grows with interest to the end."""
    rows = plan(of({}, amount, rate, count))
    assume(all(row.balance for row in rows[:-1]))  # cents alone may repay it early
    growth = (1 + rate / 12) ** count
    assert abs(rows[-1].payment - rows[0].payment) <= count * growth + 1


def test_half_even_rounds_a_tie_to_the_even_cent() -> None:
    rows = plan(terms(principal_minor=1_50, instalments=1, interest_rounding=ROUND_HALF_EVEN))
    assert rows[0].interest == 2
    rows = plan(terms(principal_minor=2_50, instalments=1, interest_rounding=ROUND_HALF_EVEN))
    assert rows[0].interest == 2
