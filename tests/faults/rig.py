"""Where faults are injected: PostgreSQL with fresh databases, a broker, a folder, child processes.

A rig may carry one mutation, a safeguard taken away in test code, for the check of the harness.
"""

import multiprocessing
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import psycopg

from infra.broker import BrokerUnavailable
from infra.database import bulk_pool
from infra.embedded import DURABILITY, EmbeddedPostgres
from infra.kafka_cluster import Kafka, Topics
from infra.migrate import migrate
from projections.schema import install
from tests.faults.found import NotHere
from tests.faults.mutants import Mutation
from tests.support.kafka import ProxiedBroker
from tests.support.postgres import Server

_processes = multiprocessing.get_context("forkserver")
# A child begins by importing what the program that starts it imports: here all of it is there.
_processes.set_forkserver_preload(["tests.faults.registry"])


@dataclass(slots=True, kw_only=True)
class Rig:
    """One row's surroundings. `random` is seeded: the same seed injects at the same places."""

    server: Server
    folder: Path
    seed: int = 1
    mutation: Mutation | None = None
    broker: ProxiedBroker | None = None  # it is started when a row first asks for it
    random: Random = field(init=False)
    _template: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - a seeded fault, no secret

    @contextmanager
    def database(self, template: str | None = None) -> Generator[str]:
        """Hand out the DSN of a fresh database with the record and the read models, or a copy."""
        name = f"faults_{uuid4().hex}"
        if template is None:
            template = self._template = self._template or self._make_template()
        dsn = self.server.create(name, template)
        try:
            yield dsn
        finally:
            self.server.drop(name)

    def forget(self) -> None:
        """Drop the template."""
        if self._template is not None:
            self.server.drop(self._template)

    def _make_template(self) -> str:
        name = f"faults_template_{uuid4().hex}"
        prepare(self.server.create(name), self.mutation)
        return name

    @contextmanager
    def own_server(self) -> Generator[EmbeddedPostgres]:
        """Run a PostgreSQL that may be killed, with a prepared database and durability on."""
        folder = self.folder / f"postgres-{uuid4().hex[:8]}"
        with EmbeddedPostgres(folder) as server:
            assert Server(server.dsn).durability() == DURABILITY, "durability is off"
            prepare(server.dsn, self.mutation)
            yield server

    def running_broker(self, *, empty: bool = False) -> ProxiedBroker:
        """Hand out the broker, running; `empty`: with no topic on it. Raises NotHere."""
        if self.broker is None:
            raise NotHere("there is no broker")
        if empty:
            self.broker.wipe()
        if not self.broker.running:
            self.broker.kill()
            try:
                self.broker.start()
            except BrokerUnavailable as reason:
                raise NotHere(str(reason)) from reason
        return self.broker

    @contextmanager
    def kafka(self) -> Generator[Kafka]:
        """Hand out the running broker with topics that nobody else uses; they are not made yet."""
        servers = self.running_broker().bootstrap_servers
        with Kafka(servers, Topics.under(f"{uuid4().hex}.")) as kafka:
            yield kafka

    def process(self, work: Callable[..., Any], *arguments: Any) -> ForkServerProcess:  # noqa: ANN401
        """Start one of `tests.faults.children` in a process of its own, mutated as the rig is."""
        mutation = self.mutation.safeguard if self.mutation else None
        child = _processes.Process(target=work, args=(mutation, *arguments), daemon=True)
        child.start()
        return child


def prepare(dsn: str, mutation: Mutation | None) -> None:
    """Make the record's tables and the read models; change the database as the mutation says."""
    migrate(dsn)
    with bulk_pool(dsn) as pool, pool.transaction() as db:
        install(db)
    if mutation and mutation.sql:
        with psycopg.connect(dsn, autocommit=True) as connection:
            mutation.sql(connection)
