"""What the next command of a random life is made of; who makes it stands beside its tests."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.commands.registry import Command
from tests.support.lives import LOAN, Life


@dataclass(frozen=True, slots=True)
class Turn:
    """What the next command is made of."""

    life: Life
    on: date
    name: str  # of the fact, should there be one
    n: int  # anything

    @property
    def fact(self) -> str:
        """The id of one of the facts that stand."""
        assert self.life.state.timeline is not None
        facts = self.life.state.timeline.facts
        return facts[self.n % len(facts)].id

    @property
    def last_payout(self) -> str:
        """The id of the last payout after the first, or of none."""
        more = self.life.state.tranches_out
        return more[-1].disbursement_id if more else "none"

    @property
    def newest(self) -> str:
        """The id of the newest fact."""
        assert self.life.state.timeline is not None
        assert self.life.state.timeline.newest is not None
        return self.life.state.timeline.newest.id

    @property
    def number(self) -> int:
        """The number of an instalment."""
        return 1 + self.n % len(self.life.state.rows)

    @property
    def next_unpaid(self) -> int:
        """What the oldest open instalment asks for."""
        return next((row.unpaid_minor for row in self.life.state.rows if row.met_on is None), 1)

    def make(self, command: type[Command], /, **fields: Any) -> Command:  # noqa: ANN401 - any field
        return command(loan_id=LOAN, effective_on=self.on, **fields)  # type: ignore[call-arg]
