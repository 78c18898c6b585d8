"""Risk monitoring and reports: the book on a closed day, its segments, and how it moved."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI, Query, Request, Response
from pydantic import Field

from api.asking import Day, Known, Params, Queries, answer
from api.parts import Parts
from api.rows import Answer, Row, answer_model
from api.writing import amount, written
from domain.errors import Rejected
from projections import business_report, loan_day, risk
from projections.ports import Database
from projections.risk import Migration, Ratio


@dataclass
class _Bucket:
    currency: str
    bucket: str
    loans: int
    principal_minor: int
    overdue_minor: int


@dataclass
class _BucketOfDay(_Bucket):
    business_date: date
    accrued_interest_minor: int


@dataclass
class _Period:
    period: date
    currency: str
    applications: int
    applied_minor: int
    approvals: int
    declines: int
    withdrawals: int
    disbursements: int
    disbursed_minor: int
    payments: int
    paid_minor: int
    settlements: int
    charge_offs: int
    charged_off_minor: int
    balances_on: date | None
    active_loans: int | None
    active_customers: int | None
    outstanding_minor: int | None


@dataclass
class _Ratio:
    definition: str
    as_of: date
    currency: str | None
    segment: str | None
    value: Decimal | None
    numerator: str
    denominator: str
    n: int


BUCKET: Final = Row("Bucket", "Loans and balances of a bucket.", _Bucket)
BUCKET_OF_DAY: Final = Row("BucketOfDay", "A bucket on a closed day.", _BucketOfDay)
PERIOD: Final = Row("Period", "What happened in a day, week or month.", _Period)
RATIO: Final = Row("Ratio", "A figure with what it is made of.", _Ratio)
CELL: Final = Row("MigrationCell", "Of the loans in one bucket, those now elsewhere.", Migration)

DAYS_MAX: Final = 1100
"""Days of one history or report: three years."""
DAYS_PAST_DUE_MAX: Final = 10_000


def _listing(name: str, says: str, row: Row) -> type[Answer]:
    return answer_model(name, says, rows=row.many)


Portfolio = answer_model(
    "Portfolio",
    "The book at the close of a business day.",
    on=date,
    buckets=BUCKET.many,
    at_risk=(RATIO.many, Field(description="PAR30, PAR60, PAR90: whole principal")),
)
Delinquency = _listing("Delinquency", "Delinquency by count and by balance.", RATIO)
MigrationMatrix = _listing("MigrationMatrix", "From bucket to bucket between two closes.", CELL)
History = _listing("History", "Buckets of every closed day of a range.", BUCKET_OF_DAY)
Report = _listing("BusinessReport", "One row a period and currency.", PERIOD)


class OnDay(Params):
    """A closed business date."""

    on: Day | None = Field(None, description="A closed date; left out: the last one")
    known: Known = None


class Segment(OnDay):
    """How delinquency is cut, and from when on a loan counts as late."""

    by: Literal["grade", "purpose", "region", "channel", "product_code", "currency"] | None = None
    from_days: int = Field(1, ge=1, le=DAYS_PAST_DUE_MAX, description="Least days past due")


class Range(Params):
    """Two dates."""

    from_on: Day = Field(alias="from")
    until_on: Day = Field(alias="until")
    known: Known = None


class ReportRange(Params):
    """Dates and how they are grouped."""

    from_on: Day = Field(alias="from")
    until_on: Day = Field(alias="until")
    period: Literal["day", "week", "month"] = "month"


class PortfolioQueries(Queries):
    """Answers about the whole book."""

    tag = "portfolio"

    async def get_portfolio(self, request: Request, params: Annotated[OnDay, Query()]) -> Response:
        """Get balances and counts by bucket, and the portfolio at risk."""
        known = self.number_of(params.known)

        def question(db: Database) -> dict[str, Any]:
            on = _closed(db, params.on)
            return {
                "on": on,
                "buckets": BUCKET.write_all(risk.by_bucket(db, on, known)),
                "at_risk": [_ratio(r) for r in risk.portfolio_at_risk(db, on, known)],
            }

        return answer(await self.ask(request, question))

    async def get_delinquency(
        self, request: Request, params: Annotated[Segment, Query()]
    ) -> Response:
        """Get delinquency rates of the book or of each segment."""
        known = self.number_of(params.known)

        def question(db: Database) -> list[dict[str, Any]]:
            on = _closed(db, params.on)
            ratios = risk.delinquency(db, on, by=params.by, from_days=params.from_days, known=known)
            return [_ratio(ratio) for ratio in ratios]

        return answer({"rows": await self.ask(request, question)})

    async def get_migration(self, request: Request, params: Annotated[Range, Query()]) -> Response:
        """Get the migration matrix between two closed days."""
        known = self.number_of(params.known)
        cells = await self.ask(
            request, lambda db: risk.migration(db, params.from_on, params.until_on, known)
        )
        return answer({"rows": written(cells)})

    async def get_portfolio_history(
        self, request: Request, params: Annotated[Range, Query()]
    ) -> Response:
        """Get balances by bucket for every closed day of a range."""
        _require_range(params.from_on, params.until_on)
        known = self.number_of(params.known)
        rows = await self.ask(
            request, lambda db: risk.history(db, params.from_on, params.until_on, known)
        )
        return answer({"rows": BUCKET_OF_DAY.write_all(rows)})

    async def get_business_report(
        self, request: Request, params: Annotated[ReportRange, Query()]
    ) -> Response:
        """Get applications, decisions, volumes, balances and customers by period."""
        _require_range(params.from_on, params.until_on)
        rows = await self.ask(
            request,
            lambda db: business_report.business_report(
                db, params.from_on, params.until_on, params.period
            ),
        )
        return answer({"rows": PERIOD.write_all(rows)})


def _closed(db: Database, on: date | None) -> date:
    """Return the date asked for, or the last closed one. Raises Rejected `no_closed_day`."""
    day = on or loan_day.last_closed(db)
    if day is None:
        raise Rejected("no_closed_day", "no business day has been closed yet", "on")
    return day


def _require_range(first: date, last: date) -> None:
    if first > last:
        raise Rejected("dates_out_of_order", "the first date is after the last", "from")
    if (last - first).days >= DAYS_MAX:
        raise Rejected("date_out_of_range", f"ask for 1 to {DAYS_MAX} days", "until")


def _ratio(ratio: Ratio) -> dict[str, Any]:
    """Write a ratio: its parts are amounts, or counts when it has no currency."""
    currency = ratio.currency

    def part(value: int) -> str:
        return amount(value, currency) if currency else str(value)

    return {
        "definition": ratio.definition,
        "as_of": ratio.as_of,
        "currency": currency,
        "segment": ratio.segment,
        "value": written(ratio.value),
        "numerator": part(ratio.numerator),
        "denominator": part(ratio.denominator),
        "n": ratio.n,
    }


def register(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""
    queries = PortfolioQueries(parts)
    at = "/v1/portfolio"
    queries.add(app, at, Portfolio, queries.get_portfolio)
    queries.add(app, at + "/delinquency", Delinquency, queries.get_delinquency)
    queries.add(app, at + "/migration", MigrationMatrix, queries.get_migration)
    queries.add(app, at + "/history", History, queries.get_portfolio_history)
    queries.add(app, "/v1/reports/business", Report, queries.get_business_report)
