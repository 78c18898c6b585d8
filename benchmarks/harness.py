"""What every benchmark shares: rounds of ours beside a peer, ratios, the result file, the server.

A benchmark is a module with `run(options) -> list[Result]` and, to stand alone,
`if __name__ == "__main__": harness.main(run)`. `python -m benchmarks` runs all of them.

Rules of fair measurement: peer and ours run in one process group, on one server, with the same
payload, durability and number of events a call, by turns (A B A B); the ratio is the median of the
rounds' ratios and always the higher the better; the work is checked inside the run.
"""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Literal
from uuid import uuid4

import psycopg
from psycopg import sql

from infra.embedded import EmbeddedPostgres
from infra.migrate import migrate

RESULTS = Path(__file__).parent / "results.json"
SERVER_VARIABLE = "LOANBOOK_BENCH_DATABASE_URL"
_TEMPLATE = "loanbook_bench"
_TIME_UNITS = {"s", "ms", "us"}
_WHOLE_FROM = 100  # larger figures are printed without decimals
_SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "shared_buffers",
)


def machine() -> str:
    """Describe the machine and the versions a figure depends on."""
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("psycopg", "eventsourcing", "kafka-python")
    )
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {libraries}; single machine, no replication"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is asked for. `size` scales the amount of work, None means the benchmark's own."""

    full: bool = False
    rounds: int = 3
    seconds: float = 1.5  # of one timed turn, for benchmarks that run for a time
    size: int | None = None
    only: tuple[str, ...] = ()
    busy: bool = False  # the close of a day, with payments beside it
    every_loan: bool = False  # the close of a day that acts on every loan

    @property
    def bounded(self) -> bool:
        """Tell whether this is the short run, which ends in a time that is known before."""
        return not self.full and self.size is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the result file. None where a benchmark did not run."""

    name: str
    status: Literal["ok", "not_run"]
    reason: str | None = None
    ours: float | None = None  # median of the rounds
    peer: float | None = None
    unit: str | None = None
    ratio: float | None = None  # the higher the better, also for a latency: limit by ours
    min: float | None = None
    max: float | None = None
    floor: float | None = None  # None: reported, not judged
    target: float | None = None
    machine: str = field(default_factory=machine)
    date: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())

    @property
    def failed(self) -> bool:
        """Tell whether a measured ratio is under its floor."""
        return self.ratio is not None and self.floor is not None and self.ratio < self.floor


@dataclass(frozen=True, slots=True)
class Round:
    """Both sides of one turn, in the same unit."""

    ours: float
    peer: float


def interleave(
    rounds: int,
    ours: Callable[[], float],
    peer: Callable[[], float],
    *,
    slices: int = 1,
    warm: bool = True,
) -> list[Round]:
    """Measure both sides by turns, after one turn of each to warm up.

    `slices`: a round is so many short turns of each, so that what slows the machine for a moment
    slows both; every other pair begins with ours, and the round's figures are the turns' medians.
    `warm` False: both sides have run before.
    """
    if warm:
        peer()
        ours()
    return [_round(slices, ours, peer) for _ in range(rounds)]


def _round(slices: int, ours: Callable[[], float], peer: Callable[[], float]) -> Round:
    own: list[float] = []
    other: list[float] = []
    for number in range(slices):
        if number % 2:
            own.append(ours())
            other.append(peer())
        else:
            other.append(peer())
            own.append(ours())
    return Round(ours=median(own), peer=median(other))


def compared(
    name: str,
    rounds: Sequence[Round],
    unit: str,
    *,
    floor: float | None = None,
    target: float | None = None,
) -> Result:
    """Make a result of rounds. Rates compare as ours by peer, times as peer by ours."""
    is_time = unit in _TIME_UNITS
    ratios = [(turn.peer / turn.ours) if is_time else (turn.ours / turn.peer) for turn in rounds]
    return Result(
        name=name,
        status="ok",
        ours=median(turn.ours for turn in rounds),
        peer=median(turn.peer for turn in rounds),
        unit=unit,
        ratio=median(ratios),
        min=min(ratios),
        max=max(ratios),
        floor=floor,
        target=target,
    )


def bounded(
    name: str, values: Sequence[float], limit: float, unit: str, *, target: float | None = None
) -> Result:
    """Make a result of figures that a limit bounds: a rate from below, a time from above.

    Both are shown as ratios, so the floor is 1. `target` is in the unit, None: there is none.
    """
    rounds = [Round(ours=value, peer=limit) for value in values]
    wanted = None
    if target is not None:
        wanted = limit / target if unit in _TIME_UNITS else target / limit
    return compared(name, rounds, unit, floor=1.0, target=wanted)


@contextmanager
def ending_within(seconds: int) -> Generator[None]:
    """Raise TimeoutError in the block when it takes longer, 0: never. For the main thread."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def not_run(name: str, reason: str) -> Result:
    """Say that a benchmark could not run here, and why."""
    return Result(name=name, status="not_run", reason=reason)


Fill = Callable[[str], None]
"""Fills a migrated database, given its DSN."""


