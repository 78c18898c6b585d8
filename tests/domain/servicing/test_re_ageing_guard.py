"""How often a loan may be re-aged, and when at all: a table by criterion."""

from dataclasses import replace
from datetime import date

import pytest

from domain.servicing.re_ageing_guard import (
    Programme,
    ReAgeing,
    ReAgeingPolicy,
    Request,
    Window,
    WindowEdge,
    why_not,
)

ON = date(2026, 6, 15)
POLICY = ReAgeingPolicy()
SOUND = Request(on=ON, opened_on=date(2020, 1, 1), consecutive=3, willing_and_able=True)
WORKOUT = Programme.WORKOUT


def codes(request: Request, policy: ReAgeingPolicy = POLICY) -> list[str]:
    return [refusal.code for refusal in why_not(request, policy)]


def made(*days: date, programme: Programme = Programme.ORDINARY) -> tuple[ReAgeing, ...]:
    return tuple(ReAgeing(on=on, programme=programme) for on in days)


def test_a_loan_that_meets_every_criterion_may_be_re_aged() -> None:
    assert codes(SOUND) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"willing_and_able": False}, ["willingness_not_shown"]),
        ({"opened_on": date(2025, 9, 16)}, ["account_too_young"]),
        ({"opened_on": date(2025, 9, 15)}, []),  # nine months to the day
        ({"consecutive": 2}, ["too_few_payments"]),
        ({"consecutive": 0, "paid_minor": 300_00, "minimum_minor": 100_00}, []),
        ({"consecutive": 0, "paid_minor": 299_99, "minimum_minor": 100_00}, ["too_few_payments"]),
        (
            {"consecutive": 3, "paid_minor": 300_00, "minimum_minor": 100_00}
            | {"lender_funded_minor": 1},
            ["too_few_payments"],
        ),
        (
            {"consecutive": 3, "paid_minor": 400_00, "minimum_minor": 100_00}
            | {"lender_funded_minor": 100_00},
            [],
        ),
        (
            {"willing_and_able": False, "consecutive": 0},
            ["willingness_not_shown", "too_few_payments"],
        ),
    ],
)
def test_each_criterion_that_fails_is_named(change: dict[str, object], expected: list[str]) -> None:
    """Source: domain rules, 2.7 (65 FR 36903)."""
    assert codes(replace(SOUND, **change)) == expected  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        (made(date(2025, 6, 16)), 1),  # once in twelve months
        (made(date(2025, 6, 15)), 0),  # the same day a year later is outside again
        (made(date(2021, 6, 16), date(2024, 1, 1)), 1),  # twice in five years
        (made(date(2021, 6, 15), date(2024, 1, 1)), 0),
        (made(date(2025, 12, 31), date(2024, 1, 1)), 2),  # both windows; rolling, not by calendar
        (made(date(2026, 6, 16)), 0),  # not yet made on that day
        (made(date(2026, 1, 1), programme=WORKOUT), 0),  # a workout's one counts for itself
    ],
)
def test_windows_roll(before: tuple[ReAgeing, ...], refused: int) -> None:
    """Source: domain rules, 2.7: once in any 12 months, twice in any 5 years."""
    assert codes(replace(SOUND, before=before)) == ["re_aged_too_often"] * refused


def test_the_edge_of_a_window_is_a_choice_of_the_policy() -> None:
    """Source: domain rules, 0.4 (window_edges)."""
    request = replace(SOUND, before=made(date(2025, 6, 15)))
    assert codes(request, replace(POLICY, edge=WindowEdge.INCLUDED)) == ["re_aged_too_often"]


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        (made(date(2026, 1, 1), date(2024, 1, 1)), 0),  # beside the ordinary ones
        (made(date(2022, 1, 1), programme=WORKOUT), 1),
        (made(date(2021, 6, 15), programme=WORKOUT), 0),
    ],
)
def test_a_workout_programme_allows_one_more_in_five_years(
    before: tuple[ReAgeing, ...], refused: int
) -> None:
    """Source: OCC bulletin 2000-20; after three payments as well."""
    request = replace(SOUND, programme=WORKOUT, before=before)
    assert codes(request) == ["re_aged_too_often"] * refused
    assert "too_few_payments" in codes(replace(request, consecutive=2))


def test_a_lender_has_limits_of_its_own() -> None:
    closed_end = ReAgeingPolicy(
        version="ours-1", age_months=0, payments=1, ordinary=(Window(months=24, most=1),)
    )
    request = replace(SOUND, consecutive=1, before=made(date(2024, 6, 16)))
    assert codes(request, closed_end) == ["re_aged_too_often"]
