"""Clients that hand in payments over HTTP, each under its key, until every one is answered.

What is lost with a server is asked again with the same key and the same body; the answers go into
the ledger.
"""

import itertools
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx

from tests.faults import ledger
from tests.faults.servers import CLIENT, TOKEN

CLIENTS: Final = 8
ANSWER_SECONDS_MAX: Final = 120.0
ASK_AGAIN: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """Payments by their number, on so many loans. Every tenth is refused: the currency is wrong."""

    loans: int
    on: date

    def path(self, number: int) -> str:
        return f"/v1/loans/loan{number % self.loans:04d}/payments"

    def body(self, number: int) -> dict[str, Any]:
        return {
            "payment_id": f"payment-{number}",
            "effective_on": self.on.isoformat(),
            "amount": f"{1 + number % 97}.00",
            "currency": "EUR" if self.refused(number) else "USD",
        }

    def refused(self, number: int) -> bool:
        return number % 10 == 9

    def answered(self, number: int, answer: httpx.Response) -> ledger.Answered:
        """Turn an answer into a line of the ledger."""
        said = answer.json()
        position = said.get("position")
        return ledger.Answered(
            scope=CLIENT,
            key=str(number),
            stream=f"loan-loan{number % self.loans:04d}",
            version=said.get("version"),
            position=int(position.partition(":")[2]) if position else None,
            code=said.get("code"),
            payment_id=None if self.refused(number) else f"payment-{number}",
            repeated=said["repeated"],
        )


class HttpClients:
    """Clients in threads. They take the numbers up to what is released, one after another."""

    def __init__(self, port: int, payments: Payments, answers: Path) -> None:
        self.answered = 0
        self.asked_again = 0
        self.trouble: list[BaseException] = []
        self._address = f"http://127.0.0.1:{port}"
        self._payments = payments
        self._book = ledger.Ledger(answers)
        self._numbers = itertools.count()  # threads may share it
        self._released = 0
        self._turn = threading.Condition()
        self._ended = False
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]

    @contextmanager
    def working(self) -> Generator[None]:
        """Work until the block ends."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            with self._turn:
                self._ended = True
                self._turn.notify_all()
            for thread in self._threads:
                thread.join()

    def release(self, until: int) -> None:
        """Let the numbers below `until` be handed in."""
        with self._turn:
            self._released = until
            self._turn.notify_all()

    def wait_for(self, answered: int) -> None:
        """Wait until so many are answered."""
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while self.answered < answered:
            assert not self.trouble, self.trouble
            assert time.monotonic() < deadline, f"{self.answered} of {answered} are answered"
            time.sleep(0.002)

    def ask(self, http: httpx.Client, number: int) -> ledger.Answered:
        """Hand in a payment until it is answered."""
        path, body = self._payments.path(number), self._payments.body(number)
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                answer = http.post(path, json=body, headers={"Idempotency-Key": str(number)})
                if answer.status_code not in ASK_AGAIN:
                    assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, answer.text
                    return self._payments.answered(number, answer)
            except httpx.TransportError:  # it was killed; what became of the payment is not known
                pass
            self.asked_again += 1
            time.sleep(0.2)
        raise AssertionError(f"payment {number} was never answered")

    def client(self) -> httpx.Client:
        """Make a client of the server."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.Client(base_url=self._address, headers=headers, timeout=30)

    def _work(self) -> None:
        try:
            with self.client() as http:
                for number in self._numbers:
                    with self._turn:
                        self._turn.wait_for(lambda n=number: n < self._released or self._ended)
                        if number >= self._released:
                            return
                    line = self.ask(http, number)
                    self._book.note([line])
                    with self._turn:
                        self.answered += 1
        except BaseException as error:  # noqa: BLE001 - shown by the waiting row
            self.trouble.append(error)
