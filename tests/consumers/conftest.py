"""A store and read models on one database, for the tests of this folder."""

from collections.abc import Iterator

import pytest

from infra.database import DatabasePool, bulk_pool
from infra.store import PostgresEventStore
from projections.schema import install


@pytest.fixture
def pool(database: str) -> Iterator[DatabasePool]:
    with bulk_pool(database) as pool:
        with pool.transaction() as db:
            install(db)
        yield pool


@pytest.fixture
def store(database: str) -> Iterator[PostgresEventStore]:
    with PostgresEventStore(database) as store:
        yield store
