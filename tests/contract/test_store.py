"""What every event store promises, in memory and on PostgreSQL alike."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.envelope import Position, StreamId
from domain.events.application import ModelScored
from domain.events.registry import Event
from domain.ports import Append, Conflict, EventStore, Outcome, Refusal, Reused
from infra.chain import GENESIS, EventRow, event_hash
from infra.errors import TooLarge, UnknownTopic
from infra.memory_store import MemoryEventStore
from tests.support.record import (
    START,
    TELLER,
    OpenStore,
    a_key,
    a_stream,
    an_append,
    append,
    everything,
    in_threads,
    payment,
    recorded,
    tailing,
)

NO = Refusal(code="loan_settled", detail="a settled loan takes no payments", field="loan_id")

NOON = datetime(2018, 6, 30, 12, tzinfo=UTC)


def test_an_append_answers_version_and_position_of_its_last_event(store: EventStore) -> None:
    stream = a_stream()
    first, second = append(
        store, an_append(stream, 0, payment(1), payment(2)), an_append(stream, 2, payment(3))
    )
    assert first == Outcome(stream=stream, version=2, position=Position(shard=0, number=2))
    assert second == Outcome(stream=stream, version=3, position=Position(shard=0, number=3))
    assert store.head() == Position(shard=0, number=3)


def test_what_was_appended_comes_back_whole(store: EventStore) -> None:
    stream = a_stream()
    score = ModelScored(
        effective_on=payment().effective_on,
        model_id="m",
        model_version="3",
        score=Decimal("0.7310"),
        features_hash="ab",
        reasons=("debt", "信用画像"),
    )
    append(store, an_append(stream, 0, score))
    (event,) = store.load({stream: 0})[stream]
    assert event.event == score
    assert event.envelope == TELLER
    assert (event.stream, event.version, event.topic) == (stream, 1, "loan.model_scored.v1")
    assert event.effective_on == score.effective_on
    assert event.recorded_at.utcoffset() == timedelta(0)
    assert str(score.score) in event.state.decode()


def test_a_stale_version_is_a_conflict_and_writes_nothing(store: EventStore) -> None:
    stream = a_stream()
    append(store, an_append(stream, 0))
    key = a_key()
    assert append(store, an_append(stream, 0, key=key)) == [
        Conflict(stream=stream, actual_version=1)
    ]
    assert append(store, an_append(stream, 5)) == [Conflict(stream=stream, actual_version=1)]
    assert store.head().number == 1
    assert store.outcome(key.scope, key.key) is None
    assert recorded(append(store, an_append(stream, 1, key=key))[0]).version == 2


def test_the_same_key_and_body_gets_the_first_answer(store: EventStore) -> None:
    stream, key = a_stream(), a_key()
    first, again = append(store, an_append(stream, 0, key=key), an_append(stream, 1, key=key))
    assert recorded(again).repeated
    assert recorded(again).position == recorded(first).position
    assert store.outcome(key.scope, key.key) == again
    assert store.head().number == 1


def test_the_same_key_with_another_body_is_reused(store: EventStore) -> None:
    stream = a_stream()
    first, other = a_key("k", "one"), a_key("k", "other")
    _, result = append(store, an_append(stream, 0, key=first), an_append(stream, 1, key=other))
    assert result == Reused(scope="tests", key="k")
    assert store.head().number == 1


def test_a_refusal_is_recorded_and_answered_again(store: EventStore) -> None:
    stream, key = a_stream(), a_key()
    refused = an_append(stream, 0, key=key, refusal=NO)
    first, again = append(store, refused, refused)
    assert first == Outcome(stream=stream, version=None, position=None, refusal=NO)
    assert again == Outcome(stream=stream, version=None, position=None, refusal=NO, repeated=True)
    assert store.outcome(key.scope, key.key) == again
    assert store.head() == START
    assert recorded(append(store, an_append(stream, 0))[0]).version == 1


def test_a_refusal_of_a_state_that_has_moved_on_is_a_conflict(store: EventStore) -> None:
    stream = a_stream()
    append(store, an_append(stream, 0))
    assert append(store, an_append(stream, 0, refusal=NO)) == [
        Conflict(stream=stream, actual_version=1)
    ]


def test_a_command_without_events_is_an_outcome_too(store: EventStore) -> None:
    stream, key = a_stream(), a_key()
    nothing = replace(an_append(stream, 0, key=key), events=())
    (outcome, again) = append(store, nothing, nothing)
    assert outcome == Outcome(stream=stream, version=0, position=None)
    assert recorded(again).repeated


def test_an_unknown_key_has_no_outcome(store: EventStore) -> None:
    assert store.outcome("tests", "never seen") is None


def test_a_bulk_keeps_its_order_and_answers_each_for_itself(store: EventStore) -> None:
    stream, key = a_stream(), a_key("once", "one")
    results = store.append_many(
        [
            an_append(stream, 0, payment(1), key=key),
            an_append(stream, 1, payment(2), payment(3)),
            an_append(stream, 1, payment(4)),  # stale
            an_append(stream, 3, payment(5), key=key),  # repeated
            an_append(stream, 3, payment(6), key=a_key("once", "other")),
            an_append(stream, 3, key=a_key("no"), refusal=NO),
            an_append(stream, 3, key=a_key("no"), refusal=NO),  # repeated
            an_append(stream, 3, payment(7)),
        ]
    )
    first = Outcome(stream=stream, version=1, position=Position(shard=0, number=1))
    no = Outcome(stream=stream, version=None, position=None, refusal=NO)
    assert results == [
        first,
        Outcome(stream=stream, version=3, position=Position(shard=0, number=3)),
        Conflict(stream=stream, actual_version=3),
        replace(first, repeated=True),
        Reused(scope="tests", key="once"),
        no,
        replace(no, repeated=True),
        Outcome(stream=stream, version=4, position=Position(shard=0, number=4)),
    ]
    assert [event.event for event in everything(store)] == [
        payment(1),
        payment(2),
        payment(3),
        payment(7),
    ]


def test_a_conflict_leaves_its_key_free_for_the_next_in_the_batch(store: EventStore) -> None:
    stream, key = a_stream(), a_key()
    conflict, accepted, repeated = store.append_many(
        [
            an_append(stream, 7, key=key),
            an_append(stream, 0, key=key),
            an_append(stream, 1, key=key),
        ]
    )
    assert isinstance(conflict, Conflict)
    assert recorded(accepted).version == 1
    assert repeated == replace(recorded(accepted), repeated=True)


def test_streams_load_together_each_from_its_version(store: EventStore) -> None:
    one, two, unknown = a_stream(), a_stream(), a_stream()
    append(
        store,
        an_append(one, 0, payment(1), payment(2)),
        an_append(two, 0, payment(3)),
        an_append(one, 2, payment(4)),
    )
    loaded = store.load({two: 0, one: 1, unknown: 0})
    assert {stream: [event.event for event in events] for stream, events in loaded.items()} == {
        one: [payment(2), payment(4)],
        two: [payment(3)],
        unknown: [],
    }
    assert store.load({}) == {}


def test_streams_load_as_events_alone(store: EventStore) -> None:
    one, two, unknown = a_stream(), a_stream(), a_stream()
    append(store, an_append(one, 0, payment(1), payment(2)), an_append(two, 0, payment(3)))
    loaded = store.events([two, unknown, one])
    assert dict(loaded) == {two: [payment(3)], unknown: [], one: [payment(1), payment(2)]}
    assert dict(store.events([])) == {}


def test_many_streams_load_as_events_alone(store: EventStore) -> None:
    wanted = {a_stream(): [payment(number)] for number in range(1, 31)}
    append(store, *(an_append(stream, 0, *events) for stream, events in wanted.items()))
    unknown = a_stream()
    loaded = list(store.events([*wanted, unknown, *wanted]))
    assert len(loaded) == len(wanted) + 1
    assert dict(loaded) == {**wanted, unknown: []}


@pytest.mark.parametrize("control", ["\x1e", "\n", "\x01"])
def test_control_characters_part_no_events(store: EventStore, control: str) -> None:
    stream, odd = a_stream(), replace(payment(1), payment_id=f"p{control}1")
    append(store, an_append(stream, 0, odd, payment(2)))
    assert dict(store.events([stream])) == {stream: [odd, payment(2)]}


def test_pages_follow_the_positions(store: EventStore) -> None:
    for number in range(5):
        append(store, an_append(a_stream(), 0, payment(number)))
    page = store.read(Position(shard=0, number=1), 3)
    assert [event.position.number for event in page] == [2, 3, 4]
    assert store.read(Position(shard=0, number=5), 3) == []


def test_versions_and_positions_are_dense_under_racing_writers(store: EventStore) -> None:
    streams = [a_stream() for _ in range(3)]

    def write(number: int) -> None:
        for turn in range(20):
            stream = streams[(number + turn) % len(streams)]
            version = 0
            while isinstance(
                result := store.submit(an_append(stream, version)).result(timeout=30), Conflict
            ):
                version = result.actual_version

    in_threads(4, write)
    events = everything(store)
    assert [event.position.number for event in events] == list(range(1, 81))
    for stream in streams:
        versions = [event.version for event in events if event.stream == stream]
        assert versions == list(range(1, len(versions) + 1))
    moments = [event.recorded_at for event in events]
    assert moments == sorted(moments)


def test_a_tail_reader_sees_every_position_once_and_in_order(store: EventStore) -> None:
    def write(_: int) -> None:
        for _ in range(50):
            store.submit(an_append(a_stream(), 0)).result(timeout=30)

    with tailing(store) as seen:
        in_threads(8, write)
    assert seen == list(range(1, 401))


def test_every_event_is_chained_to_the_one_before(store: EventStore) -> None:
    one, two = a_stream(), a_stream()
    store.append_many(
        [an_append(one, 0, payment(1), payment(2)), an_append(two, 0), an_append(one, 2)]
    )
    for events in store.load({one: 0, two: 0}).values():
        last = GENESIS
        for event in events:
            assert event.prev_hash == last
            last = event.hash
            assert last == event_hash(
                EventRow(
                    shard=event.position.shard,
                    position=event.position.number,
                    stream=event.stream,
                    version=event.version,
                    topic=event.topic,
                    effective_on=event.effective_on,
                    recorded_at=event.recorded_at,
                    state=event.state,
                    prev_hash=event.prev_hash,
                )
            )


class ScriptedClock:
    """Tells the given moments one after another, then the last for ever."""

    def __init__(self, *moments: datetime) -> None:
        self._moments = list(moments)

    def __call__(self) -> datetime:
        return self._moments.pop(0) if len(self._moments) > 1 else self._moments[0]


def test_both_stores_hash_alike(open_store: OpenStore) -> None:
    clock = ScriptedClock(NOON)
    stores: list[EventStore] = [open_store(clock=clock), MemoryEventStore(clock=clock)]
    appends = [an_append(StreamId("loan-1"), version, payment(version)) for version in range(4)]
    for one in stores:
        append(one, *appends)
    assert everything(stores[0]) == everything(stores[1])


def test_recorded_time_never_goes_back(open_store: OpenStore) -> None:
    moments = (NOON, NOON - timedelta(days=1), NOON + timedelta(seconds=1))
    stores: list[EventStore] = [
        open_store(clock=ScriptedClock(*moments)),
        MemoryEventStore(clock=ScriptedClock(*moments)),
    ]
    for one in stores:
        append(one, *(an_append(a_stream(), 0) for _ in range(3)))
        times = [event.recorded_at for event in everything(one)]
        assert times == [NOON, NOON, NOON + timedelta(seconds=1)]


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (an_append(StreamId(""), 0), ValueError),
        (an_append(StreamId("loan\x00"), 0), ValueError),
        (an_append(StreamId("x" * 501), 0), ValueError),
        (an_append(StreamId("loan-1"), -1), ValueError),
        (an_append(StreamId("loan-1"), 0, payment(2**63)), ValueError),
        (an_append(StreamId("loan-1"), 0, *[payment()] * 101), TooLarge),
        (an_append(StreamId("loan-1"), 0, replace(payment(), channel="x" * 300_000)), TooLarge),
        (
            an_append(StreamId("loan-1"), 0, Event(effective_on=payment().effective_on)),
            UnknownTopic,
        ),
        (an_append(StreamId("loan-1"), 0, replace(payment(), channel="\ud800")), ValueError),
        (an_append(StreamId("loan-1"), 0, refusal=replace(NO, detail="\x00")), ValueError),
        (replace(an_append(StreamId("loan-1"), 0), refusal=NO), ValueError),
    ],
)
def test_what_cannot_be_stored_is_refused_before_it_is_sent(
    store: EventStore, broken: Append, error: type[Exception]
) -> None:
    answer = store.submit(broken)
    with pytest.raises(error):
        answer.result(timeout=30)
    assert store.head() == START


def test_another_shards_position_is_an_error(store: EventStore) -> None:
    with pytest.raises(ValueError, match="shard 0"):
        store.read(Position(shard=1, number=0), 10)
    with pytest.raises(ValueError, match="shard 0"):
        store.head(1)


def test_pages_and_loads_are_bounded(store: EventStore) -> None:
    with pytest.raises(ValueError, match="1 to 10000 events"):
        store.read(START, 10_001)
    with pytest.raises(ValueError, match="10000 streams"):
        store.load({a_stream(): 0 for _ in range(10_001)})
    with pytest.raises(ValueError, match="10000 streams"):
        store.events(a_stream() for _ in range(10_001))
