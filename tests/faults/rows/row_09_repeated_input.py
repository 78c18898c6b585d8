"""Row 9: the request log is handed in again and again, and the feed repeats, shuffles and loses."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from consumers.log_feed import LogFeed
from consumers.projector import Projector
from domain.envelope import Position
from domain.ports import EventStore, Outcome
from domain.service import Instruction, Service
from infra.database import DatabasePool, bulk_pool
from infra.store import PostgresEventStore
from projections import hashes, record_log
from projections.record_log import StoredRecord
from tests.faults.found import Found
from tests.faults.invariants import dense, position_is_true, projections_are_folds
from tests.faults.rig import Rig
from tests.faults.rows.row_04_projector_killed import forget_projections
from tests.support.book import Book

REPLAYS: Final = 3
BATCH: Final = 40
SWEEPS: Final = 2  # the first only learns what is on its way


class RequestLog(Service):
    """A service that remembers every request and its first answer, as an upstream system does."""

    def __init__(self, store: EventStore) -> None:
        super().__init__(store)
        self.log: list[tuple[Instruction, Outcome]] = []

    def handle(self, instruction: Instruction) -> Outcome:
        outcome = super().handle(instruction)
        self.log.append((instruction, outcome))
        return outcome


class Wire:
    """A feed that hands out what it is given."""

    def __init__(self, batches: Sequence[Sequence[StoredRecord]]) -> None:
        self.batches = list(batches)

    def poll(self) -> Sequence[StoredRecord]:
        return self.batches.pop(0) if self.batches else []

    def seek(self, after: Position) -> None:
        assert after.number >= 0

    def confirm(self, position: Position) -> None:
        assert position.number >= 0


def run(rig: Rig, count: int) -> Found:
    """Repeat requests and deliveries until about `count` of them were disturbed."""
    found = Found()
    with (
        rig.database() as dsn,
        bulk_pool(dsn) as pool,
        PostgresEventStore(dsn) as store,
    ):
        book = Book(store, seed=rig.seed)
        book.service = log = RequestLog(store)
        book.live(8, 25)
        head = store.head().number
        Projector(pool, LogFeed(pool)).catch_up(store.head())
        with pool.transaction() as db:
            whole = hashes.hashes(db)
        _replay_requests(rig, store, log, found)
        found.must(store.head().number == head, "I2", "repeated requests were recorded")
        while found.faults < count:
            found.faults += _disturbed(rig, pool)
            with pool.transaction() as db:
                same = hashes.hashes(db) == whole
            found.must(same, "I5", "the state's hash changed")
            found.violations += position_is_true(pool)
        found.violations += projections_are_folds(pool, head, store.head().number)
        found.violations += dense(dsn)
        found.note = f"{len(log.log)} requests {REPLAYS} times again, {head} events disturbed"
    return found


def _replay_requests(rig: Rig, store: EventStore, log: RequestLog, found: Found) -> None:
    service = Service(store)
    for _ in range(REPLAYS):
        requests = list(log.log)
        rig.random.shuffle(requests)
        for instruction, first in requests:
            again = service.handle(instruction)
            same = (again.version, again.position, again.refusal) == (
                first.version,
                first.position,
                first.refusal,
            )
            found.must(again.repeated and same, "I2", f"{first} became {again}")
            found.faults += 1


def bad_wire(rig: Rig, records: int) -> list[int]:
    """Return places of records as a bad wire brings them: some never, some again, some late."""
    r = rig.random
    places = [place for place in range(records) for _ in range(r.choice([0, 1, 1, 1, 2, 3]))]
    return sorted(places, key=lambda place: place + r.randint(0, 200))


def disturbances(places: Sequence[int], records: int) -> int:
    """Count what is wrong with a wire."""
    lost, repeated = records - len(set(places)), len(places) - len(set(places))
    return lost + repeated + sum(1 for one, after in pairwise(places) if after < one)


def _disturbed(rig: Rig, pool: DatabasePool) -> int:
    """Project from nothing over a bad wire; return how many deliveries were disturbed."""
    forget_projections(pool)
    with pool.transaction() as db:
        records = record_log.page(db, Position(shard=0, number=0), 10_000)
    places = bad_wire(rig, len(records))
    wire = [records[place] for place in places]
    batches = [wire[begin : begin + BATCH] for begin in range(0, len(wire), BATCH)]
    projector = Projector(pool, Wire(batches))
    for _ in batches:
        projector.step()
    for _ in range(SWEEPS):
        projector.sweep()
    return disturbances(places, len(records))
