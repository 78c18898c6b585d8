"""Apache Kafka for tests: one real broker a session."""

import os
import socket
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import pytest
from kafka.net.inet import KafkaNetSocket

from infra.broker import JARS, BrokerUnavailable, KafkaBroker, fetch_jars, free_ports
from infra.kafka_cluster import Kafka, Topics


async def _connect(
    self: Any,  # noqa: ANN401 - kafka-python's own types are incomplete
    net: object,
    addrinfo: tuple[Any, ...],
    socket_options: Sequence[tuple[Any, ...]] = (),
    timeout_at: float | None = None,
) -> Any:  # noqa: ANN401
    """As in kafka-python, which leaves the socket of a refused connection open."""
    made: socket.socket = self.socket(*addrinfo[:3])
    try:
        made.setblocking(False)  # noqa: FBT003 - the library's
        for option in socket_options:
            made.setsockopt(*option)
        return await self.sock_connect(net, made, addrinfo[4], timeout_at=timeout_at)
    except BaseException:
        made.close()
        raise


KafkaNetSocket.connect = _connect


class ProxiedBroker(KafkaBroker):
    """A broker with a second door: who knocks at `front` is led on to `front`, again and again.

    Nobody listens there. A test puts a proxy between `front` and `back`, where the broker is.
    """

    def __init__(self, data_dir: Path, *, jars: Path = JARS) -> None:
        port, self.front, self.back, controller = free_ports(4)
        super().__init__(data_dir, port, jars=jars, settings=self._doors(port, controller))

    def _doors(self, port: int, controller: int) -> dict[str, str]:
        return {
            "listeners": f"PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{self.back},"
            f"CONTROLLER://127.0.0.1:{controller}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},"
            f"PROXIED://127.0.0.1:{self.front},CONTROLLER://127.0.0.1:{controller}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,"
            "CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "group.min.session.timeout.ms": "1000",  # so that a killed member is soon missed
        }


@contextmanager
def waiting_broker() -> Generator[ProxiedBroker]:
    """Hand out a broker that whoever needs it starts; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="loanbook-kafka-", ignore_cleanup_errors=True) as place:
        broker = ProxiedBroker(Path(place) / "kafka")
        try:
            yield broker
        finally:
            broker.stop()


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
def session_broker(broker_jars: Path) -> Iterator[ProxiedBroker]:
    """The one broker of a session: each start costs seconds, so tests take turns."""
    with (
        tempfile.TemporaryDirectory(prefix="loanbook-kafka-", ignore_cleanup_errors=True) as folder,
        ProxiedBroker(Path(folder) / "kafka", jars=broker_jars) as running,
    ):
        yield running


@pytest.fixture
def own_broker(session_broker: ProxiedBroker) -> ProxiedBroker:
    """The broker for a test that kills, stops or wipes it."""
    if not session_broker.running:
        session_broker.start()
    return session_broker


@pytest.fixture
def broker(session_broker: KafkaBroker) -> str:
    """Bootstrap servers of a real broker; use topics of your own on it."""
    if not session_broker.running:
        session_broker.start()
    return session_broker.bootstrap_servers


@pytest.fixture
def kafka(broker: str) -> Iterator[Kafka]:
    """The broker with topics that belong to this test alone; they are not made yet."""
    with Kafka(broker, Topics.under(f"{uuid4()}.")) as kafka:
        yield kafka
