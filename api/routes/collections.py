"""The collections queue and the cases in it. Claiming and releasing are commands."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final

from fastapi import FastAPI, Query, Request, Response
from pydantic import Field

from api.asking import Day, LoanId, Paged, Queries, Word, answer
from api.parts import Parts
from api.rows import Row
from domain.errors import Rejected
from infra.edge import Identifier
from projections.collection_cases import CaseRow
from projections.pages import Page
from projections.ports import Database
from projections.worklist import case, worklist


@dataclass
class _Item:
    """The columns of the worklist that go out."""

    loan_id: str
    customer_id: str
    currency: str
    tier: str
    next_action: str
    days_past_due: int
    bucket: str
    overdue_minor: int
    principal_minor: int
    grade: str | None
    purpose: str | None
    region: str | None
    last_payment_on: date | None
    last_payment_minor: int | None
    next_due_on: date | None
    case_open: bool
    opened_on: date | None
    claimed_by: str | None
    claimed_at: datetime | None
    case_version: int | None


ITEM: Final = Row("QueueItem", "A late loan and what to do next.", _Item)
CASE: Final = Row("Case", "A loan's collection case.", CaseRow)
QueuePage = ITEM.page_model()


class QueueFilters(Paged):
    """Which part of the queue."""

    on: Day | None = Field(None, description="A closed date; left out: the last one")
    tier: Word | None = None
    bucket: Word | None = None
    region: Word | None = None
    claimed_by: Identifier | None = Field(None, description="Whose cases")
    unclaimed: bool = Field(default=False, description="Only what nobody works on")


class CollectionQueries(Queries):
    """Answers for the collections desk."""

    tag = "collections"

    async def get_queue(
        self, request: Request, params: Annotated[QueueFilters, Query()]
    ) -> Response:
        """List late loans, most urgent first."""
        if params.unclaimed and params.claimed_by:
            raise Rejected("unknown_filter", "either claimed_by or unclaimed", "unclaimed")
        filters = params.model_dump(include={"tier", "bucket", "region"}, exclude_none=True)
        if params.unclaimed or params.claimed_by:
            filters["claimed"] = params.claimed_by or ""

        def question(db: Database) -> Page:
            return worklist(
                db, on=params.on, filters=filters, limit=params.limit, cursor=params.cursor
            )

        return answer(ITEM.page(await self.ask(request, question)))

    async def get_case(self, request: Request, loan_id: LoanId) -> Response:
        """Get a loan's collection case; the ETag is its version."""
        row = await self.ask(request, lambda db: case(db, loan_id))
        if row is None:
            raise Rejected("unknown_case", "this loan never had a case", "loan_id")
        return answer(CASE.write(row), ETag=f'"{row["version"]}"')


def register(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""
    queries = CollectionQueries(parts)
    queries.add(app, "/v1/queue", QueuePage, queries.get_queue)
    queries.add(app, "/v1/cases/{loan_id}", CASE.model, queries.get_case)
