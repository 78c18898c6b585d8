"""The relay: every event on the topic, its checkpoint never ahead of what was acknowledged."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest

from consumers import relay
from consumers.relay import Publication, Relay, TopicReplaced
from domain.envelope import RecordedEvent
from infra.broker import KafkaBroker
from infra.codec import Codec
from infra.event_publisher import Batch
from infra.event_topic import recorded_of
from infra.failpoints import Injected, installed
from infra.kafka_cluster import Kafka, KafkaUnavailable
from infra.outbox import Outbox
from infra.settings import Limits
from infra.store import PostgresEventStore
from tests.support.record import a_stream, an_append, append, everything, payment, sql
from tests.support.wire import consumed

SMALL = Limits(relay_batch_max=7)
CHECKPOINT = "SELECT position FROM relay_checkpoints"


@pytest.fixture
def outbox(database: str) -> Iterator[Outbox]:
    with Outbox(database) as outbox:
        yield outbox


@pytest.fixture
def recorded(postgres_store: PostgresEventStore) -> list[RecordedEvent]:
    """Thirty events on three streams."""
    streams = [a_stream() for _ in range(3)]
    for version in range(10):
        append(postgres_store, *(an_append(s, version, payment(version)) for s in streams))
    return everything(postgres_store)


def on_topic(kafka: Kafka) -> list[RecordedEvent]:
    return [recorded_of(record, Codec()) for record in consumed(kafka, kafka.topics.events)]


def by_stream(events: list[RecordedEvent]) -> dict[str, list[RecordedEvent]]:
    return {s: [e for e in events if e.stream == s] for s in {e.stream for e in events}}


def publish(outbox: Outbox, kafka: Kafka, limits: Limits = SMALL) -> int:
    """Publish everything there is; return how many records were acknowledged."""
    with Publication(outbox, kafka, limits=limits) as publication:
        return sum(iter(publication.step, 0))


def test_every_event_is_published_whole_and_in_its_streams_order(
    outbox: Outbox, kafka: Kafka, recorded: list[RecordedEvent]
) -> None:
    assert publish(outbox, kafka) == len(recorded)
    wire = on_topic(kafka)
    assert by_stream(wire) == by_stream(recorded)
    assert len(wire) == len(recorded)


def test_a_restart_goes_on_after_the_checkpoint(
    outbox: Outbox, kafka: Kafka, recorded: list[RecordedEvent], postgres_store: PostgresEventStore
) -> None:
    publish(outbox, kafka)
    append(postgres_store, an_append(a_stream(), 0))
    assert publish(outbox, kafka) == 1
    assert len(on_topic(kafka)) == len(recorded) + 1


def test_no_more_batches_than_allowed_are_on_their_way(
    outbox: Outbox, kafka: Kafka, recorded: list[RecordedEvent]
) -> None:
    sent: list[int] = []
    limits = Limits(relay_batch_max=4, relay_in_flight_max=3)
    with (
        installed("relay.after_produce", lambda: sent.append(1)),
        Publication(outbox, kafka, limits=limits) as publication,
    ):
        assert publication.step() == 4
        assert len(sent) == 3
        publication.step()
        assert len(sent) == 4
    assert recorded


@contextmanager
def failing_third_batch(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Let one record of the third batch fail, as a broker that refuses it would."""
    real = Batch.wait

    def wait(batch: Batch, stopping: Callable[[], bool]) -> bool:
        if batch.last == 21:
            raise KafkaUnavailable("a record was not taken")
        return real(batch, stopping)

    with monkeypatch.context() as patch:
        patch.setattr(Batch, "wait", wait)
        yield


def test_a_failed_record_never_moves_the_checkpoint(
    outbox: Outbox,
    kafka: Kafka,
    recorded: list[RecordedEvent],
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with failing_third_batch(monkeypatch), pytest.raises(KafkaUnavailable):
        publish(outbox, kafka)
    assert sql(database, CHECKPOINT) == [(14,)]
    publish(outbox, kafka)
    assert sql(database, CHECKPOINT) == [(30,)]
    kept = {(e.stream, e.version) for e in on_topic(kafka)}
    assert kept == {(e.stream, e.version) for e in recorded}


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("step", ["read", "produce", "ack", "save"])
def test_wherever_it_fails_everything_is_published_in_the_end(
    outbox: Outbox,
    kafka: Kafka,
    recorded: list[RecordedEvent],
    database: str,
    place: str,
    step: str,
) -> None:
    passes: list[int] = []

    def fail_at_the_second() -> None:
        passes.append(1)
        if len(passes) == 2:
            raise Injected

    with installed(f"relay.{place}_{step}", fail_at_the_second), pytest.raises(Injected):
        publish(outbox, kafka)
    saved = sql(database, CHECKPOINT)
    acknowledged = {e.position.number for e in on_topic(kafka)}
    assert set(range(1, saved[0][0] + 1 if saved else 1)) <= acknowledged
    publish(outbox, kafka)
    wire = on_topic(kafka)
    for stream, events in by_stream(recorded).items():
        first: dict[int, RecordedEvent] = {}
        for event in by_stream(wire)[stream]:
            assert event.version <= len(first) + 1, "a hole is followed by a newer event"
            first.setdefault(event.version, event)
        assert list(first.values()) == events


def test_one_of_two_relays_leads_and_the_other_takes_over(
    database: str, kafka: Kafka, recorded: list[RecordedEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "STANDBY_SECONDS", 0.01)
    ending = [False, False]
    with Outbox(database) as one, Outbox(database) as two:
        assert one.lead()
        assert not two.lead()
        standby = threading.Thread(target=Relay(two, kafka).run, args=(lambda: ending[1],))
        standby.start()
        try:
            assert sql(database, CHECKPOINT) == []
            one.close()
            for _ in range(2_000):
                if sql(database, CHECKPOINT) == [(len(recorded),)]:
                    break
            assert sql(database, CHECKPOINT) == [(len(recorded),)]
        finally:
            ending[1] = True
            standby.join()


def test_a_topic_that_was_made_again_is_filled_from_the_start(
    outbox: Outbox,
    recorded: list[RecordedEvent],
    own_broker: KafkaBroker,
    kafka: Kafka,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay, "TOPIC_CHECK_SECONDS", 0.0)
    with Publication(outbox, kafka) as publication:
        assert sum(iter(publication.step, 0)) == len(recorded)
        own_broker.wipe()
        own_broker.start()
        kafka.create_topics()
        with pytest.raises(TopicReplaced):
            publication.step()
    assert publish(outbox, kafka) == len(recorded)
    assert by_stream(on_topic(kafka)) == by_stream(recorded)
