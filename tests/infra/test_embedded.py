"""The embedded PostgreSQL keeps every committed row, whatever kills it."""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from infra.embedded import DURABILITY, SOCKET_PATH_BYTES_MAX, EmbeddedPostgres, PostgresFailed

pytestmark = pytest.mark.postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lb-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def write(dsn: str, rows: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (i bigserial)")
        for _ in range(rows):
            connection.execute("INSERT INTO kept DEFAULT VALUES")


def count(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def lets_in(dsn: str) -> bool:
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        return False
    return True


def test_every_row_is_there_after_kill_minus_nine_of_everything(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg") as postgres:
        for round_number in range(1, 4):
            write(postgres.dsn, 50)
            postgres.kill()
            postgres.start()
            assert count(postgres.dsn) == 50 * round_number


def test_every_row_is_there_after_kill_minus_nine_of_the_main_process(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg") as postgres:
        write(postgres.dsn, 50)
        with psycopg.connect(postgres.dsn):  # a worker that outlives its postmaster for a moment
            main = postgres.postmaster()
            assert main is not None
            main.kill()
            postgres.start()
        assert count(postgres.dsn) == 50


def test_a_server_on_its_way_out_is_not_taken_for_one_that_runs(folder: Path) -> None:
    """Its main process was seen alive still; who waited for its answer was told that it ended."""
    with EmbeddedPostgres(folder / "pg") as postgres, ThreadPoolExecutor() as pool:
        write(postgres.dsn, 50)
        with psycopg.connect(postgres.dsn):
            main = postgres.postmaster()
            assert main is not None
            main.terminate()  # it lets nobody in any more, and ends when this connection does
            while lets_in(postgres.dsn):
                pass
            starting = pool.submit(postgres.start)
        starting.result()
        assert count(postgres.dsn) == 50
        assert postgres.postmaster() != main


def test_a_process_id_of_another_program_does_not_stop_the_start(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder / "pg")
    postgres.start()
    write(postgres.dsn, 1)
    postgres.kill()
    pid_file = folder / "pg" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with postgres:
        assert count(postgres.dsn) == 1


def test_a_running_server_is_shared_and_stopped_by_who_started_it(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg") as first:
        write(first.dsn, 1)
        main = first.postmaster()
        with EmbeddedPostgres(folder / "pg") as second:
            assert second.postmaster() == main
            assert count(second.dsn) == 1
        assert count(first.dsn) == 1
    assert first.postmaster() is None


def test_a_server_whose_starter_was_killed_is_adopted_and_stopped(folder: Path) -> None:
    orphaned = EmbeddedPostgres(folder / "pg")
    orphaned.start()
    (folder / "pg.owner").write_text('{"pid": 1, "started": 0}')
    with EmbeddedPostgres(folder / "pg") as heir:
        write(heir.dsn, 1)
    assert heir.postmaster() is None
    orphaned.stop()


def test_a_path_too_long_for_a_socket_works(folder: Path) -> None:
    deep = folder / ("d" * SOCKET_PATH_BYTES_MAX)
    with EmbeddedPostgres(deep / "pg") as postgres:
        write(postgres.dsn, 1)
        assert count(postgres.dsn) == 1


def test_durability_is_on(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg") as postgres, psycopg.connect(postgres.dsn) as connection:
        for name, value in DURABILITY.items():
            row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
            assert row == (value,)


def test_data_of_another_major_version_is_refused_untouched(folder: Path) -> None:
    (folder / "pg").mkdir()
    (folder / "pg" / "PG_VERSION").write_text("11\n")
    with pytest.raises(PostgresFailed, match="PostgreSQL 11"):
        EmbeddedPostgres(folder / "pg").start()
    assert [path.name for path in (folder / "pg").iterdir()] == ["PG_VERSION"]


def test_no_server_process_is_left(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg") as postgres:
        main = postgres.postmaster()
        assert main is not None
        workers = [main, *main.children(recursive=True)]
    alive = [p for p in workers if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert alive == []
