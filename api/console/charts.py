"""Geometry of the charts, in whole tenths of a unit; templates draw it as SVG. No colours here.

Amounts stay integers all the way: a coordinate is `value * length // whole`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from domain.money import split

TICKS_MAX: Final = 5
LABEL_UNITS: Final = 40
"""So wide is the label of a month: no label is cut at the edge."""


def tenths(number: int) -> str:
    """Write a coordinate that is held in tenths: 1234 is 123.4."""
    sign = "-" if number < 0 else ""
    return f"{sign}{abs(number) // 10}.{abs(number) % 10}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of a strip, from `x` and `width` wide, as SVG writes them."""

    x: str
    width: str


def strip(weights: Sequence[int], length: int) -> list[Segment]:
    """Divide a strip of `length` units in proportion; the parts fill it exactly.

    Weights that are all 0 give no segment. Raises ValueError for a negative weight.
    """
    if not any(weights):
        return []
    segments: list[Segment] = []
    x = 0
    for width in split(length * 10, weights):
        segments.append(Segment(x=tenths(x), width=tenths(width)))
        x += width
    return segments


def bar(value: int, whole: int, length: int) -> str:
    """Return the length of a bar for `value` where `whole` is `length` units long."""
    if whole <= 0 or value <= 0:
        return "0.0"
    return tenths(max(10, value * length * 10 // whole))  # a unit at least: something is there


def tick_step(highest: int) -> int:
    """Return the step, 1, 2 or 5 times a power of ten, that needs at most TICKS_MAX ticks."""
    step = 1
    while highest > step * TICKS_MAX:
        for factor in (2, 5, 10):
            if highest <= step * factor * TICKS_MAX:
                return step * factor
        step *= 10
    return step


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A chart's size and the margins of its plot, in units."""

    width: int
    height: int
    left: int = 56
    right: int = 16
    top: int = 12
    bottom: int = 28

    @property
    def plot_width(self) -> int:
        """Width of the plot."""
        return self.width - self.left - self.right

    @property
    def plot_height(self) -> int:
        """Height of the plot."""
        return self.height - self.top - self.bottom


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on an axis and its label."""

    at: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One line as SVG points; `area` closes it down to the axis; `last` is its last value."""

    name: str
    points: str
    area: str
    last: int
    last_x: str
    last_y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Lines over days in a frame with ticks; `marks` are labelled days."""

    frame: Frame
    lines: tuple[Drawn, ...]
    ticks_x: tuple[Tick, ...]
    ticks_y: tuple[Tick, ...]
    marks: tuple[Tick, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values by day, in order; `steps`: a value holds until the next."""

    name: str
    values: Sequence[tuple[date, int]]
    steps: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Places days and values in a frame."""

    frame: Frame
    first: date
    last: date
    highest: int

    def x(self, day: date) -> int:
        """Place a day, in tenths."""
        days = max(1, (self.last - self.first).days)
        return self.frame.left * 10 + (day - self.first).days * self.frame.plot_width * 10 // days

    def y(self, value: int) -> int:
        """Place a value, in tenths; 0 is on the axis."""
        height = self.frame.plot_height * 10
        return self.frame.top * 10 + height - value * height // max(1, self.highest)


def lines(
    series: Sequence[Series],
    frame: Frame,
    *,
    label: Callable[[int], str],
    until: date | None = None,
    marks: Sequence[tuple[date, str]] = (),
) -> Chart | None:
    """Draw series over their days; None: there is no value to draw.

    The axis of values starts at 0 and ends on a tick; `until` stretches the axis of days.
    """
    days = [day for one in series for day, _ in one.values]
    if not days:
        return None
    values = [value for one in series for _, value in one.values]
    step = tick_step(max(1, *values))
    scale = Scale(
        frame=frame,
        first=min(days),
        last=max([*days, until or days[0]]),
        highest=-(-max(1, *values) // step) * step,
    )
    return Chart(
        frame=frame,
        lines=tuple(_drawn(one, scale) for one in series if one.values),
        ticks_x=_months(scale),
        ticks_y=tuple(
            Tick(at=tenths(scale.y(value)), label=label(value))
            for value in range(0, scale.highest + 1, step)
        ),
        marks=tuple(
            Tick(at=tenths(scale.x(day)), label=text)
            for day, text in marks
            if scale.first <= day <= scale.last
        ),
    )


def _drawn(series: Series, scale: Scale) -> Drawn:
    points: list[tuple[int, int]] = []
    for day, value in series.values:
        x, y = scale.x(day), scale.y(value)
        if series.steps and points:
            points.append((x, points[-1][1]))
        points.append((x, y))
    path = " ".join(f"{tenths(x)},{tenths(y)}" for x, y in points)
    ground = tenths(scale.y(0))
    return Drawn(
        name=series.name,
        points=path,
        area=f"{tenths(points[0][0])},{ground} {path} {tenths(points[-1][0])},{ground}",
        last=series.values[-1][1],
        last_x=tenths(points[-1][0]),
        last_y=tenths(points[-1][1]),
    )


def _months(scale: Scale) -> tuple[Tick, ...]:
    """Mark the beginnings of months, every so many that at most eight fit; else the two ends."""
    firsts: list[date] = []
    day = (scale.first.replace(day=1) + timedelta(days=32)).replace(day=1)
    while day <= scale.last:
        firsts.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    every = -(-len(firsts) // 8) or 1
    rightmost = (scale.frame.width - scale.frame.right - LABEL_UNITS // 2) * 10
    if not firsts:
        ends = dict.fromkeys((scale.first, scale.last))
        return tuple(Tick(at=tenths(scale.x(end)), label=end.isoformat()) for end in ends)
    return tuple(
        Tick(at=tenths(scale.x(first)), label=f"{first:%Y-%m}")
        for first in firsts[::every]
        if scale.x(first) <= rightmost
    )
