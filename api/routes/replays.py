"""A loan folded from its own events: its state at any time, what pays it off, and the proof.

These read the record and not the read models, so they know a command the moment it is answered.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Request, Response
from pydantic import Field

from api.asking import Day, Instant, LoanId, Paged, Params, Queries, answer
from api.identity import Scope
from api.parts import Parts
from api.routes.loans import INSTALMENT
from api.rows import Row, answer_model
from api.writing import written
from domain.decisions.guards import approved, require_status
from domain.decisions.payouts import require_open_to_payouts
from domain.decisions.plans import rate_of
from domain.envelope import RecordedEvent, StreamId
from domain.errors import Rejected
from domain.loan.cost import CostQuote, cost_quote
from domain.loan.headroom import Headroom, headroom
from domain.loan.instalments import Balances
from domain.loan.payoff import PayoffQuote, payoff_quote
from domain.loan.state import Loan, LoanStatus, Preparation
from domain.loan.terms import CustomInstalment, PlannedTranche, RateStep, SignedRate, Terms
from domain.replay import Replay, replay
from projections.pages import decode, page_of


@dataclass
class _Event:
    """What stands in the record of one event."""

    version: int
    shard: int
    position: int
    topic: str
    effective_on: date
    recorded_at: datetime
    state: str
    prev_hash: str
    hash: str


BALANCES: Final = Row("Balances", "What is owed over the whole schedule.", Balances)
SIGNED: Final = Row("SignedRate", "How a floating rate began.", SignedRate)
TRANCHE: Final = Row("PlannedTranche", "A payout that is expected.", PlannedTranche)
CUSTOM: Final = Row("CustomInstalment", "An agreed instalment.", CustomInstalment)
STEP: Final = Row("RateStep", "A rate that begins after so many instalments.", RateStep)
TERMS: Final = Row(
    "Terms",
    "What was agreed.",
    Terms,
    nested={
        "signed": SIGNED.maybe,
        "tranches": TRANCHE.many,
        "custom": CUSTOM.many,
        "rate_steps": STEP.many,
    },
)
PREPARATION: Final = Row("Preparation", "A payout that the maker laid out.", Preparation)
QUOTE: Final = Row("PayoffQuote", "What settles the loan.", PayoffQuote, currency=str, loan_id=str)
COST: Final = Row(
    "CostQuote", "What the approved plan costs.", CostQuote, currency=str, loan_id=str
)
HEADROOM: Final = Row("Headroom", "What may still go out.", Headroom, currency=str, loan_id=str)
EVENT: Final = Row("RecordedEvent", "One event as it stands in the record.", _Event)
EventPage = EVENT.page_model()
LoanState = answer_model(
    "LoanState",
    "Where a loan stood on a date, as it was known at an instant.",
    loan_id=str,
    as_of=(date | None, Field(description="Value date; null: no bound")),
    known_at=(datetime | None, Field(description="Moment of knowledge; null: no bound")),
    version=(int, Field(description="Of the last event that was taken in")),
    status=str,
    customer_id=str,
    currency=str,
    applied=(str, Field(description="Amount that was applied for")),
    instalments=(int, Field(description="Instalments that were applied for")),
    terms=(TERMS.maybe, Field(description="As approved; null: not yet")),
    rate_annual=(str | None, Field(description="In force now; null: not approved")),
    disbursed_on=date | None,
    preparation=(PREPARATION.maybe, Field(description="null: nothing is prepared")),
    paid_out=(str, Field(description="By all payouts that stand")),
    tranches=(TRANCHE.many, Field(description="Payouts that are expected, by date")),
    days_past_due=int,
    delinquent_days=(int, Field(description="Past due, less grace and pauses of the counter")),
    bucket=str | None,
    balances=BALANCES.model,
    rows=(INSTALMENT.many, Field(description="The schedule")),
)


class Moment(Params):
    """A value date and a moment of knowledge."""

    as_of: Day | None = Field(None, description="What was true on this date")
    known_at: Instant | None = Field(None, description="What was known at this moment")


class PayoffDay(Params):
    """The day of a payoff."""

    on: Day | None = Field(None, description="The day of payment; left out: the business date")


class DrawDay(Params):
    """The day of a payout."""

    on: Day | None = Field(None, description="The day of payout; left out: the business date")


class ReplayQueries(Queries):
    """Answers from the events of one loan."""

    tag = "loans"

    async def get_loan_state(
        self, request: Request, loan_id: LoanId, params: Annotated[Moment, Query()]
    ) -> Response:
        """Get a loan's state as of a date and as known at an instant, from its events."""
        del request
        events = await self._events(loan_id)
        seen = replay(events, as_of=params.as_of, known_at=params.known_at)
        if seen.loan is None:
            raise Rejected("unknown_loan", "the loan had not been applied for then", "loan_id")
        return answer(_state(loan_id, params, seen, seen.loan))

    async def get_payoff_quote(
        self, request: Request, loan_id: LoanId, params: Annotated[PayoffDay, Query()]
    ) -> Response:
        """Quote what settles the loan on a day, what each further day adds, and for how long."""
        del request
        on = params.on or await self.parts.business_date.today()
        events = await self._events(loan_id)
        loan = replay(events).loan
        assert loan is not None, "a loan that has events was applied for"
        quote = written(payoff_quote(loan, on), loan.currency)
        return answer(quote | {"currency": loan.currency, "loan_id": loan_id})

    async def get_headroom(
        self, request: Request, loan_id: LoanId, params: Annotated[DrawDay, Query()]
    ) -> Response:
        """Say what may still go out: of a limit what is not drawn, else what was not paid out."""
        del request
        on = params.on or await self.parts.business_date.today()
        loan = replay(await self._events(loan_id)).loan
        assert loan is not None, "a loan that has events was applied for"
        require_open_to_payouts(loan)
        room = written(headroom(loan, on), loan.currency)
        return answer(room | {"currency": loan.currency, "loan_id": loan_id})

    async def get_cost_quote(
        self, request: Request, loan_id: LoanId, params: Annotated[DrawDay, Query()]
    ) -> Response:
        """Quote what an approved loan costs a year, its fees in it: what a cost table shows."""
        del request
        on = params.on or await self.parts.business_date.today()
        loan = replay(await self._events(loan_id)).loan
        assert loan is not None, "a loan that has events was applied for"
        require_status(loan, (LoanStatus.APPROVED, LoanStatus.ACCEPTED))
        quote = written(cost_quote(loan.conditions, approved(loan), on), loan.currency)
        return answer(quote | {"currency": loan.currency, "loan_id": loan_id})

    async def _events(self, loan_id: str, after: int = 0) -> list[RecordedEvent]:
        """Read a loan's events. Raises Rejected `unknown_loan`."""
        stream = StreamId(f"loan-{loan_id}")
        loaded = await self.parts.reads.in_thread(lambda: self.parts.store.load({stream: after}))
        if not loaded[stream] and after == 0:
            raise Rejected("unknown_loan", "there is no loan with this id", "loan_id")
        return loaded[stream]


