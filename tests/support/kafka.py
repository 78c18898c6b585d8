"""Apache Kafka for tests: one real broker a session."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from infra.broker import BrokerUnavailable, KafkaBroker, fetch_jars


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
