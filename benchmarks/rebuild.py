"""All read models rebuilt from the record, beside three ways to get the same rows.

The same rows brought in with binary COPY into tables with their keys and indexes; one upsert
transaction an event, on a sample; and, as the limit, the events alone brought out with COPY. All
in events a second of the same record.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import book, harness
from consumers.rebuild import rebuild
from domain.envelope import Position
from infra.database import DatabasePool, bulk_pool
from projections import hashes, read_models, record_log, schema
from projections.reading import read

LOANS, LOANS_FULL = 20_000, (100_000, 1_000_000)
UPSERTS, UPSERTS_FULL = 300, 2_000
_BLOCK = 1 << 20
_COLUMNS = """
SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s AND is_generated = 'NEVER'
"""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One turn of each side, events a second. None warms up: all of it is long, and on disk."""

    rebuilt: float
    copied_in: float
    copied_out: float
    upserted: float

    def beside(self, peer: float) -> harness.Round:
        """Set the rebuild beside one of the others."""
        return harness.Round(ours=self.rebuilt, peer=peer)


def run(options: harness.Options) -> list[harness.Result]:
    """Compare at one size, or at the two long ones."""
    sizes = LOANS_FULL if options.full else (LOANS,)
    sample = UPSERTS_FULL if options.full else UPSERTS
    results: list[harness.Result] = []
    with harness.server() as server:
        for loans in (options.size,) if options.size else sizes:
            results += _compare(server, options, loans, sample)
    return results


def _compare(
    server: harness.Server, options: harness.Options, loans: int, sample: int
) -> list[harness.Result]:
    with (
        book.recorded(server, loans) as dsn,
        bulk_pool(dsn) as pool,
        psycopg.connect(dsn) as connection,
        tempfile.TemporaryDirectory(prefix="lb-bench-") as folder,
    ):
        events = _head(pool)
        rounds: list[_Round] = []
        files: dict[str, Path] = {}
        for _ in range(options.rounds):
            rebuilt = _rebuilt(dsn, pool, events)
            files = files or _rows_of(connection, Path(folder))
            rounds.append(
                _Round(
                    rebuilt=rebuilt,
                    copied_in=_copied_in(connection, files, events),
                    copied_out=_copied_out(connection, events),
                    upserted=_upserted(connection, pool, sample),
                )
            )
        _check(pool)
    name = f"rebuild of {events:,} events"
    return [
        harness.compared(
            f"{name}: COPY-in", [r.beside(r.copied_in) for r in rounds], "events/s", floor=1.0
        ),
        harness.compared(
            f"{name}: COPY-out (limit)",
            [r.beside(r.copied_out) for r in rounds],
            "events/s",
            target=0.6,
        ),
        harness.compared(
            f"{name}: row upserts, {sample} timed",
            [r.beside(r.upserted) for r in rounds],
            "events/s",
            floor=50.0,
            target=200.0,
        ),
    ]


def _head(pool: DatabasePool) -> int:
    with pool.transaction() as db:
        return record_log.head(db).number


def _rebuilt(dsn: str, pool: DatabasePool, events: int) -> float:
    started = time.perf_counter()
    rebuild(pool, helpers=book.beside(dsn))
    rate = events / (time.perf_counter() - started)
    print(f"  rebuild     {rate:9,.0f} events/s", flush=True)
    return rate


def _check(pool: DatabasePool) -> None:
    """Hold the last generation equal to what COPY brought in."""
    with pool.transaction() as db:
        rebuilt = hashes.hashes(db)
        schema.enter(db, "copied_in")
        assert rebuilt == hashes.hashes(db), "the rebuilt rows differ"


def _rows_of(connection: Connection, folder: Path) -> dict[str, Path]:
    """Write the rows of every read model to files, as binary COPY."""
    row = connection.execute("SELECT generation FROM read_generation").fetchone()
    assert row is not None
    name = schema.schema_of(row[0])
    files: dict[str, Path] = {}
    for table in schema.TABLES:
        columns = connection.execute(_COLUMNS, (name, table)).fetchone()
        assert columns is not None
        listed = f"{table} ({columns[0]})"
        files[listed] = folder / table
        statement = f"COPY {name}.{listed} TO STDOUT (FORMAT binary)"
        with (
            files[listed].open("wb") as file,
            connection.cursor().copy(statement.encode()) as copy,
        ):
            for block in copy:
                file.write(block)
    connection.commit()
    return files


def _copied_in(connection: Connection, files: dict[str, Path], events: int) -> float:
    connection.execute("DROP SCHEMA IF EXISTS copied_in CASCADE")
    with bulk_pool(connection.info.dsn) as pool, pool.transaction() as db:
        connection.commit()
        schema.create(db, "copied_in")
        schema.index(db, "copied_in")
    started = time.perf_counter()
    for listed, path in files.items():
        statement = f"COPY copied_in.{listed} FROM STDIN (FORMAT binary)"
        with path.open("rb") as file, connection.cursor().copy(statement.encode()) as copy:
            while block := file.read(_BLOCK):
                copy.write(block)
        connection.commit()
    rate = events / (time.perf_counter() - started)
    print(f"  COPY-in     {rate:9,.0f} events/s", flush=True)
    return rate


def _copied_out(connection: Connection, events: int) -> float:
    statement = "COPY events TO STDOUT (FORMAT binary)"
    started = time.perf_counter()
    with connection.cursor().copy(statement.encode()) as copy:
        rows = sum(1 for _ in copy)
    rate = events / (time.perf_counter() - started)
    connection.commit()
    assert rows >= events
    print(f"  COPY-out    {rate:9,.0f} events/s", flush=True)
    return rate


def _upserted(connection: Connection, pool: DatabasePool, sample: int) -> float:
    connection.execute("DROP SCHEMA IF EXISTS upserted CASCADE")
    connection.commit()
    with pool.transaction() as db:
        schema.create(db, "upserted")
        schema.index(db, "upserted")
        records = record_log.page(db, Position(shard=0, number=0), sample)
    started = time.perf_counter()
    for record in records:
        with pool.transaction() as db:
            schema.enter(db, "upserted")
            read_models.apply(db, [read(record)])
    rate = sample / (time.perf_counter() - started)
    print(f"  row upserts {rate:9,.0f} events/s", flush=True)
    return rate


if __name__ == "__main__":
    harness.main(run)
