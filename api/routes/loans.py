"""Queries on loans as the read models have them: lists, schedule, transactions, days, life."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from fastapi import FastAPI, Query, Request, Response
from pydantic import Field

from api.asking import Day, Instant, LoanId, Paged, Params, Queries, Word, answer, known_loan
from api.parts import Parts
from api.rows import Row, answer_model
from domain.errors import Rejected
from domain.loan.instalments import AllocationLine
from projections import audit_trail, instalments, loan_day, loan_summary, transactions
from projections.audit_trail import AuditEntry
from projections.instalments import InstalmentVersion
from projections.loan_summary import LoanSummary
from projections.pages import Page
from projections.ports import Database
from projections.repricing import Repricing, repricings
from projections.transactions import Transaction


@dataclass
class _Day:
    """The columns of `loan_day` that go out."""

    business_date: date
    state: str
    currency: str
    bucket: str
    days_past_due: int
    principal_minor: int
    overdue_principal_minor: int
    overdue_interest_minor: int
    overdue_fee_minor: int
    overdue_penalty_minor: int
    accrued_interest_minor: int
    restructured: bool


LOAN: Final = Row(
    "Loan",
    "One loan as it stands.",
    LoanSummary,
    without=(
        *("tolerance_minor", "four_eyes_from_minor", "longest_period_days", "last_fact_on"),
        *("recalculates", "bears_penalties", "rows_total", "replanned_on", "overdue_turns"),
        *("tolerance_percent", "tolerance_days", "tolerance_day", "penalty_counts"),
    ),
)
INSTALMENT: Final = Row(
    "Instalment",
    "One row of a schedule.",
    InstalmentVersion,
    without=("loan_id", "version", "valid_from", "valid_to", "seen_until"),
    unpaid_minor=int,
)
LINE: Final = Row("Line", "The part of a payment that went to one instalment.", AllocationLine)
TRANSACTION: Final = Row(
    "Transaction",
    "What moved money or terms.",
    Transaction,
    nested={"lines": LINE.many},
)
LOAN_DAY: Final = Row("LoanDay", "A loan at the close of a business day.", _Day)
ENTRY: Final = Row("AuditEntry", "One event: who, when, why.", AuditEntry)

REPRICING: Final = Row(
    "Repricing",
    "What a floating loan took over on a reset date, as known now.",
    Repricing,
    without=("loan_id", "version"),
)

LoanPage = LOAN.page_model()
TransactionPage = TRANSACTION.page_model()
EntryPage = ENTRY.page_model()
Schedule = answer_model(
    "Schedule",
    "A loan's instalments in order.",
    loan_id=str,
    currency=str,
    rows=INSTALMENT.many,
)
Repricings = answer_model(
    "Repricings",
    "A loan's reset dates in order.",
    loan_id=str,
    rows=REPRICING.many,
)
LoanDays = answer_model(
    "LoanDays",
    "A loan at the closes of a range of business days.",
    loan_id=str,
    rows=LOAN_DAY.many,
)
DAYS_MAX: Final = 400
"""Days of one answer: more than a year of closes."""


class LoanFilters(Paged):
    """Which loans."""

    status: Word | None = None
    bucket: Word | None = None
    grade: Word | None = None
    purpose: Word | None = None
    region: Word | None = None
    customer_id: Word | None = None
    product_code: Word | None = None


class AsOf(Params):
    """A value date."""

    as_of: Day | None = Field(None, description="Rows that hold on this date; left out: now")


class Between(Paged):
    """A range of value dates, and whether superseded figures are wanted."""

    from_on: Day | None = Field(None, alias="from")
    until_on: Day | None = Field(None, alias="until")
    restated: bool = Field(default=False, description="Also figures that a restatement superseded")


class Days(Params):
    """A range of business days."""

    from_on: Day = Field(alias="from")
    until_on: Day = Field(alias="until")


class KnownAt(Paged):
    """A moment of knowledge."""

    known_at: Instant | None = Field(None, description="What was known then; left out: now")


class LoanQueries(Queries):
    """Answers from the read models of one loan."""

    tag = "loans"

    async def list_loans(
        self, request: Request, params: Annotated[LoanFilters, Query()]
    ) -> Response:
        """List loans in order of id."""
        filters = params.model_dump(exclude={"limit", "cursor"}, exclude_none=True)

        def question(db: Database) -> Page:
            return loan_summary.loans(db, filters=filters, limit=params.limit, cursor=params.cursor)

        return answer(LOAN.page(await self.ask(request, question)))

    async def get_loan(self, request: Request, loan_id: LoanId) -> Response:
        """Get one loan; the ETag is its version."""
        row = await self.ask(request, lambda db: known_loan(db, loan_id))
        return answer(LOAN.write(row), ETag=f'"{row["version"]}"')

    async def get_schedule(
        self, request: Request, loan_id: LoanId, params: Annotated[AsOf, Query()]
    ) -> Response:
        """Get the schedule as it stands, or as it held on a value date."""

        def question(db: Database) -> dict[str, object]:
            currency = known_loan(db, loan_id)["currency"]
            rows = instalments.schedule(db, loan_id, params.as_of)
            written = INSTALMENT.write_all(rows, currency)
            return {"loan_id": loan_id, "currency": currency, "rows": written}

        return answer(await self.ask(request, question))

    async def list_repricings(self, request: Request, loan_id: LoanId) -> Response:
        """List what a floating loan took over on its reset dates, oldest first."""

        def question(db: Database) -> dict[str, object]:
            known_loan(db, loan_id)
            return {"loan_id": loan_id, "rows": REPRICING.write_all(repricings(db, loan_id))}

        return answer(await self.ask(request, question))

    async def list_transactions(
        self, request: Request, loan_id: LoanId, params: Annotated[Between, Query()]
    ) -> Response:
        """List what moved money or terms, by value date."""

        def question(db: Database) -> Page:
            known_loan(db, loan_id)
            return transactions.transactions(
                db,
                loan_id,
                from_on=params.from_on,
                until_on=params.until_on,
                restated=params.restated,
                limit=params.limit,
                cursor=params.cursor,
            )

        return answer(TRANSACTION.page(await self.ask(request, question)))

    async def get_timeline(
        self, request: Request, loan_id: LoanId, params: Annotated[KnownAt, Query()]
    ) -> Response:
        """List every event of a loan and of its collection case, oldest first."""

        def question(db: Database) -> Page:
            known_loan(db, loan_id)
            return audit_trail.timeline(
                db, loan_id, known_at=params.known_at, limit=params.limit, cursor=params.cursor
            )

        return answer(ENTRY.page(await self.ask(request, question)))

    async def list_days(
        self, request: Request, loan_id: LoanId, params: Annotated[Days, Query()]
    ) -> Response:
        """List a loan's days past due and balances at the closes of a range of days."""
        if not 0 <= (params.until_on - params.from_on).days < DAYS_MAX:
            raise Rejected("date_out_of_range", f"ask for 1 to {DAYS_MAX} days", "until")

        def question(db: Database) -> dict[str, object]:
            known_loan(db, loan_id)
            rows = loan_day.loan_days(db, loan_id, from_on=params.from_on, until_on=params.until_on)
            return {"loan_id": loan_id, "rows": LOAN_DAY.write_all(rows)}

        return answer(await self.ask(request, question))


def register(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""
    queries = LoanQueries(parts)
    queries.add(app, "/v1/loans", LoanPage, queries.list_loans)
    queries.add(app, "/v1/loans/{loan_id}", LOAN.model, queries.get_loan)
    queries.add(app, "/v1/loans/{loan_id}/schedule", Schedule, queries.get_schedule)
    queries.add(app, "/v1/loans/{loan_id}/repricings", Repricings, queries.list_repricings)
    queries.add(app, "/v1/loans/{loan_id}/transactions", TransactionPage, queries.list_transactions)
    queries.add(app, "/v1/loans/{loan_id}/timeline", EntryPage, queries.get_timeline)
    queries.add(app, "/v1/loans/{loan_id}/days", LoanDays, queries.list_days)
