"""The engine against the golden loan lives: every figure to the cent."""

import json
from functools import cache
from pathlib import Path

import pytest

from api.cli.vectors import Outcome, load, main, run
from tests.golden.vectors.compute_own import own_vectors

FOLDER = Path(__file__).parent / "vectors"
GOLDEN = {v["id"]: v for v in load(FOLDER / "golden.json")}
MORE = {v["id"]: v for v in load(FOLDER / "more.json.gz")}
OWN = {v["id"]: v for v in load(FOLDER / "own.json")}
EXCEPTIONS: dict[str, str] = json.loads((FOLDER / "exceptions.json").read_text())


@cache
def outcome(key: str) -> Outcome:
    return run((GOLDEN | MORE | OWN)[key])


@pytest.mark.parametrize("key", [key for key in GOLDEN if key not in EXCEPTIONS])
def test_a_golden_loan_agrees_in_every_figure(key: str) -> None:
    assert outcome(key) == Outcome("pass", None)


@pytest.mark.slow
@pytest.mark.parametrize("key", [key for key in MORE if key not in EXCEPTIONS])
def test_a_further_loan_agrees_in_every_figure(key: str) -> None:
    assert outcome(key) == Outcome("pass", None)


@pytest.mark.parametrize("key", OWN)
def test_a_loan_of_our_own_agrees_in_every_figure(key: str) -> None:
    """Chinese methods, 罚息, 复利, 随借随还, a floating rate: each vector names its rule."""
    assert outcome(key) == Outcome("pass", None)


def test_our_own_figures_are_those_of_the_script_beside_them() -> None:
    assert (FOLDER / "own.json").read_text(encoding="utf-8") == own_vectors()


@pytest.mark.parametrize("key", EXCEPTIONS)
def test_an_exception_is_still_one(key: str) -> None:
    assert outcome(key).status != "pass", f"{key} passes now: take it off the list"


def test_every_exception_has_a_reason() -> None:
    assert all(reason.strip() for reason in EXCEPTIONS.values())


def test_the_command_reports_and_fails_when_a_figure_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vector = json.loads(json.dumps(GOLDEN["unit-gen-002"]))
    vector["steps"][1]["rows"][1]["principal"] = "24.99"
    path, report = tmp_path / "one.json", tmp_path / "report.json"
    path.write_text(json.dumps([vector]))
    assert main([str(path), "--report", str(report)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"
    assert json.loads(report.read_text())["unit-gen-002"] == {
        "status": "fail",
        "first_difference": "step 1 schedule row 1 principal: expected 24.99, got 25.00",
    }


def test_the_command_counts_what_is_unsupported_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vector = json.loads(json.dumps(GOLDEN["unit-gen-002"]))
    vector["steps"].append({"op": "securitise"})
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"vectors": [vector, GOLDEN["unit-emi-013"]]}))
    assert main([str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["unsupported: 1", "1 passed, 0 failed"]
