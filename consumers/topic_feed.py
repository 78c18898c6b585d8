"""A feed of undecoded records from Kafka, for the projectors of the server shape.

It is `consumers.log_feed` by another road; the group's name is what projectors share.
"""

from typing import Any, Final

from consumers.projector import Transactions
from domain.envelope import Position
from infra.event_topic import PublishedEvent, published_of
from infra.kafka_cluster import Kafka
from infra.kafka_feed import KafkaFeed
from infra.settings import Limits
from projections import applied, schema

GROUP: Final = "loanbook.read_models"


def topic_feed(
    kafka: Kafka,
    pool: Transactions,
    *,
    shard: int = 0,
    member: str | None = None,
    limits: Limits | None = None,
    **consumer: Any,  # noqa: ANN401 - kafka-python's settings
) -> KafkaFeed[PublishedEvent]:
    """Make a member of the projectors' group.

    `member` names the process for ever: restarted, it gets its partitions back at once. None: the
    group waits for it until its session times out.
    """

    def standing() -> Position:
        with pool.transaction() as db:
            schema.enter_current(db)
            return applied.position(db, shard)

    return KafkaFeed(
        kafka,
        GROUP,
        published_of,
        standing=standing,
        limits=limits,
        group_instance_id=member,
        **consumer,
    )
