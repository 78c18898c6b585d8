"""Whether the process lives, and whether it can do its work. Open to everybody who reaches it."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.parts import Parts
from infra.errors import Unavailable
from projections import applied, record_log
from projections.ports import Database


def router(parts: Parts) -> APIRouter:
    """Make the routes."""
    made = APIRouter(tags=["health"])

    @made.get("/health", summary="The process answers")
    async def health() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        return {"status": "ok"}

    @made.get("/ready", summary="The database answers, and how far the read models are behind")
    async def ready() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        try:
            lag = await parts.reads.run(lambda db: _lag(db, parts.store.shard))
        except Unavailable as error:
            said: dict[str, Any] = {"status": "unavailable", "detail": str(error)}
            return JSONResponse(said, HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse({"status": "ready", "projections": [lag]})

    return made


def _lag(db: Database, shard: int) -> dict[str, Any]:
    head, reached = record_log.head(db, shard), applied.position(db, shard)
    return {
        "projection": "read_models",
        "shard": shard,
        "position": str(reached),
        "events_behind": max(0, head.number - reached.number),
    }
