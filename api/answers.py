"""The answers of commands, as models for the documentation and as JSON. Queries' are elsewhere."""

from typing import Any

from pydantic import BaseModel, Field

from api.writing import written
from domain.envelope import Position
from domain.events.registry import topic_of
from domain.ports import Outcome
from domain.service import Preview


class CommandAnswer(BaseModel):
    """A command was carried out, and what it did is on disk."""

    version: int = Field(description="Of the aggregate; send it as If-Match", examples=[7])
    position: str | None = Field(
        description="Opaque; send it as If-Position to read your own write. null: nothing changed",
        examples=["0:4711"],
    )
    repeated: bool = Field(description="Whether this key was answered before, with this answer")


class LoanAnswer(CommandAnswer):
    """A command on a loan, or on its collection case, was carried out."""

    loan_id: str = Field(examples=["0190a000-0000-7000-8000-000000000001"])


class CodeAnswer(CommandAnswer):
    """A command on a product or on a reference rate was carried out."""

    code: str = Field(examples=["CONSUMER"])


class PreviewedEvent(BaseModel):
    """An event that would be recorded; its own fields beside these two."""

    model_config = {"extra": "allow"}

    topic: str = Field(examples=["loan.payment_received.v1"])
    effective_on: str = Field(examples=["2018-06-26"])


class PreviewAnswer(BaseModel):
    """What a command would do as things stand. Nothing was stored."""

    version: int = Field(description="Of the aggregate as it stands")
    events: list[PreviewedEvent]


def accepted(outcome: Outcome, target_name: str, target: str) -> dict[str, Any]:
    """Write the answer of an accepted command."""
    return {
        target_name: target,
        "version": outcome.version,
        "position": position_text(outcome.position),
        "repeated": outcome.repeated,
    }


def position_text(position: Position | None) -> str | None:
    """Write a position; None: nothing was recorded."""
    return None if position is None else str(position)


def previewed(preview: Preview) -> dict[str, Any]:
    """Write the answer of a preview."""
    currency = getattr(preview.state, "currency", None)
    return {
        "version": preview.version,
        "events": [
            {"topic": topic_of(type(event))} | written(event, currency) for event in preview.events
        ],
    }
