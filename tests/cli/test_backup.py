"""Backup and restore, as an operator does it: copy, lose, bring back, and know that it is whole."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner, Result

from api.cli.backup import seal_file
from api.cli.main import app
from tests.support.postgres import Server

BOOK = str(Path(__file__).parents[2] / "docs" / "examples" / "import.jsonl")


def loanbook(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def answer(result: Result) -> dict[str, Any]:
    return json.loads(result.stdout.strip().splitlines()[-1])


@pytest.fixture
def backed_up(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A backup of a small book that is still there."""
    monkeypatch.setenv("LOANBOOK_DATABASE_URL", database)
    assert answer(loanbook("import", BOOK, "--source", "core", "--json"))["accepted"] == 7
    file = tmp_path / "loanbook.backup"
    assert answer(loanbook("backup", str(file), "--json"))["events"] > 7
    return file


@pytest.fixture
def elsewhere(
    backed_up: Path, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A new, empty database, and the command line turned to it."""
    assert backed_up.is_file()
    name = f"restored_{uuid4().hex}"
    dsn = postgres_server.create(name)
    monkeypatch.setenv("LOANBOOK_DATABASE_URL", dsn)
    yield dsn
    postgres_server.drop(name)


def test_a_backup_comes_back_whole_and_goes_on(backed_up: Path, elsewhere: str) -> None:
    assert elsewhere
    restored = loanbook("restore", str(backed_up), "--json")
    assert restored.exit_code == 0, restored.stderr
    assert answer(restored)["ok"]
    assert answer(loanbook("verify", "--states", "--json"))["ok"]
    again = answer(loanbook("import", BOOK, "--source", "core", "--json"))
    assert (again["accepted"], again["repeated"]) == (0, 7)


def test_a_changed_backup_is_not_restored(backed_up: Path, elsewhere: str) -> None:
    content = bytearray(backed_up.read_bytes())
    content[len(content) // 2] ^= 1
    backed_up.write_bytes(content)
    result = loanbook("restore", str(backed_up))
    assert result.exit_code == 1
    assert "not the file that was sealed" in result.stderr
    with psycopg.connect(elsewhere) as connection:
        assert connection.execute("SELECT to_regclass('events')").fetchone() == (None,)


def test_a_tail_that_was_cut_before_the_backup_shows_against_an_older_seal(
    backed_up: Path, database: str, elsewhere: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = json.loads(seal_file(backed_up).read_bytes())
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER events_are_final")
        connection.execute("DELETE FROM events WHERE position = (SELECT position FROM log_head)")
        connection.execute("UPDATE log_head SET position = position - 1")
        connection.execute(
            "UPDATE stream_heads h SET version = e.version, hash = e.hash FROM ("
            " SELECT DISTINCT ON (stream) stream, version, hash FROM events"
            " ORDER BY stream, version DESC) AS e WHERE e.stream = h.stream"
        )
    monkeypatch.setenv("LOANBOOK_DATABASE_URL", database)
    later = tmp_path / "later.backup"
    assert loanbook("backup", str(later), "--json").exit_code == 0
    sealed = json.loads(seal_file(later).read_bytes())
    assert sealed["record"]["positions"]["0"] == kept["record"]["positions"]["0"] - 1
    # Whoever puts the kept seal beside the later copy is told that it is not the same record.
    kept["sha256"] = sealed["sha256"]
    seal_file(later).write_text(json.dumps(kept))
    monkeypatch.setenv("LOANBOOK_DATABASE_URL", elsewhere)
    result = loanbook("restore", str(later))
    assert result.exit_code == 1
    assert "not what was sealed" in result.stderr


def test_a_backup_is_only_restored_into_an_empty_database(backed_up: Path) -> None:
    result = loanbook("restore", str(backed_up))
    assert result.exit_code == 1
    assert "not empty" in result.stderr


def test_a_backup_overwrites_nothing(backed_up: Path) -> None:
    before = backed_up.read_bytes()
    result = loanbook("backup", str(backed_up))
    assert result.exit_code == 1
    assert "already" in result.stderr
    assert backed_up.read_bytes() == before
