"""Commands to a reference rate. The value date is the day on which a value was published."""

from dataclasses import dataclass
from decimal import Decimal

from domain.commands.registry import Command, command
from domain.envelope import StreamId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceCommand(Command):
    """A command to one reference rate."""

    code: str  # such as LPR-5Y

    @property
    def stream(self) -> StreamId:
        """The reference's stream."""
        return StreamId(f"reference-{self.code}")


@command("reference.publish_value")
class PublishReferenceValue(ReferenceCommand):
    """Record a value that was published; loans take it over on their reset dates."""

    value: Decimal  # fraction per year


@command("reference.correct_value")
class CorrectReferenceValue(ReferenceCommand):
    """Record that the value published on the value date was another one; it needs a reason."""

    value: Decimal  # fraction per year
