"""The one table of command classes and their public names.

The intake topic, the outcomes table and the batch endpoint use these names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar, dataclass_transform

from domain.envelope import StreamId

NAMES: dict[str, type["Command"]] = {}
"""Public name, such as `loan.receive_payment`, to command class."""

_NAME_OF: dict[type["Command"], str] = {}
C = TypeVar("C", bound="Command")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What somebody wants done. `effective_on` is the value date of what will have happened."""

    effective_on: date

    @property
    def stream(self) -> StreamId:
        """The stream of the aggregate that decides."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanCommand(Command):
    """A command to one loan."""

    loan_id: str

    @property
    def stream(self) -> StreamId:
        """The loan's stream."""
        return StreamId(f"loan-{self.loan_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyCommand(LoanCommand):
    """A command to one loan that carries amounts; their currency is checked, not guessed."""

    currency: str | None = None  # ISO 4217 of the amounts; None: the loan's own


@dataclass_transform(kw_only_default=True, frozen_default=True)
def command(name: str) -> Callable[[type[C]], type[C]]:
    """Make a class a command: frozen, slotted, keyword-only and known under its name."""

    def register(cls: type[C]) -> type[C]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        if name in NAMES:
            raise ValueError(f"command {name} is taken by {NAMES[name].__name__}")
        NAMES[name] = made
        _NAME_OF[made] = name
        return made

    return register


def name_of(kind: type[Command]) -> str:
    """Return a command class's public name. Raises KeyError for an unregistered class."""
    return _NAME_OF[kind]
