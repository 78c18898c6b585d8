"""A relay and a projector that follow a record under load by Kafka, and what must then hold."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from typing import Final

from infra.database import DatabasePool
from infra.kafka_cluster import Kafka
from infra.outbox import Outbox
from infra.store import PostgresEventStore
from tests.faults import kafka_children, ledger
from tests.faults.found import Found
from tests.faults.invariants import (
    acknowledged_once,
    all_events,
    dense,
    one_outcome_per_key,
    position_is_true,
    projections_are_folds,
    read_model_ties,
    stream_order,
)
from tests.faults.kafka_children import Cluster, Orders, position
from tests.faults.payers import Payers
from tests.faults.rig import Rig
from tests.faults.rows.row_03_relay_killed import on_wire

FOLLOWED_SECONDS_MAX: Final = 120.0


@dataclass(slots=True, kw_only=True)
class Followers:
    """The two processes; `kafka` leads to the broker itself, whatever road they take."""

    relay: ForkServerProcess
    projector: ForkServerProcess
    kafka: Kafka
    outbox: Outbox
    pool: DatabasePool

    def wait_for(self, head: int) -> float:
        """Wait until the topic that there is now and the read models hold all; the seconds."""
        begun = time.monotonic()
        topic = self.kafka.topics.events
        topic_id = self.kafka.topic_id(topic)
        while True:
            saved = self.outbox.checkpoint(topic)
            same = saved is not None and saved.topic_id == topic_id
            reached = saved.position if saved and same else 0
            if reached >= head and position(self.pool) >= head:
                return time.monotonic() - begun
            seen = f"published {reached}, projected {position(self.pool)} of {head}"
            assert time.monotonic() - begun < FOLLOWED_SECONDS_MAX, seen
            if not same:
                topic_id = self.kafka.topic_id(topic)
            time.sleep(0.02)


@contextmanager
def following(
    rig: Rig, dsn: str, pool: DatabasePool, kafka: Kafka, road: Cluster
) -> Generator[Followers]:
    """Start a relay and a projector; they are ended with the block."""
    relay = rig.process(kafka_children.relay, dsn, road, Orders(batch=50))
    projector = rig.process(
        kafka_children.project, dsn, road, Orders(sweep_seconds=5.0), "projector-1"
    )
    try:
        with Outbox(dsn) as outbox:
            yield Followers(relay=relay, projector=projector, kafka=kafka, outbox=outbox, pool=pool)
    finally:
        for child in (relay, projector):
            child.kill()
            child.join()


def check(dsn: str, followers: Followers, payers: Payers, found: Found) -> None:
    """Check that nothing was lost, doubled or reordered on either side of the broker."""
    pool, lines = followers.pool, ledger.read(payers.answers)
    found.must(not payers.trouble, "I1", f"a payer failed: {payers.trouble[:1]}")
    for child in (followers.relay, followers.projector):
        found.must(child.is_alive(), "I7", f"{child} ended by itself: {child.exitcode}")
    found.violations += acknowledged_once(dsn, lines)
    found.violations += one_outcome_per_key(dsn, lines)
    found.violations += dense(dsn)
    with PostgresEventStore(dsn) as store:
        recorded = list(all_events(store))
    found.violations += stream_order(on_wire(followers.kafka), recorded)
    found.violations += position_is_true(pool)
    found.violations += projections_are_folds(pool, position(pool), len(recorded))
    found.violations += read_model_ties(pool)
