"""Deferred income is earned evenly by day: straight lines that add up to the rule's segments."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.servicing.deferred import Part

START = date(2024, 1, 31)

amounts = st.integers(min_value=1, max_value=10**9)
gaps = st.integers(min_value=0, max_value=900)


@given(amounts, st.lists(st.tuples(gaps, amounts), max_size=4), gaps, gaps)
def test_straight_lines_add_up_to_what_is_recognised_segment_by_segment(
    amount: int, given_back: list[tuple[int, int]], length: int, day: int
) -> None:
    """S-29 word by word: unrecognised x days elapsed / days from segment start to maturity."""
    maturity, on = START + timedelta(days=length), START + timedelta(days=day)
    moves = sorted((START + timedelta(days=gap), less) for gap, less in given_back)
    parts = [Part("i", START, amount), *(Part("a", start, -less) for start, less in moves)]
    left, recognised, since = Fraction(amount), Fraction(0), START
    for start, less in [move for move in moves if move[0] <= on]:
        step = left * _share((start - since).days, (maturity - since).days)
        recognised, left, since = recognised + step, left - step - less, start
    recognised += left * _share((on - since).days + 1, (maturity - since).days)
    counted = [part for part in parts if part.on <= on]
    assert sum((part.recognised(maturity, on) for part in counted), Fraction()) == recognised


def _share(elapsed: int, days: int) -> Fraction:
    return Fraction(1) if days <= 0 or elapsed >= days else Fraction(elapsed, days)


def test_the_first_day_counts_and_the_day_of_maturity_does_not() -> None:
    part = Part("i", START, 300)
    maturity = START + timedelta(days=30)
    by_day = [part.recognised(maturity, START + timedelta(days=k)) for k in (-1, 0, 1, 28, 29, 30)]
    assert by_day == [0, 10, 20, 290, 300, 300]


def test_what_is_taken_at_maturity_or_later_is_earned_at_once() -> None:
    assert Part("i", START, 300).recognised(START, START) == 300
    assert Part("i", START, 300).recognised(START - timedelta(days=9), START) == 300
