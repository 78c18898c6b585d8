"""Row 11 on Kafka: the topic carries events that cannot be read, and messages that are none."""

import time
from contextlib import closing
from typing import Final

from consumers.projector import Projector
from consumers.topic_feed import topic_feed
from infra.database import DatabasePool
from infra.kafka_cluster import PARTITIONS, Kafka
from tests.faults.found import Found
from tests.faults.invariants import projections_are_folds
from tests.faults.rig import Rig
from tests.faults.rows.row_04_kafka_projectors_killed import publish
from tests.faults.rows.row_04_projector_killed import position
from tests.faults.rows.row_11_poison import LIMITS, LOANS_PER_POISON, poison_events, scene

READ_SECONDS_MAX: Final = 120.0


def run(rig: Rig, count: int) -> Found:
    """Poison `count` events, each of another loan, and put nonsense on every partition."""
    found = Found()
    with scene(rig, count * LOANS_PER_POISON) as at, rig.kafka() as kafka:
        head = at.store.head().number

        def project() -> None:
            _nonsense(kafka)
            publish(at.dsn, kafka)
            _nonsense(kafka)
            _project(at.pool, kafka, head)

        poison_events(at, found, count, project)
        found.faults += 2 * PARTITIONS
        found.violations += projections_are_folds(at.pool, position(at.pool), head)
    found.note = f"{count} bad events of {head}, {2 * PARTITIONS} messages that are none"
    return found


def _nonsense(kafka: Kafka) -> None:
    kafka.create_topics()
    producer = kafka.producer()
    for partition in range(PARTITIONS):
        value, headers = b"nonsense", [("position", b"no number")] * (partition % 2)
        producer.send(kafka.topics.events, value, b"key", headers, partition).get(timeout=30)
    producer.close()


def _project(pool: DatabasePool, kafka: Kafka, until: int) -> None:
    deadline = time.monotonic() + READ_SECONDS_MAX
    with closing(topic_feed(kafka, pool, limits=LIMITS)) as feed:
        projector = Projector(pool, feed, limits=LIMITS)
        while projector.position.number < until:
            assert time.monotonic() < deadline, f"{projector.position} and not {until}"
            projector.step()
