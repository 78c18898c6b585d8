"""Floating rates: which publication counts, when a loan reprices, caps and floors; rate steps."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.daycount import DayCount
from domain.servicing import facts as f
from domain.servicing.floating import FloatingRate, ResetRule, next_reset
from domain.servicing.term_parts import RateStep
from domain.servicing.terms import LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import Amortisation
from tests.domain.servicing.plans import figures, plan, terms

LPR_5Y = tuple(
    (day, Decimal(value))
    for day, value in (
        (date(2022, 8, 22), "0.0430"),
        (date(2023, 6, 20), "0.0420"),
        (date(2024, 2, 20), "0.0395"),
        (date(2024, 7, 22), "0.0385"),
        (date(2024, 10, 21), "0.0360"),
    )
)
SIGNED = date(2023, 3, 8)
NEW_YEAR = FloatingRate(reference="LPR-5Y", spread_bps=50, reset=ResetRule.NEW_YEAR)
LAST = date(2025, 6, 1)


def mortgage(floating: FloatingRate = NEW_YEAR, **changes: Any) -> LoanTerms:  # noqa: ANN401
    given = {
        "principal_minor": 1_000_000_00,
        "rate_annual": Decimal("0.0480"),
        "instalments": 360,
        "expected_disbursement_on": SIGNED,
        "floating": floating,
    }
    return terms(**(given | changes))


def published(
    on: date, value: Decimal, reference: str = "LPR-5Y", known_on: date | None = None
) -> f.Fact:
    return f.ReferencePublished(
        id=f"{reference}:{on}", effective_on=on, entered_on=known_on or on,
        reference=reference, value=value,
    )  # fmt: skip


def lived(loan: LoanTerms, publications: tuple[tuple[date, Decimal], ...] = LPR_5Y) -> Timeline:
    start = loan.expected_disbursement_on
    timeline = Timeline.start(loan)
    for on, value in publications:
        timeline = timeline.record(published(on, value))
    return timeline.record(
        f.Disbursed(
            id="out", effective_on=start, entered_on=start, amount_minor=loan.principal_minor
        )
    )


def rate_on(timeline: Timeline, on: date) -> Decimal:
    return timeline.account_as_of(on).ledger.plan.rate_on(on)


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
    assert rate_on(lived(mortgage()), on) == Decimal(rate)


def test_a_repricing_says_what_it_was_made_of() -> None:
    """Source: domain rules, 5.6 (RateRepriced)."""
    first, second = lived(mortgage()).account_as_of(LAST).repricings
    assert (first.effective_on, first.published_on) == (date(2024, 1, 1), date(2023, 6, 20))
    assert (first.old_annual, first.new_annual) == (Decimal("0.0480"), Decimal("0.0470"))
    assert (second.reference, second.value, second.spread_bps) == ("LPR-5Y", Decimal("0.0360"), 50)
    assert (second.old_annual, second.new_annual) == (Decimal("0.0470"), Decimal("0.0410"))


def test_a_value_published_on_the_reset_date_counts() -> None:
    """Source: domain rules, 5.6: latest published on the repricing date."""
    floating = FloatingRate(reference="LPR-5Y", spread_bps=0, reset=ResetRule.ANNIVERSARY)
    loan = mortgage(floating, expected_disbursement_on=date(2023, 2, 20))
    assert rate_on(lived(loan), date(2024, 2, 19)) == Decimal("0.0480")
    assert rate_on(lived(loan), date(2024, 2, 20)) == Decimal("0.0395")


def test_a_reprice_solves_the_instalment_on_what_is_left_for_the_rest_of_the_term() -> None:
    """Source: domain rules, 5.6: recalculated on the remaining balance and term."""
    loan = mortgage(instalments=24, expected_disbursement_on=date(2023, 3, 1))
    rows = lived(loan).account_as_of(date(2024, 1, 1)).instalments
    balance = rows[9].balance_after_minor
    again = terms(
        principal_minor=balance, rate_annual=Decimal("0.0470"), instalments=14,
        expected_disbursement_on=date(2024, 1, 1),
    )  # fmt: skip
    assert [figures(row) for row in rows[10:]] == plan(again)
    before = plan(
        terms(principal_minor=1_000_000_00, rate_annual=Decimal("0.0480"), instalments=24)
    )
    assert [figures(row) for row in rows[:10]] == before[:10]


def test_equal_principal_keeps_its_principal_when_the_rate_moves() -> None:
    """Source: domain rules, 5.1 (等额本金)."""
    loan = mortgage(instalments=7, amortisation=Amortisation.EQUAL_PRINCIPAL,
                    expected_disbursement_on=date(2023, 10, 1))  # fmt: skip
    rows = lived(loan).account_as_of(LAST).instalments
    assert {row.due.principal for row in rows[:-1]} == {142_857_14}
    assert rows[3].due.interest == round(571_428_58 * 0.0470 / 12)


def test_the_new_rate_counts_from_the_reset_day_on() -> None:
    """Source: domain rules, 0.4 (`day_inclusion`): 算头不算尾, 17 days old and 14 days new."""
    loan = mortgage(
        principal_minor=360_000_00, instalments=1, amortisation=Amortisation.INTEREST_ONLY,
        expected_disbursement_on=date(2023, 12, 15), day_count=DayCount.ACT_360,
    )  # fmt: skip
    (row,) = lived(loan).account_as_of(LAST).instalments
    assert row.due.interest == 17 * 48_00 + 14 * 47_00


@pytest.mark.parametrize(
    ("rule", "dates"),
    [
        (ResetRule.NEW_YEAR, [date(2024, 1, 1), date(2025, 1, 1)]),
        (ResetRule.ANNIVERSARY, [date(2024, 5, 31), date(2025, 5, 31)]),
        (ResetRule.QUARTERLY, [date(2023, 8, 31), date(2023, 11, 30), date(2024, 2, 29)]),
        (ResetRule.MONTHLY, [date(2023, 6, 30), date(2023, 7, 31), date(2023, 8, 31)]),
    ],
)
def test_reset_dates_follow_the_contracts_cycle(rule: ResetRule, dates: list[date]) -> None:
    """Source: domain rules, 5.6: 1 January or the loan anniversary; the cycle is a term."""
    start = date(2023, 5, 31)
    chain = [start, *dates]
    assert [next_reset(rule, start, after) for after in chain[:-1]] == dates
    for after, reset in pairwise(chain):
        assert next_reset(rule, start, reset - timedelta(days=1)) == reset
        assert next_reset(rule, start, after) == reset


def test_a_loan_of_new_year_reprices_a_year_later() -> None:
    start = date(2024, 1, 1)
    assert next_reset(ResetRule.NEW_YEAR, start, start) == date(2025, 1, 1)


@pytest.mark.parametrize(
    ("value", "rate"), [("0.01", "0.03"), ("0.03", "0.035"), ("0.08", "0.06"), ("-0.01", "0.03")]
)
def test_cap_and_floor_bound_the_sum_of_reference_and_spread(value: str, rate: str) -> None:
    """Source: domain rules, P-18; floors and caps as the contract says."""
    floating = FloatingRate(
        reference="LPR-1Y",
        spread_bps=50,
        reset=ResetRule.MONTHLY,
        cap_annual=Decimal("0.06"),
        floor_annual=Decimal("0.03"),
    )
    assert floating.rate(Decimal(value)) == Decimal(rate)


def test_a_rate_does_not_fall_below_zero_unless_the_contract_says_so() -> None:
    assert NEW_YEAR.rate(Decimal("-0.006")) == 0
    unbounded = FloatingRate(
        reference="LPR-1Y", spread_bps=10, reset=ResetRule.MONTHLY, floor_annual=None
    )
    assert unbounded.rate(Decimal("-0.006")) == Decimal("-0.005")


def test_without_a_publication_the_rate_of_the_contract_stays() -> None:
    assert rate_on(lived(mortgage(), ()), LAST) == Decimal("0.0480")


def test_another_reference_is_another_matter() -> None:
    timeline = lived(mortgage(), ()).record(published(SIGNED, Decimal("0.09"), "LPR-1Y"))
    assert rate_on(timeline, LAST) == Decimal("0.0480")


def test_a_value_learned_late_reprices_from_its_reset_date_on() -> None:
    """The correction folds again from there; what was known before stays known as it was."""
    before = lived(mortgage(), LPR_5Y[:1])
    after = before.record(published(date(2023, 6, 20), Decimal("0.0420"), known_on=LAST))
    assert rate_on(before, date(2024, 6, 1)) == Decimal("0.0480")
    assert rate_on(after, date(2024, 6, 1)) == Decimal("0.0470")


@given(st.dates(min_value=SIGNED, max_value=LAST), st.sampled_from(ResetRule))
def test_later_publications_never_change_an_earlier_rate(on: date, rule: ResetRule) -> None:
    floating = FloatingRate(reference="LPR-5Y", spread_bps=50, reset=rule)
    loan = mortgage(floating, instalments=36)
    known_then = tuple(item for item in LPR_5Y if item[0] <= on)
    assert rate_on(lived(loan, known_then), on) == rate_on(lived(loan), on)


@given(st.permutations(LPR_5Y), st.sampled_from(ResetRule))
def test_the_order_of_learning_does_not_matter(
    publications: list[tuple[date, Decimal]], rule: ResetRule
) -> None:
    """Source: domain rules, 10 (invariant 3)."""
    floating = FloatingRate(reference="LPR-5Y", spread_bps=50, reset=rule)
    loan = mortgage(floating, instalments=36)
    rows = [
        lived(loan, order).account_as_of(LAST).instalments
        for order in (LPR_5Y, tuple(publications))
    ]
    assert rows[0] == rows[1]


def stepped(method: Amortisation) -> LoanTerms:
    return terms(
        principal_minor=120_000_00,
        rate_annual=Decimal("0.03"),
        instalments=12,
        amortisation=method,
        rate_steps=(
            RateStep(after_instalments=4, rate_annual=Decimal("0.06")),
            RateStep(after_instalments=8, rate_annual=Decimal("0.045")),
        ),
    )


def test_rate_steps_are_known_from_the_start_and_solved_one_after_the_other() -> None:
    """Source: domain rules, P-18 (rate list): as if the rate stayed, again at each step."""
    rows = plan(stepped(Amortisation.EQUAL_INSTALMENTS))
    left, rate = 120_000_00, Decimal("0.03")
    for step, following in ((0, "0.06"), (4, "0.045"), (8, "0")):
        loan = terms(principal_minor=left, rate_annual=rate, instalments=12 - step)
        assert rows[step : step + 4] == plan(loan)[:4]
        left, rate = rows[step + 3].balance, Decimal(following)
    assert left == 0


def test_rate_steps_of_equal_principal_move_the_interest_alone() -> None:
    rows = plan(stepped(Amortisation.EQUAL_PRINCIPAL))
    assert {row.principal for row in rows} == {10_000_00}
    assert [rows[k].interest for k in (0, 3, 4, 7, 8, 11)] == [
        300_00, 225_00, 400_00, 250_00, 150_00, 37_50,
    ]  # fmt: skip
