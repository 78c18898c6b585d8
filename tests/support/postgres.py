"""PostgreSQL for tests: one real server a session, one fresh migrated database a test."""

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from infra.database import bulk_pool
from infra.embedded import DURABILITY, EmbeddedPostgres
from infra.migrate import migrate
from projections.schema import install

TEMPLATE = "loanbook_template"
READ_MODELS_TEMPLATE = "loanbook_read_models_template"
SERVER_VARIABLE = "LOANBOOK_TEST_DATABASE_URL"


class Server:
    """A PostgreSQL where tests create databases; `dsn` leads to its maintenance database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def dsn_of(self, name: str) -> str:
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{name}"))

    def create(self, name: str, template: str = "template1") -> str:
        # Copying files costs two thirds of writing the template through the log.
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return self.dsn_of(name)

    def drop(self, name: str) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    @contextmanager
    def fresh(self, template: str) -> Generator[str]:
        """Hand out the DSN of a copy of a template that nobody else has."""
        name = f"test_{uuid4().hex}"
        try:
            yield self.create(name, template)
        finally:
            self.drop(name)

    def durability(self) -> dict[str, str]:
        """The server's own word on the settings that make a commit survive a crash."""
        with psycopg.connect(self.dsn) as connection:
            rows = connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (list(DURABILITY),)
            )
            return dict(rows.fetchall())

    def _execute(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            identifiers = [sql.Identifier(name) for name in names]
            connection.execute(sql.SQL(statement).format(*identifiers))


@contextmanager
def running_server() -> Generator[Server]:
    given = os.environ.get(SERVER_VARIABLE)
    if given:
        yield Server(given)
        return
    with (
        tempfile.TemporaryDirectory(prefix="loanbook-test-", ignore_cleanup_errors=True) as folder,
        EmbeddedPostgres(Path(folder) / "postgres", database="postgres") as embedded,
    ):
        yield Server(embedded.dsn)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A real PostgreSQL with durability on, and in it the template of a migrated database."""
    with running_server() as server:
        durability = server.durability()
        print(f"PostgreSQL durability: {durability}")
        assert durability == DURABILITY
        server.drop(TEMPLATE)
        migrate(server.create(TEMPLATE))
        yield server


@pytest.fixture
def database(postgres_server: Server) -> Iterator[str]:
    """DSN of a migrated, empty database that belongs to this test alone."""
    with postgres_server.fresh(TEMPLATE) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def read_models_template(postgres_server: Server) -> str:
    """Name of the template with read models: to copy them takes a fifth of making them."""
    postgres_server.drop(READ_MODELS_TEMPLATE)
    dsn = postgres_server.create(READ_MODELS_TEMPLATE, TEMPLATE)
    with bulk_pool(dsn) as pool, pool.transaction() as db:
        install(db)
    return READ_MODELS_TEMPLATE


@pytest.fixture
def database_with_read_models(postgres_server: Server, read_models_template: str) -> Iterator[str]:
    """DSN of a database with empty read models that belongs to this test alone."""
    with postgres_server.fresh(read_models_template) as dsn:
        yield dsn
