"""Apache Kafka for tests: one real broker a session, one fresh topic a test."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

import pytest

from infra.broker import BrokerUnavailable, KafkaBroker, fetch_jars
from infra.kafka_clients import administrator


def unavailable(reason: BrokerUnavailable) -> NoReturn:
    """Skip with the reason; in continuous integration a missing broker is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"no Kafka broker: {reason}")
    pytest.skip(f"no Kafka broker: {reason}")


@pytest.fixture(scope="session")
def broker_jars() -> Path:
    """The broker's jars, for tests that start, kill and wipe a broker of their own."""
    try:
        return fetch_jars()
    except BrokerUnavailable as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def broker(broker_jars: Path) -> Iterator[str]:
    """Bootstrap servers of a real broker that all tests share; use topics of your own on it."""
    with (
        tempfile.TemporaryDirectory(prefix="loanbook-kafka-", ignore_cleanup_errors=True) as folder,
        KafkaBroker(Path(folder), jars=broker_jars) as running,
    ):
        yield running.bootstrap_servers


@pytest.fixture
def new_topic(broker: str) -> Callable[..., str]:
    """Creates a topic with a name nobody else has: `new_topic("events", partitions=4)`."""

    def create(stem: str, *, partitions: int = 1) -> str:
        name = f"{stem}.{uuid4().hex}"
        with administrator(broker) as client:
            client.create_topics({name: {"num_partitions": partitions, "replication_factor": 1}})
        return name

    return create
