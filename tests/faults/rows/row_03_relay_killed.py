"""Row 3: the relay is killed before and after it reads, sends, is answered and saves."""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.topic_feed import topic_feed
from domain.envelope import RecordedEvent
from infra.codec import Codec
from infra.database import DatabasePool, bulk_pool
from infra.event_topic import recorded_of
from infra.kafka_cluster import Kafka
from infra.outbox import Outbox
from infra.settings import Limits
from infra.store import PostgresEventStore
from projections import hashes
from tests.faults import kafka_children
from tests.faults.found import Found
from tests.faults.invariants import (
    all_events,
    position_is_true,
    projections_are_folds,
    stream_order,
)
from tests.faults.kafka_children import Cluster, Orders, published
from tests.faults.rig import Rig
from tests.faults.rows.row_04_projector_killed import SIGKILL, forget_projections, position
from tests.support.book import Book
from tests.support.wire import consumed

PLACES: Final = tuple(
    f"relay.{side}_{step}"
    for step in ("read", "produce", "ack", "save")
    for side in ("before", "after")
)
PROJECTED_SECONDS_MAX: Final = 120.0


def run(rig: Rig, count: int) -> Found:
    """Kill `count` relays; each round publishes the record on a topic of its own."""
    found = Found()
    repeats = rounds = 0
    with rig.database() as dsn, bulk_pool(dsn) as pool:
        with PostgresEventStore(dsn) as store:
            Book(store, seed=rig.seed).live(12, 100)
            recorded = list(all_events(store))
        Projector(pool, LogFeed(pool)).catch_up(recorded[-1].position)
        with pool.transaction() as db:
            whole = hashes.hashes(db)
        while found.faults < count:
            rounds += 1
            with rig.kafka() as kafka:
                publish_with_kills(rig, dsn, kafka, len(recorded), found)
                wire = on_wire(kafka)
                repeats += len(wire) - len(recorded)
                found.violations += stream_order(wire, recorded)
                forget_projections(pool)
                project(pool, kafka, len(recorded))
            with pool.transaction() as db:
                found.must(hashes.hashes(db) == whole, "I5", "the state's hash changed")
            found.violations += position_is_true(pool)
        found.violations += projections_are_folds(pool, position(pool), len(recorded))
    found.note = f"{len(recorded)} events published {rounds} times, {repeats} repeats on the wire"
    return found


def publish_with_kills(rig: Rig, dsn: str, kafka: Kafka, head: int, found: Found) -> None:
    """Start relays until one has published everything; most die on the way."""
    r = rig.random
    cluster = Cluster.of(kafka)
    with Outbox(dsn) as outbox:
        while published(outbox, kafka.topics.events) < head:
            at_random = r.random() < 0.2
            place = "" if at_random else f"{r.choice(PLACES)}=kill@{r.randint(1, 3)}"
            orders = Orders(failpoints=place, batch=r.randint(5, 25), until=head)
            child = rig.process(kafka_children.relay, dsn, cluster, orders)
            if at_random:
                child.join(r.uniform(0.1, 0.6))
                child.kill()
            child.join()
            if child.exitcode == SIGKILL:
                found.faults += 1
            else:
                found.must(child.exitcode == 0, "I7", f"a relay ended with {child.exitcode}")


def on_wire(kafka: Kafka) -> Sequence[RecordedEvent]:
    """Read what was published, repeats included."""
    return [recorded_of(record, Codec()) for record in consumed(kafka, kafka.topics.events)]


def project(pool: DatabasePool, kafka: Kafka, until: int) -> None:
    """Bring the read models up to a position from the topic."""
    limits = Limits(sweep_seconds=1.0)
    deadline = time.monotonic() + PROJECTED_SECONDS_MAX
    with closing(topic_feed(kafka, pool, limits=limits)) as feed:
        projector = Projector(pool, feed, limits=limits)
        while projector.position.number < until:
            assert time.monotonic() < deadline, f"{projector.position} and not {until}"
            projector.step()
