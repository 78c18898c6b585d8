"""Stored histories of loans in memory, as many and as long as asked. It measures nothing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from functools import cache
from itertools import groupby
from uuid import UUID

import psycopg

from benchmarks.book import LIVES_MAX, SEED, UNTIL, lived
from benchmarks.lives import LENDER, LOAN_ID
from consumers.stream import chunked
from domain.envelope import StreamId
from domain.loan.state import Loan, LoanStatus
from domain.service import Known
from infra.append import append_batch, pack
from infra.codec import peek
from infra.connections import configure
from infra.settings import Limits
from infra.staging import StagedAppend, StagedEvent, actor_text
from projections.record_log import StoredRecord

EVENTS_OF_A_LOAN = 20
Records = Sequence[StoredRecord]
OWED_MINOR_MIN = 20_000
_TOLD_MAX = 100
_BATCH = 100
_AT = datetime.combine(UNTIL, time(18), UTC)


@cache
def _told(length: int) -> list[list[tuple[str, bytes]]]:
    """Tell lives until some are at least so long; cut them to that length."""
    found: list[list[tuple[str, bytes]]] = []
    seed = SEED * LIVES_MAX - 1
    while len(found) < _TOLD_MAX:
        seed += 1
        told = lived(seed, UNTIL).told
        loan = [(one.topic, one.state) for one in told if one.kind == "loan"]
        if len(loan) >= length:
            found.append(loan[:length])
    return found


def stream_of(number: int) -> StreamId:
    """Name the stream of a history."""
    return StreamId(f"loan-{UUID(int=number, version=4)}")


def records(loans: int, length: int = EVENTS_OF_A_LOAN) -> list[StoredRecord]:
    """Make histories of some loans as they are stored, loan after loan."""
    told = _told(length)
    made: list[StoredRecord] = []
    for number in range(loans):
        stream = stream_of(number)
        name = stream.partition("-")[2].encode()
        for version, (topic, state) in enumerate(told[number % len(told)], start=1):
            named = state.replace(LOAN_ID.encode(), name)
            made.append(StoredRecord(0, len(made) + 1, stream, version, topic, UNTIL, _AT, named))
    return made


def store(dsn: str, events: Sequence[StoredRecord]) -> None:
    """Append histories to a store by the usual function, each stream as one command."""
    appends = [
        pack(
            StagedAppend(
                stream=StreamId(stream),
                expected_version=0,
                events=tuple(
                    StagedEvent(one.topic, peek(one.state)[1], one.state) for one in history
                ),
                command="bench.import",
                actor=actor_text(LENDER),
            )
        )
        for stream, history in groupby(events, key=lambda one: one.stream)
    ]
    with psycopg.connect(dsn, autocommit=True) as connection:
        configure(connection, Limits())
        for batch in chunked(appends, _BATCH):
            append_batch(connection, 0, batch)
        connection.execute("ANALYZE events")


def payable(known: Mapping[StreamId, Known]) -> list[StreamId]:
    """Choose the loans in dollars that many small payments do not settle."""
    found: list[StreamId] = []
    for stream, one in known.items():
        loan: Loan = one.state
        owes = loan.balances.owed_minor > OWED_MINOR_MIN
        if loan.status is LoanStatus.ACTIVE and loan.currency == "USD" and owes:
            found.append(stream)
    return found
