"""The append function beside the bare insertion of the same rows: how near group commit is to it.

Both sides commit batches of one size over one connection. Ours sends commands and has version
check, key, positions and hashes made in the server. The limit inserts the finished rows that ours
wrote, from arrays that lie in the server already, into empty tables of the same shape and indexes.
Every command has a loan of its own: both sides insert one event, one head and one outcome for it.
"""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks import harness
from benchmarks.append import STATE, TOPIC
from domain.envelope import StreamId
from domain.ports import IdempotencyKey
from infra.append import PackedAppend, append_batch, pack
from infra.codec import peek
from infra.connections import configure
from infra.settings import Limits
from infra.staging import StagedAppend, StagedEvent
from infra.verify import verify_store

BATCH = 64
BATCHES = 300
FLOOR, TARGET = 0.4, 0.7

_BARE_TABLES = f"""
CREATE TABLE bare_events (LIKE events INCLUDING ALL);
CREATE TABLE bare_heads (LIKE stream_heads INCLUDING ALL);
CREATE TABLE bare_outcomes (LIKE outcomes INCLUDING ALL);
CREATE TABLE batches AS
SELECT (e.position - 1) / {BATCH} AS number, array_agg(e ORDER BY e.position) AS events,
    array_agg(h ORDER BY e.position) AS heads, array_agg(o ORDER BY e.position) AS outcomes
FROM events e JOIN stream_heads h USING (stream) JOIN outcomes o USING (stream)
GROUP BY 1;
CREATE UNIQUE INDEX ON batches (number);
ANALYZE batches;
"""  # noqa: S608 - the one value is our constant
_BARE = """
WITH one AS (SELECT events, heads, outcomes FROM batches WHERE number = %b),
    e AS (INSERT INTO bare_events SELECT row.* FROM one, unnest(one.events) AS row),
    h AS (INSERT INTO bare_heads SELECT row.* FROM one, unnest(one.heads) AS row)
INSERT INTO bare_outcomes SELECT row.* FROM one, unnest(one.outcomes) AS row
"""
_COUNTS = """
SELECT (SELECT count(*) FROM bare_events), (SELECT count(*) FROM bare_heads),
    (SELECT count(*) FROM bare_outcomes)
"""

Connection = psycopg.Connection[Any]


def run(options: harness.Options) -> list[harness.Result]:
    """Compare rates at the batch size that 64 callers make."""
    batches = options.size or BATCHES
    with harness.server() as server:
        rounds = [_round(server, batches) for _ in range(options.rounds + 1)][1:]
    return [
        harness.compared(
            f"append: bare rows in batches of {BATCH}",
            rounds,
            "events/s",
            floor=FLOOR,
            target=TARGET,
        )
    ]


def _round(server: harness.Server, batches: int) -> harness.Round:
    """Ours first, because the limit inserts what ours has written; each round in a new database."""
    commands = [[_command() for _ in range(BATCH)] for _ in range(batches)]
    with server.database() as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        configure(connection, Limits())
        ours = _rate(batches, lambda number: append_batch(connection, 0, commands[number]))
        report = verify_store(dsn)
        assert (report.events, report.outcomes, report.ok) == (batches * BATCH,) * 2 + (True,)
        connection.execute(_BARE_TABLES.encode(), prepare=False)
        bare = _rate(batches, lambda number: connection.execute(_BARE, (number,)))
        assert connection.execute(_COUNTS).fetchone() == (batches * BATCH,) * 3
    print(f"  ours {ours:8,.0f} events/s   bare rows {bare:8,.0f} events/s")
    return harness.Round(ours=ours, peer=bare)


def _rate(batches: int, commit: Callable[[int], object]) -> float:
    started = time.monotonic()
    for number in range(batches):
        commit(number)
    return batches * BATCH / (time.monotonic() - started)


def _command() -> PackedAppend:
    actor, effective_on = peek(STATE)
    return pack(
        StagedAppend(
            stream=StreamId(f"loan-{uuid4()}"),
            expected_version=0,
            events=(StagedEvent(TOPIC, effective_on, STATE),),
            command="loan.receive_payment",
            actor=f"{actor.kind.value}:{actor.id}",
            key=IdempotencyKey(
                scope="bench", key=str(uuid4()), request_hash=sha256(STATE).digest()
            ),
        )
    )


if __name__ == "__main__":
    harness.main(run)
