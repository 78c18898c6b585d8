"""罚息 and 复利: golden file, bands, the heavier of two, the cap."""

from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.daily_interest import BalanceChange, DailyRate, daily_interest
from domain.daycount import DayCount
from domain.errors import Rejected
from domain.money import parse_amount
from domain.penalty import (
    Arrears,
    Breach,
    PenaltyPolicy,
    PenaltyTerms,
    PlannedPrincipal,
    Stretch,
    cap_charge,
    check_penalty_terms,
    consumer_cap,
    overdue_interest,
    overdue_principal,
    penalty_rate,
    private_lending_cap,
)
from tests.domain.golden_methods import table

POLICY = PenaltyPolicy()
TERMS = PenaltyTerms(overdue_markup=Decimal("0.50"), misuse_markup=Decimal("1.00"))
YEARS = {"360": DayCount.ACT_360, "365": DayCount.ACT_365F}


@pytest.mark.parametrize("row", table("penalty_and_compound.csv"), ids=str)
def test_penalty_runs_on_principal_and_compound_interest_on_unpaid_interest(
    row: dict[str, str],
) -> None:
    """Source: PBC 银发[2003]251号, article 3; domain rules, 5.4."""
    terms = PenaltyTerms(
        overdue_markup=Decimal(row["markup"]), misuse_markup=Decimal(row["markup"])
    )
    price = DailyRate(
        rate_annual=penalty_rate(Decimal(row["rate_annual"]), terms, {Breach.OVERDUE}),
        convention=YEARS[row["year"]],
    )
    arrears = Arrears(
        principal_minor=parse_amount(row["principal"], "CNY"),
        interest_minor=parse_amount(row["interest"], "CNY"),
        penalty_minor=parse_amount(row["penalty"], "CNY"),
    )
    stretch = Stretch(
        from_on=date.fromisoformat(row["from_on"]), until_on=date.fromisoformat(row["until_on"])
    )
    policy = PenaltyPolicy(compound_on_penalty=row["compound_on_penalty"] == "yes")
    cost = overdue_interest(arrears, stretch, price, policy)
    assert cost.penalty_minor == parse_amount(row["penalty_interest"], "CNY")
    assert cost.compound_minor == parse_amount(row["compound_interest"], "CNY")


@pytest.mark.parametrize(
    ("principal_minor", "rate_annual", "days", "penalty_minor"),
    [(3_75, "0.195", 32, 7), (6_00, "0.156", 25, 7), (18_00, "0.195", 20, 20)],
)
def test_half_a_cent_of_penalty_rounds_up(
    principal_minor: int, rate_annual: str, days: int, penalty_minor: int
) -> None:
    """3.75 at 19.5 % for 32 days of 360 is 6.5 cents exactly; no digit is lost on the way."""
    stretch = Stretch(from_on=date(2024, 3, 1), until_on=date(2024, 3, 1) + timedelta(days=days))
    arrears = Arrears(principal_minor=principal_minor, interest_minor=principal_minor)
    cost = overdue_interest(arrears, stretch, DailyRate(rate_annual=Decimal(rate_annual)), POLICY)
    assert (cost.penalty_minor, cost.compound_minor) == (penalty_minor, penalty_minor)


def test_unpaid_penalty_bears_nothing_by_default() -> None:
    """Source: domain rules, 5.4: contested in court, so off unless the product says otherwise."""
    assert not POLICY.compound_on_penalty


@pytest.mark.parametrize(
    ("overdue", "misuse", "field"),
    [
        ("0.30", "0.50", None),
        ("0.50", "1.00", None),
        ("0.29", "0.50", "overdue_markup"),
        ("0.51", "0.50", "overdue_markup"),
        ("0.30", "0.49", "misuse_markup"),
        ("0.30", "1.01", "misuse_markup"),
        ("0", "1.00", "overdue_markup"),
    ],
)
def test_a_markup_outside_its_band_is_refused(overdue: str, misuse: str, field: str | None) -> None:
    """Source: PBC 银发[2003]251号: overdue +30 % to +50 %, misuse +50 % to +100 %."""
    terms = PenaltyTerms(overdue_markup=Decimal(overdue), misuse_markup=Decimal(misuse))
    if field is None:
        check_penalty_terms(terms, POLICY)
        return
    with pytest.raises(Rejected) as refusal:
        check_penalty_terms(terms, POLICY)
    assert (refusal.value.code, refusal.value.field) == ("penalty_rate_outside_band", field)


@pytest.mark.parametrize(
    ("breaches", "rate"),
    [
        (set[Breach](), "0.06"),
        ({Breach.OVERDUE}, "0.09"),
        ({Breach.MISUSE}, "0.12"),
        ({Breach.OVERDUE, Breach.MISUSE}, "0.12"),
    ],
)
def test_overdue_and_misused_pays_the_heavier_and_not_both(
    breaches: set[Breach], rate: str
) -> None:
    """Source: domain rules, 5.4 (择其重, 不能并处)."""
    assert penalty_rate(Decimal("0.06"), TERMS, breaches) == Decimal(rate)


def test_only_matured_principal_is_overdue_until_the_loan_is_accelerated() -> None:
    """Source: domain rules, 5.4 (acceleration)."""
    plan = [
        PlannedPrincipal(due_on=date(2024, month, 15), unpaid_minor=100) for month in range(1, 7)
    ]
    assert overdue_principal(plan, date(2024, 3, 15)) == 200  # due today is not overdue yet
    assert overdue_principal(plan, date(2024, 3, 16)) == 300
    assert overdue_principal(plan, date(2024, 3, 16), accelerated_on=date(2024, 3, 16)) == 600
    assert overdue_principal(plan, date(2024, 3, 15), accelerated_on=date(2024, 3, 16)) == 200


def test_a_charge_is_cut_to_what_the_cap_allows() -> None:
    """Source: domain rules, 5.4 (rate_cap_policy): 24 % of 100,000 for 30 days is 1,972.60."""
    drawn = [BalanceChange(on=date(2024, 4, 1), amount_minor=100_000_00)]
    cap = DailyRate(rate_annual=consumer_cap().rate_annual, convention=DayCount.ACT_365F)
    allowed = daily_interest(drawn, cap, date(2024, 5, 1), ROUND_FLOOR)
    assert allowed == 1_972_60
    charged = cap_charge(500_00, charged_minor=1_600_00, allowed_minor=allowed)
    assert (charged.uncapped_minor, charged.capped_minor) == (500_00, 372_60)


def test_private_lending_is_capped_at_four_times_the_lpr_of_the_contract() -> None:
    """Source: domain rules, 5.4."""
    assert private_lending_cap(Decimal("0.0345")).rate_annual == Decimal("0.1380")


amounts = st.integers(min_value=0, max_value=10**12)


@given(amounts, amounts, amounts)
def test_a_cap_never_adds_and_never_lets_through_too_much(
    wanted: int, charged: int, allowed: int
) -> None:
    outcome = cap_charge(wanted, charged, allowed)
    assert 0 <= outcome.capped_minor <= outcome.uncapped_minor == wanted
    assert charged + outcome.capped_minor <= max(allowed, charged)


def test_a_cap_of_negative_amounts_is_an_error() -> None:
    with pytest.raises(ValueError, match="not negative"):
        cap_charge(-1, 0, 0)
