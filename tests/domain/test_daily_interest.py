"""Daily interest over a moving balance: golden file, properties, refusals."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.daily_interest import (
    BALANCE_CHANGES_MAX,
    BalanceChange,
    DailyRate,
    daily_interest,
    exact_daily_interest,
)
from domain.daycount import DayCount
from domain.errors import Rejected
from domain.money import parse_amount
from tests.domain.golden_methods import table

PRICE = DailyRate(rate_annual=Decimal("0.1825"))


def golden_changes() -> list[BalanceChange]:
    return [
        BalanceChange(
            on=date.fromisoformat(row["on"]),
            amount_minor=(-1 if row["amount"].startswith("-") else 1)
            * parse_amount(row["amount"].removeprefix("-"), "CNY"),
        )
        for row in table("revolving_changes.csv")
    ]


@pytest.mark.parametrize("row", table("revolving_interest.csv"), ids=lambda row: row["until_on"])
def test_a_revolving_loan_earns_by_the_day(row: dict[str, str]) -> None:
    """Source: domain rules, 5.1 (按日计息、随借随还)."""
    until_on = date.fromisoformat(row["until_on"])
    assert daily_interest(golden_changes(), PRICE, until_on) == parse_amount(row["interest"], "CNY")


def test_the_first_day_counts_and_the_last_does_not() -> None:
    """Source: domain rules, 5.1 (算头不算尾)."""
    price = DailyRate(rate_annual=Decimal("0.36"))
    drawn = [BalanceChange(on=date(2024, 5, 1), amount_minor=1_000_00)]
    assert daily_interest(drawn, price, date(2024, 5, 1)) == 0
    assert daily_interest(drawn, price, date(2024, 5, 2)) == 1_00


def test_interest_is_rounded_once_and_never_by_the_day() -> None:
    """Source: domain rules, 5.3: 2,500 at 9 % ACT/365F is 19.11 for 31 days, not 31 x 0.62."""
    price = DailyRate(rate_annual=Decimal("0.09"), convention=DayCount.ACT_365F)
    drawn = [BalanceChange(on=date(2024, 5, 1), amount_minor=2_500_00)]
    assert daily_interest(drawn, price, date(2024, 6, 1)) == 19_11


def test_half_a_cent_of_several_balances_rounds_up() -> None:
    """1/6 + 1/3 of a cent are half a cent, though neither ends in decimals."""
    price = DailyRate(rate_annual=Decimal("0.06"))
    changes = [
        BalanceChange(on=date(2024, 5, 1), amount_minor=10_00),
        BalanceChange(on=date(2024, 5, 2), amount_minor=10_00),
    ]
    assert daily_interest(changes, price, date(2024, 5, 3)) == 1


def test_repaying_more_than_is_owed_is_refused() -> None:
    changes = [
        BalanceChange(on=date(2024, 5, 1), amount_minor=100),
        BalanceChange(on=date(2024, 5, 2), amount_minor=-101),
    ]
    with pytest.raises(Rejected) as refusal:
        daily_interest(changes, PRICE, date(2024, 6, 1))
    assert refusal.value.code == "balance_below_zero"


def test_too_many_changes_are_refused() -> None:
    change = BalanceChange(on=date(2024, 5, 1), amount_minor=1)
    with pytest.raises(Rejected) as refusal:
        daily_interest([change] * (BALANCE_CHANGES_MAX + 1), PRICE, date(2024, 6, 1))
    assert refusal.value.code == "too_many_balance_changes"


draws = st.builds(
    BalanceChange,
    on=st.dates(min_value=date(2023, 1, 1), max_value=date(2026, 1, 1)),
    amount_minor=st.integers(min_value=0, max_value=10**9),
)


@given(st.lists(draws, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_recording_does_not_matter(
    changes: list[BalanceChange], random: Random
) -> None:
    until_on = date(2026, 6, 1)
    shuffled = list(changes)
    random.shuffle(shuffled)
    assert exact_daily_interest(changes, PRICE, until_on) == exact_daily_interest(
        shuffled, PRICE, until_on
    )


@given(st.lists(draws, max_size=12))
def test_interest_is_the_sum_over_single_days(changes: list[BalanceChange]) -> None:
    last = date(2026, 1, 20)
    day, balance_days = date(2023, 1, 1), 0
    while day < last:
        balance_days += sum(change.amount_minor for change in changes if change.on <= day)
        day += timedelta(days=1)
    exact = balance_days * PRICE.rate_annual / 360
    assert abs(exact_daily_interest(changes, PRICE, last) - exact) < Decimal("1e-6")
