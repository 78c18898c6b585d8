"""The broker is a real one, and our clients talk to it with the settings we rely on."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import crc32c
import pytest
from kafka import KafkaAdminClient

from infra.broker import BrokerUnavailable, KafkaBroker, fetch_jars, free_ports
from infra.kafka_cluster import Kafka, Topics, WrongTopic

VALUES = [f"{number}".encode() for number in range(1_000)]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lb-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def produce(kafka: Kafka) -> None:
    producer = kafka.producer()
    try:
        sent = [producer.send(kafka.topics.events, value, b"loan-1", []) for value in VALUES]
        for record in sent:
            record.get(timeout=10)
    finally:
        producer.close()


def consume(kafka: Kafka) -> list[bytes | None]:
    consumer = kafka.consumer(f"group-{uuid4()}")
    values: list[bytes | None] = []
    try:
        consumer.subscribe([kafka.topics.events], listener=None)
        while len(values) < len(VALUES):
            for records in consumer.poll(timeout_ms=1_000).values():
                values += [record.value for record in records]
    finally:
        consumer.close()
    return values


def events_topic_id(servers: str) -> UUID | None:
    with Kafka(servers) as kafka:
        kafka.create_topics()
        return kafka.topic_id(kafka.topics.events)


def test_ports_are_different_ones() -> None:
    """Two listeners of a broker were given one, once in some thousand starts."""
    assert len(set(free_ports(1_000))) == 1_000


def test_what_is_produced_is_consumed_in_order(kafka: Kafka) -> None:
    kafka.create_topics()
    produce(kafka)
    assert consume(kafka) == VALUES


def test_the_checksum_is_there_as_native_code() -> None:
    assert crc32c.crc32c(b"123456789") == 0xE3069283


def test_acknowledged_records_survive_kill_minus_nine(own_broker: KafkaBroker) -> None:
    topics = Topics.under(f"{uuid4()}.")
    with Kafka(own_broker.bootstrap_servers, topics) as kafka:
        kafka.create_topics()
        produce(kafka)
    own_broker.kill()
    own_broker.start()
    with Kafka(own_broker.bootstrap_servers, topics) as kafka:
        assert consume(kafka) == VALUES


def test_a_wiped_broker_has_new_topic_ids(own_broker: KafkaBroker) -> None:
    before = events_topic_id(own_broker.bootstrap_servers)
    own_broker.wipe()
    own_broker.start()
    assert events_topic_id(own_broker.bootstrap_servers) != before


def test_a_topic_with_other_partitions_is_refused(kafka: Kafka) -> None:
    admin: Any = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    try:
        admin.create_topics({kafka.topics.events: {"num_partitions": 3}})
    finally:
        admin.close()
    with pytest.raises(WrongTopic, match="3 partitions and not 12"):
        kafka.create_topics()


def test_a_broker_that_cannot_start_says_why(
    own_broker: KafkaBroker, broker_jars: Path, folder: Path
) -> None:
    with pytest.raises(BrokerUnavailable, match="did not start"):
        KafkaBroker(folder / "two", port=own_broker.port, jars=broker_jars).start()


def test_without_java_the_reason_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(BrokerUnavailable, match="Java is not installed"):
        fetch_jars(folder / "lib")
