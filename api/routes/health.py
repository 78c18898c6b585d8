"""Whether the process lives, and whether it can do its work. Open to everybody who reaches it."""

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

from api.openapi import errors
from api.parts import Parts
from infra.errors import Unavailable
from projections.lag import Lag, lags


class MetricsText(Response):
    """Prometheus' text format."""

    media_type = "text/plain; version=0.0.4; charset=utf-8"


class Health(BaseModel):
    """The process answers."""

    status: str = Field(examples=["ok"])


class Follower(BaseModel):
    """How far one follower of the record is."""

    reader: str = Field(description="read_models, or relay: and the topic", examples=["relay:x"])
    shard: int
    position: str = Field(examples=["0:4711"])
    events_behind: int


class Readiness(BaseModel):
    """Whether requests can be answered."""

    status: str = Field(examples=["ready"])
    followers: list[Follower]


def register(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""

    @app.get("/health", tags=["operations"], response_model=Health)
    async def health() -> Response:  # pyright: ignore[reportUnusedFunction]
        """Say that the process answers."""
        return _json({"status": "ok"})

    @app.get("/ready", tags=["operations"], response_model=Readiness, responses=errors(503))
    async def ready() -> Response:  # pyright: ignore[reportUnusedFunction]
        """Say whether the database answers, and how far the read models and the relay are."""
        followers = await parts.reads.run(lags)
        return _json({"status": "ready", "followers": [_written(lag) for lag in followers]})

    @app.get("/metrics", tags=["operations"], response_class=MetricsText)
    async def metrics() -> Response:  # pyright: ignore[reportUnusedFunction]
        """Give the figures that operators watch, in Prometheus' text format."""
        try:
            followers = await parts.reads.run(lags)
        except Unavailable:  # the rest of the figures says what is wrong
            followers = []
        return MetricsText(parts.metrics.text(followers))


def _written(lag: Lag) -> dict[str, Any]:
    return {
        "reader": lag.reader,
        "shard": lag.shard,
        "position": str(lag.position),
        "events_behind": lag.events_behind,
    }


def _json(said: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(said), HTTPStatus.OK, media_type="application/json")
