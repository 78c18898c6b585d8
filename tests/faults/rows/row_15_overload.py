"""Row 15: three times the capacity, open loop; the store refuses early and keeps its bound."""

import threading
import time
from concurrent.futures import Future
from typing import Final

from domain.envelope import StreamId
from domain.ports import AppendResult, Outcome
from infra.errors import Overloaded
from infra.settings import Limits
from infra.store import PostgresEventStore
from tests.faults import ledger
from tests.faults.found import Found
from tests.faults.invariants import acknowledged_once, dense
from tests.faults.rig import Rig
from tests.support.record import a_key, an_append, in_threads, payment

# A batch of four makes the capacity small enough for one process to send three times as much.
QUEUE_MAX: Final = 100
LIMITS = Limits(append_queue_max=QUEUE_MAX, append_wait_seconds_max=0.5, append_batch_max=4)
TIMES: Final = 3
SECONDS: Final = 3.0
LONG_SECONDS: Final = 10.0
LONG_FROM: Final = 2
BACK_SECONDS_MAX: Final = 5.0


class Load:
    """Counts what became of commands that are sent without waiting for answers."""

    def __init__(self, store: PostgresEventStore) -> None:
        self.answers: list[ledger.Answered] = []
        self.seconds: list[float] = []
        self.refused_at_once = self.refused_later = self.sent = 0
        self.waiting_max = 0
        self.other: list[BaseException] = []
        self._store = store
        self._lock = threading.Lock()

    def send(self, number: int) -> None:
        """Send one command; what becomes of it is noted when it is known."""
        begun, key = time.monotonic(), a_key()
        append = an_append(StreamId(f"loan-{number}"), 0, payment(number), key=key)
        self.sent += 1
        try:
            future = self._store.submit(append)
        except Overloaded:
            self.refused_at_once += 1
            return
        self.waiting_max = max(self.waiting_max, self._store.waiting())

        def note(answer: "Future[AppendResult]") -> None:
            error = answer.exception()
            with self._lock:
                if isinstance(error, Overloaded):
                    self.refused_later += 1
                elif error is not None:
                    self.other.append(error)
                else:
                    outcome = answer.result()
                    assert isinstance(outcome, Outcome), outcome
                    mark = f"p-{number}"
                    self.answers.append(ledger.answered(key.scope, key.key, outcome, mark))
                    self.seconds.append(time.monotonic() - begun)

        future.add_done_callback(note)


def run(rig: Rig, count: int) -> Found:
    """Overload the store `count` times."""
    found = Found()
    notes: list[str] = []
    for number in range(count):
        with rig.database() as dsn, PostgresEventStore(dsn, limits=LIMITS) as store:
            seconds = LONG_SECONDS if count >= LONG_FROM else SECONDS
            load = _overloaded(store, _capacity(store, seed=number), seconds)
            _judge(load, found)
            begun = time.monotonic()
            store.submit(an_append(StreamId("loan-after"), 0, payment(2 * 10**9))).result(
                timeout=60
            )
            back = time.monotonic() - begun
            found.must(back < BACK_SECONDS_MAX, "row 15", f"normal after {back:.1f} s")
            found.violations += acknowledged_once(dsn, load.answers)
            found.violations += dense(dsn)
            found.faults += load.refused_at_once + load.refused_later
            load.seconds.sort()
            p99 = load.seconds[round(0.99 * (len(load.seconds) - 1))]
            notes.append(
                f"{load.sent} sent, {len(load.answers)} done, p99 {p99 * 1000:.0f} ms,"
                f" at most {load.waiting_max} waiting"
            )
    found.note = notes[-1]
    return found


def _capacity(store: PostgresEventStore, *, seed: int) -> float:
    """Commands a second with as many callers as a queue's bound lets in."""
    done: list[int] = []
    until = time.monotonic() + 1.0

    def work(client: int) -> None:
        number = 0
        while time.monotonic() < until:
            stream = StreamId(f"loan-warm-{seed}-{client}-{number}")
            event = payment(10**8 + client * 10**5 + number)
            store.submit(an_append(stream, 0, event)).result(timeout=60)
            done.append(number)
            number += 1

    in_threads(16, work)
    return len(done) / 1.0


def _overloaded(store: PostgresEventStore, capacity: float, seconds: float) -> Load:
    load = Load(store)
    begun, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < seconds:
        while sent < passed * capacity * TIMES:
            load.send(sent + 1)
            sent += 1
        time.sleep(0.001)
    until = time.monotonic() + 10
    while store.waiting() and time.monotonic() < until:
        time.sleep(0.01)
    store.submit(an_append(StreamId("loan-last"), 0, payment(10**9))).result(timeout=60)
    return load


def _judge(load: Load, found: Found) -> None:
    refused = load.refused_at_once + load.refused_later
    answered = len(load.answers) + refused + len(load.other)
    found.must(refused, "row 15", f"nothing of {load.sent} was refused at {TIMES} times capacity")
    found.must(load.waiting_max <= QUEUE_MAX, "row 15", f"{load.waiting_max} waited")
    found.must(not load.other, "row 15", f"other errors: {load.other[:1]}")
    found.must(answered == load.sent, "row 15", f"{load.sent - answered} never had an answer")
