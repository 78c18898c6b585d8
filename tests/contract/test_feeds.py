"""What every feed promises. A feed made here passes the same tests, whatever carries its events.

To add a feed: a fixture that returns a `MakeFeed` over the store it reads from, and its name in
the parameters of `feed_of`.
"""

import threading
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from consumers.relay import Relay
from domain.envelope import Position, RecordedEvent, StreamId
from domain.ports import EventStore, Feed
from infra.codec import Codec
from infra.event_topic import recorded_of
from infra.feeds import StoreFeed
from infra.kafka_cluster import Kafka
from infra.kafka_feed import KafkaFeed
from infra.memory_store import MemoryEventStore
from infra.outbox import Outbox
from infra.settings import Limits
from infra.store import PostgresEventStore
from tests.support.record import START, a_stream, an_append, append, everything, payment

WAIT_POLLS = 600

MakeFeed = Callable[[Position], Feed]


@pytest.fixture
def memory_feed(memory_store: MemoryEventStore) -> tuple[EventStore, MakeFeed]:
    return memory_store, lambda after: StoreFeed(memory_store, after, batch_max=7)


@pytest.fixture
def store_feed(postgres_store: PostgresEventStore) -> tuple[EventStore, MakeFeed]:
    return postgres_store, lambda after: StoreFeed(postgres_store, after, batch_max=7)


@pytest.fixture
def kafka_feed(
    postgres_store: PostgresEventStore, database: str, kafka: Kafka
) -> Iterator[tuple[EventStore, MakeFeed]]:
    """A relay publishes what the store records; every feed is a group of its own."""
    codec, ending = Codec(), threading.Event()

    def make(after: Position) -> Feed:
        feed = KafkaFeed(
            kafka,
            f"group-{uuid4()}",
            lambda record: recorded_of(record, codec),
            limits=Limits(consume_batch_max=7),
        )
        feed.seek(after)
        return feed

    def relay() -> None:
        with Kafka(kafka.bootstrap_servers, kafka.topics) as own, Outbox(database) as outbox:
            Relay(outbox, own).run(ending.is_set)

    relaying = threading.Thread(target=relay)
    relaying.start()
    yield postgres_store, make
    ending.set()
    relaying.join()


@pytest.fixture(
    params=[
        "memory_feed",
        pytest.param("store_feed", marks=pytest.mark.postgres),
        pytest.param("kafka_feed", marks=[pytest.mark.postgres, pytest.mark.kafka]),
    ]
)
def source(request: pytest.FixtureRequest) -> tuple[EventStore, MakeFeed]:
    """A store, and how to make a feed of it."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def store(source: tuple[EventStore, MakeFeed]) -> EventStore:
    return source[0]


@pytest.fixture
def feed_from(source: tuple[EventStore, MakeFeed]) -> Iterator[MakeFeed]:
    made: list[Feed] = []

    def make(after: Position) -> Feed:
        made.append(source[1](after))
        return made[-1]

    yield make
    for feed in made:
        feed.close()


def drain(feed: Feed, until: Position, after: int = 0) -> list[RecordedEvent]:
    """Poll until every position has come: partitions keep no order between them."""
    events: list[RecordedEvent] = []
    missing = set(range(after + 1, until.number + 1))
    for _ in range(WAIT_POLLS):
        batch = feed.poll()
        events += batch
        missing -= {event.position.number for event in batch}
        if not missing:
            return events
    raise AssertionError(f"{sorted(missing)} did not come in {WAIT_POLLS} polls")


def by_stream(events: list[RecordedEvent]) -> dict[StreamId, list[RecordedEvent]]:
    """Each stream's events in the order they came, repeats dropped by version."""
    streams: dict[StreamId, list[RecordedEvent]] = {}
    for event in events:
        known = streams.setdefault(event.stream, [])
        if event.version == len(known) + 1:
            known.append(event)
    return streams


def test_every_event_comes_whole_and_in_its_streams_order(
    store: EventStore, feed_from: MakeFeed
) -> None:
    one, two = a_stream(), a_stream()
    for version in range(10):
        append(store, an_append(one, version, payment(version)), an_append(two, version))
    events = drain(feed_from(START), store.head())
    assert by_stream(events) == by_stream(everything(store))


def test_a_feed_goes_on_after_a_position(store: EventStore, feed_from: MakeFeed) -> None:
    stream = a_stream()
    append(store, *(an_append(stream, version) for version in range(10)))
    events = drain(feed_from(Position(shard=0, number=4)), store.head(), after=4)
    assert {event.position.number for event in events} >= set(range(5, 11))


def test_a_feed_can_be_sent_back(store: EventStore, feed_from: MakeFeed) -> None:
    append(store, *(an_append(a_stream(), 0) for _ in range(5)))
    feed = feed_from(START)
    first = drain(feed, store.head())
    feed.seek(START)
    assert by_stream(drain(feed, store.head())) == by_stream(first)


def test_what_is_recorded_while_the_feed_waits_arrives(
    store: EventStore, feed_from: MakeFeed
) -> None:
    feed = feed_from(START)
    assert list(feed.poll()) == []
    late = threading.Timer(0.3, lambda: store.submit(an_append(a_stream(), 0)))
    late.start()
    (event,) = drain(feed, Position(shard=0, number=1))
    late.join()
    assert event.position.number == 1


def test_a_feed_reads_on_while_writers_write(store: EventStore, feed_from: MakeFeed) -> None:
    streams = [a_stream() for _ in range(4)]

    def write(stream: StreamId) -> None:
        append(store, *(an_append(stream, version) for version in range(30)))

    writers = [threading.Thread(target=write, args=(stream,)) for stream in streams]
    for writer in writers:
        writer.start()
    events = drain(feed_from(START), Position(shard=0, number=120))
    for writer in writers:
        writer.join()
    assert {stream: len(events) for stream, events in by_stream(events).items()} == dict.fromkeys(
        streams, 30
    )


def test_closing_ends_a_wait(memory_store: MemoryEventStore) -> None:
    patient = Limits(poll_seconds_idle=60.0, poll_seconds_max=60.0)
    feed = StoreFeed(memory_store, START, limits=patient)
    poller = threading.Thread(target=feed.poll)
    poller.start()
    feed.close()
    poller.join(timeout=30)
    assert not poller.is_alive()


def test_the_stores_feed_hands_out_each_position_once_in_batches(
    memory_store: MemoryEventStore,
) -> None:
    append(memory_store, *(an_append(a_stream(), 0) for _ in range(20)))
    feed = StoreFeed(memory_store, START, batch_max=7)
    batches = [[event.position.number for event in feed.poll()] for _ in range(4)]
    assert batches == [
        list(range(1, 8)),
        list(range(8, 15)),
        list(range(15, 21)),
        [],
    ]
