"""Row 2: the database is killed or its sessions ended under load; nothing answered is lost."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from domain.envelope import StreamId
from domain.ports import Outcome
from infra.embedded import EmbeddedPostgres
from infra.errors import Overloaded, Unavailable
from infra.store import PostgresEventStore
from tests.faults import ledger
from tests.faults.found import Found
from tests.faults.invariants import acknowledged_once, dense, one_outcome_per_key
from tests.faults.rig import Rig
from tests.support.record import a_key, an_append, payment

CLIENTS: Final = 8
BACK_SECONDS_MAX: Final = 5.0  # p95; judged from 20 restarts on
COMMITTERS: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND query ILIKE '%append_batch%'
"""


class Clients:
    """Clients that append and, when they hear Unavailable, ask again with the same key."""

    def __init__(self, store: PostgresEventStore, answers: Path) -> None:
        self.unavailable = 0
        self.answered = 0
        self._store = store
        self._book = ledger.Ledger(answers)
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(number,)) for number in range(CLIENTS)
        ]
        self.trouble: list[BaseException] = []

    @contextmanager
    def working(self) -> Generator[None]:
        """Append until the block ends; then everything on its way is answered."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._ending.set()
            for thread in self._threads:
                thread.join()

    def wait_for_answer(self, seconds: float = 120.0) -> float:
        """Wait until a command that is sent from now on is answered; return how long it took."""
        begun, before = time.monotonic(), self.answered
        while self.answered <= before + CLIENTS:
            if time.monotonic() - begun > seconds or self.trouble:
                raise AssertionError(f"nobody was answered for {seconds} s: {self.trouble}")
            time.sleep(0.002)
        return time.monotonic() - begun

    def _work(self, client: int) -> None:
        try:
            version = 0
            while not self._ending.is_set():
                version = self._pay(client, version)
        except BaseException as error:  # noqa: BLE001 - shown by the waiting row
            self.trouble.append(error)

    def _pay(self, client: int, version: int) -> int:
        number = client * 10**7 + version
        key = a_key(f"{client}-{version}")
        append = an_append(StreamId(f"loan-{client}"), version, payment(number), key=key)
        while True:
            try:
                outcome = self._store.submit(append).result(timeout=60)
            except (Unavailable, Overloaded):
                self.unavailable += 1
                time.sleep(0.01)
            else:
                assert isinstance(outcome, Outcome), outcome
                assert outcome.version == version + 1, outcome
                self._book.note([ledger.answered(key.scope, key.key, outcome, f"p-{number}")])
                self.answered += 1
                return version + 1


def run(rig: Rig, count: int, backends_per_kill: int = 7) -> Found:
    """Kill the server `count` times, by turns at once and by `immediate`, and sessions between."""
    found = Found()
    back: list[float] = []
    answers = rig.folder / f"answers-row2-{rig.seed}.jsonl"
    with rig.own_server() as server:
        with PostgresEventStore(server.dsn) as store:
            clients = Clients(store, answers)
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
