"""Floating rates: which publication counts, when a loan reprices, caps and floors."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Rejected
from domain.reference_rate import (
    FloatingTerms,
    Publication,
    ReferenceRate,
    ResetRule,
    floating_rate,
    rate_on,
    repricings,
    reset_dates,
)

LPR_5Y = ReferenceRate(
    name="LPR-5Y",
    publications=tuple(
        Publication(published_on=day, value=Decimal(value))
        for day, value in (
            (date(2022, 8, 22), "0.0430"),
            (date(2023, 6, 20), "0.0420"),
            (date(2024, 2, 20), "0.0395"),
            (date(2024, 7, 22), "0.0385"),
            (date(2024, 10, 21), "0.0360"),
        )
    ),
)
TERMS = FloatingTerms(spread=Decimal("0.0050"), reset=ResetRule.NEW_YEAR)
SIGNED = date(2023, 3, 8)


@pytest.mark.parametrize(
    ("on", "rate"),
    [
        (SIGNED, "0.0480"),
        (date(2023, 12, 31), "0.0480"),  # published in June, but not repriced before New Year
        (date(2024, 1, 1), "0.0470"),
        (date(2024, 12, 31), "0.0470"),
        (date(2025, 1, 1), "0.0410"),
    ],
)
def test_a_loan_reprices_on_new_year_by_the_latest_publication(on: date, rate: str) -> None:
    """Source: domain rules, 5.6 (LPR)."""
    assert rate_on(TERMS, LPR_5Y, SIGNED, on) == Decimal(rate)


def test_a_repricing_says_what_it_was_made_of() -> None:
    """Source: domain rules, 5.6 (RateRepriced)."""
    first, second = repricings(TERMS, LPR_5Y, SIGNED, date(2025, 6, 1))
    assert (first.effective_on, first.published_on) == (date(2024, 1, 1), date(2023, 6, 20))
    assert (first.old_annual, first.new_annual) == (Decimal("0.0480"), Decimal("0.0470"))
    assert (second.index, second.value) == ("LPR-5Y", Decimal("0.0360"))
    assert (second.old_annual, second.new_annual) == (Decimal("0.0470"), Decimal("0.0410"))


def test_a_value_published_on_the_reset_date_counts() -> None:
    """Source: domain rules, 5.6: latest published on the repricing date."""
    terms = FloatingTerms(spread=Decimal(0), reset=ResetRule.ANNIVERSARY)
    start = date(2023, 2, 20)
    assert rate_on(terms, LPR_5Y, start, date(2024, 2, 19)) == Decimal("0.0430")
    assert rate_on(terms, LPR_5Y, start, date(2024, 2, 20)) == Decimal("0.0395")


@pytest.mark.parametrize(
    ("rule", "dates"),
    [
        (ResetRule.NEW_YEAR, [date(2024, 1, 1), date(2025, 1, 1)]),
        (ResetRule.ANNIVERSARY, [date(2024, 5, 31)]),
        (ResetRule.QUARTERLY, [date(2023, 8, 31), date(2023, 11, 30), date(2024, 2, 29)]),
        (ResetRule.MONTHLY, [date(2023, 6, 30), date(2023, 7, 31), date(2023, 8, 31)]),
    ],
)
def test_reset_dates_follow_the_contracts_cycle(rule: ResetRule, dates: list[date]) -> None:
    """Source: domain rules, 5.6: 1 January or the loan anniversary; the cycle is a term."""
    found = reset_dates(rule, date(2023, 5, 31), date(2025, 1, 1))
    assert list(found[: len(dates)]) == dates


def test_a_loan_of_new_year_reprices_a_year_later() -> None:
    assert reset_dates(ResetRule.NEW_YEAR, date(2024, 1, 1), date(2024, 12, 31)) == ()


@pytest.mark.parametrize(
    ("value", "rate"), [("0.01", "0.03"), ("0.03", "0.035"), ("0.08", "0.06"), ("-0.01", "0.03")]
)
def test_cap_and_floor_bound_the_sum_of_reference_and_spread(value: str, rate: str) -> None:
    """Source: domain rules, P-18; floors and caps as the contract says."""
    terms = FloatingTerms(
        spread=Decimal("0.005"),
        reset=ResetRule.MONTHLY,
        cap_annual=Decimal("0.06"),
        floor_annual=Decimal("0.03"),
    )
    assert floating_rate(terms, Decimal(value)) == Decimal(rate)


def test_a_rate_does_not_fall_below_zero_unless_the_contract_says_so() -> None:
    reference = Decimal("-0.006")
    assert floating_rate(TERMS, reference) == 0
    unbounded = FloatingTerms(spread=Decimal("0.001"), reset=ResetRule.MONTHLY, floor_annual=None)
    assert floating_rate(unbounded, reference) == Decimal("-0.005")


def test_before_the_first_publication_there_is_no_rate() -> None:
    with pytest.raises(Rejected) as refusal:
        rate_on(TERMS, LPR_5Y, date(2022, 8, 21), date(2022, 8, 21))
    assert refusal.value.code == "reference_rate_unknown"


def test_before_the_loan_there_is_no_rate() -> None:
    with pytest.raises(ValueError, match="starts on"):
        rate_on(TERMS, LPR_5Y, SIGNED, date(2023, 3, 7))


def test_impossible_terms_of_a_floating_rate_are_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        FloatingTerms(
            spread=Decimal(0),
            reset=ResetRule.MONTHLY,
            cap_annual=Decimal("0.01"),
            floor_annual=Decimal("0.02"),
        )
    assert refusal.value.code == "floor_above_cap"
    twice = (Publication(published_on=SIGNED, value=Decimal("0.03")),) * 2
    with pytest.raises(Rejected) as refusal:
        ReferenceRate(name="LPR-1Y", publications=twice)
    assert refusal.value.code == "publications_out_of_order"
    with pytest.raises(Rejected) as refusal:
        reset_dates(ResetRule.MONTHLY, date(1900, 1, 1), date(2100, 1, 1))
    assert refusal.value.code == "too_many_resets"


@given(
    st.dates(min_value=SIGNED, max_value=date(2026, 1, 1)),
    st.sampled_from(ResetRule),
)
def test_later_publications_never_change_an_earlier_rate(on: date, rule: ResetRule) -> None:
    terms = FloatingTerms(spread=Decimal("0.005"), reset=rule)
    known = tuple(item for item in LPR_5Y.publications if item.published_on <= on)
    known_then = ReferenceRate(name="LPR-5Y", publications=known)
    assert rate_on(terms, known_then, SIGNED, on) == rate_on(terms, LPR_5Y, SIGNED, on)
