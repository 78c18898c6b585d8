"""Folds every loan with the domain itself and compares the read model with the outcome.

Slower than comparing two folds of the read models, but independent of their code.
"""

from collections.abc import Iterator
from typing import Any

from consumers.checks import Check, Finding
from consumers.projector import Transactions
from domain.decide import decider_of
from domain.envelope import Position, RecordedEvent
from domain.loan.state import Loan
from domain.ports import EventStore

PAGE_EVENTS = 5_000
SUMMARIES = """
SELECT loan_id, version, status, principal_minor, interest_minor, fee_minor, penalty_minor,
    overpaid_minor, bucket, in_arrears, missed
FROM loan_summary
"""


def states_fold(store: EventStore, database: Transactions, *, shard: int = 0) -> Check:
    """Compare version, status, balances and arrears of every loan. No events may be under way."""
    states: dict[str, tuple[int, Loan]] = {}
    for recorded in _all(store, shard):
        kind, _, loan_id = recorded.stream.partition("-")
        if kind == "loan":
            before = states.get(loan_id)
            evolve = decider_of(recorded.stream).evolve
            states[loan_id] = (
                recorded.version,
                evolve(before[1] if before else None, recorded.event),
            )
    with database.transaction() as db:
        rows = {row["loan_id"]: row for row in db.rows(SUMMARIES)}
    different: list[Finding] = []
    for loan_id in sorted(states.keys() | rows.keys()):
        state, row = states.get(loan_id), rows.get(loan_id)
        if state is None or row is None:
            different.append(Finding(id=loan_id, reason="on one side only"))
        elif (reason := _difference(*state, row)) is not None:
            different.append(Finding(id=loan_id, reason=reason))
    return Check(
        name="states_equal_read_model",
        ok=not different,
        expected=f"{len(states)} loans",
        actual=f"{len(rows) - len(different)} equal",
        exceptions=tuple(different),
    )


def _all(store: EventStore, shard: int) -> Iterator[RecordedEvent]:
    position = Position(shard=shard, number=0)
    while page := store.read(position, PAGE_EVENTS):
        yield from page
        position = page[-1].position


def _difference(version: int, loan: Loan, row: dict[str, Any]) -> str | None:
    balances = loan.balances
    expected = {
        "version": version,
        "status": loan.status.value,
        "principal_minor": balances.principal_minor,
        "interest_minor": balances.interest_minor,
        "fee_minor": balances.fee_minor,
        "penalty_minor": balances.penalty_minor,
        "overpaid_minor": balances.overpaid_minor,
        "bucket": loan.bucket,
        "in_arrears": loan.in_arrears,
        "missed": sorted(loan.missed),
    }
    seen = {name: row[name] for name in expected} | {"missed": sorted(row["missed"])}
    names = [name for name, value in expected.items() if seen[name] != value]
    if not names:
        return None
    return ", ".join(f"{name} {seen[name]} instead of {expected[name]}" for name in names)
