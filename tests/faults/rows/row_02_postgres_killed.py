"""Row 2: the database is killed or its sessions ended under load; nothing answered is lost."""

import time
from typing import Final

import psycopg

from infra.embedded import EmbeddedPostgres
from infra.store import PostgresEventStore
from tests.faults import ledger
from tests.faults.clients import Clients
from tests.faults.found import Found
from tests.faults.invariants import acknowledged_once, dense, one_outcome_per_key
from tests.faults.rig import Rig

BACK_SECONDS_MAX: Final = 5.0  # p95; judged from 20 restarts on
COMMITTERS: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND query ILIKE '%append_batch%'
"""


def run(rig: Rig, count: int, backends_per_kill: int = 10) -> Found:
    """Kill the server `count` times, by turns at once and by `immediate`, and sessions between."""
    found = Found()
    back: list[float] = []
    answers = rig.folder / f"answers-row2-{rig.seed}.jsonl"
    with rig.own_server() as server:
        with PostgresEventStore(server.dsn) as store:
            clients = Clients([store], answers)
            with clients.working():
                clients.wait_for_answer()
                for number in range(count):
                    time.sleep(rig.random.uniform(0, 0.2))
                    _stop(server, immediate=number % 2 == 1)
                    begun = time.monotonic()
                    server.start()
                    clients.wait_for_answer()
                    back.append(time.monotonic() - begun)
                    found.faults += 1
                    for _ in range(backends_per_kill):
                        time.sleep(rig.random.uniform(0, 0.03))
                        found.faults += _end_committers(server.dsn)
                        clients.wait_for_answer()
            found.must(not clients.trouble, "I1", f"a client failed: {clients.trouble[:1]}")
            found.must(clients.unavailable, "I1", "no waiting caller heard Unavailable")
        lines = ledger.read(answers)
        found.violations += acknowledged_once(server.dsn, lines)
        found.violations += one_outcome_per_key(server.dsn, lines)
        found.violations += dense(server.dsn)
    back.sort()
    p95 = back[min(len(back) - 1, round(0.95 * len(back)))]
    if count >= 20:
        found.must(p95 < BACK_SECONDS_MAX, "row 2", f"p95 back in service {p95:.1f} s")
    found.note = (
        f"{len(lines)} acknowledged, {clients.unavailable} Unavailable;"
        f" back in service: median {back[len(back) // 2]:.1f} s, max {back[-1]:.1f} s"
    )
    return found


def _stop(server: EmbeddedPostgres, *, immediate: bool) -> None:
    if not immediate:
        server.kill()
        return
    postmaster = server.postmaster()
    assert postmaster is not None
    postmaster.send_signal(3)  # SIGQUIT: what pg_ctl stop -m immediate sends
    while server.postmaster() is not None:
        time.sleep(0.01)


def _end_committers(dsn: str) -> int:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return len(connection.execute(COMMITTERS).fetchall())
