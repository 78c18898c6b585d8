"""Durable payments over HTTP to one API process, beside a ping of the same process.

The server is `loanbook api` as a process of its own; the client, on the same cores, speaks HTTP/1.1
over kept connections and nothing else. Rates come from a closed loop of 64 connections, latencies
from an open loop at a constant rate, counted from when a request was due. Batches carry a hundred
commands.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count

from benchmarks import harness, histories
from domain.service import Service
from infra.store import PostgresEventStore

LOANS = 500
CONNECTIONS = 64
RATE, RATE_GOAL = 1_500.0, 5_000.0
P99_MS = 50.0
BATCH = 100
BATCHED_GOAL = 20_000.0
START_SECONDS = 60.0
TOKEN = "benchmark-token-of-this-machine"  # noqa: S105 - of a server that listens to itself

_HOST = "127.0.0.1"

Make = Callable[[], bytes]


def run(options: harness.Options) -> list[harness.Result]:
    """Measure rates by turns, then the latencies."""
    with harness.server() as server, server.database() as dsn:
        loans = _loans(dsn)
        with _api(dsn) as port:
            client = Client(port, loans, datetime.now(UTC).date())
            return asyncio.run(_measure(client, options))


async def _measure(client: "Client", options: harness.Options) -> list[harness.Result]:
    rounds: list[harness.Round] = []
    batched: list[float] = []
    late: list[float] = []
    await client.closed_loop(client.payment, options.seconds)
    for _ in range(options.rounds):
        pings = await client.closed_loop(client.ping, options.seconds)
        rounds.append(
            harness.Round(await client.closed_loop(client.payment, options.seconds), pings)
        )
        batched.append(BATCH * await client.closed_loop(client.batch, options.seconds, 4))
        delays = await client.open_loop(client.payment, RATE, options.seconds)
        late.append(delays[len(delays) * 99 // 100] * 1000)
        print(
            f"  ping {pings:,.0f}/s, payments {rounds[-1].ours:,.0f}/s, in batches"
            f" {batched[-1]:,.0f}/s; at {RATE:,.0f}/s p50 {delays[len(delays) // 2] * 1000:.1f} ms,"
            f" p99 {late[-1]:.1f} ms",
            flush=True,
        )
    rates = [turn.ours for turn in rounds]
    return [
        harness.bounded(
            "http: payments, rate asked for", rates, RATE, "commands/s", target=RATE_GOAL
        ),
        harness.compared("http: payments, ping (limit)", rounds, "requests/s"),
        harness.bounded(f"http: payments at {RATE:,.0f}/s, p99", late, P99_MS, "ms"),
        harness.compared(
            f"http: payments in batches of {BATCH}, one by one",
            [harness.Round(many, one.ours) for many, one in zip(batched, rounds, strict=True)],
            "commands/s",
            target=BATCHED_GOAL / RATE_GOAL,
        ),
    ]


def _loans(dsn: str) -> list[str]:
    """Store histories; return the loans that can be paid."""
    histories.store(dsn, histories.records(LOANS))
    with PostgresEventStore(dsn) as store:
        known = Service(store).fetch([histories.stream_of(number) for number in range(LOANS)])
    return [stream.partition("-")[2] for stream in histories.payable(known)]


@contextmanager
def _api(dsn: str) -> Generator[int]:
    """Run `loanbook api` on a free port."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    environment = os.environ | {
        "LOANBOOK_DATABASE_URL": dsn,
        "LOANBOOK_HTTP_PORT": str(port),
        "LOANBOOK_DEVELOPMENT_TOKEN": TOKEN,
        "LOANBOOK_LOG_LEVEL": "WARNING",
    }
    process = subprocess.Popen([sys.executable, "-m", "api.cli.main", "api"], env=environment)
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, "the API ended at its start"
        try:
            socket.create_connection((_HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the API does not listen after {START_SECONDS:.0f} s")


@dataclass
class Client:
    """Makes requests and sends them over kept connections."""

    port: int
    loans: list[str]
    on: date  # the server's business date while no day is closed: today

    def __post_init__(self) -> None:
        """Number the requests from 0."""
        self._numbers = count()

    def ping(self) -> bytes:
        """Ask whether the process answers."""
        return f"GET /health HTTP/1.1\r\nHost: {_HOST}\r\n\r\n".encode()

    def payment(self) -> bytes:
        """Pay the next loan a little."""
        number = next(self._numbers)
        path = f"/v1/loans/{self.loans[number % len(self.loans)]}/payments"
        return self._post(path, self._body(number), f"key-{number}")

    def batch(self) -> bytes:
        """Pay a hundred loans a little."""
        numbers = [next(self._numbers) for _ in range(BATCH)]
        commands = [
            {
                "command": "loan.receive_payment",
                "target": self.loans[number % len(self.loans)],
                "key": f"key-{number}",
                "body": self._body(number),
            }
            for number in numbers
        ]
        return self._post("/v1/commands", {"commands": commands})

    def _body(self, number: int) -> dict[str, str]:
        return {
            "effective_on": self.on.isoformat(),
            "payment_id": f"bench-{number}",
            "amount": f"0.{1 + number % 97:02d}",
            "currency": "USD",
        }

    def _post(self, path: str, body: object, key: str | None = None) -> bytes:
        written = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {_HOST}\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(written)}\r\n"
        )
        return (
            f"{head}{f'Idempotency-Key: {key}' if key else 'X-None: 0'}\r\n\r\n".encode() + written
        )

    async def closed_loop(
        self, make: Make, seconds: float, connections: int = CONNECTIONS
    ) -> float:
        """Ask as fast as answers come; requests a second."""
        started = time.monotonic()

        async def ask() -> int:
            done = 0
            async with self._connection() as exchange:
                while time.monotonic() < started + seconds:
                    await exchange(make())
                    done += 1
            return done

        done = sum(await asyncio.gather(*(ask() for _ in range(connections))))
        return done / (time.monotonic() - started)

    async def open_loop(self, make: Make, rate: float, seconds: float) -> list[float]:
        """Ask at a constant rate whatever the answers; how long each took, smallest first."""
        delays: list[float] = []
        due = count()
        begun, asked = time.monotonic(), int(rate * seconds)

        async def ask() -> None:
            async with self._connection() as exchange:
                while (number := next(due)) < asked:
                    at = begun + number / rate
                    if (early := at - time.monotonic()) > 0:
                        await asyncio.sleep(early)
                    await exchange(make())
                    delays.append(time.monotonic() - at)

        await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
        return sorted(delays)

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Callable[[bytes], "asyncio.Future[None]"]]:
        reader, writer = await asyncio.open_connection(_HOST, self.port)

        async def exchange(request: bytes) -> None:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
            body = await reader.readexactly(length)
            status = int(head[9:12])
            assert status in (200, 201), (status, body)

        try:
            yield exchange  # type: ignore[misc] - a coroutine function
        finally:
            writer.close()


if __name__ == "__main__":
    harness.main(run)
