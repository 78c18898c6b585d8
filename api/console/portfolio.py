"""The risk desk's page: the book on a closed day, its trend, its segments and its migration.

It arranges what `projections.risk` answers; every figure is computed there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api.console.asking import Asked, Code, Day
from api.console.charts import Chart, Frame, Segment, Series, bar, lines, strip
from api.console.console import Console
from api.console.formats import percent, severity, short_money
from api.identity import Scope
from domain.policies import US_BUCKETS
from projections import risk
from projections.day_totals import day_totals
from projections.loan_day import last_closed
from projections.ports import Database, Row

TREND_DAYS: Final = 366
STRIP_UNITS: Final = 1000
BAR_UNITS: Final = 100
SEGMENTS: Final = ("grade", "purpose", "region")
SEGMENT_LOANS_MIN: Final = 30
SEGMENT_ROWS: Final = 14
"""So many rows of a segment are shown at once; the rest unfolds."""
TREND_FROM_DAYS: Final = (1, 30, 60)
PPM: Final = 1_000_000
LEFT: Final = ("closed_paid", "charged_off", "returned", "unknown")
"""How a loan is not in a bucket any more, after the buckets in the matrix."""


class PortfolioAsked(Asked):
    """Which day, compared with which, cut by what; None or empty: the page chooses."""

    on: Day = None
    since: Day = None
    by: Literal["grade", "purpose", "region"] = "grade"
    currency: Code = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketRow:
    """A bucket of the book; `severity` picks its colour."""

    name: str
    severity: int
    loans: int
    principal_minor: int
    overdue_minor: int
    share: Decimal | None
    segment: Segment
    late_bar: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A ratio now and how far it moved since the earlier day, as a fraction."""

    name: str
    ratio: risk.Ratio
    moved: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """Lateness of one segment, by count and by balance, and the bar of each."""

    name: str | None
    loans: risk.Ratio
    balance: risk.Ratio
    loans_bar: str
    balance_bar: str
    few: bool  # so few loans that the rate says little


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """Where the loans of a bucket went, in the order of the matrix's columns; None: no loan."""

    name: str
    severity: int
    loans: int
    cells: tuple[risk.Migration | None, ...]


def view(db: Database, asked: PortfolioAsked, language: str) -> dict[str, Any]:
    """Gather the page. `on` None in it: no day was closed yet. Raises Rejected from the queries."""
    last = last_closed(db)
    on = asked.on or last
    if on is None or last is None:
        return {"on": None, "last": None, "since": None, "currencies": [], "totals": None}
    totals = day_totals(db, on)
    known = {row["currency"]: row for row in totals}
    currency = asked.currency if asked.currency in known else next(iter(known), None)
    page: dict[str, Any] = {
        "on": on,
        "last": last,
        "currencies": list(known),
        "currency": currency,
        "by": asked.by,
        "since": asked.since,
        "segments": SEGMENTS,
        "totals": known.get(currency),
    }
    if currency is None:
        return page
    days = _of(risk.history(db, on - timedelta(days=TREND_DAYS), on), currency)
    since = _earlier(asked.since, on, [row["business_date"] for row in days])
    return page | {
        "since": since,
        "buckets": _buckets(_of(risk.by_bucket(db, on), currency)),
        "par": _figures(db, on, since, currency),
        "trend_late": _late_trend(days),
        "trend_principal": _principal_trend(days, currency, language),
        "segment_rows": _segment_rows(risk.delinquency(db, on, by=asked.by), currency, asked.by),
        "segment_rows_first": SEGMENT_ROWS,
        "segment_loans_min": SEGMENT_LOANS_MIN,
        "matrix": _matrix(risk.migration(db, since, on), currency) if since else None,
    }


def _of(rows: Sequence[Row], currency: str) -> list[Row]:
    return [row for row in rows if row["currency"] == currency]


def _earlier(since: date | None, on: date, closed: Sequence[date]) -> date | None:
    """Choose the day to compare with: the one asked for, else a month before, if it is closed."""
    before = sorted({day for day in closed if day < on})
    if since is not None:
        return since
    wanted = on - timedelta(days=30)
    return next((day for day in before if day >= wanted), None)


def _buckets(rows: Sequence[Row]) -> list[BucketRow]:
    principal = sum(row["principal_minor"] for row in rows)
    segments = strip([row["principal_minor"] for row in rows], STRIP_UNITS)
    late = max((row["principal_minor"] for row in rows[1:]), default=0)
    return [
        BucketRow(
            name=row["bucket"],
            severity=severity(row["bucket"], place),
            loans=row["loans"],
            principal_minor=row["principal_minor"],
            overdue_minor=row["overdue_minor"],
            share=Decimal(row["principal_minor"]) / principal if principal else None,
            segment=segments[place] if segments else Segment(x="0.0", width="0.0"),
            late_bar=bar(row["principal_minor"], late, BAR_UNITS) if place else "0.0",
        )
        for place, row in enumerate(rows)
    ]


