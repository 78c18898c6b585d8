"""The collections desk's page: who is late, what to do next, and who has the case.

It arranges what `projections.worklist` answers.
"""

from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import Field

from api.console.asking import Asked, Code, Cursor, LoanId, Posted
from api.console.console import PREFIX, Console, Visitor, address, local, redirect
from api.desk import Order
from api.identity import Scope
from domain.errors import Rejected
from domain.policies import US_BUCKETS
from domain.ports import Outcome
from infra.edge import BODIES
from infra.errors import Unavailable
from infra.log import logger
from projections import applied, worklist
from projections.loan_day import last_closed
from projections.ports import Database

_log = logger("console")
PAGE_ROWS: Final = 40
RELEASE_CAUSES: Final = ("done_for_today", "promise_taken", "handed_over", "taken_by_mistake")
NOBODY, MINE = "nobody", "mine"


class QueueAsked(Asked):
    """The filters as the page's form sends them; empty: any."""

    tier: Code = ""
    bucket: Code = ""
    region: Code = ""
    who: Literal["", "nobody", "mine"] = ""
    cursor: Cursor = ""

    @property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return bool(self.tier or self.bucket or self.region or self.who)

    def filters(self, actor_id: str) -> dict[str, str]:
        """Say the same in the worklist's own words."""
        given = {"tier": self.tier, "bucket": self.bucket, "region": self.region}
        filters = {name: value for name, value in given.items() if value}
        if self.who in {NOBODY, MINE}:
            filters["claimed"] = actor_id if self.who == MINE else ""
        return filters


class CasePosted(Posted):
    """Taking or giving back a case; `key` makes a form that is sent twice count once."""

    key: Annotated[Code, Field(min_length=8)]
    cause: Code = ""


def view(db: Database, asked: QueueAsked, actor_id: str) -> dict[str, Any]:
    """Gather the page. Raises Rejected `malformed_cursor`."""
    page = worklist.worklist(
        db, filters=asked.filters(actor_id), limit=PAGE_ROWS, cursor=asked.cursor
    )
    return {
        "asked": asked,
        "on": last_closed(db),
        "page": page,
        "tiers": worklist.tiers(db),
        "steps": worklist.DEFAULT_STRATEGY.steps,
        "buckets": [bucket.name for bucket in US_BUCKETS.buckets[1:]],
        "causes": RELEASE_CAUSES,
        "me": actor_id,
    }


def routes(console: Console) -> APIRouter:
    """Make the page's routes: the queue, and taking and giving back a case."""
    made = console.router()
    parts = console.parts

    async def show(request: Request, asked: Annotated[QueueAsked, Query()]) -> Response:
        visitor = console.visitor(request, Scope.READ)
        me = visitor.caller.actor.id
        page = await parts.reads.run(lambda db: view(db, asked, me))
        return console.page(request, visitor, "queue.html", page)

    async def claim(
        request: Request, loan_id: LoanId, posted: Annotated[CasePosted, Form()]
    ) -> Response:
        visitor = console.poster(request, Scope.COLLECT, posted.form_secret)
        body = BODIES["case.claim"].model_validate({})
        order = Order(name="case.claim", target=loan_id, body=body, key=posted.key)
        return await carried_out(visitor, order, "claimed", posted.back)

    async def release(
        request: Request, loan_id: LoanId, posted: Annotated[CasePosted, Form()]
    ) -> Response:
        visitor = console.poster(request, Scope.COLLECT, posted.form_secret)
        if posted.cause not in RELEASE_CAUSES:
            raise Rejected("unknown_value", f"one of {', '.join(RELEASE_CAUSES)}", "cause")
        body = BODIES["case.release"].model_validate({"cause": posted.cause})
        order = Order(
            name="case.release",
            target=loan_id,
            body=body,
            key=posted.key,
            reason_code=posted.cause,
        )
        return await carried_out(visitor, order, "released", posted.back)

    async def carried_out(visitor: Visitor, order: Order, done: str, back: str) -> Response:
        outcome = await parts.desk.carry_out(visitor.caller, order)
        if outcome.refusal is not None:
            return redirect(noted(back, loan=order.target, refused=outcome.refusal.code))
        await seen(outcome)
        return redirect(noted(back, loan=order.target, done=done))

    async def seen(outcome: Outcome) -> None:
        try:
            await parts.reads.run(applied.position, after=outcome.position)
        except Unavailable:
            # The command is on disk; only the page it leads to may still show the state before.
            _log.warning("behind", position=str(outcome.position))

    made.add_api_route("/queue", show)
    made.add_api_route("/queue/{loan_id}/claim", claim, methods=["POST"])
    made.add_api_route("/queue/{loan_id}/release", release, methods=["POST"])
    return made


def noted(back: str, **note: str) -> str:
    """Return the page to go back to, with a note of what became of the command."""
    path, _, query = local(back or f"{PREFIX}/queue").partition("?")
    kept = {n: v for n, v in parse_qsl(query) if n not in {"done", "refused", "loan"}}
    return address(path, **kept, **note)
