"""The business report's page: applications, decisions, money out and in, balances, by period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api.console.asking import Asked, Day
from api.console.charts import Frame, Tick, tenths, tick_step
from api.console.console import Console
from api.console.formats import short_money
from api.identity import Scope
from projections.business_report import PERIODS, business_report
from projections.loan_day import last_closed
from projections.ports import Database, Row

FRAME: Final = Frame(width=1120, height=240, left=64, right=16)
SPAN_DAYS: Final = {"day": 31, "week": 26 * 7, "month": 366}
"""How far back the page looks when it is not told."""
SPAN_DAYS_MAX: Final = {"day": 93, "week": 2 * 366, "month": 10 * 366}
BARS: Final = ("disbursed_minor", "paid_minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A column of the chart, in units."""

    x: str
    y: str
    width: str
    height: str
    name: str
    period: date
    minor: int


class ReportAsked(Asked):
    """Which span, in which periods; None: the page chooses."""

    period: Literal["day", "week", "month"] = "month"
    since: Day = None
    until: Day = None


def view(db: Database, asked: ReportAsked, today: date, language: str) -> dict[str, Any]:
    """Gather the page; a span that is too long for its period is cut at its beginning."""
    period = asked.period
    last = asked.until or last_closed(db) or today
    first = asked.since or _begin(last - timedelta(days=SPAN_DAYS[period]), period)
    first = min(max(first, last - timedelta(days=SPAN_DAYS_MAX[period])), last)
    rows = business_report(db, first, last, period)
    currencies = sorted({row["currency"] for row in rows})
    return {
        "period": period,
        "periods": PERIODS,
        "since": first,
        "until": last,
        "rows": rows,
        "charts": [
            {"currency": c, "chart": columns([r for r in rows if r["currency"] == c], c, language)}
            for c in currencies
        ],
    }


def _begin(day: date, period: str) -> date:
    """Return the first day of the period after the one that holds a day; of days, the day."""
    if period == "month":
        return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 - day.weekday()) if period == "week" else day


def columns(rows: Sequence[Row], currency: str, language: str) -> dict[str, Any] | None:
    """Draw money out and money in, a pair of columns a period; None: nothing moved."""
    highest = max((row[name] for row in rows for name in BARS), default=0)
    if highest <= 0:
        return None
    step = tick_step(highest)
    top = -(-highest // step) * step
    slot = FRAME.plot_width * 10 // len(rows)
    width = min(slot * 3 // 8, 480)
    ground = (FRAME.top + FRAME.plot_height) * 10
    bars: list[Bar] = []
    ticks: list[Tick] = []
    every = -(-len(rows) // 12)
    for place, row in enumerate(rows):
        middle = FRAME.left * 10 + slot * place + slot // 2
        if place % every == 0:
            ticks.append(Tick(at=tenths(middle), label=_label(row["period"], rows)))
        for side, name in enumerate(BARS):
            height = max(0, row[name]) * FRAME.plot_height * 10 // top
            bars.append(
                Bar(
                    x=tenths(middle - width + side * width),
                    y=tenths(ground - height),
                    width=tenths(width - 10),
                    height=tenths(height),
                    name=name,
                    period=row["period"],
                    minor=row[name],
                )
            )
    levels = [
        Tick(
            at=tenths(ground - value * FRAME.plot_height * 10 // top),
            label=short_money(value, currency, language),
        )
        for value in range(0, top + 1, step)
    ]
    return {"frame": FRAME, "bars": bars, "ticks_x": ticks, "ticks_y": levels}


def _label(period: date, rows: Sequence[Row]) -> str:
    """Write a month as a month when every period is one."""
    months = all(row["period"].day == 1 for row in rows)
    return f"{period:%Y-%m}" if months else period.isoformat()


def routes(console: Console) -> APIRouter:
    """Make the page's route."""
    made = console.router()

    async def show(request: Request, asked: Annotated[ReportAsked, Query()]) -> Response:
        visitor = console.visitor(request, Scope.READ)
        today = await console.parts.business_date.today()
        page = await console.parts.reads.run(lambda db: view(db, asked, today, visitor.language))
        return console.page(request, visitor, "report.html", page)

    made.add_api_route("/report", show)
    return made