def _figures(db: Database, on: date, since: date | None, currency: str) -> list[Figure]:
    """Set PAR and the delinquency rates of a day against those of the earlier one."""
    before = _ratios(db, since, currency) if since else {}
    return [
        Figure(name=name, ratio=ratio, moved=_moved(before.get(name), ratio))
        for name, ratio in _ratios(db, on, currency).items()
    ]


def _ratios(db: Database, on: date, currency: str) -> dict[str, risk.Ratio]:
    found = [*risk.delinquency(db, on), *risk.portfolio_at_risk(db, on)]
    return {r.definition: r for r in found if r.currency in {currency, None}}


def _moved(before: risk.Ratio | None, now: risk.Ratio) -> Decimal | None:
    if before is None or before.value is None or now.value is None:
        return None
    return now.value - before.value


def _late_trend(days: Sequence[Row]) -> Chart | None:
    """Draw the share of principal that is late by at least so many days, in parts per million."""
    whole: dict[date, int] = {}
    late: dict[int, dict[date, int]] = {days: {} for days in TREND_FROM_DAYS}
    for row in days:
        day, principal = row["business_date"], row["principal_minor"]
        whole[day] = whole.get(day, 0) + principal
        for least, sums in late.items():
            part = principal if row["days_past_due_from"] >= least else 0
            sums[day] = sums.get(day, 0) + part
    series = [
        Series(
            name=str(least),
            values=[(day, sums[day] * PPM // total) for day, total in whole.items() if total],
        )
        for least, sums in late.items()
    ]
    return lines(
        series, Frame(width=560, height=240), label=lambda ppm: percent(Decimal(ppm) / PPM, 1)
    )


def _principal_trend(days: Sequence[Row], currency: str, language: str) -> Chart | None:
    sums: dict[date, int] = {}
    for row in days:
        day = row["business_date"]
        sums[day] = sums.get(day, 0) + row["principal_minor"]
    return lines(
        [Series(name="principal", values=list(sums.items()))],
        Frame(width=560, height=240),
        label=lambda minor: short_money(minor, currency, language),
    )


def _ppm(ratio: risk.Ratio) -> int:
    return int((ratio.value or 0) * PPM)


def _segment_rows(ratios: Sequence[risk.Ratio], currency: str, by: str) -> list[SegmentRow]:
    """Pair the two rates of each segment; grades by name, others by what is late."""
    pairs = [
        (by_count, by_balance)
        for by_count, by_balance in zip(ratios[::2], ratios[1::2], strict=True)
        if by_balance.currency == currency
    ]
    if pairs and by != "grade":
        pairs.sort(key=lambda pair: -pair[1].numerator)
    # A segment of a few loans is late by all of them or none: it would flatten every other bar.
    steady = [pair for pair in pairs if pair[0].n >= SEGMENT_LOANS_MIN] or pairs
    whole = max((_ppm(ratio) for pair in steady for ratio in pair), default=0)

    def length(ratio: risk.Ratio) -> str:
        return bar(min(_ppm(ratio), whole), whole, BAR_UNITS)

    return [
        SegmentRow(
            name=by_count.segment,
            loans=by_count,
            balance=by_balance,
            loans_bar=length(by_count),
            balance_bar=length(by_balance),
            few=by_count.n < SEGMENT_LOANS_MIN,
        )
        for by_count, by_balance in pairs
    ]


def _matrix(cells: Sequence[risk.Migration], currency: str) -> dict[str, Any]:
    """Lay cells out as rows and columns: buckets from mild to bad, then ways to leave the book."""
    mine = [cell for cell in cells if cell.currency == currency]
    rows = list(dict.fromkeys(cell.from_bucket for cell in mine))
    reached = {cell.to_state for cell in mine}
    buckets = [b.name for b in US_BUCKETS.buckets if b.name in reached or b.name in rows]
    others = [name for name in rows if name not in buckets]
    columns = [*buckets, *others, *(name for name in LEFT if name in reached)]
    found = {(cell.from_bucket, cell.to_state): cell for cell in mine}
    return {
        "columns": columns,
        "buckets": {*buckets, *others},
        "rows": [
            MatrixRow(
                name=name,
                severity=severity(name, place),
                loans=sum(cell.loans for cell in mine if cell.from_bucket == name),
                cells=tuple(found.get((name, column)) for column in columns),
            )
            for place, name in enumerate(rows)
        ],
    }


def routes(console: Console) -> APIRouter:
    """Make the page's route."""
    made = console.router()

    async def show(request: Request, asked: Annotated[PortfolioAsked, Query()]) -> Response:
        visitor = console.visitor(request, Scope.READ)
        page = await console.parts.reads.run(lambda db: view(db, asked, visitor.language))
        return console.page(request, visitor, "portfolio.html", page)

    made.add_api_route("/portfolio", show)
    return made
