"""Row 9 on Kafka: the topic holds the record shuffled, with repeats and with holes."""

import time
from contextlib import closing
from typing import Final

from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.topic_feed import topic_feed
from infra.database import DatabasePool, bulk_pool
from infra.event_publisher import EventPublisher
from infra.event_topic import EventRow
from infra.kafka_cluster import Kafka
from infra.outbox import Outbox
from infra.store import PostgresEventStore
from projections import hashes
from tests.faults.found import Found
from tests.faults.invariants import dense, position_is_true, projections_are_folds
from tests.faults.rig import Rig
from tests.faults.rows.row_04_projector_killed import forget_projections
from tests.faults.rows.row_09_repeated_input import SWEEPS, bad_wire, disturbances
from tests.support.book import Book

EVENTS_MAX: Final = 10_000
READ_SECONDS_MAX: Final = 120.0


def run(rig: Rig, count: int) -> Found:
    """Publish bad wires, each on a topic of its own, until about `count` places were disturbed."""
    found = Found()
    with rig.database() as dsn, bulk_pool(dsn) as pool:
        with PostgresEventStore(dsn) as store:
            Book(store, seed=rig.seed).live(12, 100)
            head = store.head()
        with Outbox(dsn) as outbox:
            rows = outbox.page(0, EVENTS_MAX)
        Projector(pool, LogFeed(pool)).catch_up(head)
        with pool.transaction() as db:
            whole = hashes.hashes(db)
        wires = 0
        while found.faults < count:
            wires += 1
            places = bad_wire(rig, len(rows))
            forget_projections(pool)
            with rig.kafka() as kafka:
                _publish(kafka, [rows[place] for place in places])
                _project(pool, kafka, len(places))
            with pool.transaction() as db:
                found.must(hashes.hashes(db) == whole, "I5", "the state's hash changed")
            found.violations += position_is_true(pool)
            found.faults += disturbances(places, len(rows))
        found.violations += projections_are_folds(pool, head.number, len(rows))
        found.violations += dense(dsn)
    found.note = f"{len(rows)} events over {wires} bad wires"
    return found


def _publish(kafka: Kafka, wire: list[EventRow]) -> None:
    kafka.create_topics()
    with closing(EventPublisher(kafka, 0)) as publisher:
        publisher.send(wire).wait(lambda: False)


def _project(pool: DatabasePool, kafka: Kafka, records: int) -> None:
    """Read so many records of the topic, then look twice for what never came."""
    deadline = time.monotonic() + READ_SECONDS_MAX
    with closing(topic_feed(kafka, pool)) as feed:
        projector, came = Projector(pool, feed), 0
        while came < records:
            assert time.monotonic() < deadline, f"{came} of {records} records came"
            came += projector.step()
        for _ in range(SWEEPS):
            projector.sweep()
