"""The planned schedule: half a cent is half a cent, month ends do not drift, nothing is lost."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain.loan.instalments import Instalment
from domain.loan.quote import planned
from domain.loan.terms import Conditions, RepaymentMethod, Rounding, ScheduleDayCount, Terms
from tests.support.lives import CONDITIONS

NEW_YEAR = date(2024, 1, 1)


def plan(
    amount: int,
    rate: str,
    instalments: int = 12,
    on: date = NEW_YEAR,
    first_due_on: date | None = None,
    **change: object,
) -> tuple[Instalment, ...]:
    conditions: Conditions = replace(CONDITIONS, **change)  # type: ignore[arg-type]
    agreed = Terms(
        currency="USD",
        principal_minor=amount,
        rate_annual=Decimal(rate),
        instalments=instalments,
    )
    return planned(conditions, agreed, from_on=on, first_due_on=first_due_on)


@pytest.mark.parametrize(
    ("amount", "rate", "interest"),
    [(2_400, "0.0475", 10), (16_200, "0.07", 95), (18_000, "0.049", 74)],
)
def test_half_a_cent_of_interest_is_rounded_up(amount: int, rate: str, interest: int) -> None:
    """9.5, 94.5 and 73.5 cents exactly: a factor cut to 19 digits would lose the half."""
    first = plan(amount, rate)[0]
    assert first.interest_minor == interest


def test_an_annuity_of_ten_thousand_at_twelve_percent() -> None:
    assert plan(1_000_000, "0.12", 36)[0].due_minor == 33_214
    up = plan(1_000_000, "0.12", 36, instalment_rounding=Rounding.UP)
    assert up[0].due_minor == 33_215


def test_equal_principal_falls_by_its_interest() -> None:
    rows = plan(1_200_000, "0.06", method=RepaymentMethod.EQUAL_PRINCIPAL)
    assert {row.principal_minor for row in rows} == {100_000}
    assert [row.interest_minor for row in rows] == [6_000 - 500 * k for k in range(12)]


def test_actual_days_count_leap_days() -> None:
    by_days = ScheduleDayCount.ACT_365F
    rows = plan(3_650_000, "0.10", 3, on=date(2024, 1, 31), day_count=by_days)
    assert [row.due_on for row in rows] == [date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]
    assert rows[0].interest_minor == 29_000  # 29 days of 10.00


def test_a_stub_period_is_prorated_by_its_days() -> None:
    rows = plan(1_000_000, "0.12", 3, on=date(2024, 1, 16), first_due_on=date(2024, 2, 1))
    assert rows[0].interest_minor == 5_161  # 16 of January's 31 days of 100.00


def test_the_anchor_day_comes_back_after_a_short_month() -> None:
    rows = plan(1_000_000, "0.12", 3, on=date(2024, 1, 31))
    assert [row.due_on for row in rows] == [
        date(2024, 2, 29),
        date(2024, 3, 31),
        date(2024, 4, 30),
    ]


def test_no_interest_is_a_rate_too() -> None:
    rows = plan(1_000, "0", 3)
    assert [row.principal_minor for row in rows] == [333, 333, 334]
