"""Row 6: the broker is frozen, or the line to it cut, slow or deaf; no command waits for it."""

import signal
import time
from typing import Final

import psutil

from infra.database import bulk_pool
from infra.store import PostgresEventStore
from tests.faults.following import Followers, check, following
from tests.faults.found import Found
from tests.faults.kafka_children import Cluster
from tests.faults.payers import Payers
from tests.faults.proxy import Proxy
from tests.faults.rig import Rig
from tests.support.kafka import ProxiedBroker

LOANS: Final = 24
FROZEN_SECONDS: Final = (1.0, 2.5, 4.0)  # the relay's client gives up after two
FROZEN_SECONDS_SELDOM: Final = 30.0
SELDOM: Final = 25
"""One fault in so many is a long one."""

NORMAL_SECONDS: Final = 0.5
GROWN_BYTES_MAX: Final = 64 * 1024 * 1024
SLOWER_MAX: Final = 1.2  # p99 of commands; judged from 20 faults on
SECONDS_UNJUDGED: Final = 0.25  # whoever waited for the broker would have waited longer
KINDS: Final = ("frozen", "cut", "slow", "deaf")


def run(rig: Rig, count: int) -> Found:
    """Trouble the line between broker and clients `count` times, with normal times between."""
    found = Found()
    normal: list[float] = []
    troubled: list[float] = []
    answers = rig.folder / f"answers-row6-{rig.seed}.jsonl"
    broker = rig.running_broker()
    with (
        rig.database() as dsn,
        bulk_pool(dsn) as pool,
        PostgresEventStore(dsn) as store,
        rig.kafka() as kafka,
        Proxy(broker.front, broker.back) as proxy,
    ):
        payers = Payers(store, answers, LOANS)
        road = Cluster(f"127.0.0.1:{broker.front}", kafka.topics, impatient=True)
        kafka.create_topics()
        with following(rig, dsn, pool, kafka, road) as followers, payers.working():
            followers.wait_for(store.head().number)
            begun_with = _memory(followers)
            for number in range(count):
                at = len(payers.took)
                time.sleep(NORMAL_SECONDS)
                normal += payers.took[at:]
                at = len(payers.took)
                _trouble(rig, broker, proxy, number)
                troubled += payers.took[at:]
                found.faults += 1
                followers.wait_for(store.head().number)
                grown = _memory(followers) - begun_with
                found.must(grown < GROWN_BYTES_MAX, "row 6", f"the relay grew by {grown} bytes")
            payers.end()
            followers.wait_for(store.head().number)
            check(dsn, followers, payers, found)
        cuts = proxy.cuts
    slower = p99(troubled) / p99(normal)
    if count >= 20 and p99(troubled) > SECONDS_UNJUDGED:
        found.must(slower < SLOWER_MAX, "row 6", f"p99 of commands is {slower:.2f} times normal")
    found.note = (
        f"{len(payers.took)} payments, {cuts} connections cut; p99 of commands"
        f" {p99(troubled) * 1000:.0f} ms in trouble, {slower:.2f} times normal"
    )
    return found


def _trouble(rig: Rig, broker: ProxiedBroker, proxy: Proxy, number: int) -> None:
    r = rig.random
    match KINDS[number % len(KINDS)]:
        case "frozen":
            long = number % SELDOM == SELDOM - 1
            _freeze(broker, FROZEN_SECONDS_SELDOM if long else r.choice(FROZEN_SECONDS))
        case "cut":
            for _ in range(r.randint(1, 5)):
                proxy.cut()
                time.sleep(r.uniform(0, 0.3))
            with proxy.refusing():
                time.sleep(r.uniform(0, 2))
        case "slow":
            with proxy.delaying(r.uniform(0.01, 0.3)):
                time.sleep(r.uniform(1, 3))
        case _:
            with proxy.deaf():
                time.sleep(r.uniform(0.5, 3))


def _freeze(broker: ProxiedBroker, seconds: float) -> None:
    assert broker.pid is not None
    process = psutil.Process(broker.pid)
    process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        process.send_signal(signal.SIGCONT)


def _memory(followers: Followers) -> int:
    return psutil.Process(followers.relay.pid).memory_info().rss


def p99(seconds: list[float]) -> float:
    """Return the time that one in a hundred exceeds."""
    return sorted(seconds)[min(len(seconds) - 1, round(0.99 * len(seconds)))]