class ProofQueries(ReplayQueries):
    """Answers that prove what stands in the record."""

    scope = Scope.AUDIT
    tag = "audit"

    async def list_recorded_events(
        self, request: Request, loan_id: LoanId, params: Annotated[Paged, Query()]
    ) -> Response:
        """List a loan's events byte for byte, with the hashes that chain them."""
        del request
        after = decode(params.cursor, tuple[int])[0] if params.cursor else 0
        events = await self._events(loan_id, max(0, after))
        rows: list[dict[str, Any]] = [
            {
                "version": event.version,
                "shard": event.position.shard,
                "position": event.position.number,
                "topic": event.topic,
                "effective_on": event.effective_on,
                "recorded_at": event.recorded_at,
                "state": event.state.decode(),
                "prev_hash": event.prev_hash.hex(),
                "hash": event.hash.hex(),
            }
            for event in events[: params.limit + 1]
        ]
        return answer(EVENT.page(page_of(rows, params.limit, lambda row: (row["version"],))))


def _state(loan_id: str, params: Moment, seen: Replay, loan: Loan) -> dict[str, Any]:
    terms = loan.terms
    on = max(event.effective_on for event in seen.events)
    rate = terms and rate_of(loan, max(on, params.as_of or on))
    said = {
        "loan_id": loan_id,
        "as_of": params.as_of,
        "known_at": params.known_at,
        "version": seen.events[-1].version,
        "status": loan.status,
        "customer_id": loan.customer_id,
        "currency": loan.currency,
        "applied_minor": loan.amount_minor,
        "instalments": loan.instalments,
        "terms": terms,
        "rate_annual": rate,
        "disbursed_on": loan.disbursed_on,
        "preparation": loan.preparation,
        "paid_out_minor": loan.paid_out_minor,
        "tranches": loan.tranches,
        "days_past_due": seen.days_past_due,
        "delinquent_days": seen.delinquent_days,
        "bucket": loan.bucket,
        "balances": loan.balances,
    }
    rows = [row._asdict() | {"unpaid_minor": row.unpaid_minor} for row in loan.rows]
    return written(said) | {"rows": INSTALMENT.write_all(rows, loan.currency)}


def register(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""
    queries, proofs = ReplayQueries(parts), ProofQueries(parts)
    queries.add(app, "/v1/loans/{loan_id}/state", LoanState, queries.get_loan_state)
    queries.add(app, "/v1/loans/{loan_id}/payoff-quote", QUOTE.model, queries.get_payoff_quote)
    queries.add(app, "/v1/loans/{loan_id}/cost-quote", COST.model, queries.get_cost_quote)
    queries.add(app, "/v1/loans/{loan_id}/headroom", HEADROOM.model, queries.get_headroom)
    proofs.add(app, "/v1/loans/{loan_id}/events", EventPage, proofs.list_recorded_events)
