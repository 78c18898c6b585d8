"""The `eventsourcing` library's shell on our record, and five of its defects that ours has not.

Each defect of 9.5.6 is shown on the library first, so that an upgrade that mends it is noticed.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import (
    EventStore,
    IntegrityError,
    ProgrammingError,
    StoredEvent,
    Tracking,
)
from eventsourcing.popo import POPOTrackingRecorder
from eventsourcing.postgres import (
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresProcessRecorder,
    PostgresSubscription,
)
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic
from psycopg.conninfo import conninfo_to_dict

from domain.envelope import Position, StreamId
from infra.feeds import StoreFeed
from infra.library import CodecMapper, StoreApplication, StreamEvent
from infra.recorder import GroupCommitRecorder, KeyReused
from infra.store import PostgresEventStore
from tests.support.record import (
    START,
    TELLER,
    OpenStore,
    a_key,
    a_stream,
    an_append,
    append,
    everything,
    payment,
    sql,
)

pytestmark = pytest.mark.postgres

WAIT = 30
NOTHING_COMES_SECONDS = 1.0


def stream_event(stream: StreamId, version: int, amount_minor: int = 100) -> StreamEvent:
    return StreamEvent(
        originator_id=stream,
        originator_version=version,
        envelope=TELLER,
        event=payment(amount_minor),
    )


def total(_: object, events: Iterable[Any]) -> int | None:
    """Fold a stream of payments to their sum; None for an empty stream, as the library asks."""
    amounts = [event.event.amount_minor for event in events]
    return sum(amounts) if amounts else None


# --- The shell.


def test_the_librarys_event_store_stands_on_our_record(postgres_store: PostgresEventStore) -> None:
    events = EventStore[Any](CodecMapper(), GroupCommitRecorder(postgres_store))
    stream = a_stream()
    first, second = stream_event(stream, 1), stream_event(stream, 2, 250)
    recordings = events.put([first, second])
    assert [one.notification.id for one in recordings] == [1, 2]
    assert list(events.get(stream)) == [first, second]
    assert list(events.get(stream, gt=1)) == [second]
    assert list(events.get(stream, lte=1)) == [first]
    assert list(events.get(stream, desc=True, limit=1)) == [second]
    assert [event.event for event in everything(postgres_store)] == [payment(), payment(250)]


def test_the_librarys_application_saves_with_a_key(postgres_store: PostgresEventStore) -> None:
    application = StoreApplication(postgres_store)
    stream, key = a_stream(), a_key()
    application.save(stream_event(stream, 1, 40), key=key, command="loan.receive_payment")
    application.save(stream_event(stream, 1, 40), key=key, command="loan.receive_payment")
    application.save(stream_event(stream, 2, 2))
    get = cast("Callable[..., int]", application.repository.get)
    assert get(stream, projector_func=total) == 42
    assert postgres_store.head().number == 2
    with pytest.raises(AggregateNotFoundError):
        get(a_stream(), projector_func=total)
    with pytest.raises(KeyReused):
        application.save(
            stream_event(stream, 3), key=a_key(key.key, "other"), command="loan.receive_payment"
        )
    with pytest.raises(IntegrityError, match="version 2"):
        application.save(stream_event(stream, 2))


def test_notifications_follow_the_positions(postgres_store: PostgresEventStore) -> None:
    recorder = GroupCommitRecorder(postgres_store)
    assert recorder.max_notification_id() is None
    append(postgres_store, *(an_append(a_stream(), 0) for _ in range(5)))
    assert recorder.max_notification_id() == 5

    def ids(start: int | None, limit: int, **bounds: Any) -> list[int]:  # noqa: ANN401
        return [one.id for one in recorder.select_notifications(start, limit, **bounds)]

    assert ids(None, 10) == [1, 2, 3, 4, 5]
    assert ids(2, 2) == [2, 3]
    assert ids(2, 10, inclusive_of_start=False) == [3, 4, 5]
    assert ids(2, 10, stop=4) == [2, 3, 4]
    assert ids(None, 10, topics=["loan.payment_received.v1"]) == [1, 2, 3, 4, 5]
    assert ids(None, 10, topics=["loan.applied.v1"]) == []


def test_one_call_appends_to_one_stream_in_order(postgres_store: PostgresEventStore) -> None:
    recorder = GroupCommitRecorder(postgres_store)
    mapper = CodecMapper()
    one, two = a_stream(), a_stream()
    for events in (
        [stream_event(one, 1), stream_event(two, 1)],
        [stream_event(one, 1), stream_event(one, 3)],
    ):
        with pytest.raises(ProgrammingError):
            recorder.insert_events([mapper.to_stored_event(event) for event in events])
    assert recorder.insert_events([]) is None
    assert postgres_store.head() == START


# --- The defects.


@contextmanager
def datastore(dsn: str, *, functions: bool) -> Generator[PostgresDatastore]:
    """The library's own store; `functions` is its POSTGRES_ENABLE_DB_FUNCTIONS."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    opened = PostgresDatastore(
        dbname=parts["dbname"],
        host=parts["host"],
        port=parts["port"],
        user=parts["user"],
        password=parts.get("password", ""),
        pool_size=4,
        enable_db_functions=functions,
    )
    try:
        yield opened
    finally:
        opened.close()


