"""Row 4 on Kafka: of two projectors that share the topic now one is killed, now the other."""

import time
from multiprocessing.context import ForkServerProcess
from typing import Final

from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.relay import Publication
from infra.database import DatabasePool, bulk_pool
from infra.kafka_cluster import Kafka
from infra.outbox import Outbox
from infra.store import PostgresEventStore
from projections import hashes
from tests.faults import kafka_children
from tests.faults.found import Found
from tests.faults.invariants import dense, position_is_true, projections_are_folds, read_model_ties
from tests.faults.kafka_children import Cluster, Orders
from tests.faults.rig import Rig
from tests.faults.rows.row_04_projector_killed import PLACES, SIGKILL, forget_projections, position
from tests.support.book import Book

MEMBERS: Final = ("projector-1", "projector-2")
ROUND_SECONDS_MAX: Final = 180.0


def run(rig: Rig, count: int) -> Found:
    """Kill `count` projectors; each round projects a topic of its own from its beginning."""
    found = Found()
    rounds = 0
    with rig.database() as dsn, bulk_pool(dsn) as pool:
        with PostgresEventStore(dsn) as store:
            Book(store, seed=rig.seed).live(8, 60)
            head = store.head()
        Projector(pool, LogFeed(pool)).catch_up(head)
        with pool.transaction() as db:
            whole = hashes.hashes(db)
        while found.faults < count:
            forget_projections(pool)
            rounds += 1
            with rig.kafka() as kafka:
                publish(dsn, kafka)
                _project_with_kills(rig, dsn, pool, (Cluster.of(kafka), head.number), found)
            with pool.transaction() as db:
                found.must(hashes.hashes(db) == whole, "I5", "the state's hash changed")
            found.violations += position_is_true(pool)
        found.violations += projections_are_folds(pool, position(pool), head.number)
        found.violations += read_model_ties(pool)
        found.violations += dense(dsn)
    found.note = f"{head.number} events projected {rounds} times by {len(MEMBERS)} members"
    return found


def publish(dsn: str, kafka: Kafka) -> None:
    """Publish everything that is recorded."""
    with Outbox(dsn) as outbox, Publication(outbox, kafka) as publication:
        while publication.step():
            pass


def _project_with_kills(
    rig: Rig, dsn: str, pool: DatabasePool, work: tuple[Cluster, int], found: Found
) -> None:
    """Keep two members at work until the end is reached; most die on the way, and come again."""
    cluster, head = work
    members: dict[str, ForkServerProcess] = {}
    deadline = time.monotonic() + ROUND_SECONDS_MAX
    while position(pool) < head:
        assert time.monotonic() < deadline, f"the read models stand at {position(pool)} of {head}"
        for member in MEMBERS:
            child = members.get(member)
            if child is not None and child.is_alive():
                continue
            if child is not None:
                _count(child, found)
            members[member] = rig.process(
                kafka_children.project, dsn, cluster, _orders(rig, head), member
            )
        if rig.random.random() < 0.05:
            members[rig.random.choice(MEMBERS)].kill()
        time.sleep(rig.random.uniform(0, 0.1))
    for child in members.values():
        child.join(1)
        child.kill()  # one may wait for what the other has done already
        child.join()
        _count(child, found)


def _orders(rig: Rig, head: int) -> Orders:
    r = rig.random
    place = f"projector.{r.choice(PLACES)}=kill@{r.randint(1, 4)}" if r.random() < 0.7 else ""
    return Orders(failpoints=place, batch=r.randint(5, 40), until=head)


def _count(child: ForkServerProcess, found: Found) -> None:
    if child.exitcode == SIGKILL:
        found.faults += 1
    else:
        found.must(child.exitcode == 0, "I5", f"a projector ended with {child.exitcode}")
