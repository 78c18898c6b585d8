"""Publishes messages that could not be used, as they came, with the reason. It judges nothing.

The key names the place the message came from, so that a repeat is recognised; its own key and
headers are kept.
"""

from typing import Final

from infra.kafka_cluster import (
    Kafka,
    KafkaUnavailable,
    Producer,
    Record,
    abandon,
    kafka_trouble,
)

ACKNOWLEDGEMENT_SECONDS_MAX: Final = 45.0
REASON_CHARACTERS_MAX: Final = 2_000


class DeadLetters:
    """A producer for the dead letters topic, made when it is needed. One thread uses it."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._producer: Producer | None = None

    def bury(self, record: Record, code: str, reason: str) -> None:
        """Publish one message and wait for the acknowledgement. Raises KafkaUnavailable."""
        place = f"{record.topic}/{record.partition}@{record.offset}"
        headers = [
            ("code", code.encode()),
            ("reason", reason[:REASON_CHARACTERS_MAX].encode(errors="replace")),
            ("original_key", record.key or b""),
            *((f"original_{name}", value) for name, value in record.headers),
        ]
        try:
            if self._producer is None:
                self._kafka.create_topics()
                self._producer = self._kafka.producer()
            with kafka_trouble("publishing a dead letter"):
                self._producer.send(
                    self._kafka.topics.dead_letters, record.value or b"", place.encode(), headers
                ).get(timeout=ACKNOWLEDGEMENT_SECONDS_MAX)
        except KafkaUnavailable:
            self.close()
            raise

    def close(self) -> None:
        """End the producer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            abandon(producer)
