"""Repayment methods: golden files, numpy-financial, properties, refusals."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.calendar import Cycle, due_dates
from domain.daycount import DayCount
from domain.errors import Rejected
from domain.repayment import (
    FACTOR_MAX,
    InstalmentRounding,
    Row,
    annuity,
    bullet,
    dated_factors,
    equal_amortisation,
    equal_factors,
    equal_principal,
    fixed_instalment,
    flat_fee,
    interest_free,
    interest_then_principal,
    level_instalment,
)
from tests.domain.golden_methods import payments, plan

numpy_financial: Any = import_module("numpy_financial")

Method = Callable[[int, Sequence[Decimal]], tuple[Row, ...]]


def flat(principal_minor: int, factors: Sequence[Decimal]) -> tuple[Row, ...]:
    return flat_fee(principal_minor, sum(factors[:1], Decimal(0)), len(factors))


EVERY_METHOD: list[Method] = [
    annuity,
    equal_principal,
    interest_then_principal,
    bullet,
    equal_amortisation,
    flat,
]


def months_from(start: date, count: int) -> tuple[date, ...]:
    return (start, *due_dates(start, Cycle(), count))


GOLDEN_PLANS = {
    "annuity_12.csv": annuity(100_000_00, equal_factors(Decimal("0.06"), 12, 12)),
    "annuity_360.csv": annuity(1_000_000_00, equal_factors(Decimal("0.0395"), 12, 360)),
    "annuity_24_act_365.csv": annuity(
        50_000_00,
        dated_factors(Decimal("0.12"), DayCount.ACT_365F, months_from(date(2024, 1, 31), 24)),
    ),
    "equal_principal_12.csv": equal_principal(120_000_00, equal_factors(Decimal("0.049"), 12, 12)),
    "equal_principal_7.csv": equal_principal(100_000_00, equal_factors(Decimal("0.065"), 12, 7)),
    "interest_then_principal_12_act_360.csv": interest_then_principal(
        200_000_00,
        dated_factors(Decimal("0.0435"), DayCount.ACT_360, months_from(date(2024, 1, 15), 12)),
    ),
    "bullet_act_360.csv": bullet(
        80_000_00,
        dated_factors(Decimal("0.05"), DayCount.ACT_360, [date(2024, 3, 1), date(2025, 3, 1)]),
    ),
    "bullet_act_365.csv": bullet(
        80_000_01,
        dated_factors(Decimal("0.05"), DayCount.ACT_365F, [date(2023, 9, 30), date(2024, 3, 29)]),
    ),
}


@pytest.mark.parametrize("name", list(GOLDEN_PLANS))
def test_a_method_gives_the_golden_plan(name: str) -> None:
    """Source: domain rules, 5.1; figures as tests/golden/methods/README.md says."""
    assert list(GOLDEN_PLANS[name]) == plan(name)
    assert [row.payment_minor for row in GOLDEN_PLANS[name]] == payments(name)


@given(
    st.integers(min_value=1_000_00, max_value=10_000_000_00),
    st.integers(min_value=1, max_value=40_00),
    st.integers(min_value=1, max_value=360),
)
def test_an_annuity_is_that_of_numpy_financial(
    principal_minor: int, basis_points: int, count: int
) -> None:
    """Source: domain rules, 5.1 (等额本息). Half a cent apart is the float's own rounding."""
    rate = Decimal(basis_points) / 10_000
    ours = level_instalment(principal_minor, equal_factors(rate, 12, count))
    theirs = -numpy_financial.pmt(float(rate) / 12, count, principal_minor)
    assert abs(ours - theirs) <= 0.5 + 1e-9 * theirs


def test_unequal_periods_change_the_instalment() -> None:
    """Source: domain rules, 5.1: A = P prod(1 + i_k) / fn_n; here P = A / 1.1 + A / (1.1 x 1.2)."""
    factors = [Decimal("0.1"), Decimal("0.2")]
    assert level_instalment(100_000, factors) == 60_000
    assert annuity(100_000, factors) == (
        Row(number=1, principal_minor=50_000, interest_minor=10_000, balance_minor=50_000),
        Row(number=2, principal_minor=50_000, interest_minor=10_000, balance_minor=0),
    )


def test_the_last_instalment_absorbs_the_rounding() -> None:
    """Source: domain rules, 5.1."""
    rows = annuity(100_00, equal_factors(Decimal(0), 12, 3))
    assert [row.payment_minor for row in rows] == [33_33, 33_33, 33_34]


def test_equal_principal_earns_the_textbook_total_before_rounding() -> None:
    """Source: domain rules, 5.1: total interest = P i (n + 1) / 2."""
    rows = equal_principal(120_000_00, [Decimal("0.01")] * 12)
    assert sum(row.interest_minor for row in rows) == 120_000_00 * 13 // 200
    assert {a.payment_minor - b.payment_minor for a, b in pairwise(rows)} == {100_00}


