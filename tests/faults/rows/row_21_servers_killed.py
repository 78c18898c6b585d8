"""Row 21: API, relay and projector are killed at random under a load of commands over HTTP."""

import signal
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final

from infra.codec import Codec
from infra.database import DatabasePool, bulk_pool
from infra.event_topic import recorded_of
from infra.kafka_cluster import Kafka
from infra.store import PostgresEventStore
from projections.lag import lags
from tests.faults import ledger
from tests.faults.found import Found, Violation
from tests.faults.http_clients import HttpClients, Payments
from tests.faults.invariants import (
    acknowledged_once,
    all_events,
    books_balance,
    dense,
    one_outcome_per_key,
    position_is_true,
    projections_are_folds,
    read_model_ties,
    stream_order,
    violations,
)
from tests.faults.rig import Rig
from tests.faults.rows.row_04_projector_killed import SIGKILL, position
from tests.faults.servers import COMMANDS, Servers
from tests.support.book import Book
from tests.support.wire import consumed

LOANS: Final = 24
COMMANDS_PER_KILL: Final = 33
REPEATED_MAX: Final = 100
FOLLOWED_SECONDS_MAX: Final = 120.0
ENDED: Final = (0, -signal.SIGTERM)
"""How a process ends that was asked to; uvicorn passes the signal on when all is done."""


def run(rig: Rig, count: int) -> Found:
    """Hand in `count` commands; kill one of the processes with every thirty-third."""
    found = Found()
    broker = rig.running_broker(empty=True)  # the processes know topics by their own names only
    folder = rig.folder / f"servers-{rig.seed}"
    folder.mkdir()
    answers = folder / "answers.jsonl"
    with rig.database() as dsn, bulk_pool(dsn) as pool:
        payments = Payments(loans=LOANS, on=_open_loans(dsn))
        with Servers(folder, dsn, broker.bootstrap_servers) as servers:
            for name in COMMANDS:
                servers.wait_until_at_work(name)
            clients = HttpClients(servers.port, payments, answers)
            with clients.working():
                killed = _kill(rig, servers, clients, count, found)
                clients.release(count)
                clients.wait_for(count)
            with PostgresEventStore(dsn) as store:
                wait_until_followed(pool, store.head().number)
                found.violations += _asked_again(clients, store, ledger.read(answers))
            for name in COMMANDS:
                code = servers.stop(name)
                found.must(code in ENDED, "row 21", f"{name} ended with {code}")
        lines = ledger.read(answers)
        found.must({int(line.key) for line in lines} == set(range(count)), "I1", "unanswered")
        found.violations += _checked(dsn, pool, lines)
        with Kafka(broker.bootstrap_servers) as kafka, PostgresEventStore(dsn) as store:
            wire = consumed(kafka, kafka.topics.events)
            found.violations += stream_order(
                [recorded_of(record, Codec()) for record in wire], list(all_events(store))
            )
            repeats = len(wire) - store.head().number
    unanswered = sum(line.repeated for line in lines)
    kills = ", ".join(f"{name} {killed.count(name)}" for name in COMMANDS)
    found.note = (
        f"{count} commands; killed: {kills}; {unanswered} committed before an answer was lost,"
        f" {clients.asked_again} asked again, {repeats} events twice on the wire"
    )
    return found


def _open_loans(dsn: str) -> date:
    with PostgresEventStore(dsn) as store:
        book = Book(store)
        book.today = datetime.now(UTC).date()  # no day is closed: the API takes the clock's
        for number in range(LOANS):
            book.open_loan(f"loan{number:04d}", amount=5_000_000, instalments=24)
        return book.today


def _kill(rig: Rig, servers: Servers, clients: HttpClients, count: int, found: Found) -> list[str]:
    """Kill one process with each part of the commands, while the part is being handed in."""
    r = rig.random
    names = list(COMMANDS)
    parts = count // COMMANDS_PER_KILL
    victims = names + [r.choice(names) for _ in range(parts - len(names))]
    r.shuffle(victims)
    for part, victim in enumerate(victims):
        servers.wait_until_at_work(victim)
        clients.release((part + 1) * COMMANDS_PER_KILL)
        clients.wait_for(part * COMMANDS_PER_KILL + r.randrange(COMMANDS_PER_KILL - 8))
        time.sleep(r.uniform(0, 0.02))
        code = servers.kill(victim)
        found.must(code == SIGKILL, "row 21", f"{victim} ended by itself: {code}")
        servers.start(victim)
        found.faults += 1
    return victims


def wait_until_followed(pool: DatabasePool, head: int) -> None:
    """Wait until relay and read models have taken in everything."""
    deadline = time.monotonic() + FOLLOWED_SECONDS_MAX
    while True:
        with pool.transaction() as db:
            standing = {lag.reader.partition(":")[0]: lag.position.number for lag in lags(db)}
        if all(standing.get(reader) == head for reader in ("read_models", "relay")):
            return
        assert time.monotonic() < deadline, f"the record stands at {head}: {standing}"
        time.sleep(0.05)


def _asked_again(
    clients: HttpClients, store: PostgresEventStore, lines: Sequence[ledger.Answered]
) -> list[Violation]:
    """I2: whoever asks again is answered the same, and nothing is recorded."""
    head = store.head()
    wrong: list[object] = []
    with clients.client() as http:
        for line in lines[-REPEATED_MAX:]:
            again = clients.ask(http, int(line.key))
            if not again.repeated or not line.same_as(again):
                wrong.append(f"{line} was answered again with {again}")
    if store.head() != head:
        wrong.append("repeats were recorded anew")
    return violations("I2", wrong)


def _checked(dsn: str, pool: DatabasePool, lines: Sequence[ledger.Answered]) -> list[Violation]:
    found = [*acknowledged_once(dsn, lines), *dense(dsn), *one_outcome_per_key(dsn, lines)]
    with PostgresEventStore(dsn) as store:
        found += books_balance(store)
        found += projections_are_folds(pool, position(pool), store.head().number)
    return found + position_is_true(pool) + read_model_ties(pool)
