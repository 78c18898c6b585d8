"""Loads of many streams, which the server still finds as the first of them are read."""

from dataclasses import replace

import pytest

from domain.envelope import StreamId
from domain.events import Event
from infra.settings import Limits
from infra.store import PostgresEventStore
from tests.support.record import OpenStore, a_stream, an_append, append, kill_backends, payment

pytestmark = pytest.mark.postgres


@pytest.fixture
def long_streams(postgres_store: PostgresEventStore) -> dict[StreamId, list[Event]]:
    """More than the sockets hold: the server has not told all when the first one is read."""
    streams: dict[StreamId, list[Event]] = {
        a_stream(): [replace(payment(number), payment_id=f"{number}" * 8_000)]
        for number in range(100, 200)
    }
    append(postgres_store, *(an_append(name, 0, *events) for name, events in streams.items()))
    return streams


def test_a_load_that_loses_its_connection_tells_the_rest_on_another(
    postgres_store: PostgresEventStore,
    database: str,
    long_streams: dict[StreamId, list[Event]],
) -> None:
    loading = postgres_store.events(long_streams)
    loaded = [next(loading)]
    kill_backends(database, "string_agg")
    loaded += loading
    assert len(loaded) == len(long_streams)
    assert dict(loaded) == long_streams


def test_a_load_that_nobody_ends_stands_in_no_ones_way(
    open_store: OpenStore, long_streams: dict[StreamId, list[Event]]
) -> None:
    store = open_store(limits=Limits(read_connections_max=1))
    for _ in range(3):
        loading = store.events(long_streams)
        next(loading)
        del loading
        assert dict(store.events(long_streams)) == long_streams
