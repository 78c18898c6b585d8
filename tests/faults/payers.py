"""Payers in this process: a steady load of payments, and how long the answer to each took."""

import itertools
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from domain.ports import Outcome
from domain.service import Service
from infra.errors import Overloaded
from infra.store import PostgresEventStore
from tests.faults import ledger
from tests.faults.children import SCOPE, payment
from tests.support.book import Book

PAYERS: Final = 4
PAUSE_SECONDS: Final = 0.2


class Payers:
    """Threads that pay until the block ends; the answers go into a ledger."""

    def __init__(self, store: PostgresEventStore, answers: Path, loans: int) -> None:
        """Open the loans that are paid on."""
        self.answers = answers
        self.took: list[float] = []
        """Seconds, one for each answered payment, in order of the answers."""
        self.trouble: list[BaseException] = []
        book = Book(store)
        for number in range(loans):
            book.open_loan(f"loan{number:04d}", amount=5_000_000, instalments=24)
        self._service = Service(store)
        self._loans = loans
        self._book = ledger.Ledger(answers)
        self._numbers = itertools.count()  # threads may share it
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(PAYERS)]

    @contextmanager
    def working(self) -> Generator[None]:
        """Pay until the block ends."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self.end()

    def end(self) -> None:
        """Pay no more; what was begun is answered."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        try:
            while not self._ending.wait(PAUSE_SECONDS):
                number = next(self._numbers)
                begun = time.perf_counter()
                outcome = self._pay(number)
                self.took.append(time.perf_counter() - begun)
                mark = None if outcome.refusal else f"payment-{number}"
                self._book.note([ledger.answered(SCOPE, str(number), outcome, mark)])
        except BaseException as error:  # noqa: BLE001 - shown by the waiting row
            self.trouble.append(error)

    def _pay(self, number: int) -> Outcome:
        """Pay once; who is told that too many wait comes again, as after a 429."""
        while True:
            try:
                return self._service.handle(payment(number, self._loans))
            except Overloaded as told:
                time.sleep(told.retry_after_seconds)
