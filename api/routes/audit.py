"""Compliance: who did what and why, what was refused, overrides, and the second pair of eyes."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final, Literal

from fastapi import FastAPI, Query, Request, Response
from pydantic import Field

from api.asking import Instant, Paged, Params, Queries, Word, answer
from api.identity import Scope
from api.parts import Parts
from api.routes.loans import ENTRY, EntryPage
from api.rows import Row, answer_model
from domain.actors import ActorKind
from projections import audit_trail, four_eyes, override_register
from projections.four_eyes import FourEyes
from projections.override_register import Override
from projections.pages import Page
from projections.ports import Database


@dataclass
class _Refusal:
    """The columns of refused outcomes that go out."""

    command: str
    actor: str
    stream: str
    code: str
    detail: str
    field: str | None
    recorded_at: datetime
    key: str | None


@dataclass
class _Count:
    actor_id: str
    direction: str
    reason_code: str | None
    overrides: int


REFUSAL: Final = Row("RefusedCommand", "A command that a rule refused.", _Refusal)
COUNT: Final = Row("OverrideCount", "Overrides of one officer for one reason.", _Count)
OVERRIDE: Final = Row(
    "Override",
    "A decision against a model's recommendation, and how the loan fares.",
    Override,
    status=str,
    bucket=str | None,
    days_past_due=int,
    charged_off_on=date | None,
)
FOUR_EYES: Final = Row(
    "FourEyesAction",
    "A prepared payout, who checked exactly what, and what is wrong with it.",
    FourEyes,
    exception=str | None,
)
RefusalPage = REFUSAL.page_model()
OverridePage = OVERRIDE.page_model()
FourEyesPage = FOUR_EYES.page_model()
OverrideCounts = answer_model(
    "OverrideCounts",
    "Overrides by officer, direction and reason.",
    rows=COUNT.many,
)


class TrailFilters(Paged):
    """Which events."""

    stream: Word | None = Field(None, examples=["loan-0190a000-0000-7000-8000-000000000001"])
    topic: Word | None = None
    actor_id: Word | None = None
    actor_kind: ActorKind | None = None
    reason_code: Word | None = None
    recorded_from: Instant | None = None
    recorded_until: Instant | None = None


class RefusalFilters(Paged):
    """Which refusals."""

    code: Word | None = None
    actor: Word | None = Field(None, examples=["human:ann"])
    stream: Word | None = None


class OverrideFilters(Paged):
    """Which overrides."""

    direction: Literal["high_side", "low_side"] | None = None
    actor_id: Word | None = None


class FourEyesFilters(Paged):
    """Which payouts."""

    exceptions: bool = Field(default=False, description="Only what is wrong")
    waiting: bool = Field(default=False, description="Only what nobody has checked")
    actor_id: Word | None = Field(None, description="Who prepared or checked")


class NoParams(Params):
    """Nothing to ask for."""


class AuditQueries(Queries):
    """Answers for auditors."""

    tag = "audit"
    scope = Scope.AUDIT

    async def list_audit_trail(
        self, request: Request, params: Annotated[TrailFilters, Query()]
    ) -> Response:
        """List events of the whole book, newest first."""
        filters = params.model_dump(exclude={"limit", "cursor"}, exclude_none=True)

        def question(db: Database) -> Page:
            return audit_trail.audit_trail(
                db, filters=filters, limit=params.limit, cursor=params.cursor
            )

        return answer(ENTRY.page(await self.ask(request, question)))

    async def list_refusals(
        self, request: Request, params: Annotated[RefusalFilters, Query()]
    ) -> Response:
        """List refused commands, newest first."""
        filters = params.model_dump(exclude={"limit", "cursor"}, exclude_none=True)

        def question(db: Database) -> Page:
            return audit_trail.refusals(
                db, filters=filters, limit=params.limit, cursor=params.cursor
            )

        return answer(REFUSAL.page(await self.ask(request, question)))

    async def list_overrides(
        self, request: Request, params: Annotated[OverrideFilters, Query()]
    ) -> Response:
        """List decisions against a model's recommendation, newest first."""

        def question(db: Database) -> Page:
            return override_register.overrides(
                db,
                direction=params.direction,
                actor_id=params.actor_id,
                limit=params.limit,
                cursor=params.cursor,
            )

        return answer(OVERRIDE.page(await self.ask(request, question)))

    async def count_overrides(
        self, request: Request, params: Annotated[NoParams, Query()]
    ) -> Response:
        """Count overrides by officer, direction and reason."""
        del params
        rows = await self.ask(request, override_register.override_counts)
        return answer({"rows": COUNT.write_all(rows)})


class FourEyesQueries(Queries):
    """Answers for those who check payouts."""

    tag = "audit"

    async def list_four_eyes(
        self, request: Request, params: Annotated[FourEyesFilters, Query()]
    ) -> Response:
        """List prepared payouts and their checks, newest first."""

        def question(db: Database) -> Page:
            return four_eyes.four_eyes(
                db,
                exceptions=params.exceptions,
                waiting=params.waiting,
                actor_id=params.actor_id,
                limit=params.limit,
                cursor=params.cursor,
            )

        return answer(FOUR_EYES.page(await self.ask(request, question)))


def register(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""
    queries, checks = AuditQueries(parts), FourEyesQueries(parts)
    queries.add(app, "/v1/audit/trail", EntryPage, queries.list_audit_trail)
    queries.add(app, "/v1/audit/refusals", RefusalPage, queries.list_refusals)
    queries.add(app, "/v1/audit/overrides", OverridePage, queries.list_overrides)
    queries.add(app, "/v1/audit/override-counts", OverrideCounts, queries.count_overrides)
    checks.add(app, "/v1/audit/four-eyes", FourEyesPage, checks.list_four_eyes)
