"""Clients that work while faults are injected, and keep a ledger of what they were answered."""

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from domain.envelope import StreamId
from domain.ports import Outcome
from infra.errors import Overloaded, Unavailable
from infra.store import PostgresEventStore
from tests.faults import ledger
from tests.support.record import a_key, an_append, payment

CLIENTS: Final = 8


class Clients:
    """Clients that append and, when they hear Unavailable, ask again with the same key."""

    def __init__(self, stores: Sequence[PostgresEventStore], answers: Path) -> None:
        self.unavailable = 0
        self.answered = 0
        self._stores = stores
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
        store = self._stores[client % len(self._stores)]
        key = a_key(f"{client}-{version}")
        append = an_append(StreamId(f"loan-{client}"), version, payment(number), key=key)
        while True:
            try:
                outcome = store.submit(append).result(timeout=60)
            except (Unavailable, Overloaded):
                self.unavailable += 1
                time.sleep(0.01)
            else:
                assert isinstance(outcome, Outcome), outcome
                assert outcome.version == version + 1, outcome
                self._book.note([ledger.answered(key.scope, key.key, outcome, f"p-{number}")])
                self.answered += 1
                return version + 1