def test_interest_comes_first_and_the_principal_last() -> None:
    """Source: domain rules, 5.1 (先息后本)."""
    rows = interest_then_principal(1_000_00, [Decimal("0.01")] * 3)
    assert [(row.principal_minor, row.interest_minor) for row in rows] == [
        (0, 10_00),
        (0, 10_00),
        (1_000_00, 10_00),
    ]


def test_a_bullet_bears_simple_interest_over_all_periods() -> None:
    """Source: domain rules, 5.1 (到期一次性还本付息)."""
    (row,) = bullet(1_000_00, [Decimal("0.01")] * 12)
    assert (row.principal_minor, row.interest_minor) == (1_000_00, 120_00)


def test_a_flat_fee_is_charged_on_the_first_principal() -> None:
    """Source: domain rules, 5.1 (按初始本金收费)."""
    rows = flat_fee(12_000_00, Decimal("0.006"), 12)
    assert {(row.principal_minor, row.interest_minor, row.fee_minor) for row in rows} == {
        (1_000_00, 0, 72_00)
    }


def test_equal_amortisation_spreads_the_annuitys_interest_evenly() -> None:
    """Source: domain rules, P-38."""
    factors = equal_factors(Decimal("0.06"), 12, 12)
    rows = equal_amortisation(100_000_00, factors)
    total = sum(row.interest_minor for row in annuity(100_000_00, factors))
    assert sum(row.interest_minor for row in rows) == total == 3_279_73
    assert {row.interest_minor for row in rows[:-1]} == {273_31}
    assert {row.principal_minor for row in rows[:-1]} == {8_333_33}


def test_with_a_fixed_instalment_the_number_follows_and_the_last_is_smaller() -> None:
    """Source: domain rules, 5.1 (fixed payment amount)."""
    rows = fixed_instalment(1_000_00, 300_00, [Decimal("0.01")] * 12)
    assert [row.payment_minor for row in rows] == [300_00, 300_00, 300_00, 122_48]


@pytest.mark.parametrize("instalment_minor", [0, 10_00, 50_00])
def test_a_fixed_instalment_that_never_repays_is_refused(instalment_minor: int) -> None:
    with pytest.raises(Rejected) as refusal:
        fixed_instalment(1_000_00, instalment_minor, [Decimal("0.01")] * 12)
    assert refusal.value.code == "instalment_too_small"


def test_the_last_of_the_dates_is_the_termination() -> None:
    """Source: ISDA 2006, 4.16(h): 28 February as termination is not made a 30th."""
    dates = [date(2022, 12, 31), date(2023, 1, 31), date(2023, 2, 28)]
    factors = dated_factors(Decimal("0.36"), DayCount.THIRTY_E_360_ISDA, dates)
    assert factors == (Decimal("0.030"), Decimal("0.028"))


def test_interest_free_periods_earn_nothing() -> None:
    """Source: domain rules, P-26 (免息期)."""
    rows = equal_principal(1_200_00, interest_free([Decimal("0.01")] * 12, 3))
    assert [row.interest_minor for row in rows[:5]] == [0, 0, 0, 9_00, 8_00]


def test_principal_grace_solves_the_instalment_over_the_other_periods() -> None:
    """Source: domain rules, 5.1 (principal grace)."""
    factors = [Decimal("0.01")] * 6
    rows = annuity(1_000_00, factors, principal_grace=2)
    assert [row.principal_minor for row in rows[:2]] == [0, 0]
    assert rows[2].payment_minor == level_instalment(1_000_00, factors[2:])


def test_an_instalment_may_be_rounded_to_a_multiple() -> None:
    """Source: domain rules, 5.3 (instalment multiple); the last takes the difference."""
    factors = equal_factors(Decimal("0.06"), 12, 12)
    rounding = InstalmentRounding(mode=ROUND_CEILING, multiple_minor=10_00)
    rows = annuity(100_000_00, factors, rounding)
    assert {row.payment_minor for row in rows[:-1]} == {8_610_00}
    assert rows[-1].payment_minor < 8_610_00
    assert (
        level_instalment(10, factors, InstalmentRounding(multiple_minor=100)) == 1
    )  # 0 keeps the cents


@pytest.mark.parametrize(
    ("principal_minor", "rate", "interest_minor"),
    [(24_00, "0.0475", 10), (162_00, "0.07", 95), (180_00, "0.049", 74)],
)
def test_half_a_cent_rounds_up_though_the_monthly_rate_has_no_end(
    principal_minor: int, rate: str, interest_minor: int
) -> None:
    """A twelfth of 4.75 % of 24.00 is 9.5 cents exactly; a factor cut to 19 digits makes it 9."""
    factors = equal_factors(Decimal(rate), 12, 12)
    assert interest_then_principal(principal_minor, factors)[0].interest_minor == interest_minor


