"""The command that defines a product's next version."""

from domain.commands.registry import Command, command
from domain.envelope import StreamId
from domain.loan.terms import Conditions


@command("product.define_version")
class DefineProductVersion(Command):
    """Define the next version of a product; loans that exist keep theirs."""

    code: str
    name: str
    conditions: Conditions

    @property
    def stream(self) -> StreamId:
        """The product's stream."""
        return StreamId(f"product-{self.code}")
