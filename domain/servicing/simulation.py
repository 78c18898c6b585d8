"""A loan's life simulated: operations in, the state after each of them out. The one entry."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.servicing import operations as op
from domain.servicing.life import Life, Stage, State
from domain.servicing.performing import perform
from domain.servicing.terms import LoanTerms

__all__ = ["Simulation", "Stage", "State", "simulate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The state after each operation, in order, and what each pay-off paid."""

    states: tuple[State, ...]
    paid_off_minor: tuple[int | None, ...]

    @property
    def final(self) -> State:
        """The state at the end."""
        return self.states[-1]


def simulate(terms: LoanTerms, operations: Iterable[op.Operation]) -> Simulation:
    """Perform operations on a loan under given terms, from its application on."""
    life = Life(terms)
    states: list[State] = []
    paid: list[int | None] = []
    for operation in operations:
        life.paid_off = None
        perform(life, operation)
        states.append(life.state())
        paid.append(life.paid_off)
    return Simulation(states=tuple(states), paid_off_minor=tuple(paid))
