"""Row 7: a session holds the append lock, or keeps a transaction open, while clients append."""

import time
from typing import Final

import psycopg

from infra.store import PostgresEventStore
from tests.faults import ledger
from tests.faults.clients import Clients
from tests.faults.found import Found
from tests.faults.invariants import acknowledged_once, dense, no_reader_skipped
from tests.faults.rig import Rig
from tests.support.record import tailing

HOLD_SECONDS: Final = 3.0  # longer than the lock timeout of 2 s
LONG_HOLD_SECONDS: Final = 10.0
LONG_FROM: Final = 10  # faults, from which a run is long and its times are judged
RELEASE_SECONDS_MAX: Final = 1.0


def run(rig: Rig, count: int) -> Found:
    """Hold the append lock and an idle write transaction by turns, `count` times in all."""
    found = Found()
    hold_seconds = LONG_HOLD_SECONDS if count >= LONG_FROM else HOLD_SECONDS
    back: list[float] = []
    answers = rig.folder / f"answers-row7-{rig.seed}.jsonl"
    with (
        rig.database() as dsn,
        PostgresEventStore(dsn) as one,
        PostgresEventStore(dsn) as other,
    ):
        clients = Clients([one, other], answers)
        with tailing(one) as seen, clients.working():
            for number in range(count):
                clients.wait_for_answer()
                if number % 2 == 0:
                    _hold_lock(dsn, hold_seconds, clients, found)
                    back.append(clients.wait_for_answer())
                else:
                    _idle_transaction(dsn, hold_seconds, clients, seen, found)
                found.faults += 1
        found.must(not clients.trouble, "I1", f"a client failed: {clients.trouble[:1]}")
        lines = ledger.read(answers)
        found.violations += no_reader_skipped(seen, one.head().number)
        found.violations += acknowledged_once(dsn, lines)
        found.violations += dense(dsn)
    if count >= LONG_FROM:
        found.must(max(back) < RELEASE_SECONDS_MAX, "row 7", f"back after {max(back):.2f} s")
    found.note = (
        f"{len(lines)} acknowledged, {clients.unavailable} Unavailable;"
        f" held {hold_seconds:.0f} s; back {max(back):.2f} s after the release"
    )
    return found


def _hold_lock(dsn: str, seconds: float, clients: Clients, found: Found) -> None:
    """Nobody can append; waiting callers hear Unavailable after the lock timeout."""
    heard = clients.unavailable
    with psycopg.connect(dsn) as holder:
        holder.execute("SELECT FROM log_head FOR UPDATE")
        time.sleep(seconds)
        found.must(clients.unavailable > heard, "row 7", "nobody heard Unavailable under the lock")


def _idle_transaction(
    dsn: str, seconds: float, clients: Clients, seen: list[int], found: Found
) -> None:
    """A write transaction elsewhere is open and idle: neither appends nor readers notice."""
    with psycopg.connect(dsn) as idle:
        idle.execute("CREATE TABLE IF NOT EXISTS elsewhere (n integer)")
        idle.execute("INSERT INTO elsewhere VALUES (1)")
        heard, answered, read = clients.unavailable, clients.answered, len(seen)
        time.sleep(seconds)
        found.must(clients.answered > answered, "row 7", "nobody was answered meanwhile")
        found.must(len(seen) > read, "I6", "the reader saw nothing meanwhile")
        found.must(clients.unavailable == heard, "row 7", "callers heard Unavailable meanwhile")
