"""Row 5: the broker is killed, or loses all its data, under load; commands go on meanwhile."""

import time
from typing import Final

from infra.database import bulk_pool
from infra.store import PostgresEventStore
from tests.faults.following import Followers, check, following
from tests.faults.found import Found
from tests.faults.kafka_children import Cluster
from tests.faults.payers import PAYERS, Payers
from tests.faults.rig import Rig

LOANS: Final = 24


def run(rig: Rig, count: int) -> Found:
    """Wipe the broker and only kill it by turns, `count` times in all."""
    found = Found()
    rates: list[float] = []
    answers = rig.folder / f"answers-row5-{rig.seed}.jsonl"
    with rig.database() as dsn, bulk_pool(dsn) as pool, PostgresEventStore(dsn) as store:
        payers = Payers(store, answers, LOANS)
        with (
            rig.kafka() as kafka,
            following(rig, dsn, pool, kafka, Cluster.of(kafka, impatient=True)) as followers,
        ):
            with payers.working():
                followers.wait_for(store.head().number)
                for number in range(count):
                    rates.append(_break(rig, followers, payers, store, wiped=number % 2 == 0))
                    found.faults += 1
            followers.wait_for(store.head().number)
            check(dsn, followers, payers, found)
    rates.sort()
    found.note = (
        f"{len(payers.took)} payments; back at the head after restart at"
        f" {rates[len(rates) // 2]:.0f} events/s (median)"
    )
    return found


def _break(
    rig: Rig, followers: Followers, payers: Payers, store: PostgresEventStore, *, wiped: bool
) -> float:
    """Take the broker away for a while; return at how many events/s its topic was filled again."""
    broker = rig.running_broker()
    time.sleep(rig.random.uniform(0.2, 1.0))
    if wiped:
        broker.wipe()
    else:
        broker.kill()
    before = len(payers.took)
    deadline = time.monotonic() + 30
    while len(payers.took) < before + 2 * PAYERS:  # nobody waits for the broker
        assert time.monotonic() < deadline, f"payments wait for the broker: {payers.trouble}"
        time.sleep(0.01)
    time.sleep(rig.random.uniform(0, 1.0))
    followers.kafka.close()
    broker.start()
    head = store.head().number
    return head / followers.wait_for(head)
