"""The relay: publishes the record to Kafka in order of position, at least once, and loses nothing.

The store is the truth. Its checkpoint moves only after every record up to it was acknowledged; on
any trouble the producer is thrown away and publishing begins again at the checkpoint. What may come
twice, readers drop by version. It changes no event and knows no read model.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from infra.errors import Unavailable
from infra.event_publisher import Batch, EventPublisher
from infra.failpoints import failpoint
from infra.feeds import Pauses
from infra.kafka_cluster import Kafka, KafkaUnavailable
from infra.log import logger
from infra.outbox import Checkpoint, Outbox
from infra.settings import Limits

TOPIC_CHECK_SECONDS: Final = 5.0
"""How long a broker that lost its data may go unnoticed while it takes records again."""

STANDBY_SECONDS: Final = 1.0
"""How often a relay that does not lead tries to."""

_log = logger(__name__)

Clock = Callable[[], float]


class TopicReplaced(KafkaUnavailable):
    """The topic was made again and lacks what was published before."""


class Publication:
    """Publishing from the checkpoint on, with one producer, until anything fails."""

    def __init__(
        self,
        outbox: Outbox,
        kafka: Kafka,
        *,
        limits: Limits | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """Begin at the checkpoint, or at 0 when it speaks of another topic of that name.

        Raises KafkaUnavailable, Unavailable, WrongTopic.
        """
        self._outbox = outbox
        self._kafka = kafka
        self._topic = kafka.topics.events
        self._limits = limits or Limits()
        self._clock = clock
        kafka.create_topics()
        topic_id = kafka.topic_id(self._topic)
        if topic_id is None:
            raise KafkaUnavailable(f"the topic {self._topic} is gone again")
        self._topic_id = topic_id
        self._checked_at = clock()
        checkpoint = outbox.checkpoint(self._topic)
        known = checkpoint is not None and checkpoint.topic_id == topic_id
        self.published = checkpoint.position if checkpoint and known else 0
        """Everything up to here was acknowledged and saved."""
        if checkpoint and not known:
            _log.warning("topic_is_new", topic=self._topic, forgotten=checkpoint.position)
        self._read = self.published
        self._in_flight: deque[Batch] = deque()
        self._publisher = EventPublisher(kafka, outbox.shard)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._publisher.close()

    def step(self, stopping: Callable[[], bool] = lambda: False) -> int:
        """Send what the bound allows, wait for the oldest batch and save; return its length.

        0: nothing was recorded since, or it was asked to stop. Raises KafkaUnavailable,
        Unavailable.
        """
        self._check_topic()
        while len(self._in_flight) < self._limits.relay_in_flight_max:
            failpoint("relay.before_read")
            rows = self._outbox.page(self._read, self._limits.relay_batch_max)
            failpoint("relay.after_read")
            if not rows:
                break
            failpoint("relay.before_produce")
            self._in_flight.append(self._publisher.send(rows))
            failpoint("relay.after_produce")
            self._read = rows[-1].position
            if len(rows) < self._limits.relay_batch_max:
                break  # what comes while this page is on its way makes one page, not several
        if not self._in_flight:
            return 0
        batch = self._in_flight[0]
        failpoint("relay.before_ack")
        if not batch.wait(stopping):
            return 0
        failpoint("relay.after_ack")
        self._save(batch.last)
        self._in_flight.popleft()
        return len(batch)

    def _save(self, position: int) -> None:
        failpoint("relay.before_save")
        self._outbox.save(self._topic, Checkpoint(self._topic_id, position))
        failpoint("relay.after_save")
        self.published = position

    def _check_topic(self) -> None:
        if self._clock() - self._checked_at < TOPIC_CHECK_SECONDS:
            return
        if self._kafka.topic_id(self._topic) != self._topic_id:
            raise TopicReplaced(f"the topic {self._topic} was made again")
        self._checked_at = self._clock()


class Relay:
    """One shard's relay; one thread uses it. Of several only the one that leads publishes."""

    def __init__(self, outbox: Outbox, kafka: Kafka, *, limits: Limits | None = None) -> None:
        self._outbox = outbox
        self._kafka = kafka
        self._limits = limits or Limits()
        self._pause_seconds = self._limits.poll_seconds_max

    def run(self, stopping: Callable[[], bool]) -> None:
        """Publish until told to stop; a database or a broker that is away is waited for.

        Raises WrongTopic.
        """
        while not stopping():
            try:
                if not self._outbox.lead():
                    time.sleep(STANDBY_SECONDS)
                    continue
                with Publication(self._outbox, self._kafka, limits=self._limits) as publication:
                    _log.info("publishing", after=publication.published)
                    self._follow(publication, stopping)
            except (Unavailable, KafkaUnavailable) as error:
                _log.warning("begins_again_at_checkpoint", reason=str(error))
                time.sleep(self._pause_seconds)
                self._pause_seconds = min(
                    2 * self._pause_seconds, self._limits.reconnect_seconds_max
                )

    def _follow(self, publication: Publication, stopping: Callable[[], bool]) -> None:
        pauses = Pauses(self._limits)
        while not stopping():
            if publication.step(stopping):
                pauses.reset()
            else:
                pauses.wait()
            self._pause_seconds = self._limits.poll_seconds_max
