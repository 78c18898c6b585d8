"""The feed that reads a topic with a consumer group, such as the events that the relay published.

What a record means for a read model is the reader's matter; delivery is at least once. The group's
offsets only say where to begin: each is saved with the topic's id and with the position that the
read models had then reached. An offset of another topic of that name, or of read models that knew
more than they do now, counts for nothing, and the partition is read from its beginning.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from kafka.errors import KafkaError

from domain.envelope import Position
from infra.errors import CorruptEvent
from infra.feeds import Pauses
from infra.kafka_cluster import (
    Committed,
    Consumer,
    Kafka,
    KafkaUnavailable,
    Partition,
    RebalanceFlags,
    Record,
    kafka_trouble,
    place,
)
from infra.log import logger
from infra.settings import Limits

R = TypeVar("R")

COMMIT_SECONDS: Final = 1.0
"""Offsets only save re-reading: more often would be work for nothing."""

TOPIC_CHECK_SECONDS: Final = 5.0
"""How long a broker that lost its data may go unnoticed."""

STUCK_SECONDS: Final = 30.0
"""The client is young: if nothing comes for so long, and something should, it is made anew."""

ASK_MS_MAX: Final = 5_000

_log = logger(__name__)


class KafkaFeed(Generic[R]):
    """One member of a consumer group. One thread uses it, `close` included."""

    def __init__(
        self,
        kafka: Kafka,
        group: str,
        read: Callable[[Record], R],
        *,
        topic: str | None = None,
        standing: Callable[[], Position] | None = None,
        limits: Limits | None = None,
        **consumer: Any,  # noqa: ANN401 - kafka-python's settings
    ) -> None:
        """Join nothing yet.

        `topic` None: the events. `read` makes a record of a message and raises CorruptEvent for
        what is none. `standing` tells how far the read models have come, whenever a partition is
        begun, because other members may have brought them on; None: as far as `seek` and `confirm`
        have said.
        """
        self._kafka = kafka
        self._topic = topic or kafka.topics.events
        self._group = group
        self._read = read
        self._position = Position(shard=0, number=0)
        self._standing = standing or (lambda: self._position)
        self._limits = limits or Limits()
        self._settings = consumer
        self._pauses = Pauses(self._limits)
        self._consumer: Consumer | None = None
        self._flags = RebalanceFlags()
        self._topic_id: UUID | None = None
        self._to_begin: set[Partition] = set()
        self._handed: dict[Partition, int] = {}  # offset after the last one handed out
        self._confirmed: dict[Partition, int] = {}
        self._committed_at = self._checked_at = self._heard_at = time.monotonic()

    def poll(self) -> Sequence[R]:
        """Hand out the next batch; wait up to POLL_SECONDS_MAX for one, then answer with none.

        A Kafka that is away is silence: the sweep of the read models goes on meanwhile. Raises
        Unavailable (of `standing`) and WrongTopic; the next call goes on from the same place.
        """
        try:
            with kafka_trouble("polling"):
                return self._poll(self._joined())
        except KafkaUnavailable as error:
            _log.warning("feed_interrupted", reason=str(error))
            self._leave()
            self._pauses.wait()
            return []

    def seek(self, after: Position) -> None:
        """Go back to what was confirmed, or to the beginning when that is past `after`."""
        self._position = after
        self._handed.clear()
        if self._consumer is not None:
            self._to_begin |= self._consumer.assignment()

    def confirm(self, position: Position) -> None:
        """Take note that everything handed out is committed and where the read models stand."""
        self._position = position
        self._confirmed |= self._handed
        if time.monotonic() - self._committed_at >= COMMIT_SECONDS:
            self._committed_at = time.monotonic()
            if self._consumer is not None and (offsets := self._offsets(self._consumer)):
                self._consumer.commit_async(offsets)  # that it may fail costs only re-reading

    def close(self) -> None:
        """Save what was confirmed and leave the group; later polls do not wait."""
        self._pauses.end()
        if self._consumer is not None and (offsets := self._offsets(self._consumer)):
            with suppress(KafkaError, OSError):  # as above
                self._consumer.commit(offsets, timeout_ms=ASK_MS_MAX)
        self._leave()

    def _poll(self, consumer: Consumer) -> Sequence[R]:
        self._watch(consumer)
        if self._to_begin:
            self._begin(consumer)
        polled = consumer.poll(
            timeout_ms=round(self._limits.poll_seconds_max * 1000),
            max_records=self._limits.consume_batch_max,
        )
        # What came of a new partition was read from where the client thought best.
        self._to_begin |= self._flags.take()
        batch = {p: records for p, records in polled.items() if p not in self._to_begin}
        for partition, records in batch.items():
            self._handed[partition] = records[-1].offset + 1
            self._heard_at = time.monotonic()
        return self._readable(batch)

    def _readable(self, polled: Mapping[Partition, Sequence[Record]]) -> list[R]:
        found: list[R] = []
        for records in polled.values():
            for record in records:
                try:
                    found.append(self._read(record))
                except CorruptEvent as error:  # what the record holds, the sweep brings
                    _log.error("record_passed_over", reason=str(error))
        return found

    def _begin(self, consumer: Consumer) -> None:
        """Go to where each new partition is to be read from."""
        self._check_topic()
        standing = self._standing()
        self._to_begin &= consumer.assignment()
        for partition in self._to_begin:
            saved = consumer.committed(partition, metadata=True, timeout_ms=ASK_MS_MAX)
            if saved is not None and _counts(saved.metadata, self._topic_id, standing):
                consumer.seek(partition, saved.offset)
            else:
                consumer.seek_to_beginning(partition)
            self._handed.pop(partition, None)
            self._confirmed.pop(partition, None)
        _log.info("partitions_begun", partitions=len(self._to_begin), position=str(standing))
        self._to_begin.clear()

    def _watch(self, consumer: Consumer) -> None:
        """Look now and then whether the topic is the same and the client not stuck."""
        if time.monotonic() - self._checked_at >= TOPIC_CHECK_SECONDS:
            self._check_topic()
        if time.monotonic() - self._heard_at >= STUCK_SECONDS:
            self._heard_at = time.monotonic()
            mine = consumer.assignment()
            # kafka-python 3.0 notes the metadata that an assignment was made of after making it:
            # what came in between is never looked at again, and a group may stay without any.
            if not mine:
                raise KafkaUnavailable("no partition was assigned")
            ends = consumer.end_offsets(mine, timeout_ms=ASK_MS_MAX)
            if any((consumer.position(p, ASK_MS_MAX) or 0) < ends[p] for p in mine):
                raise KafkaUnavailable("there are records to read and none come")

    def _check_topic(self) -> None:
        """Make the topic if it is missing. A member of a topic that is gone has to join anew."""
        topic_id = self._kafka.topic_id(self._topic)
        if topic_id is None:
            self._kafka.create_topics()
            topic_id = self._kafka.topic_id(self._topic)
        self._checked_at = time.monotonic()
        known, self._topic_id = self._topic_id, topic_id
        if self._consumer is not None and known != topic_id:
            raise KafkaUnavailable(f"{self._topic} was made again")

    def _joined(self) -> Consumer:
        if self._consumer is None:
            self._check_topic()
            self._flags = RebalanceFlags()
            self._to_begin.clear()
            self._consumer = self._kafka.consumer(self._group, **self._settings)
            # An assignment that is made before the partitions are known gives none of them.
            self._consumer.partitions_for_topic(self._topic)
            self._consumer.subscribe([self._topic], listener=self._flags)
            self._heard_at = time.monotonic()
        return self._consumer

    def _offsets(self, consumer: Consumer) -> dict[Partition, Committed]:
        """Return the places to save: of partitions that are still ours."""
        mine = consumer.assignment() - self._to_begin
        note = f"{self._topic_id} {self._position}"
        return {p: place(o, note) for p, o in self._confirmed.items() if p in mine}

    def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._handed.clear()
        self._confirmed.clear()
        if consumer is not None:
            with suppress(KafkaError, OSError):  # it is given up either way
                consumer.close(autocommit=False, timeout_ms=ASK_MS_MAX)


def _counts(note: str, topic_id: UUID | None, standing: Position) -> bool:
    """Tell whether an offset is of this topic, and of read models that knew no more than now."""
    saved_topic, _, position = note.partition(" ")
    return saved_topic == str(topic_id) and Position.parse(position).number <= standing.number