def stored(originator_id: UUID | None = None) -> StoredEvent:
    return StoredEvent(originator_id or uuid4(), 1, "topic", b"state")


def insert_and_stay_open(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "SELECT * FROM es_insert_events_uuid("
        "ARRAY[ROW(%s, 1, 't', 'x'::bytea)::stored_event_uuid])",
        (uuid4(),),
    )


def test_1_the_library_loses_an_event_for_a_tail_reader(database: str) -> None:
    with datastore(database, functions=True) as opened, psycopg.connect(database) as slow:
        recorder = PostgresApplicationRecorder(opened)
        recorder.create_table()
        insert_and_stay_open(slow)
        recorder.insert_events([stored()])
        seen = [one.id for one in recorder.select_notifications(None, 10)]
        slow.commit()
        seen += [
            one.id for one in recorder.select_notifications(seen[-1], 10, inclusive_of_start=False)
        ]
        assert seen == [2]
        assert len(recorder.select_notifications(None, 10)) == 2


def test_1_ours_lets_nobody_overtake(postgres_store: PostgresEventStore, database: str) -> None:
    with psycopg.connect(database) as slow:
        slow.execute("SELECT * FROM log_head FOR UPDATE")
        overtaking = postgres_store.submit(an_append(a_stream(), 0))
        assert everything(postgres_store) == []
        slow.commit()
    assert overtaking.result(WAIT)
    assert [event.position.number for event in everything(postgres_store)] == [1]


def test_2_the_library_mixes_the_tables_of_two_recorders(database: str) -> None:
    with datastore(database, functions=True) as opened:
        loans = PostgresApplicationRecorder(opened, events_table_name="loans_events")
        billing = PostgresApplicationRecorder(opened, events_table_name="billing_events")
        loans.create_table()
        billing.create_table()
        loans.insert_events([stored()])
        assert (loans.max_notification_id(), billing.max_notification_id()) == (None, 1)


def test_2_ours_keeps_two_shards_apart_in_one_schema(open_store: OpenStore, database: str) -> None:
    sql(database, "INSERT INTO log_head (shard) VALUES (1)")
    zero, one = open_store(), open_store(shard=1)
    append(zero, an_append(a_stream(), 0, payment(1)))
    append(one, an_append(a_stream(), 0, payment(2)), an_append(a_stream(), 0, payment(3)))
    assert (zero.head(0).number, one.head(1).number) == (1, 2)
    assert [event.event for event in zero.read(START, 10)] == [payment(1)]
    after = Position(shard=1, number=0)
    assert [event.event for event in one.read(after, 10)] == [payment(2), payment(3)]


