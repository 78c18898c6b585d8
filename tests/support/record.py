"""Stores for tests, and short words for appends and for looking at the tables."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from hashlib import sha256
from typing import Any, LiteralString, Protocol, TypedDict, Unpack
from uuid import uuid4

import psycopg
import pytest

from domain.actors import Actor, ActorKind
from domain.envelope import Envelope, Position, RecordedEvent, StreamId
from domain.events import Event
from domain.events.servicing import PaymentReceived
from domain.ports import Append, AppendResult, EventStore, IdempotencyKey, Outcome, Refusal
from infra.codec import Codec
from infra.memory_store import MemoryEventStore
from infra.settings import Limits
from infra.store import PostgresEventStore

START = Position(shard=0, number=0)
TELLER = Envelope(actor=Actor(kind=ActorKind.HUMAN, id="t-7", roles=("teller",)))


def payment(amount_minor: int = 100) -> PaymentReceived:
    return PaymentReceived(
        effective_on=date(2018, 6, 30),
        payment_id=f"p-{amount_minor}",
        amount_minor=amount_minor,
        currency="USD",
    )


def a_stream() -> StreamId:
    return StreamId(f"loan-{uuid4()}")


def a_key(name: str | None = None, body: str = "body") -> IdempotencyKey:
    return IdempotencyKey(
        scope="tests", key=name or str(uuid4()), request_hash=sha256(body.encode()).digest()
    )


def an_append(
    stream: StreamId,
    expected_version: int,
    *events: Event,
    key: IdempotencyKey | None = None,
    refusal: Refusal | None = None,
) -> Append:
    """One command; a payment when neither events nor refusal are given."""
    return Append(
        stream=stream,
        expected_version=expected_version,
        events=events if events or refusal else (payment(),),
        envelope=TELLER,
        command="loan.receive_payment",
        key=key,
        refusal=refusal,
    )


def append(store: EventStore, *appends: Append) -> list[AppendResult]:
    """Append one after another, each answered before the next is sent."""
    return [store.submit(one).result(timeout=30) for one in appends]


def recorded(result: AppendResult) -> Outcome:
    assert isinstance(result, Outcome), result
    return result


def everything(store: EventStore) -> list[RecordedEvent]:
    events: list[RecordedEvent] = []
    while page := store.read(events[-1].position if events else START, 1_000):
        events += page
    return events


@contextmanager
def tailing(store: EventStore) -> Generator[list[int]]:
    """Read on in another thread while the block runs, until the end is reached; the positions."""
    seen: list[int] = []
    done = threading.Event()

    def tail() -> None:
        while True:
            finished = done.is_set()
            after = Position(shard=0, number=seen[-1] if seen else 0)
            page = store.read(after, 100)
            seen.extend(event.position.number for event in page)
            if finished and not page:
                return

    reader = threading.Thread(target=tail)
    reader.start()
    try:
        yield seen
    finally:
        done.set()
        reader.join()


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run the same work in threads; the first error comes out."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def sql(dsn: str, statement: LiteralString, parameters: tuple[object, ...] = ()) -> list[Any]:
    """Run one statement on a connection of its own; its rows, if it has any."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def kill_backends(dsn: str, running: str) -> None:
    """End every session whose last statement contains a text."""
    sql(
        dsn,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE query LIKE %s AND pid <> pg_backend_pid() AND datname = current_database()",
        (f"%{running}%",),
    )


class StoreSettings(TypedDict, total=False):
    shard: int
    limits: Limits
    codec: Codec
    clock: Callable[[], datetime]


class OpenStore(Protocol):
    """Opens PostgreSQL stores on one database; they are closed with the test."""

    def __call__(self, **settings: Unpack[StoreSettings]) -> PostgresEventStore: ...


@pytest.fixture
def open_store(database: str) -> Iterator[OpenStore]:
    stores: list[PostgresEventStore] = []

    def open_one(**settings: Unpack[StoreSettings]) -> PostgresEventStore:
        stores.append(PostgresEventStore(database, **settings))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def postgres_store(open_store: OpenStore) -> PostgresEventStore:
    return open_store()


@pytest.fixture
def memory_store() -> MemoryEventStore:
    return MemoryEventStore()


@pytest.fixture(params=["memory_store", pytest.param("postgres_store", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> EventStore:
    """Each test that asks for it runs on both stores."""
    return request.getfixturevalue(request.param)
