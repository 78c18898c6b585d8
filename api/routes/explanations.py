"""Why a stored loan's figures are what they are, from its own events. Nothing is computed anew."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Request, Response
from pydantic import Field

from api.asking import LoanId, answer
from api.explain_deferred import ExplainedDeferral, deferrals_of
from api.explanations import (
    ExplainedInterest,
    ExplainedPenalty,
    interest_of,
    part_model,
    parts_of,
    penalties_of,
)
from api.parts import Parts
from api.routes.replays import Moment, ReplayQueries
from api.rows import answer_model
from domain.envelope import RecordedEvent
from domain.errors import Rejected
from domain.events.servicing import AllocationsRestated, Restatement
from domain.loan.instalments import AllocationLine
from domain.loan.state import Loan
from domain.money import format_amount
from domain.replay import Replay, replay
from domain.servicing.account import Account

PARTS: Final = ("principal", "interest", "fee", "penalty")

LoanPart = part_model("LoanPart", transaction_id=str)
LoanRestatement = answer_model(
    "LoanRestatement",
    "A published figure of a transaction that a later fact changed.",
    cause_id=(str, Field(description="The fact, or the one that was taken back")),
    version=(int, Field(description="Of the event that says so")),
    recorded_at=datetime,
    since_on=(date, Field(description="The value date from which figures differ")),
    transaction_id=str,
    instalment=(int | None, Field(description="null: what was overpaid")),
    part=str,
    before=str,
    after=str,
)
LoanExplanation = answer_model(
    "LoanExplanation",
    "Why a loan's figures are what they are; the parts add up to the figure, to the minor unit.",
    loan_id=str,
    as_of=(date | None, Field(description="Value date; null: as last published")),
    known_at=(datetime | None, Field(description="Moment of knowledge; null: no bound")),
    version=(int, Field(description="Of the last event that was taken in")),
    currency=str,
    interest=list[ExplainedInterest],
    penalties=list[ExplainedPenalty],
    deferred=list[ExplainedDeferral],
    parts=list[LoanPart],
    restatements=list[LoanRestatement],
)


class ExplanationQueries(ReplayQueries):
    """Answers that say why."""

    async def explain_loan(
        self, request: Request, loan_id: LoanId, params: Annotated[Moment, Query()]
    ) -> Response:
        """Say which days earned the interest, which rule took what, which fact restated what."""
        del request
        events = await self._events(loan_id)
        return answer(await self.parts.reads.in_thread(lambda: _why(loan_id, events, params)))


def _why(loan_id: str, events: list[RecordedEvent], params: Moment) -> dict[str, Any]:
    seen = replay(events, as_of=params.as_of, known_at=params.known_at)
    loan = seen.loan
    if loan is None:
        raise Rejected("unknown_loan", "the loan had not been applied for then", "loan_id")
    account = _account(loan, params.as_of)
    on = params.as_of or _last_day(loan)
    return {
        "loan_id": loan_id,
        "as_of": params.as_of,
        "known_at": params.known_at,
        "version": seen.events[-1].version,
        "currency": loan.currency,
        "interest": [] if account is None else interest_of(account, loan.currency),
        "penalties": [] if account is None else penalties_of(account, loan.currency),
        "deferred": [] if account is None else deferrals_of(account, on, loan.currency),
        "parts": [] if account is None else _parts(account, loan.currency),
        "restatements": _restatements(seen, loan.currency),
    }


def _account(loan: Loan, as_of: date | None) -> Account | None:
    """Return the loan as the engine has it; None: no money was paid out."""
    if loan.timeline is None:
        return None
    return loan.timeline.account if as_of is None else loan.timeline.account_as_of(as_of)


def _last_day(loan: Loan) -> date:
    """Return the last day on which anything happened: what is as last published is of it."""
    timeline = loan.timeline
    return date.min if timeline is None or timeline.through is None else timeline.through


def _parts(account: Account, currency: str) -> list[dict[str, Any]]:
    return [
        {"transaction_id": entry.id, **part}
        for entry in account.transactions
        for part in parts_of(entry, currency)
    ]


def _restatements(seen: Replay, currency: str) -> list[dict[str, Any]]:
    return [
        {
            "cause_id": recorded.event.cause_id,
            "version": recorded.version,
            "recorded_at": recorded.recorded_at,
            "since_on": recorded.event.since_on,
            "transaction_id": change.payment_id,
            "instalment": instalment,
            "part": part,
            "before": format_amount(before, currency),
            "after": format_amount(after, currency),
        }
        for recorded in seen.events
        if isinstance(recorded.event, AllocationsRestated)
        for change in recorded.event.changes
        for instalment, part, before, after in _differences(change)
    ]


def _differences(change: Restatement) -> Iterator[tuple[int | None, str, int, int]]:
    """Compare a split before and after: instalment, part, and both amounts in minor units."""
    before, after = _by_part(change.before), _by_part(change.after)
    for instalment, part in sorted(before.keys() | after.keys()):
        old, new = before[instalment, part], after[instalment, part]
        if old != new:
            yield instalment, part, old, new
    if change.overpaid_before_minor != change.overpaid_after_minor:
        yield None, "overpaid", change.overpaid_before_minor, change.overpaid_after_minor


def _by_part(lines: Iterable[AllocationLine]) -> Counter[tuple[int, str]]:
    return Counter(
        {
            (line.instalment, part): getattr(line, f"{part}_minor")
            for line in lines
            for part in PARTS
        }
    )


def register(app: FastAPI, parts: Parts) -> None:
    """Add the route."""
    queries = ExplanationQueries(parts)
    queries.add(app, "/v1/loans/{loan_id}/explanation", LoanExplanation, queries.explain_loan)
