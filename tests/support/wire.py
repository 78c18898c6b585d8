"""What stands on a topic, read from its beginning to its end."""

from uuid import uuid4

from infra.kafka_cluster import PARTITIONS, Kafka, Partition, Record

POLLS_MAX = 600


def consumed(kafka: Kafka, topic: str) -> list[Record]:
    """Read a topic up to where it ends now; records of a partition stay in order."""
    consumer = kafka.consumer(f"reader-{uuid4()}", isolation_level="read_committed")
    partitions = [Partition(topic, number) for number in range(PARTITIONS)]
    records: list[Record] = []
    try:
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        for _ in range(POLLS_MAX):
            if all((consumer.position(p) or 0) >= end for p, end in ends.items()):
                return records
            for found in consumer.poll(timeout_ms=100).values():
                records += found
    finally:
        consumer.close(autocommit=False)
    raise AssertionError(f"{topic} was not read to its end in {POLLS_MAX} polls")
