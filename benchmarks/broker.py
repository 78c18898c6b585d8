"""A real Kafka broker for the benchmarks that need one. It measures nothing."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from infra.broker import KafkaBroker
from infra.kafka_cluster import PARTITIONS, Kafka, Partition, Topics


@contextmanager
def broker() -> Generator[str]:
    """Start a broker with its data in a folder of its own; its address.

    Raises BrokerUnavailable.
    """
    with (
        tempfile.TemporaryDirectory(prefix="lb-kafka-", ignore_cleanup_errors=True) as folder,
        KafkaBroker(Path(folder) / "kafka") as running,
    ):
        yield running.bootstrap_servers


@contextmanager
def fresh_topics(servers: str) -> Generator[Kafka]:
    """Make topics that nobody has used."""
    with Kafka(servers, Topics.under(f"{uuid4().hex}.")) as kafka:
        kafka.create_topics()
        yield kafka


def length(kafka: Kafka) -> int:
    """Count the records of the events topic."""
    consumer = kafka.consumer(f"count-{uuid4()}")
    try:
        places = [Partition(kafka.topics.events, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        return sum(consumer.end_offsets(places).values())
    finally:
        consumer.close(autocommit=False)
