"""The audit desk's pages: who did what, decisions against a model, four eyes, refusals, proof."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api.console.asking import Asked, Code, Cursor, Day
from api.console.console import Console
from api.identity import Scope
from domain.actors import ActorKind
from domain.events.registry import TOPICS
from projections import applied, case_work, record_log
from projections.audit_trail import audit_trail, refusals
from projections.four_eyes import four_eyes
from projections.loan_day import last_closed
from projections.override_register import override_counts, overrides
from projections.ports import Database

PAGE_ROWS: Final = 50
DEAD_ROWS: Final = 20


class TrailAsked(Asked):
    """The filters of the trail as its form sends them; empty or None: any."""

    stream: Code = ""
    topic: Code = ""
    actor_id: Code = ""
    actor_kind: Code = ""
    reason_code: Code = ""
    since: Day = None
    until: Day = None
    cursor: Cursor = ""

    def filters(self) -> dict[str, Any]:
        """Say the same in the trail's own words; days are whole days in UTC."""
        names = {"stream", "topic", "actor_id", "actor_kind", "reason_code"}
        filters = self.model_dump(include=names, exclude_defaults=True)
        if self.since:
            filters["recorded_from"] = _begin(self.since)
        if self.until:
            filters["recorded_until"] = _begin(self.until + timedelta(days=1))
        return filters


def _begin(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def trail(db: Database, asked: TrailAsked) -> dict[str, Any]:
    """Gather the trail. Raises Rejected `malformed_cursor`."""
    return {
        "asked": asked,
        "page": audit_trail(db, filters=asked.filters(), limit=PAGE_ROWS, cursor=asked.cursor),
        "topics": sorted(TOPICS),
        "kinds": list(ActorKind),
    }


def override_page(db: Database, direction: str, cursor: str) -> dict[str, Any]:
    """Gather the register of overrides. Raises Rejected `malformed_cursor`."""
    page = overrides(db, direction=direction or None, limit=PAGE_ROWS, cursor=cursor)
    return {"page": page, "counts": override_counts(db), "direction": direction}


def four_eyes_page(db: Database, show: str, cursor: str) -> dict[str, Any]:
    """Gather payouts with maker and checker; `show`: all, exceptions or waiting."""
    page = four_eyes(
        db,
        exceptions=show == "exceptions",
        waiting=show == "waiting",
        limit=PAGE_ROWS,
        cursor=cursor,
    )
    return {"page": page, "show": show}


def refusal_page(db: Database, code: str, cursor: str) -> dict[str, Any]:
    """Gather refused commands. Raises Rejected `malformed_cursor`."""
    filters = {"code": code} if code else {}
    return {"page": refusals(db, filters=filters, limit=PAGE_ROWS, cursor=cursor), "code": code}


def proof(db: Database, shard: int) -> dict[str, Any]:
    """Gather what shows whether everything recorded has been taken in."""
    on = last_closed(db)
    return {
        "on": on,
        "head": record_log.head(db, shard),
        "reached": applied.position(db, shard),
        "dead": applied.dead_letters(db, limit=DEAD_ROWS).rows,
        "parked": case_work.parked(db, on) if on else [],
    }


def routes(console: Console) -> APIRouter:
    """Make the pages' routes, one a tab."""
    made = console.router()
    reads = console.parts.reads

    async def show_trail(request: Request, asked: Annotated[TrailAsked, Query()]) -> Response:
        visitor = console.visitor(request, Scope.AUDIT)
        page = await reads.run(lambda db: trail(db, asked))
        return console.page(request, visitor, "audit_trail.html", page)

    async def show_overrides(
        request: Request,
        direction: Literal["", "high_side", "low_side"] = "",
        cursor: Cursor = "",
    ) -> Response:
        visitor = console.visitor(request, Scope.AUDIT)
        page = await reads.run(lambda db: override_page(db, direction, cursor))
        return console.page(request, visitor, "audit_overrides.html", page)

    async def show_four_eyes(
        request: Request,
        show: Literal["all", "exceptions", "waiting"] = "all",
        cursor: Cursor = "",
    ) -> Response:
        visitor = console.visitor(request, Scope.AUDIT)
        page = await reads.run(lambda db: four_eyes_page(db, show, cursor))
        return console.page(request, visitor, "audit_four_eyes.html", page)

    async def show_refusals(request: Request, code: Code = "", cursor: Cursor = "") -> Response:
        visitor = console.visitor(request, Scope.AUDIT)
        page = await reads.run(lambda db: refusal_page(db, code, cursor))
        return console.page(request, visitor, "audit_refusals.html", page)

    async def show_proof(request: Request) -> Response:
        visitor = console.visitor(request, Scope.AUDIT)
        page = await reads.run(lambda db: proof(db, console.parts.store.shard))
        return console.page(request, visitor, "audit_proof.html", page)

    made.add_api_route("/audit", show_trail)
    made.add_api_route("/audit/overrides", show_overrides)
    made.add_api_route("/audit/four-eyes", show_four_eyes)
    made.add_api_route("/audit/refusals", show_refusals)
    made.add_api_route("/audit/proof", show_proof)
    return made