@given(st.integers(min_value=1, max_value=4_000), st.integers(min_value=0, max_value=10**6))
def test_every_tie_of_half_a_cent_is_seen(basis_points: int, cents: int) -> None:
    principal_minor = (2 * cents + 1) * 60_000  # times any rate / 12 this ends in half a cent
    factors = equal_factors(Decimal(basis_points) / 10_000, 12, 12)
    assume(basis_points % 2 == 1)
    tie_minor = (2 * cents + 1) * basis_points // 2 + 1
    assert interest_then_principal(principal_minor, factors)[0].interest_minor == tie_minor
    assert bullet(principal_minor, factors[:1])[0].interest_minor == tie_minor


def test_the_rounding_mode_is_a_term() -> None:
    half = [Decimal("0.005")]
    assert bullet(100, half)[0].interest_minor == 1
    assert bullet(100, half, InstalmentRounding(mode=ROUND_HALF_EVEN))[0].interest_minor == 0


def unless_interest_eats_it_up(build: Callable[[], tuple[Row, ...]]) -> tuple[Row, ...]:
    try:
        return build()
    except Rejected as refusal:
        assume(refusal.code != "negative_amortisation")
        raise


principals = st.integers(min_value=1, max_value=10**12)
factor_lists = st.lists(
    st.decimals(min_value=0, max_value=Decimal("0.05"), places=6), min_size=1, max_size=60
)


@given(st.sampled_from(EVERY_METHOD), principals, factor_lists)
def test_principal_sums_to_what_was_lent_and_nothing_is_negative(
    method: Method, principal_minor: int, factors: list[Decimal]
) -> None:
    rows = unless_interest_eats_it_up(lambda: method(principal_minor, factors))
    assert sum(row.principal_minor for row in rows) == principal_minor
    assert rows[-1].balance_minor == 0
    assert all(min(row.principal_minor, row.interest_minor, row.balance_minor) >= 0 for row in rows)
    balance = principal_minor
    for number, row in enumerate(rows, 1):
        assert row.number == number
        balance -= row.principal_minor
        assert row.balance_minor == balance


@given(principals, st.integers(min_value=1, max_value=400), st.integers(min_value=0, max_value=300))
def test_the_last_instalment_lies_within_half_a_cent_per_period_of_the_level_one(
    principal_minor: int, count: int, basis_points: int
) -> None:
    """Source: domain rules, 10 no. 6; each half cent of a period grows with interest to the end."""
    factors = equal_factors(Decimal(basis_points) / 10_000, 12, count)
    level = level_instalment(principal_minor, factors)
    rows = unless_interest_eats_it_up(lambda: annuity(principal_minor, factors))
    assume(all(row.balance_minor for row in rows[:-1]))  # cents alone may repay it early
    growth = (1 + factors[0]) ** count
    assert abs(rows[-1].payment_minor - level) <= count * growth + 1


@pytest.mark.parametrize("method", EVERY_METHOD)
@pytest.mark.parametrize(
    ("principal_minor", "factors", "code"),
    [
        (0, [Decimal(0)], "amount_out_of_range"),
        (10**15 + 1, [Decimal(0)], "amount_out_of_range"),
        (1, [], "too_many_instalments"),
        (1, [Decimal(0)] * 4_001, "too_many_instalments"),
        (1, [Decimal("-0.01")], "rate_out_of_range"),
        (1, [FACTOR_MAX + 1], "rate_out_of_range"),
    ],
)
def test_impossible_terms_are_refused(
    method: Method, principal_minor: int, factors: list[Decimal], code: str
) -> None:
    with pytest.raises(Rejected) as refusal:
        method(principal_minor, factors)
    assert refusal.value.code == code


def test_a_huge_number_of_instalments_is_refused_before_anything_is_built() -> None:
    for build in (
        lambda: equal_factors(Decimal("0.06"), 12, 10**12),
        lambda: flat_fee(100, Decimal("0.006"), 10**12),
    ):
        with pytest.raises(Rejected) as refusal:
            build()
        assert refusal.value.code == "too_many_instalments"


def test_grace_beyond_the_term_is_refused() -> None:
    factors = [Decimal("0.01")] * 3
    for build in (
        lambda: annuity(100, factors, principal_grace=3),
        lambda: equal_principal(100, factors, principal_grace=-1),
        lambda: interest_free(factors, 4),
    ):
        with pytest.raises(Rejected) as refusal:
            build()
        assert refusal.value.code == "grace_out_of_range"


def test_an_instalment_below_the_interest_of_a_period_is_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        annuity(100_000, [Decimal(0), Decimal(0), Decimal(5), Decimal(0)])
    assert refusal.value.code == "negative_amortisation"
