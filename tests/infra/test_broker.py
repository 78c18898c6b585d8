"""The broker is a real one, and our clients talk to it with the settings we rely on."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import crc32c
import pytest

from infra.broker import BrokerUnavailable, KafkaBroker, fetch_jars
from infra.kafka_clients import administrator, open_consumer, open_producer

VALUES = [f"{number}".encode() for number in range(1_000)]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lb-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def produce(servers: str, topic: str) -> None:
    producer = open_producer(servers)
    try:
        sent = [producer.send(topic, key=b"loan-1", value=value) for value in VALUES]
        for future in sent:
            future.get(timeout=10)
    finally:
        producer.close()


def consume(servers: str, topic: str) -> list[bytes | None]:
    consumer = open_consumer(servers, f"group-{uuid4()}", batch_max=300)
    values: list[bytes | None] = []
    try:
        consumer.subscribe([topic])
        while len(values) < len(VALUES):
            for records in consumer.poll(timeout_ms=1_000).values():
                assert len(records) <= 300
                values += [record.value for record in records]
    finally:
        consumer.close()
    return values


def create_topic(servers: str, topic: str) -> str:
    """Create it and return its id."""
    with administrator(servers) as client:
        client.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
        return str(client.describe_topics([topic])[0]["topic_id"])


def test_what_is_produced_is_consumed_in_order(broker: str, new_topic: Callable[..., str]) -> None:
    topic = new_topic("events", partitions=4)
    produce(broker, topic)
    assert consume(broker, topic) == VALUES


def test_the_checksum_is_there_as_native_code() -> None:
    assert crc32c.crc32c(b"123456789") == 0xE3069283


def test_acknowledged_records_survive_kill_minus_nine(broker_jars: Path, folder: Path) -> None:
    with KafkaBroker(folder / "kafka", jars=broker_jars) as own:
        create_topic(own.bootstrap_servers, "events")
        produce(own.bootstrap_servers, "events")
        own.kill()
        own.start()
        assert consume(own.bootstrap_servers, "events") == VALUES


def test_a_wiped_broker_has_new_topic_ids(broker_jars: Path, folder: Path) -> None:
    with KafkaBroker(folder / "kafka", jars=broker_jars) as own:
        before = create_topic(own.bootstrap_servers, "events")
        own.wipe()
        own.start()
        assert create_topic(own.bootstrap_servers, "events") != before


def test_a_broker_that_cannot_start_says_why(broker_jars: Path, folder: Path) -> None:
    with (
        KafkaBroker(folder / "one", jars=broker_jars) as first,
        pytest.raises(BrokerUnavailable, match="did not start"),
    ):
        KafkaBroker(folder / "two", port=first.port, jars=broker_jars).start()


def test_without_java_the_reason_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(BrokerUnavailable, match="Java is not installed"):
        fetch_jars(folder / "lib")
