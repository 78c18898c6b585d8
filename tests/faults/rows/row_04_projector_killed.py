"""Row 4: the projector is killed in mid-batch, at random and between its writes (store feed)."""

from typing import Final

from consumers.log_feed import LogFeed
from consumers.projector import Projector
from infra.database import DatabasePool, bulk_pool
from infra.store import PostgresEventStore
from projections import applied, hashes
from tests.faults import children
from tests.faults.found import Found
from tests.faults.invariants import dense, position_is_true, projections_are_folds, read_model_ties
from tests.faults.rig import Rig
from tests.support.book import Book

PLACES: Final = ("after_rows", "after_versions", "before_commit", "after_commit")
SIGKILL: Final = -9


def run(rig: Rig, count: int) -> Found:
    """Kill `count` projectors."""
    found = Found()
    rounds = 0
    with rig.database() as dsn, bulk_pool(dsn) as pool:
        with PostgresEventStore(dsn) as store:
            Book(store, seed=rig.seed).live(8, 40)
            head = store.head().number
            Projector(pool, LogFeed(pool)).catch_up(store.head())
            with pool.transaction() as db:
                whole = hashes.hashes(db)
            while found.faults < count:
                forget_projections(pool)
                rounds += 1
                _project_with_kills(rig, dsn, pool, head, found)
                with pool.transaction() as db:
                    found.must(hashes.hashes(db) == whole, "I5", "the state's hash changed")
                found.violations += position_is_true(pool)
            found.violations += projections_are_folds(pool, position(pool), head)
            found.violations += read_model_ties(pool)
        found.violations += dense(dsn)
    found.note = f"{head} events projected {rounds} times"
    return found


def _project_with_kills(rig: Rig, dsn: str, pool: DatabasePool, head: int, found: Found) -> None:
    """Start projectors until one reaches the end; most die on the way, some at a random instant."""
    r = rig.random
    while position(pool) < head:
        at_random = r.random() < 0.3
        place = "" if at_random else f"projector.{r.choice(PLACES)}=kill@{r.randint(1, 4)}"
        child = rig.process(children.project, dsn, place, r.randint(1, 12), head)
        if at_random:
            child.join(r.uniform(0.02, 0.15))
            child.kill()
        child.join()
        if child.exitcode == SIGKILL:
            found.faults += 1
        else:
            found.must(child.exitcode == 0, "I5", f"a projector ended with {child.exitcode}")
        before = len(found.violations)
        found.violations += position_is_true(pool)
        if len(found.violations) > before:
            return


def position(pool: DatabasePool) -> int:
    """Where the read models stand."""
    with pool.transaction() as db:
        return applied.position(db).number


def forget_projections(pool: DatabasePool) -> None:
    """Empty every read model of the first generation."""
    tables = ", ".join(f"read_v1.{name}" for name in [*hashes.KEYS, "feed_positions"])
    with pool.transaction() as db:
        db.script(f"TRUNCATE {tables}, read_v1.dead_letters")
