"""Row 8: 32 clients race on one loan through two committers; each version has one winner."""

import threading
from typing import Final

from domain.envelope import StreamId
from domain.ports import Conflict, Outcome
from infra.store import PostgresEventStore
from tests.faults import ledger
from tests.faults.found import Found
from tests.faults.invariants import acknowledged_once, dense, no_reader_skipped
from tests.faults.rig import Rig
from tests.support.record import a_key, an_append, in_threads, payment, tailing

CLIENTS: Final = 32
HOT: Final = StreamId("loan-hot")


def run(rig: Rig, count: int) -> Found:
    """Win `count` versions on one stream; every attempt beside the winner's is a fault injected."""
    found = Found()
    won: dict[int, ledger.Answered] = {}
    lost = 0
    lock = threading.Lock()

    with (
        rig.database() as dsn,
        PostgresEventStore(dsn) as one,
        PostgresEventStore(dsn) as other,
    ):

        def race(client: int) -> None:
            nonlocal lost
            store, version = (one, other)[client % 2], 0
            while version < count:
                mark = f"p-{client * 10**7 + version}"
                key = a_key()
                event = payment(client * 10**7 + version)
                result = store.submit(an_append(HOT, version, event, key=key)).result(timeout=60)
                with lock:
                    match result:
                        case Conflict(actual_version=actual):
                            lost += 1
                            found.must(
                                actual > version, "I1", f"conflict at {version} with {actual}"
                            )
                            version = actual
                        case Outcome(version=int(reached)):
                            found.must(
                                reached == version + 1, "I1", f"decided on {version}, won {reached}"
                            )
                            found.must(reached not in won, "I1", f"version {reached} won twice")
                            won[reached] = ledger.answered(key.scope, key.key, result, mark)
                            version = reached
                        case _:
                            found.must(holds=False, invariant="I2", detail=f"answered {result}")

        with tailing(one) as seen:
            in_threads(CLIENTS, race)
        found.violations += no_reader_skipped(seen, one.head().number)
        found.violations += acknowledged_once(dsn, list(won.values()))
        found.violations += dense(dsn)
        found.must(sorted(won) == list(range(1, len(won) + 1)), "I1", "a version has no winner")
        found.faults = lost
        found.note = f"{len(won)} versions won, {lost} attempts lost"
    return found
