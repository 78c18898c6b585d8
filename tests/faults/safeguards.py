"""The list of mutations: every safeguard that the harness must miss when it is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from consumers import daily_close, projector
from consumers.admission import admit
from consumers.projector import Projector, admitted
from consumers.stream import Entry, instruction
from domain import decide
from domain.commands.ending import CloseLoanDay
from domain.context import Context
from domain.decisions import arrears
from domain.envelope import StreamId
from domain.events.registry import Event
from domain.loan.state import Loan
from domain.service import Instruction
from domain.servicing.row import Row
from domain.servicing.values import Component
from infra import connections, verify
from infra.settings import Limits
from projections import schema
from projections.ports import Database, Record
from projections.record_log import Stretch
from tests.faults import kafka_safeguards
from tests.faults.mutants import Mutation, replaced
from tests.faults.rows import row_13_clock, row_15_overload, row_19_simulation


def _commit_rows_first(
    db: Database, records: Sequence[Record], park_because: str | None = None
) -> dict[StreamId, int]:
    """Commit the rows, and leave versions and position to a transaction of their own."""
    heads = admitted(db, records, park_because)
    db.script("COMMIT; BEGIN")
    schema.enter_current(db)
    return heads


Admitted = tuple[list[Record], list[Stretch], dict[StreamId, int]]


def _all_is_new(records: Sequence[Record], known: Mapping[StreamId, int]) -> Admitted:
    """Apply whatever comes."""
    heads = {record.stream: max(known.get(record.stream, 0), record.version) for record in records}
    return list(records), [], heads


def _no_gaps(records: Sequence[Record], known: Mapping[StreamId, int]) -> Admitted:
    """Apply what is new and leave out what is missing."""
    fresh, _, heads = admit(records, known)
    return fresh, [], heads


def _nothing_swept(_: Projector) -> int:
    """Find no stream behind."""
    return 0


def _without_key(entry: Entry, source: str) -> Instruction:
    return replace(instruction(entry, source), key=None)


def _all_loans(db: Database, _on: date, _buckets: object) -> list[str]:
    return [loan for (loan,) in db.tuples("SELECT loan_id FROM loan_summary ORDER BY loan_id")]


def _forgetful(loan: Loan, command: CloseLoanDay, context: Context) -> list[Event]:
    """Publish a missed instalment whenever one is seen."""
    return arrears.close_day(replace(loan, missed=frozenset()), command, context)


def _by_the_clock(entry: Entry, source: str) -> Instruction:
    """Take the day from the store's clock instead of from the business date."""
    made = instruction(entry, source)
    today = row_13_clock.SHOWN[-1].date()
    if not isinstance(made.command, CloseLoanDay):
        return made
    return replace(
        made,
        command=replace(made.command, effective_on=today),
        context=replace(made.context, business_date=today),
    )


_PAY: Final = Row.pay


def _interest_forgotten(row: Row, component: Component, amount: int, on: date) -> int:
    """Pay a row without its interest."""
    return 0 if component is Component.INTEREST else _PAY(row, component, amount, on)


def _not_parked(_: Database, _on: object, _failed: object) -> None:
    """Forget the loans that failed."""


MUTATIONS: Final = (
    Mutation(
        safeguard="append lock",
        row=7,
        count=2,
        sql=replaced(
            ("WHERE h.shard = p_shard FOR UPDATE;", "WHERE h.shard = p_shard;"),
            ("v_log_position := v_log_position + 1;", "v_log_position := nextval('positions');"),
            ("v_sequence := v_sequence + 1;", "v_sequence := nextval('sequences');"),
            also="CREATE SEQUENCE positions; CREATE SEQUENCE sequences",
        ),
    ),
    Mutation(
        safeguard="expected-version check",
        row=8,
        count=500,
        sql=replaced(("ELSIF v_version <> p_expected_versions[c.i] THEN", "ELSIF false THEN")),
    ),
    Mutation(
        safeguard="idempotency row",
        row=1,
        count=10,
        sql=replaced(
            (
                "LEFT JOIN outcomes o ON o.scope = p_scopes[i]",
                "LEFT JOIN outcomes o ON false AND o.scope = p_scopes[i]",
            ),
            also="ALTER TABLE outcomes DROP CONSTRAINT outcomes_scope_key_key",
        ),
    ),
    Mutation(
        safeguard="synchronous commit",
        row=2,
        count=6,
        patches=(
            (
                connections,
                "_SETTINGS",
                connections.__dict__["_SETTINGS"].replace(
                    "'synchronous_commit', %s", "'synchronous_commit', replace(%s, 'on', 'off')"
                ),
            ),
        ),
    ),
    Mutation(
        safeguard="position in the transaction of the rows",
        row=4,
        count=15,
        patches=((projector, "admitted", _commit_rows_first),),
    ),
    Mutation(
        safeguard="version rule of a stream",
        row=9,
        count=1_000,
        patches=((projector, "admit", _all_is_new),),
    ),
    Mutation(
        safeguard="healing of gaps",
        row=9,
        count=1_000,
        patches=((projector, "admit", _no_gaps),),
    ),
    Mutation(
        safeguard="sweep for lost tails",
        row=9,
        count=1_000,
        patches=((Projector, "sweep", _nothing_swept),),
    ),
    Mutation(
        # Each of the three alone is covered by the other two.
        safeguard="key, search and memory of the close",
        row=10,
        count=20,
        patches=(
            (daily_close, "instruction", _without_key),
            (daily_close, "loans_with_something_to_do", _all_loans),
            (decide, "LOAN_RULES", decide.LOAN_RULES | {CloseLoanDay: _forgetful}),
        ),
    ),
    Mutation(
        safeguard="parking of a failed loan",
        row=11,
        count=5,
        patches=((daily_close, "park", _not_parked),),
    ),
    Mutation(
        safeguard="bound of the append queue",
        row=15,
        count=1,
        patches=(
            (
                row_15_overload,
                "LIMITS",
                Limits(append_queue_max=10**6, append_wait_seconds_max=10**6, append_batch_max=4),
            ),
        ),
    ),
    Mutation(
        safeguard="one field under the hash",
        row=16,
        count=10,
        sql=replaced(("p_effective_on[k]::text", "''::text")),
        patches=(
            (
                verify,
                "_EVENTS",
                verify.__dict__["_EVENTS"].replace("effective_on::text", "''::text"),
            ),
        ),
    ),
    Mutation(
        safeguard="business date (the clock instead)",
        row=13,
        count=100,
        patches=((daily_close, "instruction", _by_the_clock),),
    ),
    Mutation(
        safeguard="version rule, simulated",
        row=19,
        count=30,
        patches=((row_19_simulation, "admit", _all_is_new),),
    ),
    Mutation(
        safeguard="one component in the books",
        row=18,
        count=60,
        patches=((Row, "pay", _interest_forgotten),),
    ),
    *kafka_safeguards.MUTATIONS,
)


def named(safeguard: str | None) -> Mutation | None:
    """Find a mutation; None for None."""
    if safeguard is None:
        return None
    return next(mutation for mutation in MUTATIONS if mutation.safeguard == safeguard)
