"""Row 12: bytes with fields that no class knows, and topics of older versions; nothing is lost.

Until the schemas are frozen there is only v1 of each topic, so older versions are made here.
"""

import json
from datetime import UTC, date, datetime
from random import Random
from typing import Any, Final, cast

from domain.envelope import RecordedEvent, StreamId
from domain.events import TOPICS
from domain.service import Service
from infra.codec import Codec, Upcaster
from infra.database import bulk_pool
from infra.staging import StagedAppend, StagedEvent
from infra.store import PostgresEventStore
from projections.reading import Unreadable, read
from projections.record_log import StoredRecord
from tests.faults import children
from tests.faults.found import Found
from tests.faults.invariants import all_events, read_model_ties, violations
from tests.faults.rig import Rig
from tests.support.book import Book
from tests.support.golden_events import FOLDER, stored_bytes

STRANGE: Final = ({"x": [1, "二"]}, None, "text", 10**12, True)
UPCASTERS: Final = tuple(
    Upcaster(topic.replace(".v1", ".v0"), topic, lambda old: old["was"]) for topic in TOPICS
)


def run(rig: Rig, count: int) -> Found:
    """Read every topic's golden file `count` times, each time with other unknown fields."""
    found = Found()
    for path in sorted(FOLDER.glob("*.json")):
        for _ in range(count):
            _one(rig.random, path.stem, stored_bytes(path), found)
            found.faults += 1
    found.must(found.faults >= len(TOPICS) * count, "row 12", "a topic has no golden file")
    _whole_book(rig, found)
    found.note = f"{len(TOPICS)} topics, {count} times each, and a book of strange bytes"
    return found


def _one(r: Random, topic: str, native: bytes, found: Found) -> None:
    codec = Codec(upcasters=UPCASTERS)
    expected = codec.decode(topic, native)
    strange = with_unknown_fields(r, native)
    old = json.loads(strange)
    old["event"] = {"was": old["event"]}
    lifted = codec.decode(topic.replace(".v1", ".v0"), json.dumps(old).encode())
    found.must(codec.decode(topic, strange) == expected, "row 12", f"{topic}: unknown fields")
    found.must(lifted == expected, "row 12", f"{topic}: the upcaster gives another event")
    try:
        one, other = (read(_record(topic, state)).event for state in (native, strange))
    except Unreadable as error:
        found.violations += violations("row 12", [f"{topic}: {error}"])
    else:
        # Of topics that no read model folds every field is kept, known or not.
        same = isinstance(one, dict) or one == other
        found.must(same, "row 12", f"{topic}: the read models see another event")


def with_unknown_fields(r: Random, state: bytes) -> bytes:
    """Put fields that nobody knows into some of the objects of stored bytes."""

    def strange(value: Any, *, always: bool = False) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, dict):
            known = cast("dict[str, Any]", value)
            pairs = [(name, _inside(name, part, strange)) for name, part in known.items()]
            if always or r.random() < 0.5:
                new = (f"new_{r.randint(0, 9)}", r.choice(STRANGE))
                pairs.insert(r.randint(0, len(pairs)), new)
            return dict(pairs)
        if isinstance(value, list):
            return [strange(part) for part in cast("list[Any]", value)]
        return value

    return json.dumps(strange(json.loads(state), always=True), ensure_ascii=False).encode()


def _inside(name: str, value: Any, strange: Any) -> Any:  # noqa: ANN401 - any JSON
    """Leave maps alone: their keys are data, not fields."""
    return value if name in MAPS else strange(value, always=name == "event")


MAPS: Final = {"policy_versions", "principal_minor_by_currency", "facts", "inputs"}


def _record(topic: str, state: bytes) -> StoredRecord:
    on = date(2018, 1, 1)
    at = datetime(2018, 1, 1, tzinfo=UTC)
    return StoredRecord(0, 1, StreamId("loan-x"), 1, topic, on, at, state)


def _whole_book(rig: Rig, found: Found) -> None:
    """Store a book's events with unknown fields: same states, same read models, bytes untouched."""
    with rig.database() as dsn, PostgresEventStore(dsn) as store:
        book = Book(store, seed=rig.seed)
        book.live(6, 15)
        native = list(all_events(store))
        with (
            rig.database() as other,
            PostgresEventStore(other) as strange,
            bulk_pool(other) as pool,
        ):
            stored = [with_unknown_fields(rig.random, event.state) for event in native]
            for event, state in zip(native, stored, strict=True):
                strange.submit_staged(_staged(event, state)).result(timeout=30)
                found.faults += 1
            children.catch_up(pool, strange)
            kept = [event.state for event in all_events(strange)]
            found.must(kept == stored, "row 12", "stored bytes were changed")
            one, two = Service(store), Service(strange)
            different = [
                stream
                for stream in {event.stream for event in native}
                if _figures(one.state(stream).state) != _figures(two.state(stream).state)
            ]
            found.must(not different, "row 12", f"other states: {different[:3]}")
            found.violations += read_model_ties(pool)


def _figures(state: Any) -> object:  # noqa: ANN401 - any aggregate
    """What an aggregate says; of a loan without its time line, which has no equality."""
    return (state.rows, state.balances, state.status) if hasattr(state, "rows") else state


def _staged(event: RecordedEvent, state: bytes) -> StagedAppend:
    return StagedAppend(
        stream=event.stream,
        expected_version=event.version - 1,
        events=(StagedEvent(event.topic, event.effective_on, state),),
        command="tests.copy",
        actor="system:tests",
    )
