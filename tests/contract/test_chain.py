"""Whoever changes the record behind our back is found, with the first bad place by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
import pytest

from domain.envelope import StreamId
from domain.ports import Refusal
from infra.store import PostgresEventStore
from infra.verify import Break, Fault, verify_store, verify_stream
from tests.support.record import a_key, an_append, append, payment

pytestmark = pytest.mark.postgres

ONE, TWO = StreamId("loan-1"), StreamId("loan-2")


@pytest.fixture
def intruder(
    postgres_store: PostgresEventStore, database: str
) -> Iterator[psycopg.Connection[Any]]:
    """A session for which triggers do not fire, on a store with twelve events by turns on two
    streams (positions 1, 3, 5 ... are loan-1's versions 1, 2, 3 ...) and fourteen outcomes.
    """
    for version in range(6):
        append(
            postgres_store,
            an_append(ONE, version, payment(version), key=a_key(f"one-{version}")),
            an_append(TWO, version, payment(version), key=a_key(f"two-{version}")),
        )
    no = Refusal(code="loan_settled", detail="no")
    append(
        postgres_store,
        an_append(ONE, 6, key=a_key("no"), refusal=no),
        an_append(ONE, 6, refusal=no),
    )
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def test_an_untouched_store_verifies(intruder: psycopg.Connection[Any], database: str) -> None:
    report = verify_store(database)
    assert (report.events, report.streams, report.outcomes, report.breaks) == (12, 2, 14, ())
    report = verify_stream(database, ONE)
    assert (report.events, report.breaks) == (6, ())
    assert intruder.info.dbname


@dataclass(frozen=True)
class Tampering:
    name: str
    statement: LiteralString
    first: Break


SWAP_STATES = """
UPDATE events e SET state = o.state FROM events o
WHERE e.stream = 'loan-1' AND o.stream = 'loan-1'
    AND (e.version, o.version) IN ((2, 3), (3, 2))
"""
SWAP_POSITIONS = """
UPDATE events SET position = 100 WHERE position = 3;
UPDATE events SET position = 3 WHERE position = 5;
UPDATE events SET position = 5 WHERE position = 100;
"""


def at(fault: Fault, number: int | None, stream: str, version: int) -> Break:
    return Break(fault=fault, shard=0, number=number, stream=stream, version=version)


TAMPERINGS = (
    Tampering(
        "one byte of a state",
        "UPDATE events SET state = set_byte(state, 20, 65) WHERE position = 5",
        at(Fault.HASH, 5, ONE, 3),
    ),
    Tampering(
        "a topic",
        "UPDATE events SET topic = 'loan.payment_reversed.v1' WHERE position = 4",
        at(Fault.HASH, 4, TWO, 2),
    ),
    Tampering(
        "a value date",
        "UPDATE events SET effective_on = effective_on - 1 WHERE position = 7",
        at(Fault.HASH, 7, ONE, 4),
    ),
    Tampering(
        "a recorded time",
        "UPDATE events SET recorded_at = recorded_at - interval '1 us' WHERE position = 8",
        at(Fault.HASH, 8, TWO, 4),
    ),
    Tampering(
        "a hash",
        "UPDATE events SET hash = sha256(hash) WHERE position = 6",
        at(Fault.HASH, 6, TWO, 3),
    ),
    Tampering(
        "a whole row, with a hash that fits it",
        """
        UPDATE events SET state = 'x', hash = sha256(prev_hash || substring(array_send(ARRAY[
            shard::text, stream, version::text, position::text, topic, effective_on::text,
            (extract(epoch FROM recorded_at) * 1000000)::bigint::text
        ]) FROM 21) || int4send(1) || 'x') WHERE position = 5
        """,
        at(Fault.LINK, 7, ONE, 4),
    ),
    Tampering(
        "a stream's name",
        "UPDATE events SET stream = 'loan-3' WHERE position = 9",
        at(Fault.VERSION, 9, "loan-3", 5),
    ),
    Tampering("two rows' states", SWAP_STATES, at(Fault.HASH, 3, ONE, 2)),
    Tampering("two rows' places", SWAP_POSITIONS, at(Fault.VERSION, 3, ONE, 3)),
    Tampering(
        "a deleted row",
        "DELETE FROM events WHERE position = 5",
        Break(fault=Fault.POSITION, shard=0, number=5),
    ),
    Tampering(
        "a stream's tail",
        "DELETE FROM events WHERE stream = 'loan-2' AND version = 6",
        at(Fault.HEAD, None, TWO, 6),
    ),
    Tampering(
        "a stream's head",
        "UPDATE stream_heads SET version = 7 WHERE stream = 'loan-1'",
        at(Fault.HEAD, None, ONE, 7),
    ),
    Tampering(
        "a missing head",
        "DELETE FROM stream_heads WHERE stream = 'loan-1'",
        at(Fault.HEAD, None, ONE, 1),
    ),
    Tampering(
        "the log's head",
        "UPDATE log_head SET position = 20",
        Break(fault=Fault.LOG_HEAD, shard=0, number=13),
    ),
    Tampering(
        "an outcome's body",
        "UPDATE outcomes SET request_hash = sha256('other') WHERE sequence = 3",
        Break(fault=Fault.OUTCOME_HASH, shard=0, number=3),
    ),
    Tampering(
        "a refusal's reason",
        "UPDATE outcomes SET detail = 'maybe' WHERE sequence = 13",
        Break(fault=Fault.OUTCOME_HASH, shard=0, number=13),
    ),
    Tampering(
        "a deleted outcome",
        "DELETE FROM outcomes WHERE sequence = 4",
        Break(fault=Fault.OUTCOME_SEQUENCE, shard=0, number=4),
    ),
    Tampering(
        "the outcomes' tail",
        "DELETE FROM outcomes WHERE sequence > 12",
        Break(fault=Fault.OUTCOME_SEQUENCE, shard=0, number=13),
    ),
)


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.name)
def test_tampering_is_found_at_its_first_place(
    intruder: psycopg.Connection[Any], database: str, tampering: Tampering
) -> None:
    intruder.execute(tampering.statement)
    assert verify_store(database).breaks[0] == tampering.first


STREAM_TAMPERINGS = (
    Tampering(
        "one byte of a state",
        "UPDATE events SET state = set_byte(state, 20, 65) WHERE position = 5",
        at(Fault.HASH, 5, ONE, 3),
    ),
    Tampering(
        "a deleted row",
        "DELETE FROM events WHERE position = 5",
        at(Fault.VERSION, 7, ONE, 4),
    ),
    Tampering("two rows' states", SWAP_STATES, at(Fault.HASH, 3, ONE, 2)),
    Tampering(
        "the tail",
        "DELETE FROM events WHERE stream = 'loan-1' AND version >= 5",
        at(Fault.HEAD, None, ONE, 5),
    ),
    Tampering(
        "everything", "DELETE FROM events WHERE stream = 'loan-1'", at(Fault.HEAD, None, ONE, 1)
    ),
)


@pytest.mark.parametrize("tampering", STREAM_TAMPERINGS, ids=lambda one: one.name)
def test_tampering_with_one_stream_is_found_from_that_stream(
    intruder: psycopg.Connection[Any], database: str, tampering: Tampering
) -> None:
    intruder.execute(tampering.statement)
    assert verify_stream(database, ONE).breaks[0] == tampering.first
    assert verify_stream(database, TWO).ok


def test_a_flipped_byte_anywhere_in_any_state_is_found(
    intruder: psycopg.Connection[Any], database: str
) -> None:
    rows = intruder.execute("SELECT position, octet_length(state) FROM events").fetchall()
    flip = (
        "UPDATE events SET state = set_byte(state, %s, get_byte(state, %s) # 1) WHERE position = %s"
    )
    for position, length in rows:
        place = (position * 37) % length
        intruder.execute(flip, (place, place, position))
        assert verify_store(database).breaks[0].number == position
        intruder.execute(flip, (place, place, position))
    assert verify_store(database).ok