class Server:
    """A PostgreSQL for benchmarks, with a fresh migrated database for each turn."""

    def __init__(self, dsn: str, filled: set[str]) -> None:
        """`filled`: databases to copy that were made in this run already."""
        self.dsn = dsn
        self.filled = filled

    def describe(self) -> str:
        """Tell the settings that a figure depends on."""
        with psycopg.connect(self.dsn) as connection:
            rows = connection.execute(
                "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name",
                (list(_SETTINGS),),
            ).fetchall()
        return ", ".join(f"{name} {value}" for name, value in rows)

    @contextmanager
    def database(self) -> Generator[str]:
        """Make an empty migrated database; yield its DSN; drop it at the end."""
        name = f"bench_{uuid4().hex}"
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, _TEMPLATE)
        try:
            yield self._dsn_of(name)
        finally:
            self._execute("DROP DATABASE {} WITH (FORCE)", name)

    @contextmanager
    def copy_of(self, name: str, fill: Fill) -> Generator[str]:
        """Copy a database that is made and filled once in a run; yield the copy's DSN."""
        original = f"loanbook_bench_{name}"
        if original not in self.filled:
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", original)
            self._execute("CREATE DATABASE {} TEMPLATE {}", original, _TEMPLATE)
            fill(self._dsn_of(original))
            self.filled.add(original)
        copy = f"bench_{uuid4().hex}"
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", copy, original)
        try:
            yield self._dsn_of(copy)
        finally:
            self._execute("DROP DATABASE {} WITH (FORCE)", copy)

    def prepare(self) -> None:
        """Migrate the template that databases are copied from."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", _TEMPLATE)
        self._execute("CREATE DATABASE {}", _TEMPLATE)
        migrate(self._dsn_of(_TEMPLATE))

    def _dsn_of(self, name: str) -> str:
        head, _, query = self.dsn.partition("?")
        return head.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            identifiers = [sql.Identifier(name) for name in names]
            connection.execute(sql.SQL(statement).format(*identifiers))  # pyright: ignore[reportArgumentType]


_running: list[Server] = []


@contextmanager
def server() -> Generator[Server]:
    """Start the embedded PostgreSQL, or use the one that LOANBOOK_BENCH_DATABASE_URL names.

    Inside the block of another call it hands out the server that runs already.
    """
    if _running:
        yield _running[0]
        return
    with ExitStack() as stack:
        dsn = os.environ.get(SERVER_VARIABLE)
        if dsn is None:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="lb-bench-", ignore_cleanup_errors=True)
            )
            place = Path(folder) / "postgres"
            dsn = stack.enter_context(EmbeddedPostgres(place, database="postgres")).dsn
        running = stack.enter_context(server_at(dsn, set()))
        running.prepare()
        yield running


@contextmanager
def server_at(dsn: str, filled: set[str]) -> Generator[Server]:
    """Let `server` hand out one that runs and is prepared, while the block runs."""
    _running.append(Server(dsn, filled))
    try:
        yield _running[0]
    finally:
        _running.clear()


def print_table(results: Sequence[Result]) -> None:
    """Print results as a table a reader can paste into docs/performance.md."""
    print("\n| benchmark | ours | beside it | unit | ratio | min to max | floor | target |")
    print("|---|---|---|---|---|---|---|---|")
    for one in results:
        if one.status == "not_run":
            print(f"| {one.name} | not run: {one.reason} | | | | | | |")
            continue
        verdict = " **under its floor**" if one.failed else ""
        print(
            f"| {one.name} | {_figure(one.ours)} | {_figure(one.peer)} | {one.unit} "
            f"| {_figure(one.ratio)}{verdict} | {_figure(one.min)} to {_figure(one.max)} "
            f"| {_figure(one.floor)} | {_figure(one.target)} |"
        )


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:.3g}"


def save(results: Sequence[Result], path: Path = RESULTS, *, instead_of: str = "") -> None:
    """Write the results; lines of other benchmarks, and of other sizes, in the file stay.

    `instead_of` names the line that says why the benchmark broke when it ran last.
    """
    kept: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    names = {instead_of, *(one.name for one in results)}
    lines = [line for line in kept if line["name"] not in names]
    lines += [asdict(one) for one in results]
    path.write_text(json.dumps(lines, indent=1) + "\n")


def saved(path: Path = RESULTS) -> list[Result]:
    """Read the results of the last run of each benchmark."""
    return [Result(**line) for line in json.loads(path.read_text())] if path.exists() else []


def report(results: Sequence[Result]) -> int:
    """Print, save, and return the exit code: 1 if a ratio is under its floor."""
    print_table(results)
    save(results)
    return int(any(one.failed for one in results))


def options(arguments: Sequence[str] | None = None) -> Options:
    """Read the arguments that all benchmarks share."""
    parser = argparse.ArgumentParser()
    parser.add_argument("only", nargs="*", help="names of benchmarks; none means all")
    parser.add_argument("--full", action="store_true", help="the long sizes")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of one timed turn")
    parser.add_argument(
        "--size", "--loans", type=int, help="amount of work, in the benchmark's own unit"
    )
    close = parser.add_mutually_exclusive_group()
    close.add_argument("--busy", action="store_true", help="daily_close: payments beside it")
    close.add_argument(
        "--every-loan", action="store_true", help="daily_close: a day that acts on every loan"
    )
    given = parser.parse_args(arguments)
    return Options(
        full=given.full,
        rounds=given.rounds or (5 if given.full else 3),
        seconds=given.seconds or (5.0 if given.full else 1.5),
        size=given.size,
        only=tuple(given.only),
        busy=given.busy,
        every_loan=given.every_loan,
    )


def main(run: Callable[[Options], list[Result]]) -> None:
    """Run one benchmark alone."""
    print(machine())
    sys.exit(report(run(options())))
