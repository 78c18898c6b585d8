"""Runs loan vectors through the engine's public simulation and compares every checkpoint.

`python -m api.cli.vectors PATH [--tags a,b] [--report path]`. It calculates nothing itself.
"""

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from api.cli import vector_rows as rows
from api.cli.vector_steps import operation_of
from api.cli.vector_terms import Unsupported, items, terms_of
from domain.servicing.operations import Operation
from domain.servicing.simulation import Simulation, State, simulate

Json = Mapping[str, Any]
INFORMATION = frozenset({"check", "as_of", "ignore_accruals", "rows", "row", "periods"})


class Outcome(NamedTuple):
    """How a vector ended; `difference` is the first one, or what is unsupported."""

    status: str
    difference: str | None


class Different(Exception):
    """A figure is not what the vector says."""


def load(path: Path) -> list[Json]:
    """Vectors of a file; raises OSError or ValueError if it cannot be read."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    content: Any = json.loads(text)
    return items({"vectors": content} if isinstance(content, list) else content, "vectors")


def run(vector: Json) -> Outcome:
    """Run one vector."""
    try:
        terms = terms_of(vector["terms"])
        operations: list[Operation] = []
        for number, step in enumerate(vector["steps"]):
            if "op" in step:
                operations.append(_translated(number, step))
            elif step["check"] not in CHECKS:
                raise Unsupported(f"step {number} {step['check']}")  # noqa: TRY301
    except Unsupported as reason:
        return Outcome("unsupported", str(reason))
    try:
        simulation = simulate(terms, operations)
        _compare(vector["steps"], simulation)
    except Different as difference:
        return Outcome("fail", str(difference))
    except Exception as error:  # noqa: BLE001 - a broken vector must not stop the run
        return Outcome("fail", f"{type(error).__name__}: {error}".replace("\n", " "))
    return Outcome("pass", None)


def _translated(number: int, step: Json) -> Operation:
    try:
        return operation_of(step)
    except Unsupported as reason:
        text = str(reason)
        text = text if text.startswith(step["op"]) else f"{step['op']}: {text}"
        raise Unsupported(f"step {number} {text}") from None


def _compare(steps: Sequence[Json], simulation: Simulation) -> None:
    done = 0
    for number, step in enumerate(steps):
        if "op" in step:
            paid = simulation.paid_off_minor[done]
            done += 1
            expected = step.get("expected_amount")
            if expected is not None and paid is not None:
                _same(f"step {number} pay_off amount", expected, rows.money(paid))
            continue
        where = f"step {number} {step['check']}"
        if not done:
            raise Different(f"{where}: expected a state, got none")
        CHECKS[step["check"]](where, step, simulation.states[done - 1])


def _same(where: str, expected: object, got: object) -> None:
    if expected != got:
        raise Different(f"{where}: expected {_text(expected)}, got {_text(got)}")


def _text(value: object) -> str:
    return "null" if value is None else str(value)


def _same_row(where: str, expected: Json, got: Json) -> None:
    for key, value in expected.items():
        _same(f"{where} {key}", value, got.get(key))


def _check_schedule(where: str, step: Json, state: State) -> None:
    expected = [r for r in step["rows"] if "disbursement_on" not in r]
    got = rows.schedule_rows(state)
    if step.get("periods") is not None:
        _same(f"{where} periods", step["periods"], len(got))
    for index, row in enumerate(expected):
        at = f"{where} row {row.get('n', index)}"
        if index >= len(got):
            raise Different(f"{at}: expected a row, got none")
        _same_row(at, row, got[index])
    if len(got) > len(expected):
        raise Different(f"{where} row {got[len(expected)]['n']}: expected none, got a row")
    disbursed = [r for r in step["rows"] if "disbursement_on" in r]
    if disbursed or any("paid_on" in row for row in expected):
        _same_set(f"{where} disbursement", disbursed, rows.disbursement_rows(state))


def _same_set(where: str, expected: Sequence[Json], got: Sequence[Json]) -> None:
    left = list(got)
    for index, row in enumerate(expected):
        at = f"{where} row {index}"
        if not left:
            raise Different(f"{at}: expected a row, got none")
        best = min(left, key=lambda candidate: _distance(row, candidate))
        _same_row(at, row, best)
        left.remove(best)
    if left:
        raise Different(f"{where} rows: expected {len(expected)}, got {len(got)}")


def _distance(expected: Json, got: Json) -> int:
    return sum(got.get(key) != value for key, value in expected.items())


def _check_totals(where: str, step: Json, state: State) -> None:
    _same_row(where, step["row"], rows.totals_row(state))


def _check_transactions(where: str, step: Json, state: State) -> None:
    got = rows.transaction_rows(state, ignore_accruals=bool(step.get("ignore_accruals")))
    by_day: dict[str, list[Json]] = {}
    for row in got:
        by_day.setdefault(row["date"], []).append(row)
    for index, row in enumerate(step["rows"]):
        at = f"{where} row {index}"
        candidates = by_day.get(row["date"], [])
        if not candidates:
            raise Different(f"{at}: expected {row['type']} on {row['date']}, got none")
        best = min(candidates, key=lambda candidate: _distance(row, candidate))
        _same_row(at, row, best)
        candidates.remove(best)
    extra = [row for candidates in by_day.values() for row in candidates]
    if extra:
        what = f"{extra[0]['type']} {extra[0]['amount']} on {extra[0]['date']}"
        raise Different(f"{where} rows: expected {len(step['rows'])}, got {len(got)}: {what}")


def _check_charges(where: str, step: Json, state: State) -> None:
    _same_set(where, step["rows"], rows.charge_rows(state))


def _check_outstanding(where: str, step: Json, state: State) -> None:
    _same(f"{where} amount", step["amount"], rows.money(state.account.outstanding.total))


def _check_overpaid(where: str, step: Json, state: State) -> None:
    _same(f"{where} amount", step["amount"], rows.money(state.account.overpaid))


def _check_status(where: str, step: Json, state: State) -> None:
    _same(where, step["status"], rows.status_name(state))


def _check_met(where: str, _step: Json, state: State) -> None:
    _same(where, expected=True, got=state.account.obligations_met)


CHECKS = {
    "schedule": _check_schedule,
    "totals": _check_totals,
    "transactions": _check_transactions,
    "charges": _check_charges,
    "outstanding": _check_outstanding,
    "overpaid": _check_overpaid,
    "status": _check_status,
    "closed_obligations_met": _check_met,
}


def _table(vectors: Sequence[Json], outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    counts: dict[str, Counter[str]] = {}
    for vector in vectors:
        for tag in items(vector, "features"):
            counts.setdefault(tag, Counter())[outcomes[vector["id"]].status] += 1
    width = max((len(tag) for tag in counts), default=3)
    yield f"{'tag':<{width}}  pass  fail  unsupported"
    for tag in sorted(counts):
        count = counts[tag]
        yield f"{tag:<{width}}  {count['pass']:>4}  {count['fail']:>4}  {count['unsupported']:>11}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="vectors", description="Run loan vectors.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--tags", default="")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args(arguments)
    try:
        vectors = load(options.path)
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot read {options.path}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    tags = {tag.strip() for tag in options.tags.split(",") if tag.strip()}
    if tags:
        vectors = [v for v in vectors if tags & set(items(v, "features"))]
    outcomes = {vector["id"]: run(vector) for vector in vectors}
    for line in _table(vectors, outcomes):
        print(line)  # noqa: T201
    count = Counter(outcome.status for outcome in outcomes.values())
    print(f"unsupported: {count['unsupported']}")  # noqa: T201
    print(f"{count['pass']} passed, {count['fail']} failed")  # noqa: T201
    if options.report is not None:
        report = {
            key: {"status": outcome.status, "first_difference": outcome.difference}
            for key, outcome in outcomes.items()
        }
        options.report.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if count["pass"] and not count["fail"] else 1


if __name__ == "__main__":
    sys.exit(main())
