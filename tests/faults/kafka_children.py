"""The processes that are killed on Kafka's road: a relay, a projector, an intake.

Each begins where the last one was killed, as the product's own processes do.
"""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Self

from consumers.answers import Answers
from consumers.intake import Intake, commands_feed, run
from consumers.projector import Projector
from consumers.relay import Relay
from consumers.sources import Source
from consumers.topic_feed import topic_feed
from domain.service import Service
from infra import log
from infra.database import DatabasePool, bulk_pool
from infra.dead_letters import DeadLetters
from infra.failpoints import read_environment
from infra.kafka_cluster import Kafka, Producer, Topics
from infra.outbox import Outbox, OutcomeLog
from infra.settings import Limits, Settings
from infra.store import PostgresEventStore
from projections import applied as marks
from projections import schema
from tests.faults import safeguards
from tests.faults.mutants import applied
from tests.support.book import START

UPSTREAM = Source(source="urn:upstream", id="core-banking", commands=("*",), dated=True)
QUICK_GROUP = {"session_timeout_ms": 2_000, "heartbeat_interval_ms": 500}
"""A killed member that does not come back is put out of its group soon."""


class ImpatientKafka(Kafka):
    """Gives records up after two seconds: short faults then show what else only long ones do."""

    def producer(self, **changes: Any) -> Producer:  # noqa: ANN401 - kafka-python's settings
        return super().producer(delivery_timeout_ms=2_000, request_timeout_ms=1_500, **changes)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the topics are, as a child is told it."""

    servers: str
    topics: Topics
    impatient: bool = False

    @classmethod
    def of(cls, kafka: Kafka, *, impatient: bool = False) -> Self:
        return cls(kafka.bootstrap_servers, kafka.topics, impatient)

    def opened(self) -> Kafka:
        kind = ImpatientKafka if self.impatient else Kafka
        return kind(self.servers, self.topics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a child is told: the failpoints, how much to take at once, up to which position."""

    failpoints: str = ""
    batch: int = 500
    until: int = 10**9
    sweep_seconds: float = 600.0  # never: what is there comes by Kafka


def relay(mutation: str | None, dsn: str, cluster: Cluster, orders: Orders) -> None:
    """Publish the record up to a position."""
    _begin(orders)
    limits = Limits(relay_batch_max=orders.batch)
    with (
        applied(safeguards.named(mutation)),
        Outbox(dsn, limits=limits) as outbox,
        Outbox(dsn) as other,
        cluster.opened() as kafka,
    ):
        Relay(outbox, kafka, limits=limits).run(
            lambda: published(other, cluster.topics.events) >= orders.until
        )


def _begin(orders: Orders) -> None:
    read_environment(orders.failpoints)
    log.configure(Settings(log_level="CRITICAL"))  # a row tells what came of it, not what was done


def published(outbox: Outbox, topic: str) -> int:
    """Return the position up to which the relay says that all is published."""
    checkpoint = outbox.checkpoint(topic)
    return checkpoint.position if checkpoint else 0


def project(
    mutation: str | None, dsn: str, cluster: Cluster, orders: Orders, member: str | None = None
) -> None:
    """Bring the read models up to a position from the topic, perhaps with other members."""
    _begin(orders)
    limits = Limits(consume_batch_max=orders.batch, sweep_seconds=orders.sweep_seconds)
    with (
        applied(safeguards.named(mutation)),
        bulk_pool(dsn) as pool,
        cluster.opened() as kafka,
        closing(topic_feed(kafka, pool, member=member, limits=limits, **QUICK_GROUP)) as feed,
    ):
        Projector(pool, feed, limits=limits).run(lambda: position(pool) >= orders.until)


def position(pool: DatabasePool) -> int:
    """Return the position of the read models."""
    with pool.transaction() as db:
        schema.enter_current(db)
        return marks.position(db).number


def take_in(mutation: str | None, dsn: str, cluster: Cluster, orders: Orders) -> None:
    """Carry out and answer the commands of the topic, for ever."""
    _begin(orders)
    limits = Limits(intake_batch_max=orders.batch)
    sources = {UPSTREAM.source: UPSTREAM}
    never: Callable[[], bool] = lambda: False  # noqa: E731 - it is killed
    with applied(safeguards.named(mutation)), ExitStack() as stack:
        kafka = stack.enter_context(cluster.opened())
        store = stack.enter_context(PostgresEventStore(dsn))
        outcomes = stack.enter_context(OutcomeLog(dsn))
        feed = commands_feed(kafka, limits=limits, member="intake-1", **QUICK_GROUP)
        intake = Intake(
            Service(store),
            store,
            stack.enter_context(closing(feed)),
            stack.enter_context(closing(DeadLetters(kafka))),
            sources=sources,
            business_date=lambda: START,
        )
        answers = stack.enter_context(closing(Answers(outcomes, kafka, sources)))
        run(intake, answers, limits, never)
