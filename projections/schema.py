"""Generations of the read models: made empty, filled, and switched behind their views.

A generation is a schema with all tables of `sql/read_models.sql`. The record migrates
(`infra/migrations`); read models are derived, so a new shape is a new generation, rebuilt.
"""

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Final

from projections.ports import Database

TABLES: Final = (
    "applied_versions",
    "feed_positions",
    "dead_letters",
    "loan_summary",
    "reference_values",
    "repricings",
    "instalments",
    "transactions",
    "cases",
    "audit_trail",
    "override_register",
    "four_eyes",
    "journal",
    "ledger_balances",
)
# One installer at a time; no other advisory lock of the database has this number.
INSTALL_LOCK: Final = 0x10A9B002
# Shorter than the server's deadlock_timeout of a second, so that a switch gives way to readers.
SWITCH_LOCK_TIMEOUT: Final = "500ms"
# What the sort of one index may take; PostgreSQL's own 64MB would spill a million rows to disk.
INDEX_MEMORY: Final = "256MB"
# A third of PostgreSQL's own sample: a first look chooses between these indexes as well.
FIRST_STATISTICS: Final = "30"
_MADE_FOR: Final = re.compile(r"(?:ALTER TABLE|\bON) (\w+)")


def _sql(name: str) -> str:
    return files("projections").joinpath("sql", name).read_text(encoding="utf-8")


def definition() -> str:
    """Return the text that makes the tables; another text is another shape."""
    return _sql("read_models.sql")


def schema_of(generation: int) -> str:
    """Name the schema of a generation."""
    return f"read_v{generation}"


def install(db: Database) -> int:
    """Make what is missing and return the current generation. Call it whenever a process starts."""
    db.execute("SELECT pg_advisory_xact_lock(%s)", [INSTALL_LOCK])
    db.script(
        "CREATE TABLE IF NOT EXISTS read_generation ("
        "one boolean PRIMARY KEY DEFAULT true CHECK (one), generation integer NOT NULL)"
    )
    db.script(_sql("loan_day.sql"))
    known = db.row("SELECT generation FROM read_generation")
    if known is not None:
        return int(known["generation"])
    create(db, schema_of(1))
    index(db, schema_of(1))
    _point_views(db, schema_of(1))
    db.execute("INSERT INTO read_generation (generation) VALUES (1)")
    return 1


def create(db: Database, schema: str) -> None:
    """Make a schema with empty tables, without keys and indexes."""
    db.script(f"CREATE SCHEMA {schema}")
    with within(db, schema):
        db.script(definition())


def index(db: Database, schema: str, tables: Sequence[str] = TABLES) -> None:
    """Make keys and indexes of filled tables, and let the planner know what is in them."""
    with within(db, schema):
        db.execute(
            "SELECT set_config('maintenance_work_mem', %s, true),"
            " set_config('default_statistics_target', %s, true)",
            [INDEX_MEMORY, FIRST_STATISTICS],
        )
        for statement in _sql("read_models_indexes.sql").split(";\n"):
            made = _MADE_FOR.search(statement)
            if made is not None and made[1] in tables:
                db.script(statement)
        db.script(f"ANALYZE {', '.join(tables)}")


def drop(db: Database, schema: str) -> None:
    """Remove a schema that no view shows any more."""
    db.script(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def enter(db: Database, schema: str) -> None:
    """Let the tables' names mean those of a schema until the transaction ends."""
    db.execute(
        "SELECT set_config('search_path', %s || ', ' || current_setting('search_path'), true)",
        [schema],
    )


def current(db: Database) -> int:
    """Return the current generation. Raises LookupError: not installed."""
    return _current(db, "")


def enter_current(db: Database) -> int:
    """Enter the current generation and hold it until the transaction ends; a switch waits."""
    generation = _current(db, "FOR SHARE")
    enter(db, schema_of(generation))
    return generation


def hold(db: Database) -> int:
    """Keep everybody out of the current generation until the transaction ends; return it."""
    db.execute("SELECT set_config('lock_timeout', %s, true)", [SWITCH_LOCK_TIMEOUT])
    return _current(db, "FOR UPDATE")


def switch(db: Database, generation: int) -> None:
    """Put the views in front of another generation, after `hold`.

    Readers see the old one until the transaction commits and the new one afterwards.
    """
    _point_views(db, schema_of(generation))
    db.execute("UPDATE read_generation SET generation = %s", [generation])


def _current(db: Database, locking: str) -> int:
    known = db.row(f"SELECT generation FROM read_generation {locking}")
    if known is None:
        raise LookupError("the read models are not installed")
    return int(known["generation"])


@contextmanager
def within(db: Database, schema: str) -> Generator[None]:
    """Enter a schema for a block, and leave it again."""
    before = db.row("SELECT current_setting('search_path') AS path")
    assert before is not None
    enter(db, schema)
    yield
    db.execute("SELECT set_config('search_path', %s, true)", [before["path"]])


def _point_views(db: Database, schema: str) -> None:
    for table in TABLES:
        # Not CREATE OR REPLACE: a new generation may have other columns.
        db.script(f"DROP VIEW IF EXISTS {table}; CREATE VIEW {table} AS TABLE {schema}.{table}")
