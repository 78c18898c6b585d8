"""The fault matrix: every row, what it injects and how often."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tests.faults.found import Found
from tests.faults.rig import Rig
from tests.faults.rows import (
    row_01_writer_killed,
    row_02_postgres_killed,
    row_04_projector_killed,
    row_07_held_lock,
    row_08_racing_writers,
    row_09_repeated_input,
    row_10_close_killed,
    row_11_poison,
    row_15_overload,
    row_16_tampering,
)


class Length(StrEnum):
    """How long a run may take: in the test suite, in twenty minutes, or as the matrix says."""

    CI = "ci"
    SHORT = "short"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row; the counts are those that its function takes."""

    number: int
    fault: str
    run: Callable[[Rig, int], Found]
    ci: int
    short: int
    full: int
    kafka: bool = False  # needs a broker

    def count(self, length: Length) -> int:
        """How much to inject in a run of some length."""
        return {Length.CI: self.ci, Length.SHORT: self.short, Length.FULL: self.full}[length]


ROWS: Final = (
    Row(
        number=1,
        fault="writer killed",
        run=row_01_writer_killed.run,
        ci=20,
        short=200,
        full=1_000,
    ),
    Row(
        number=2,
        fault="Postgres killed, sessions ended",
        run=row_02_postgres_killed.run,
        ci=3,
        short=12,
        full=50,
    ),
    Row(
        number=4,
        fault="projector killed (store feed)",
        run=row_04_projector_killed.run,
        ci=10,
        short=60,
        full=450,
    ),
    Row(
        number=7,
        fault="append lock held, idle transaction",
        run=row_07_held_lock.run,
        ci=2,
        short=4,
        full=50,
    ),
    Row(
        number=8,
        fault="racing writers on one loan",
        run=row_08_racing_writers.run,
        ci=1_000,
        short=5_000,
        full=50_000,
    ),
    Row(
        number=9,
        fault="repeated and reordered input",
        run=row_09_repeated_input.run,
        ci=2_000,
        short=10_000,
        full=100_000,
    ),
    Row(
        number=10,
        fault="close of day killed, twice, at once",
        run=row_10_close_killed.run,
        ci=10,
        short=60,
        full=200,
    ),
    Row(
        number=11, fault="poison events and loans", run=row_11_poison.run, ci=10, short=50, full=300
    ),
    Row(number=15, fault="overload", run=row_15_overload.run, ci=1, short=1, full=10),
    Row(
        number=16,
        fault="tampering",
        run=row_16_tampering.run,
        ci=50,
        short=300,
        full=1_000,
    ),
)


def rows_of(number: int) -> list[Row]:
    """Find the rows of a number."""
    return [row for row in ROWS if row.number == number]
