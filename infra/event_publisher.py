"""Sends rows of the record to the events topic with one producer. It knows no checkpoint.

Records of a stream go to one partition in order. Whether a record has arrived, only its own answer
says: a flush without an error proves nothing.
"""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from kafka.errors import KafkaTimeoutError

from infra.event_topic import EventRow, headers_of
from infra.kafka_cluster import (
    Kafka,
    KafkaUnavailable,
    Sent,
    abandon,
    kafka_trouble,
    partition_of,
)

ACKNOWLEDGEMENT_SECONDS_MAX: Final = 45.0
"""Longer than `delivery_timeout_ms`: past it the client itself is stuck."""

WAIT_SECONDS: Final = 0.25
"""Between looks at whether to stop."""

PARTITIONS_CACHED_MAX: Final = 100_000
"""Streams whose partition is remembered; computing one anew costs some 12 microseconds."""


@lru_cache(maxsize=PARTITIONS_CACHED_MAX)
def _place(stream: str) -> tuple[bytes, int]:
    """Return a stream's key and partition."""
    key = stream.encode()
    return key, partition_of(key)


class Batch:
    """Records on their way, in order of position."""

    def __init__(self, last: int, sent: Sequence[Sent]) -> None:
        self.last = last
        """Position of the last one."""
        self._sent = sent

    def __len__(self) -> int:
        return len(self._sent)

    def wait(self, stopping: Callable[[], bool]) -> bool:
        """Wait for every acknowledgement; False: it was asked to stop before.

        Raises KafkaUnavailable when a record was not taken.
        """
        deadline = time.monotonic() + ACKNOWLEDGEMENT_SECONDS_MAX
        for sent in self._sent:
            while not sent.is_done:
                if stopping():
                    return False
                if time.monotonic() > deadline:
                    raise KafkaUnavailable("no acknowledgement came, and no error either")
                _wait(sent)
            if sent.exception is not None:
                raise KafkaUnavailable(f"a record was not taken: {sent.exception}")
        return True


def _wait(sent: Sent) -> None:
    with kafka_trouble("waiting for an acknowledgement"):
        try:
            sent.get(timeout=WAIT_SECONDS)
        except KafkaTimeoutError:
            if sent.is_done:  # the record's own time is up, not only this wait's
                raise


class EventPublisher:
    """One producer for one shard. After an error it is closed and never used again."""

    def __init__(self, kafka: Kafka, shard: int) -> None:
        """Connect. Raises KafkaUnavailable."""
        self._topic = kafka.topics.events
        self._shard = shard
        self._producer = kafka.producer()

    def send(self, rows: Sequence[EventRow]) -> Batch:
        """Hand a page of rows to the producer, in order. Raises KafkaUnavailable."""
        send, topic, shard = self._producer.send, self._topic, self._shard
        sent: list[Sent] = []
        with kafka_trouble("producing"):
            for row in rows:
                key, partition = _place(row.stream)
                sent.append(send(topic, row.state, key, headers_of(shard, row), partition))
        return Batch(rows[-1].position, sent)

    def close(self) -> None:
        """End the producer; what was not acknowledged is not sent any more."""
        abandon(self._producer)
