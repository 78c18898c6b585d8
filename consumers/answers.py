"""Answers messages on the outcomes topic, each once, from the record of outcomes.

The record is the truth: a message's outcome stands there before it is published, and only what
stands there is published. What was answered is known to Kafka in the transaction of the answers,
so a kill between the two leaves neither a gap nor a second answer for readers of committed records.
"""

from typing import Final
from uuid import UUID

from consumers.sources import Sources
from infra.errors import Unavailable
from infra.failpoints import failpoint
from infra.kafka_cluster import Kafka, KafkaUnavailable
from infra.kafka_transactions import TransactionalPublisher
from infra.log import logger
from infra.outbox import Checkpoint, OutcomeLog
from infra.outcome_topic import message_of

ANSWERS_MAX: Final = 500
"""In one transaction."""

NOBODY: Final = "intake"
"""Stands in the record of outcomes where no aggregate has decided: the message was malformed."""

_log = logger(__name__)


class Answers:
    """One shard's publisher of answers. Of several only the one that leads publishes."""

    def __init__(self, outcomes: OutcomeLog, kafka: Kafka, sources: Sources) -> None:
        self._outcomes = outcomes
        self._kafka = kafka
        self._sources = sources
        self._topic = kafka.topics.outcomes
        self._publisher: TransactionalPublisher | None = None
        self._topic_id: UUID | None = None
        self._reached = 0

    def step(self) -> int:
        """Publish the next answers; return how many outcomes were looked at.

        0: all are answered, or another leads. Raises KafkaUnavailable, Unavailable, WrongTopic;
        the next call begins again from what Kafka knows.
        """
        try:
            publisher = self._publisher or self._begin()
            if publisher is None:
                return 0
            rows = self._outcomes.page(self._reached, ANSWERS_MAX)
            if not rows:
                return 0
            reached = rows[-1].sequence
            shard = self._outcomes.shard
            answers = [message_of(shard, r, NOBODY) for r in rows if r.scope in self._sources]
            if answers:
                failpoint("answers.before_publish")
                publisher.publish(answers, reached)
                failpoint("answers.after_publish")
            assert self._topic_id is not None
            self._outcomes.save(self._topic, Checkpoint(self._topic_id, reached))
            failpoint("answers.after_save")
        except (KafkaUnavailable, Unavailable):
            self.close()
            raise
        self._reached = reached
        return len(rows)

    def close(self) -> None:
        """Give the publisher up; the next step makes another."""
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()

    def _begin(self) -> TransactionalPublisher | None:
        """Begin where the answers end; None: another leads."""
        if not self._outcomes.lead():
            return None
        self._kafka.create_topics()
        self._topic_id = self._kafka.topic_id(self._topic)
        if self._topic_id is None:
            raise KafkaUnavailable(f"the topic {self._topic} is gone again")
        name = f"{self._topic}.answers.{self._outcomes.shard}"
        publisher = self._publisher = TransactionalPublisher(self._kafka, name, self._topic)
        saved = self._outcomes.checkpoint(self._topic)
        known = saved.position if saved and saved.topic_id == self._topic_id else 0
        self._reached = max(publisher.reached or 0, known)
        _log.info("answering", after=self._reached)
        return publisher
