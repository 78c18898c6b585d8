"""The server shape: broker, relay, projector, intake and API as processes, fed by Kafka alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from api.cli.run_server import DEVELOPMENT
from consumers.lending_club import days_of, import_day
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.real_book.dataset import read_published
from consumers.real_book.life import CHECKER, UPSTREAM
from consumers.reconcile import read_models_fold
from domain.service import Service
from infra.broker import free_ports
from infra.database import DatabasePool, bulk_pool
from infra.kafka_cluster import Kafka
from infra.store import PostgresEventStore
from projections import hashes, schema
from projections.schema import install
from tests.support.messages import Upstream, event_of
from tests.support.postgres import TEMPLATE, Server

pytestmark = pytest.mark.slow

LOANS = 12
START_SECONDS_MAX = 180
SOURCES = {UPSTREAM.id: "urn:lending-club", CHECKER.id: "urn:issuing-bank"}
WHEN_AND_WHERE = {"recorded_at", "position", "superseded_position", "command_id", "prepared_at",
                  "checked_at", "claimed_at", "released_at"}  # fmt: skip
"""Columns that tell when and where something was recorded, not what."""


EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def example(name: str, servers: str) -> list[str]:
    """Run a program of docs/examples; what it printed."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, str(EXAMPLES / name), servers],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


class RunServer:
    """`loanbook run-server` as a user starts it."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.http, self.kafka = free_ports(2)
        self._log = folder / "run-server.log"
        sources = folder / "sources.json"
        every = {"commands": ["*"], "dated": True}
        known = SOURCES | {"development": DEVELOPMENT}
        listed = [{"source": name, "id": actor, **every} for actor, name in known.items()]
        sources.write_text(json.dumps({"sources": listed}))
        self._environment = os.environ | {
            "LOANBOOK_DATA_DIR": str(folder / "data"),
            "LOANBOOK_DATABASE_URL": dsn,
            "LOANBOOK_HTTP_PORT": str(self.http),
            "LOANBOOK_KAFKA_PORT": str(self.kafka),
            "LOANBOOK_SOURCES_FILE": str(sources),
            "LOANBOOK_LOG_FORMAT": "json",
        }

    @contextmanager
    def running(self) -> Generator[None]:
        """Start it, wait until it is ready, and end it as Ctrl-C does."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "api.cli.main", "run-server"],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_ready(process)
            yield
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0, self.log()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        assert not _listens(self.http), "the API is still there"
        assert not _listens(self.kafka), "the broker is still there"

    def log(self) -> str:
        return self._log.read_text()

    def ready(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/ready", timeout=10) as answer:
            return json.load(answer)

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not _listens(self.http):
            assert process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.2)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_followed(server: RunServer) -> None:
    """Wait until relay and read models have taken in everything."""
    deadline = time.monotonic() + 120
    while True:
        followers = server.ready()["followers"]
        names = {follower["reader"].partition(":")[0] for follower in followers}
        if names >= {"read_models", "relay"} and not any(f["events_behind"] for f in followers):
            return
        assert time.monotonic() < deadline, followers
        time.sleep(0.2)


def told(pool: DatabasePool) -> dict[str, list[tuple[Any, ...]]]:
    """What the read models say, without when and where it was recorded."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    with pool.transaction() as db:
        schema.enter_current(db)
        for table in hashes.KEYS:
            found = db.rows(f"TABLE {table}")
            kept = [{c: v for c, v in row.items() if c not in WHEN_AND_WHERE} for row in found]
            rows[table] = sorted(tuple(map(repr, row.values())) for row in kept)
    return rows


@contextmanager
def embedded(server: Server) -> Generator[DatabasePool]:
    """The same loans, imported and projected in the embedded shape."""
    dsn = server.create("embedded_shape", TEMPLATE)
    with bulk_pool(dsn) as pool, PostgresEventStore(dsn) as store:
        with pool.transaction() as db:
            install(db)
        for day in days_of(read_published()[:LOANS]):
            import_day(Service(store), day)
        Projector(pool, LogFeed(pool)).catch_up(store.head())
        yield pool
    server.drop("embedded_shape")


def test_a_part_of_the_real_book_comes_in_by_kafka_and_reads_as_in_the_embedded_shape(
    broker_jars: Path, postgres_server: Server, database: str, tmp_path: Path
) -> None:
    assert broker_jars.is_dir()
    server = RunServer(tmp_path, database)
    entries = list(chain.from_iterable(day.entries for day in days_of(read_published()[:LOANS])))
    products = [entry for entry in entries if entry.command.stream.startswith("product-")]
    lives = [entry for entry in entries if entry not in products]
    with server.running(), Kafka(f"127.0.0.1:{server.kafka}") as kafka:
        with closing(Upstream(kafka)) as upstream:
            answers = upstream.wait_for(upstream.send(event_of(e, SOURCES) for e in products))
            answers += upstream.wait_for(upstream.send(event_of(e, SOURCES) for e in lives))
        wait_until_followed(server)
    assert [answer.status for answer in answers] == ["recorded"] * len(entries), server.log()
    with bulk_pool(database) as pool, embedded(postgres_server) as other:
        fold = read_models_fold(pool)
        assert fold.ok, fold.exceptions
        assert told(pool) == told(other)
    with server.running(), Kafka(f"127.0.0.1:{server.kafka}") as kafka:
        with closing(Upstream(kafka)) as upstream:
            kept = upstream.wait_for(upstream.send([event_of(entries[-1], SOURCES)]))
        said = [json.loads(line) for line in example("send_commands.py", kafka.bootstrap_servers)]
        wait_until_followed(server)
        sums = example("follow_events.py", kafka.bootstrap_servers)
    assert kept == answers[-1:], "the answer of the first start was kept"
    assert len(upstream.answers) == len(entries)
    assert all(len(given) == 1 for given in upstream.answers.values())
    assert [answer["status"] for answer in said] == ["recorded", "recorded", "refused"]
    assert len(sums) > LOANS // 2, sums
