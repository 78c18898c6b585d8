"""The list of loans with its filters, and finding one loan by any of its names."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.console.asking import Asked, Code, Cursor
from api.console.console import PREFIX, Console, address, redirect
from api.identity import Scope
from domain.loan.state import LoanStatus
from domain.policies import US_BUCKETS
from projections import loan_summary
from projections.ports import Database

PAGE_ROWS: Final = 50


class LoansAsked(Asked):
    """The filters as the page's form sends them; empty: any. `q` is any name of one loan."""

    q: Code = ""
    status: Code = ""
    bucket: Code = ""
    grade: Code = ""
    purpose: Code = ""
    region: Code = ""
    cursor: Cursor = ""

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set, in the query's own words."""
        return self.model_dump(exclude={"q", "cursor"}, exclude_defaults=True)


def view(db: Database, asked: LoansAsked) -> dict[str, Any]:
    """Gather the page. Raises Rejected `malformed_cursor`."""
    return {
        "asked": asked,
        "page": loan_summary.loans(db, filters=asked.filters, limit=PAGE_ROWS, cursor=asked.cursor),
        "statuses": list(LoanStatus),
        "buckets": [bucket.name for bucket in US_BUCKETS.buckets],
        "counts": loan_summary.counts_by_status(db),
    }


def find(db: Database, name: str) -> str | None:
    """Return the id of the loan with this id, or this id of an upstream system; None: no such."""
    row = loan_summary.loan(db, name) or loan_summary.loan_by_external_id(db, name)
    return row["loan_id"] if row else None


def routes(console: Console) -> APIRouter:
    """Make the page's route; a name that is found leads to its loan."""
    made = console.router()

    async def show(request: Request, asked: Annotated[LoansAsked, Query()]) -> Response:
        visitor = console.visitor(request, Scope.READ)
        if asked.q:
            found = await console.parts.reads.run(lambda db: find(db, asked.q))
            if found is not None:
                return redirect(address(f"{PREFIX}/loans/{found}"))
        page = await console.parts.reads.run(lambda db: view(db, asked))
        return console.page(request, visitor, "loans.html", page)

    made.add_api_route("/loans", show)
    return made
