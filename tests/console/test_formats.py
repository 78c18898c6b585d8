"""Values as people read them, and the geometry of charts."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console import charts, formats
from domain.money import parse_amount

FRAME = charts.Frame(width=560, height=240)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123_456_789, "USD", "1,234,567.89\u00a0USD"),
        (-5, "USD", "−0.05\u00a0USD"),
        (-123_456, "CNY", "−1,234.56\u00a0CNY"),
        (1_000, "JPY", "1,000\u00a0JPY"),
        (1_000, "KWD", "1.000\u00a0KWD"),
        (0, "USD", "0.00\u00a0USD"),
        (None, "USD", "–"),
    ],
)
def test_an_amount_carries_its_currency(minor: int | None, currency: str, text: str) -> None:
    assert formats.money(minor, currency) == text


@given(st.integers(0, 10**15), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_a_figure_loses_nothing(minor: int, currency: str) -> None:
    assert parse_amount(formats.figure(minor, currency).replace(",", ""), currency) == minor


@pytest.mark.parametrize(
    ("minor", "english", "chinese"),
    [
        (2_117_800_304, "21.1\u00a0m", "2,117.8\u00a0万"),
        (99_900, "999", "999"),
        (100_000, "1\u00a0k", "1,000"),
        (12_345_678_901_200, "123.4\u00a0bn", "1,234.5\u00a0亿"),
        (-250_000_000, "−2.5\u00a0m", "−250\u00a0万"),
    ],
)
def test_an_axis_has_short_amounts(minor: int, english: str, chinese: str) -> None:
    assert formats.short_money(minor, "USD", "en") == english
    assert formats.short_money(minor, "USD", "zh") == chinese


def test_shares_rates_and_moments() -> None:
    assert formats.percent(Decimal("0.034149")) == "3.41\u00a0%"
    assert formats.percent(None) == "–"
    assert formats.points(Decimal("0.0035")) == "+0.35"
    assert formats.points(Decimal("-0.0035")) == "−0.35"
    assert formats.points(Decimal("0.000001")) == "0.00"
    assert formats.rate(Decimal("0.2")) == "20.00\u00a0%"
    assert formats.rate(Decimal("0.12345")) == "12.345\u00a0%"
    elsewhere = datetime(2018, 6, 25, 8, 0, 1, tzinfo=timezone(timedelta(hours=8)))
    assert formats.moment(elsewhere) == "2018-06-25 00:00:01\u00a0UTC"
    assert formats.moment(datetime(2018, 6, 25, tzinfo=UTC)) == "2018-06-25 00:00:00\u00a0UTC"


def test_code_in_a_label_is_set_apart_and_everything_is_escaped() -> None:
    said = formats.coded("run `loanbook <b>` & <i>")
    assert said == "run <code>loanbook &lt;b&gt;</code> &amp; &lt;i&gt;"


def test_a_bucket_of_another_set_takes_its_position() -> None:
    assert formats.severity("60-89") == 3
    assert formats.severity("M2", 2) == 2
    assert formats.severity("M9", 99) == 7


@given(st.lists(st.integers(0, 10**15), max_size=12))
def test_a_strip_is_filled_exactly(weights: list[int]) -> None:
    parts = charts.strip(weights, 1_000)
    if not any(weights):
        assert parts == []
        return
    widths = [Decimal(part.width) for part in parts]
    assert sum(widths) == 1_000
    assert [Decimal(part.x) for part in parts] == [sum(widths[:k]) for k in range(len(widths))]


@given(st.integers(0, 10**15), st.integers(1, 10**15))
def test_a_bar_is_never_longer_than_its_place(value: int, whole: int) -> None:
    length = Decimal(charts.bar(min(value, whole), whole, 100))
    assert 0 <= length <= 100
    assert (length > 0) == (min(value, whole) > 0)


@given(st.integers(1, 10**16))
def test_an_axis_has_few_round_ticks(highest: int) -> None:
    step = charts.tick_step(highest)
    assert highest <= step * charts.TICKS_MAX
    assert str(step).rstrip("0") in {"1", "2", "5"}


@given(
    st.lists(st.tuples(st.dates(date(2018, 1, 1), date(2021, 1, 1)), st.integers(0, 10**13))),
    st.booleans(),
)
def test_a_line_stays_inside_its_frame(values: list[tuple[date, int]], steps: bool) -> None:  # noqa: FBT001
    ordered = sorted(dict(values).items())
    series = charts.Series(name="s", values=ordered, steps=steps)
    chart = charts.lines([series], FRAME, label=str)
    if not ordered:
        assert chart is None
        return
    assert chart is not None
    points = [tuple(map(Decimal, p.split(","))) for p in chart.lines[0].points.split()]
    assert all(FRAME.left <= x <= FRAME.width - FRAME.right for x, _ in points)
    assert all(FRAME.top <= y <= FRAME.height - FRAME.bottom for _, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert len(chart.ticks_y) <= charts.TICKS_MAX + 1
    assert len(chart.ticks_x) <= 8
