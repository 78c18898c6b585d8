"""Answering makes no garbage in cycles: `infra.garbage.look_once` relies on it.

A process that looks at an object once would keep for ever what became a cycle after its look.
"""

import gc
import json
import socket
from collections.abc import Callable, Generator
from itertools import count
from uuid import uuid4

import httpx
import pytest

from tests.api.conftest import Api, token_of

TIMES = 20
WARM = 3
ON = "2018-06-21"  # the day after the last one closed


@pytest.fixture
def uncollected() -> Generator[None]:
    """Let nothing be collected but by the test."""
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def request(method: str, path: str, body: object = None, *, who: str = "boss") -> bytes:
    """Write a request with a key of its own."""
    sent = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: here",
        f"Authorization: Bearer {token_of(who)}",
        "Content-Type: application/json",
        f"Idempotency-Key: {uuid4().hex}",
        f"Content-Length: {len(sent)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + sent


def payment(loan: str, number: int, **changes: str) -> bytes:
    body = {
        "effective_on": ON,
        "payment_id": f"cycles-{number}",
        "amount": "0.01",
        "currency": "USD",
    }
    return request("POST", f"/v1/loans/{loan}/payments", body | changes, who="ann")


def asked(book: Api, requests: dict[int, list[bytes]]) -> None:
    """Send requests by the status they are answered with, over one connection."""
    address = httpx.URL(str(book.http.base_url))
    with socket.create_connection((address.host, address.port or 0)) as connection:
        for status, sent in requests.items():
            for one in sent:
                connection.sendall(one)
                assert _status(connection) == status, one


def _status(connection: socket.socket) -> int:
    told = b""
    while b"\r\n\r\n" not in told:
        told += connection.recv(65536)
    head, _, body = told.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return int(head[9:12])


@pytest.mark.usefixtures("uncollected")
def test_requests_answered_and_refused_make_no_cycles(book: Api) -> None:
    loan, numbers = book.loans[0], count()

    def requests(times: int) -> dict[int, list[bytes]]:
        asks: dict[int, Callable[[int], bytes]] = {
            200: lambda _: request("GET", f"/v1/loans/{loan}"),
            201: lambda _: payment(loan, next(numbers)),
            303: lambda _: request("GET", "/console"),
            401: lambda _: request("GET", f"/v1/loans/{loan}", who="nobody"),
            403: lambda _: request("POST", f"/v1/loans/{loan}/charge-offs", {}, who="rita"),
            404: lambda _: request("GET", "/v1/loans/nobody"),
            405: lambda _: request("DELETE", "/v1/loans"),
            409: lambda number: payment(loan, number, currency="EUR"),
            422: lambda number: payment(loan, number, amount="much"),
        }
        return {status: [ask(n) for n in range(times)] for status, ask in asks.items()}

    asked(book, requests(WARM))
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    asked(book, requests(TIMES))
    assert gc.collect() == 0, [type(one) for one in gc.garbage[:20]]
