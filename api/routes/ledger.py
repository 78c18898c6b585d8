"""The general ledger's view: trial balances as of a date, and the entries of one loan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Request, Response
from pydantic import Field

from api.asking import Day, Known, LoanId, Paged, Params, Queries, Word, answer, known_loan
from api.parts import Parts
from api.rows import Row, answer_model
from projections import journal
from projections.journal import JournalEntry
from projections.pages import Page
from projections.ports import Database


@dataclass
class _Balance:
    """An account's side: one of the two is zero."""

    currency: str
    account: str
    debit_minor: int
    credit_minor: int


@dataclass
class _Total:
    currency: str
    debit_minor: int
    credit_minor: int


@dataclass
class _Line:
    account: str
    debit_minor: int
    credit_minor: int


BALANCE: Final = Row("AccountBalance", "An account's balance.", _Balance)
TOTAL: Final = Row("LedgerTotal", "Both sides of a currency; they are equal.", _Total)
LINE: Final = Row("EntryLine", "A line of an entry.", _Line)
ENTRY: Final = Row(
    "JournalEntry",
    "What one event posts.",
    JournalEntry,
    without=("stream", "number", "accounts", "amounts_minor"),
    nested={"lines": LINE.many},
    lines=list[dict[str, Any]],
)
EntryPage = ENTRY.page_model()
TrialBalance = answer_model(
    "TrialBalance",
    "Every account that is not at zero.",
    as_of=date,
    rows=BALANCE.many,
    totals=TOTAL.many,
)


class AsOf(Params):
    """A value date, and what was known."""

    as_of: Day | None = Field(None, description="Left out: the business date")
    known: Known = None
    product: Word | None = Field(None, description="Of one product; left out: of all")


class LedgerQueries(Queries):
    """Answers from the journal."""

    tag = "ledger"

    async def trial_balance(self, request: Request, params: Annotated[AsOf, Query()]) -> Response:
        """Add up the journal to a value date, as known now or at a position."""
        as_of = params.as_of or await self.parts.business_date.today()
        known = self.number_of(params.known)

        def question(db: Database) -> list[dict[str, Any]]:
            return journal.trial_balance(db, as_of, known=known, product=params.product)

        rows = [
            dict(row) | _sides(row["amount_minor"]) for row in await self.ask(request, question)
        ]
        said = {
            "as_of": as_of.isoformat(),
            "rows": BALANCE.write_all(rows),
            "totals": TOTAL.write_all(_totals(rows)),
        }
        return answer(said)

    async def list_entries(
        self, request: Request, loan_id: LoanId, params: Annotated[Paged, Query()]
    ) -> Response:
        """List what a loan's events posted, in the order in which they were recorded."""

        def question(db: Database) -> Page:
            known_loan(db, loan_id)
            return journal.entries(db, f"loan-{loan_id}", limit=params.limit, cursor=params.cursor)

        page = await self.ask(request, question)
        rows = [row | {"lines": _lines(row)} for row in page.rows]
        return answer(ENTRY.page(Page(rows=rows, cursor=page.cursor)))


def _sides(minor: int) -> dict[str, int]:
    """Write a signed amount, debit positive, on its side."""
    return {"debit_minor": max(minor, 0), "credit_minor": max(-minor, 0)}


def _totals(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    totals: dict[str, dict[str, Any]] = {}
    for row in rows:
        empty = {"currency": row["currency"], "debit_minor": 0, "credit_minor": 0}
        total = totals.setdefault(row["currency"], empty)
        total["debit_minor"] += row["debit_minor"]
        total["credit_minor"] += row["credit_minor"]
    return list(totals.values())


def _lines(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    pairs = zip(entry["accounts"], entry["amounts_minor"], strict=True)
    return LINE.write_all(
        [{"account": account} | _sides(minor) for account, minor in pairs], entry["currency"]
    )


def register(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""
    queries = LedgerQueries(parts)
    queries.add(app, "/v1/ledger/trial-balance", TrialBalance, queries.trial_balance)
    queries.add(app, "/v1/loans/{loan_id}/entries", EntryPage, queries.list_entries)
