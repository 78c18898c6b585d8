"""A loan's page: where it stood at the moment that was picked, and how it came to that."""

from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.console.asking import Asked, Day, Instant, LoanId
from api.console.charges import agreed_charges
from api.console.console import Console, Visitor
from api.console.loan_charts import life_chart, life_strip
from api.console.loan_standing import (
    Moment,
    Standing,
    neighbours,
    next_reset_on,
    payoff,
    quote_day,
    rate_in_force,
    room,
    stand,
    standing_transactions,
    told,
)
from api.console.queue import RELEASE_CAUSES
from api.console.why import penalised, why_interest, why_penalty, why_split
from api.identity import Scope
from domain.envelope import StreamId
from domain.errors import Rejected
from domain.servicing.terms import INSTALMENTS_MAX
from infra.edge import Identifier
from projections import loan_summary
from projections.audit_trail import timeline
from projections.loan_day import loan_days
from projections.pages import PAGE_ROWS_MAX
from projections.ports import Database, Row
from projections.transactions import transactions
from projections.worklist import case

EPOCH: Final = date(1900, 1, 1)


class LoanAsked(Asked):
    """Which moment of the loan; None: now. `quote_on`: the day of the payoff quote.

    `why`: the number of an instalment, `why_of`: a transaction, whose figure is to be explained;
    `why_charged`: the number of an instalment whose penalties are.
    """

    as_of: Day = None
    known_at: Instant = None
    quote_on: Day = None
    why: int | None = Field(None, ge=1, le=INSTALMENTS_MAX)
    why_charged: int | None = Field(None, ge=1, le=INSTALMENTS_MAX)
    why_of: Identifier | None = None


def read(db: Database, loan_id: str, until: date) -> dict[str, Any]:
    """Read what the read models know of a loan; `summary` None: nothing yet."""
    moved = transactions(db, loan_id, restated=True, limit=PAGE_ROWS_MAX)
    entries = timeline(db, loan_id, limit=PAGE_ROWS_MAX)
    return {
        "summary": loan_summary.loan(db, loan_id),
        "transactions": moved.rows,
        "entries": entries.rows,
        "cut": moved.cursor is not None or entries.cursor is not None,
        "days": list(loan_days(db, loan_id, from_on=EPOCH, until_on=until)),
        "case": case(db, loan_id),
    }


def routes(console: Console) -> APIRouter:
    """Make the page's route."""
    made = console.router()
    parts = console.parts

    async def show(
        request: Request, loan_id: LoanId, asked: Annotated[LoanAsked, Query()]
    ) -> Response:
        visitor = console.visitor(request, Scope.READ)
        stream = StreamId(f"loan-{loan_id}")
        events = await parts.reads.in_thread(lambda: parts.store.load({stream: 0}).get(stream, []))
        if not events:
            raise Rejected("unknown_loan", f"there is no loan {loan_id}")
        moment = Moment(as_of=asked.as_of, known_at=asked.known_at)
        standing = stand(events, moment, await parts.business_date.today())
        known = await parts.reads.run(lambda db: read(db, loan_id, standing.on))
        entries = told(known["entries"], loan_id, standing, moment)
        page = known | {
            "loan_id": loan_id,
            "moment": moment,
            "standing": standing,
            "loan": standing.loan,
            "entries": entries,
            "transactions": standing_transactions(known["transactions"], standing.versions),
            "why": why_interest(standing, asked.why),
            "charged": why_penalty(standing, asked.why_charged),
            "penalised": penalised(standing),
            "charges": agreed_charges(standing),
            "split": why_split(standing, events, asked.why_of),
            "next_reset": next_reset_on(standing),
            "rate": rate_in_force(standing),
            "quote": payoff(standing, quote_day(asked.quote_on, standing)),
            "room": room(standing),
            "neighbours": neighbours(entries, standing.on),
            "strip": life_strip(entries, standing),
            "chart": _chart(standing, moment, known["days"], visitor),
            "causes": RELEASE_CAUSES,
            "me": visitor.caller.actor.id,
        }
        return console.page(request, visitor, "loan.html", page)

    made.add_api_route("/loans/{loan_id}", show)
    return made


def _chart(standing: Standing, moment: Moment, days: list[Row], visitor: Visitor) -> Any:  # noqa: ANN401 - for the template
    """Draw the loan's life; what the closes said later is left out of what was known before."""
    if standing.loan is None:
        return None
    names = (visitor.words("loan.chart.planned"), visitor.words("loan.chart.owed"))
    shown = days if moment.known_at is None else []
    return life_chart(standing.loan, shown, standing.on, labels=names, language=visitor.language)
