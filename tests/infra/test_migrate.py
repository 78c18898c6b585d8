"""Migrations run once, one at a time, and leave nothing half done."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from infra.migrate import MIGRATIONS, MigrationFailed, migrate

FUNCTION_WITH_SEMICOLONS = """-- migrate:up
CREATE TABLE heads (name text DEFAULT 'a;b%');
CREATE FUNCTION head() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  IF true THEN RETURN 1; END IF;
  RETURN 2;
END $$;
-- migrate:down
"""
FAILS_HALFWAY = """-- migrate:up
CREATE TABLE half (i int);
SELECT 1 / 0;
-- migrate:down
"""


def tables(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in rows.fetchall()}


def test_a_file_is_applied_once(database: str, tmp_path: Path) -> None:
    (tmp_path / "9001_heads.sql").write_text(FUNCTION_WITH_SEMICOLONS)
    assert migrate(database, tmp_path) == ["9001_heads.sql"]
    assert migrate(database, tmp_path) == []
    assert "heads" in tables(database)


def test_a_failing_file_leaves_no_trace_and_keeps_those_before_it(
    database: str, tmp_path: Path
) -> None:
    (tmp_path / "9001_heads.sql").write_text(FUNCTION_WITH_SEMICOLONS)
    (tmp_path / "9002_half.sql").write_text(FAILS_HALFWAY)
    with pytest.raises(MigrationFailed, match="division by zero"):
        migrate(database, tmp_path)
    assert "heads" in tables(database)
    assert "half" not in tables(database)


def test_migrators_at_the_same_time_apply_each_file_once(database: str, tmp_path: Path) -> None:
    (tmp_path / "9001_heads.sql").write_text(FUNCTION_WITH_SEMICOLONS)
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(migrate, [database] * 4, [tmp_path] * 4))
    assert sorted(results) == [[], [], [], ["9001_heads.sql"]]


def test_our_files_are_numbered_without_holes() -> None:
    numbers = [int(path.name[:4]) for path in sorted(MIGRATIONS.glob("*.sql"))]
    assert numbers == list(range(1, len(numbers) + 1))
