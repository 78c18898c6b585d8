"""Publishes records together with a number that says how far they reach: both or neither.

The number is kept by Kafka as an offset of a group of the publisher's own name, in the transaction
of the records, so that a publisher that was killed knows what readers of committed records can see.
It knows no record. One thread uses it.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, cast

from infra.kafka_cluster import (
    Kafka,
    KafkaUnavailable,
    Partition,
    Sent,
    abandon,
    kafka_trouble,
    place,
)

TRANSACTION_MS_MAX: Final = 15_000
"""A killed publisher's open transaction holds readers up for so long, unless it comes back."""

CALL_SECONDS_MAX: Final = 20.0
"""kafka-python waits for ever when the broker goes away between a commit and its answer."""

ASK_MS_MAX: Final = 10_000


class Message(NamedTuple):
    """A record to publish."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class TransactionalPublisher:
    """One transactional producer. A newer one of the same name puts an older one out of work."""

    def __init__(self, kafka: Kafka, name: str, topic: str) -> None:
        """End what an earlier one of this name left open, and read how far it came.

        Raises KafkaUnavailable.
        """
        self._name = name
        self._topic = topic
        self._mark = Partition(topic, 0)
        self._producer: Any = kafka.producer(
            transactional_id=name, transaction_timeout_ms=TRANSACTION_MS_MAX
        )
        try:
            with kafka_trouble("beginning transactions"):
                self._producer.init_transactions()
            self.reached = self._saved(kafka)
            """The number of the last committed transaction; None: Kafka knows of none."""
        except KafkaUnavailable:
            self.close()
            raise

    def publish(self, messages: Sequence[Message], reached: int) -> None:
        """Publish messages in order, and the number. Raises KafkaUnavailable; then close it.

        The outcome may then be unknown: another publisher of this name finds it out.
        """
        with kafka_trouble("publishing in a transaction"):
            _bounded(lambda: self._transact(messages, reached))
        self.reached = reached

    def close(self) -> None:
        """Give it up; an open transaction is aborted by the next of this name, or by time."""
        abandon(self._producer)

    def _transact(self, messages: Sequence[Message], reached: int) -> None:
        producer = self._producer
        producer.begin_transaction()
        sent = [
            cast("Sent", producer.send(self._topic, m.value, m.key, m.headers)) for m in messages
        ]
        producer.send_offsets_to_transaction({self._mark: place(reached)}, self._name)
        producer.commit_transaction()
        for record in sent:
            record.get(timeout=0)

    def _saved(self, kafka: Kafka) -> int | None:
        consumer = kafka.consumer(self._name, isolation_level="read_committed")
        try:
            with kafka_trouble("asking how far the answers came"):
                saved = consumer.committed(self._mark, metadata=True, timeout_ms=ASK_MS_MAX)
            return None if saved is None else saved.offset
        finally:
            consumer.close(autocommit=False, timeout_ms=ASK_MS_MAX)


def _bounded(call: Callable[[], None]) -> None:
    """Run a call in a thread and wait for it only so long."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(CALL_SECONDS_MAX)
    if thread.is_alive():
        raise KafkaUnavailable(f"no answer within {CALL_SECONDS_MAX} s")
    if errors:
        raise errors[0]
