"""Commands on a collection case: open, claim, release, close."""

from dataclasses import dataclass

from domain.commands.registry import Command, command
from domain.envelope import StreamId


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCommand(Command):
    """A command to the one case of a loan."""

    loan_id: str

    @property
    def stream(self) -> StreamId:
        """The case's stream."""
        return StreamId(f"case-{self.loan_id}")


@command("case.open")
class OpenCase(CaseCommand):
    """Put a late loan into the collections queue."""

    tier: str


@command("case.claim")
class ClaimCase(CaseCommand):
    """Take a case; refused when somebody else has it."""


@command("case.release")
class ReleaseCase(CaseCommand):
    """Give a case back to the queue."""

    cause: str


@command("case.close")
class CloseCase(CaseCommand):
    """End a case, because the loan is cured, settled or charged off."""

    how: str
