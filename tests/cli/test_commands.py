"""The command line, as a user types it: answers, exit codes, errors without tracebacks."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli.main import COMMANDS, NEXT_STEP, app
from consumers.real_book.life import loan_id_of

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def loanbook(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def answer(result: Result) -> dict[str, Any]:
    """The last line of standard output, which is for machines."""
    return json.loads(result.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_is_listed_is_there(name: str) -> None:
    result = loanbook(name, "--help")
    assert result.exit_code == 0
    assert f"loanbook {name} " in result.stdout


@pytest.mark.parametrize("kind", NEXT_STEP)
def test_every_error_with_a_next_step_is_one(kind: str) -> None:
    module, _, name = kind.partition(":")
    assert issubclass(getattr(import_module(module), name), Exception)


def test_a_process_loads_what_it_needs_and_no_more() -> None:
    """It is back the sooner after a crash."""
    found = subprocess.run(
        [sys.executable, "-c", "import sys, api.cli.main; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(found.stdout.split())
    assert "typer" in loaded
    assert not {"fastapi", "kafka", "psycopg", "domain.service"} & loaded


@pytest.fixture(scope="module")
def run_once(postgres_server: Any) -> Iterator[tuple[str, Result]]:  # noqa: ANN401 - a fixture
    """A database with the first 30 real loans in it, and what `loanbook run` said about it."""
    name = "cli_run"
    postgres_server.drop(name)
    dsn = postgres_server.create(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOANBOOK_DATABASE_URL", dsn)
        yield dsn, loanbook("run", "--no-serve", "--json", "--loans", "30")
    postgres_server.drop(name)


@pytest.fixture
def filled(run_once: tuple[str, Result], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LOANBOOK_DATABASE_URL", run_once[0])
    return run_once[0]


@pytest.fixture
def empty(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LOANBOOK_DATABASE_URL", database)
    return database


def test_run_imports_closes_and_reconciles(run_once: tuple[str, Result]) -> None:
    result = run_once[1]
    assert result.exit_code == 0, result.stderr
    said = answer(result)
    assert set(said) == {"ok", "snapshot_date", "loans", "events", "checks", "seconds"}
    assert (said["ok"], said["snapshot_date"], said["loans"]) == (True, "2018-06-25", 30)
    assert set(said["seconds"]) == {"import", "close"}
    assert [check["name"] for check in said["checks"]] == [
        "instalment_equals_published",
        "principal_within_two_cents",
        "loans_imported",
        "balances_equal",
        "parts_paid_equal",
        "totals_paid_equal",
        "statuses_equal",
        "day_totals_tie",
        "ledger_ties",
        "read_models_equal_fold",
        "event_chains_verify",
        "outcome_chain_verifies",
    ]
    assert all(set(c) == {"name", "ok", "expected", "actual", "exceptions"}
               for c in said["checks"])  # fmt: skip
    assert len(result.stdout.strip().splitlines()) == 1
    assert "Derived" in result.stderr


def test_running_again_imports_nothing(run_once: tuple[str, Result], filled: str) -> None:
    assert filled
    again = answer(loanbook("run", "--no-serve", "--json", "--loans", "30"))
    first = answer(run_once[1])
    assert (again["ok"], again["events"]) == (True, first["events"])
    assert again["seconds"] == {"import": 0.0, "close": 0.0}


def test_a_loan_is_replayed_by_its_row_as_of_a_date(filled: str) -> None:
    assert filled
    now = answer(loanbook("replay", "1", "--json"))
    then = answer(loanbook("replay", "1", "--as-of", "2018-04-30", "--json"))
    assert now["stream"] == f"loan-{loan_id_of(1)}"
    assert now["balances"]["principal_minor"] < then["balances"]["principal_minor"]
    assert len(then["events"]) < len(now["events"])
    shown = loanbook("replay", loan_id_of(1))
    assert "Instalments" in shown.stdout
    before = loanbook("replay", "1", "--known-at", "2018-01-01")
    assert before.exit_code == 1
    assert "had not been applied for" in before.stderr


def test_verify_holds_chains_read_models_and_states(filled: str) -> None:
    assert filled
    said = answer(loanbook("verify", "--states", "--json"))
    assert said["ok"]
    assert len(said["checks"]) == 4
    assert "states_equal_read_model" in loanbook("verify", "--states").stderr


def test_the_read_models_are_rebuilt(filled: str) -> None:
    assert filled
    said = answer(loanbook("rebuild", "all", "--json"))
    assert said["ok"]
    assert answer(loanbook("verify", "--json"))["ok"]


def test_a_closed_day_is_told_so(filled: str) -> None:
    assert filled
    said = answer(loanbook("close-day", "2018-06-25", "--json"))
    assert said["days"][0]["was_closed"] is True
    late = loanbook("close-day", "2018-06-25", "--until", "2018-07-02", "--json")
    assert late.exit_code == 0
    assert len(answer(late)["days"]) == 8


def test_a_file_is_imported_once(empty: str) -> None:
    assert empty
    path = str(EXAMPLES / "import.jsonl")
    dry = answer(loanbook("import", path, "--source", "core", "--dry-run", "--json"))
    assert (dry["ok"], dry["lines"], dry["accepted"]) == (True, 7, 0)
    first = answer(loanbook("import", path, "--source", "core", "--json"))
    assert (first["ok"], first["accepted"], first["repeated"]) == (True, 7, 0)
    again = answer(loanbook("import", path, "--source", "core", "--json"))
    assert (again["ok"], again["accepted"], again["repeated"]) == (True, 0, 7)


def test_a_store_with_other_loans_is_left_alone(empty: str) -> None:
    assert empty
    loanbook("import", str(EXAMPLES / "import.jsonl"), "--json")
    said = answer(loanbook("run", "--no-serve", "--json"))
    assert (said["ok"], said["loans"]) == (True, 0)


def test_a_bad_file_is_told_line_by_line(empty: str, tmp_path: Path) -> None:
    assert empty
    path = tmp_path / "bad.jsonl"
    path.write_text('{"on": "2026-03-02"}\nnonsense\n')
    result = loanbook("import", str(path))
    assert result.exit_code == 1
    assert "malformed_json" in result.stdout
    assert "Nothing was imported" in result.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["close-day", "yesterday"], "is no date"),
        (["close-day", "2018-06-25", "--until", "2018-06-01"], "is before"),
        (["import", "no/such/file"], "there is no file"),
        (["rebuild", "everything"], "there is no everything"),
        (["replay", "nobody"], "there is no loan nobody"),
        (["dead-letters", "show", "loan-x"], "is not parked"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(words: list[str], says: str, empty: str) -> None:
    assert empty
    result = loanbook(*words)
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_days_out_of_order_are_refused(empty: str) -> None:
    assert empty
    loanbook("import", str(EXAMPLES / "import.jsonl"), "--json")
    assert loanbook("close-day", "2026-03-05", "--json").exit_code == 0
    result = loanbook("close-day", "2026-03-08")
    assert result.exit_code == 1
    assert "close the days up to" in result.stderr


def test_doctor_says_what_is_there(empty: str) -> None:
    assert empty
    said = answer(loanbook("doctor", "--json"))
    assert said["ok"] is True
    assert {"python", "postgres", "disk"} <= {finding["what"] for finding in said["findings"]}
    assert "Loanbook doctor" in loanbook("doctor").stdout


def test_an_unreachable_database_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOANBOOK_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    result = loanbook("verify")
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    assert "PostgreSQL" in result.stderr
