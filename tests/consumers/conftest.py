"""A store and read models on one database, for the tests of this folder."""

from collections.abc import Iterator

import pytest

from infra.database import DatabasePool, bulk_pool
from infra.store import PostgresEventStore


@pytest.fixture
def database(database_with_read_models: str) -> str:
    return database_with_read_models


@pytest.fixture
def pool(database: str) -> Iterator[DatabasePool]:
    with bulk_pool(database) as pool:
        yield pool


@pytest.fixture
def store(database: str) -> Iterator[PostgresEventStore]:
    with PostgresEventStore(database) as store:
        yield store
