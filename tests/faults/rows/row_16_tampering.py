"""Row 16: somebody changes the record behind our back; the chain reports it and names the place."""

from collections.abc import Callable
from typing import Any, Final

import psycopg

from domain.envelope import StreamId
from infra.store import PostgresEventStore
from infra.verify import Break, Fault, verify_store
from tests.faults.found import Found
from tests.faults.rig import Rig
from tests.support.record import a_key, an_append, payment

STREAMS: Final = 7
EVENTS: Final = 210

Connection = psycopg.Connection[Any]
Tampering = Callable[[Connection, Rig], int]
"""Changes the record and returns the first position at which it no longer fits."""


def one_byte(connection: Connection, rig: Rig) -> int:
    """Change one byte of a state."""
    position = rig.random.randint(1, EVENTS)
    connection.execute(
        "UPDATE events SET state = set_byte(state, %(at)s %% octet_length(state),"
        " get_byte(state, %(at)s %% octet_length(state)) # 1) WHERE position = %(position)s",
        {"at": rig.random.randrange(10_000), "position": position},
    )
    return position


def value_date(connection: Connection, rig: Rig) -> int:
    """Move a value date by a day."""
    position = rig.random.randint(1, EVENTS)
    connection.execute(
        "UPDATE events SET effective_on = effective_on + 1 WHERE position = %s", (position,)
    )
    return position


def deleted_row(connection: Connection, rig: Rig) -> int:
    """Delete an event."""
    position = rig.random.randint(1, EVENTS)
    connection.execute("DELETE FROM events WHERE position = %s", (position,))
    return position


def swapped_rows(connection: Connection, rig: Rig) -> int:
    """Swap the bytes of two events."""
    one, other = sorted(rig.random.sample(range(1, EVENTS + 1), 2))
    connection.execute(
        "UPDATE events e SET state = o.state FROM events o"
        " WHERE (e.position, o.position) IN ((%(a)s, %(b)s), (%(b)s, %(a)s))",
        {"a": one, "b": other},
    )
    return one


def cut_tail(connection: Connection, rig: Rig) -> int:
    """Delete the newest events."""
    position = rig.random.randint(EVENTS - 20, EVENTS)
    connection.execute("DELETE FROM events WHERE position >= %s", (position,))
    return position


TAMPERINGS: Final[tuple[Tampering, ...]] = (
    one_byte,
    value_date,
    deleted_row,
    swapped_rows,
    cut_tail,
)


def run(rig: Rig, count: int) -> Found:
    """Tamper `count` times, each time with an untouched record."""
    found = Found()
    with rig.database() as dsn, psycopg.connect(dsn, autocommit=True) as intruder:
        _fill(dsn)
        found.must(verify_store(dsn).ok, "chain", "the untouched record does not verify")
        intruder.execute("CREATE TABLE kept AS TABLE events")
        intruder.execute("SET session_replication_role = replica")
        for number in range(count):
            tampering = TAMPERINGS[number % len(TAMPERINGS)]
            position = tampering(intruder, rig)
            breaks = verify_store(dsn).breaks
            named = bool(breaks) and _first(breaks) == position
            found.must(breaks, "chain", f"{tampering.__name__} at {position} was not seen")
            found.must(
                named or not breaks,
                "chain",
                f"{tampering.__name__} at {position} was reported at {breaks[:1]}",
            )
            found.faults += 1
            _restore(intruder)
        found.must(verify_store(dsn).ok, "chain", "the restored record does not verify")
    found.note = f"{EVENTS} events on {STREAMS} streams"
    return found


def _fill(dsn: str) -> None:
    with PostgresEventStore(dsn) as store:
        for number in range(EVENTS):
            stream = StreamId(f"loan-{number % STREAMS}")
            append = an_append(stream, number // STREAMS, payment(number + 1), key=a_key())
            store.submit(append).result(timeout=30)


def _restore(intruder: Connection) -> None:
    intruder.execute(
        "DELETE FROM events e"
        " WHERE NOT EXISTS (SELECT FROM kept k WHERE k.* IS NOT DISTINCT FROM e.*)"
    )
    intruder.execute(
        "INSERT INTO events SELECT * FROM kept k"
        " WHERE NOT EXISTS (SELECT FROM events e WHERE e.position = k.position)"
    )


def _first(breaks: tuple[Break, ...]) -> int:
    """The first position that the report names; a log cut short names where it should go on."""
    places = [
        b.number for b in breaks if b.number is not None and not b.fault.startswith("outcome")
    ]
    assert all(isinstance(b.fault, Fault) for b in breaks)
    return min(places, default=0)