def test_3_the_library_drops_a_tracking_without_a_word(database: str) -> None:
    with datastore(database, functions=True) as opened:
        recorder = PostgresProcessRecorder(opened)
        recorder.create_table()
        recorder.insert_events([stored()], tracking=Tracking("upstream", 7))
        assert recorder.max_tracking_id("upstream") is None


def test_3_ours_refuses_a_tracking_instead(postgres_store: PostgresEventStore) -> None:
    event = CodecMapper().to_stored_event(stream_event(a_stream(), 1))
    with pytest.raises(ProgrammingError, match="tracking"):
        GroupCommitRecorder(postgres_store).insert_events([event], tracking=Tracking("up", 7))
    assert postgres_store.head() == START


def arrivals(subscription: Iterator[Any]) -> tuple[list[int], threading.Thread]:
    """Collect what a subscription hands out, in a thread that ends with it."""
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.extend(one.id for one in subscription))
    thread.start()
    return seen, thread


def comes(condition: Callable[[], bool]) -> bool:
    """Wait until something becomes true, for as long as a test may hang."""
    pause = threading.Event()
    return any(condition() or pause.wait(0.01) for _ in range(WAIT * 100))


def test_4_the_librarys_subscription_sleeps_on_a_committed_event(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen_now = threading.Event()
    listen = cast("Callable[[object], None]", PostgresSubscription._listen)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def listen_late(subscription: object) -> None:
        listen_now.wait(WAIT)
        listen(subscription)

    monkeypatch.setattr(PostgresSubscription, "_listen", listen_late)
    nothing = threading.Event()
    with datastore(database, functions=False) as opened:
        recorder = PostgresApplicationRecorder(opened)
        recorder.create_table()
        with recorder.subscribe() as subscription:
            seen, thread = arrivals(subscription)
            nothing.wait(NOTHING_COMES_SECONDS)  # the first pull is over
            recorder.insert_events([stored()])
            listen_now.set()
            nothing.wait(NOTHING_COMES_SECONDS)
            assert seen == []
            recorder.insert_events([stored()])
            assert comes(lambda: seen == [1, 2])
        thread.join(WAIT)


def test_4_ours_hands_out_what_is_appended_at_any_moment(
    postgres_store: PostgresEventStore,
) -> None:
    pause = threading.Event()
    with GroupCommitRecorder(postgres_store).subscribe() as subscription:
        seen, thread = arrivals(subscription)
        for number in range(5):
            pause.wait(0.05 * number)
            append(postgres_store, an_append(a_stream(), 0))
            assert comes(lambda number=number: seen == list(range(1, number + 2)))
    thread.join(WAIT)
    assert not thread.is_alive()


class Counted(Aggregate):
    """An aggregate whose projection looks at another topic."""


class LooksAtNothing(Projection[POPOTrackingRecorder]):
    topics: ClassVar[tuple[str, ...]] = ("some.other:Topic",)  # pyright: ignore[reportIncompatibleVariableOverride]

    @singledispatchmethod
    def process_event(self, domain_event: object, tracking: Tracking) -> None:
        raise AssertionError(f"{domain_event} at {tracking} has a topic it should not have")


def test_5_the_librarys_runner_times_out_on_an_event_it_ignores() -> None:
    with ProjectionRunner[Any, POPOTrackingRecorder](
        application_class=Application,
        projection_class=LooksAtNothing,
        view_class=POPOTrackingRecorder,
    ) as runner:
        (recording,) = runner.app.save(Counted())
        assert get_topic(Counted.Created) not in LooksAtNothing.topics
        with pytest.raises(TimeoutError):
            runner.wait(recording.notification.id, timeout=NOTHING_COMES_SECONDS)


def test_5_our_feeds_position_passes_over_every_event(postgres_store: PostgresEventStore) -> None:
    append(postgres_store, *(an_append(a_stream(), 0) for _ in range(3)))
    feed = StoreFeed(postgres_store, START)
    assert [event for event in feed.poll() if event.topic == "loan.applied.v1"] == []
    assert feed.position == postgres_store.head()
