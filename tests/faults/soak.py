"""Runs the fault matrix: `python -m tests.faults.soak`, or `make soak`; `--help` tells the options.

It prints a table and, as its last line, `N violations in M faults`; exit code 0 exactly if N is 0,
M is not, and every row asked for ran that this machine can run.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psycopg

from infra import log
from infra.settings import Settings
from tests.faults.found import Found, NotHere, Violation
from tests.faults.mutations import HARNESS
from tests.faults.registry import ROWS, Length, Row
from tests.faults.rig import Rig
from tests.support.kafka import waiting_broker
from tests.support.postgres import Server, running_server

MATRIX: Final = (*ROWS, HARNESS)
REPORT: Final = Path("reports/soak.json")
SHOWN_MAX: Final = 10
LIBRARIES: Final = ("psycopg", "kafka-python", "msgspec", "hypothesis")


@dataclass(slots=True, kw_only=True)
class Line:
    """What a row did, as the table and the report show it."""

    row: int
    fault: str
    count: int
    faults: int = 0
    violations: list[str] = field(default_factory=list[str])
    seconds: float = 0.0
    note: str = ""
    not_tested: str | None = None  # why this machine cannot

    @property
    def name(self) -> tuple[int, str]:
        """What tells rows apart."""
        return self.row, self.fault


@dataclass(slots=True, kw_only=True)
class Report:
    """A run that can be traced: seed, counts, versions, durations; written after every row."""

    length: str
    seed: int
    started: str
    machine: dict[str, str | int]
    lines: list[Line] = field(default_factory=list[Line])

    def write(self, path: Path) -> None:
        """Write it whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Report":
        """Read what was written."""
        plain = json.loads(path.read_text())
        return cls(**plain | {"lines": [Line(**line) for line in plain["lines"]]})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    options = _parser().parse_args(arguments)
    log.configure(Settings(log_level="CRITICAL"))
    length = Length.SHORT if options.short else Length.FULL
    chosen = [row for row in MATRIX if not options.row or row.number in options.row]
    if not chosen:
        print(f"no such row; there are {sorted({row.number for row in MATRIX})}")
        return 2
    with running_server() as server, waiting_broker() as broker:
        report = _begin(options, length, server)
        done = {line.name for line in report.lines}
        _print_head()
        for line in report.lines:
            _print(line)
        for row in chosen:
            if (row.number, row.fault) not in done:
                rig = partial(Rig, server=server, seed=options.seed, broker=broker)
                line = _run(row, row.count(length), rig)
                report.lines.append(line)
                report.write(options.report)
                _print(line)
    return _verdict(report, chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="soak", description="Inject every fault; count violations."
    )
    parser.add_argument("--short", action="store_true", help="every row, within twenty minutes")
    parser.add_argument("--seed", type=int, default=1, help="the same seed injects alike")
    parser.add_argument(
        "--row", type=int, action="append", default=[], help="only this; repeatable"
    )
    parser.add_argument("--resume", action="store_true", help="keep the clean rows of the report")
    parser.add_argument("--report", type=Path, default=REPORT, help=f"default: {REPORT}")
    return parser


def _begin(options: argparse.Namespace, length: Length, server: Server) -> Report:
    if options.resume and options.report.exists():
        kept = Report.read(options.report)
        if (kept.length, kept.seed) == (length.value, options.seed):
            kept.lines = [
                line for line in kept.lines if line.not_tested is None and not line.violations
            ]
            return kept
        print("the report is of another length or seed: beginning anew")
    return Report(
        length=length.value,
        seed=options.seed,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(server),
    )


def machine(server: Server) -> dict[str, str | int]:
    """Say where the run was made, and that durability was on."""
    with psycopg.connect(server.dsn) as connection:
        postgres = connection.execute("SELECT current_setting('server_version')").fetchone()
    assert postgres is not None
    return {
        "system": platform.platform(),
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "postgres": postgres[0],
        **server.durability(),
        **{library: version(library) for library in LIBRARIES},
    }


def _run(row: Row, count: int, make_rig: Callable[..., Rig]) -> Line:
    """Run one row; whatever goes wrong in it is a violation too."""
    line = Line(row=row.number, fault=row.fault, count=count)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="loanbook-soak-", ignore_cleanup_errors=True) as folder:
        rig = make_rig(folder=Path(folder))
        try:
            found = row.run(rig, count)
        except NotHere as reason:
            found = Found()
            line.not_tested = str(reason)
        except Exception as error:  # noqa: BLE001 - a row that breaks has not held
            traceback.print_exc(file=sys.stderr)
            detail = f"{type(error).__name__}: {error}"
            found = Found(violations=[Violation(invariant="the row broke", detail=detail)])
        finally:
            rig.forget()
    line.faults = found.faults
    line.violations = [str(violation) for violation in found.violations]
    line.note = found.note
    line.seconds = round(time.monotonic() - begun, 1)
    return line


def _print_head() -> None:
    print(f"{'row':>3}  {'fault':<34} {'injected':>8} {'violations':>10} {'seconds':>8}  note")


def _print(line: Line) -> None:
    note = f"not tested: {line.not_tested}" if line.not_tested else line.note
    print(
        f"{line.row:>3}  {line.fault:<34} {line.faults:>8} {len(line.violations):>10}"
        f" {line.seconds:>8.1f}  {note}",
        flush=True,
    )
    for violation in line.violations[:SHOWN_MAX]:
        print(f"     ! {violation}")


def _verdict(report: Report, chosen: Sequence[Row]) -> int:
    ran = {line.name: line for line in report.lines}
    left_out = [row.fault for row in chosen if (row.number, row.fault) not in ran]
    idle = [line.fault for line in report.lines if line.not_tested is None and line.faults == 0]
    violations = sum(len(line.violations) for line in report.lines)
    faults = sum(line.faults for line in report.lines)
    for name, rows in (("left out", left_out), ("injected nothing", idle)):
        if rows:
            print(f"{name}: {', '.join(rows)}")
    print(f"{violations} violations in {faults} faults")
    return 0 if violations == 0 and faults > 0 and not left_out and not idle else 1


if __name__ == "__main__":
    sys.exit(main())
