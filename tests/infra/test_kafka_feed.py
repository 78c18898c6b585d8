"""The Kafka feed: where it begins, what it passes over, and what it notices."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import uuid4

import pytest

from consumers.relay import Publication
from domain.envelope import Position
from infra import kafka_feed
from infra.broker import KafkaBroker
from infra.event_topic import PublishedEvent, published_of
from infra.kafka_cluster import Consumer, Kafka, Partition, Topics
from infra.kafka_feed import KafkaFeed
from infra.outbox import Outbox
from infra.store import PostgresEventStore
from tests.support.record import START, a_stream, an_append, append

POLLS_MAX = 600


@pytest.fixture
def outbox(database: str) -> Iterator[Outbox]:
    with Outbox(database) as outbox:
        yield outbox


def record(store: PostgresEventStore, count: int) -> Position:
    append(store, *(an_append(a_stream(), 0) for _ in range(count)))
    return store.head()


def publish(outbox: Outbox, kafka: Kafka) -> None:
    with Publication(outbox, kafka) as publication:
        sum(iter(publication.step, 0))


@contextmanager
def feeding(kafka: Kafka, group: str, after: Position) -> Generator[KafkaFeed[PublishedEvent]]:
    with closing(KafkaFeed(kafka, group, published_of)) as feed:
        feed.seek(after)
        yield feed


def first_batch(feed: KafkaFeed[PublishedEvent]) -> list[int]:
    for _ in range(POLLS_MAX):
        if batch := feed.poll():
            return sorted(event.position.number for event in batch)
    raise AssertionError("nothing came")


def read_until(feed: KafkaFeed[PublishedEvent], last: Position) -> set[int]:
    seen: set[int] = set()
    while last.number not in seen:
        seen |= set(first_batch(feed))
    return seen


def read_all(feed: KafkaFeed[PublishedEvent], last: Position) -> set[int]:
    """Read everything up to a position, in whatever order partitions bring it."""
    seen: set[int] = set()
    while len(seen) < last.number:
        seen |= set(first_batch(feed))
    return seen


def every(last: Position) -> set[int]:
    return set(range(1, last.number + 1))


def test_a_member_that_comes_back_goes_on_after_what_was_confirmed(
    kafka: Kafka, outbox: Outbox, postgres_store: PostgresEventStore
) -> None:
    head = record(postgres_store, 30)
    publish(outbox, kafka)
    group = str(uuid4())
    with feeding(kafka, group, START) as feed:
        assert read_all(feed, head) == every(head)
        feed.confirm(head)
    more = record(postgres_store, 5)
    publish(outbox, kafka)
    with feeding(kafka, group, head) as feed:
        assert min(read_until(feed, more)) > head.number


def test_what_was_handed_out_and_not_confirmed_comes_again(
    kafka: Kafka, outbox: Outbox, postgres_store: PostgresEventStore
) -> None:
    head = record(postgres_store, 10)
    publish(outbox, kafka)
    with feeding(kafka, str(uuid4()), START) as feed:
        assert read_all(feed, head) == every(head)
        feed.seek(START)
        assert read_all(feed, head) == every(head)


def test_read_models_that_know_less_than_the_offsets_say_are_served_from_the_beginning(
    kafka: Kafka, outbox: Outbox, postgres_store: PostgresEventStore
) -> None:
    head = record(postgres_store, 30)
    publish(outbox, kafka)
    group = str(uuid4())
    with feeding(kafka, group, START) as feed:
        assert read_all(feed, head) == every(head)
        feed.confirm(head)
    with feeding(kafka, group, Position(shard=0, number=12)) as feed:
        assert read_all(feed, head) == every(head)


def test_what_is_no_event_is_passed_over(
    kafka: Kafka, outbox: Outbox, postgres_store: PostgresEventStore
) -> None:
    kafka.create_topics()
    producer = kafka.producer()
    for partition in range(12):
        producer.send(kafka.topics.events, b"nonsense", b"key", [], partition).get(timeout=30)
    producer.close()
    head = record(postgres_store, 10)
    publish(outbox, kafka)
    with feeding(kafka, str(uuid4()), START) as feed:
        assert read_all(feed, head) == every(head)


def test_a_topic_that_was_made_again_is_read_from_its_beginning(
    own_broker: KafkaBroker,
    kafka: Kafka,
    outbox: Outbox,
    postgres_store: PostgresEventStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kafka_feed, "TOPIC_CHECK_SECONDS", 0.2)
    head = record(postgres_store, 30)
    publish(outbox, kafka)
    with feeding(kafka, str(uuid4()), START) as feed:
        assert read_all(feed, head) == every(head)
        feed.confirm(head)
        own_broker.wipe()
        assert feed.poll() == []
        own_broker.start()
        publish(outbox, kafka)
        assert read_all(feed, head) == every(head)


class RememberingKafka(Kafka):
    """Keeps the consumers that it made."""

    def __init__(self, bootstrap_servers: str, topics: Topics) -> None:
        super().__init__(bootstrap_servers, topics)
        self.made: list[Consumer] = []

    def consumer(self, group_id: str, **changes: Any) -> Consumer:  # noqa: ANN401
        self.made.append(super().consumer(group_id, **changes))
        return self.made[-1]


def silent_poll(timeout_ms: int = 0, max_records: int | None = None) -> dict[Partition, Any]:
    assert timeout_ms >= 0
    assert max_records
    return {}


@contextmanager
def stuck_at_once(monkeypatch: pytest.MonkeyPatch, consumer: Consumer) -> Generator[None]:
    """Let a consumer bring nothing any more, and let that be noticed by the next poll."""
    with monkeypatch.context() as patch:
        patch.setattr(consumer, "poll", silent_poll)
        patch.setattr(kafka_feed, "STUCK_SECONDS", 0.0)
        yield


def test_a_silent_client_with_records_to_read_is_made_anew(
    kafka: Kafka,
    outbox: Outbox,
    postgres_store: PostgresEventStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head = record(postgres_store, 10)
    publish(outbox, kafka)
    remembering = RememberingKafka(kafka.bootstrap_servers, kafka.topics)
    with remembering, feeding(remembering, str(uuid4()), START) as feed:
        assert read_all(feed, head) == every(head)
        more = record(postgres_store, 1)
        publish(outbox, kafka)
        with stuck_at_once(monkeypatch, remembering.made[0]):
            assert feed.poll() == []
        assert more.number in read_until(feed, more)
        assert len(remembering.made) > 1


def test_a_member_that_was_given_no_partition_joins_anew(
    kafka: Kafka,
    outbox: Outbox,
    postgres_store: PostgresEventStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head = record(postgres_store, 10)
    publish(outbox, kafka)
    remembering = RememberingKafka(kafka.bootstrap_servers, kafka.topics)
    with remembering, feeding(remembering, str(uuid4()), START) as feed:
        assert read_all(feed, head) == every(head)
        with stuck_at_once(monkeypatch, remembering.made[0]):
            monkeypatch.setattr(remembering.made[0], "assignment", set[Partition])
            assert feed.poll() == []
        assert read_all(feed, head) == every(head)
        assert len(remembering.made) > 1
