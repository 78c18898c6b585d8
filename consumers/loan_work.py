"""What a close does with single loans: their commands, and what the engine says of their day.

Each loan stands alone, so that shares of them can be worked on by several processes
(`consumers/close_helpers.py`). Which loans, and what becomes of the figures, is the close's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from consumers.projector import Transactions
from consumers.stream import Entry, chunked, instruction
from domain.actors import Actor, ActorKind
from domain.commands import Command
from domain.commands.ending import CloseLoanDay
from domain.envelope import StreamId
from domain.loan.day import DayFigures, day_figures, day_line
from domain.loan.state import Loan
from domain.policies import US_BUCKETS, BucketSet, Policies
from domain.service import Instruction, Service
from infra.errors import Overloaded, Unavailable
from projections.day_lines import Line, keep_lines

SOURCE: Final = "daily-close"
ACTOR: Final = Actor(kind=ActorKind.SYSTEM, id=SOURCE)
CHUNK_COMMANDS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanWork:
    """Works on the loans of one shard, in the process that holds it."""

    service: Service
    database: Transactions
    shard: int = 0
    buckets: BucketSet = US_BUCKETS

    def close_loans(self, on: date, loans: Iterable[str]) -> dict[str, str]:
        """Close the day for loans; return those that failed, with the reason.

        Raises Unavailable and Overloaded.
        """
        todo = list(loans)
        commands = (CloseLoanDay(loan_id=loan_id, effective_on=on) for loan_id in todo)
        return self.publish(todo, [self.instruction(f"{on}:{c.loan_id}", c) for c in commands])

    def publish(self, loans: Sequence[str], instructions: Sequence[Instruction]) -> dict[str, str]:
        """Carry out a command a loan; return the loans that failed, with the reason.

        Raises Unavailable and Overloaded.
        """
        failed: dict[str, str] = {}
        for chunk in chunked(zip(loans, instructions, strict=True), CHUNK_COMMANDS_MAX):
            told = [instruction for _, instruction in chunk]
            try:
                outcomes = self.service.handle_many(told)
            except (Unavailable, Overloaded):
                raise
            except Exception:  # noqa: BLE001 - some loan's fault: each is tried alone and says why
                failed |= self._one_by_one((loan_id for loan_id, _ in chunk), told)
            else:
                for (loan_id, _), outcome in zip(chunk, outcomes, strict=True):
                    if outcome.refusal is not None:
                        failed[loan_id] = outcome.refusal.detail
        return failed

    def _one_by_one(
        self, loans: Iterable[str], instructions: Iterable[Instruction]
    ) -> dict[str, str]:
        failed: dict[str, str] = {}
        for loan_id, single in zip(loans, instructions, strict=True):
            try:
                outcome = self.service.handle(single)
            except (Unavailable, Overloaded):
                raise
            except Exception as error:  # noqa: BLE001 - parked with its reason, the book goes on
                failed[loan_id] = f"{type(error).__name__}: {error}"
            else:
                if outcome.refusal is not None:
                    failed[loan_id] = outcome.refusal.detail
        return failed

    def tell_with_lines(self, on: date, versions: Mapping[str, int]) -> dict[str, DayFigures]:
        """As `tell`, and keep what the engine can say of the days to come as well.

        Of those loans nothing is returned: the kept line says their day too. A line counts for the
        version that the read models know, so it is not wanted of a loan that moved on meanwhile,
        or whose events they cannot read.
        """
        told: dict[str, DayFigures] = {}
        for loans in self._loans(versions):
            lines: dict[str, Line] = {}
            for loan_id, version, loan in loans:
                figures, line = day_line(loan, on)
                if line is None:
                    told[loan_id] = figures
                else:
                    lines[loan_id] = (version, line)
            with self.database.transaction() as db:
                keep_lines(db, lines)
        return told

    def tell(self, on: date, versions: Mapping[str, int]) -> dict[str, DayFigures]:
        """Let the engine say the figures of loans whose interest follows what is paid, by id.

        `versions` that the loans stand at, or later ones. Raises Unavailable.
        """
        return {
            loan_id: day_figures(loan, on)
            for loans in self._loans(versions)
            for loan_id, _, loan in loans
        }

    def _loans(self, versions: Mapping[str, int]) -> Iterator[list[tuple[str, int, Loan]]]:
        """Load loans in chunks: id, version and state of those that were paid out."""
        for chunk in chunked(versions, CHUNK_COMMANDS_MAX):
            streams = {StreamId(f"loan-{loan_id}"): loan_id for loan_id in chunk}
            known = self.service.states({s: versions[loan_id] for s, loan_id in streams.items()})
            found: list[tuple[str, int, Loan]] = []
            for stream, loan_id in streams.items():
                loan = known[stream].state
                if isinstance(loan, Loan) and loan.timeline is not None:
                    found.append((loan_id, known[stream].version, loan))
            yield found

    def instruction(self, key: str, command: Command) -> Instruction:
        """Make a command of the close what the service handles; `key` names it in the close."""
        entry = Entry(on=command.effective_on, key=key, command=command, actor=ACTOR)
        made = instruction(entry, f"{SOURCE}-{self.shard}")
        return replace(made, context=replace(made.context, policies=Policies(buckets=self.buckets)))
