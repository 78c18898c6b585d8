"""A collection case as an aggregate: one person at a time works on a late loan.

State, evolve and decide together.
"""

from dataclasses import dataclass, replace

from domain.actors import ActorKind
from domain.commands import case as c
from domain.commands.registry import Command
from domain.context import Context
from domain.errors import Rejected
from domain.events import case as e
from domain.events.registry import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What decisions on a case need."""

    open: bool
    tier: str
    claimed_by: str | None = None  # actor id


def evolve(case: Case | None, event: Event) -> Case:
    """Apply one event. Raises ValueError for an event that cannot follow."""
    match case, event:
        case _, e.CaseOpened():
            return Case(open=True, tier=event.tier)
        case Case(), e.CaseClaimed():
            return replace(case, claimed_by=event.claimed_by)
        case Case(), e.CaseReleased():
            return replace(case, claimed_by=None)
        case Case(), e.CaseClosed():
            return replace(case, open=False, claimed_by=None)
        case _:
            raise ValueError(f"{type(event).__name__} cannot follow {case}")


def decide(case: Case | None, command: Command, context: Context) -> list[Event]:
    """Decide on a case.

    Two claims race on the stream's version: one wins, the other sees `case_claimed`.
    """
    on = command.effective_on
    match command:
        case c.OpenCase():
            if case is not None and case.open:
                raise Rejected("case_open", "this loan has an open case")
            return [e.CaseOpened(effective_on=on, loan_id=command.loan_id, tier=command.tier)]
        case c.ClaimCase():
            return _claim(_open(case), command, context)
        case c.ReleaseCase():
            return _release(_open(case), command, context)
        case c.CloseCase():
            _open(case)
            return [e.CaseClosed(effective_on=on, loan_id=command.loan_id, how=command.how)]
        case _:
            raise ValueError(f"{type(command).__name__} is no command to a case")


def _open(case: Case | None) -> Case:
    if case is None or not case.open:
        raise Rejected("no_open_case", "this loan has no open case")
    return case


def _claim(case: Case, command: c.ClaimCase, context: Context) -> list[Event]:
    if context.actor.kind not in {ActorKind.HUMAN, ActorKind.AGENCY}:
        raise Rejected("not_a_person", "only people work cases")
    if case.claimed_by == context.actor.id:
        raise Rejected("already_yours", "you have this case")
    if case.claimed_by is not None:
        raise Rejected("case_claimed", "somebody else works on this case")
    return [
        e.CaseClaimed(
            effective_on=command.effective_on,
            loan_id=command.loan_id,
            claimed_by=context.actor.id,
        )
    ]


def _release(case: Case, command: c.ReleaseCase, context: Context) -> list[Event]:
    if case.claimed_by is None:
        raise Rejected("case_not_claimed", "nobody has this case")
    if case.claimed_by != context.actor.id and not context.actor.has("supervisor"):
        raise Rejected("not_your_case", "only who has the case, or a supervisor, may release it")
    return [
        e.CaseReleased(
            effective_on=command.effective_on,
            loan_id=command.loan_id,
            released_by=context.actor.id,
            cause=command.cause,
        )
    ]
