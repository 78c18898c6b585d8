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
    row_03_relay_killed,
    row_04_intake_killed,
    row_04_kafka_projectors_killed,
    row_04_projector_killed,
    row_05_broker_wiped,
    row_06_broker_slow,
    row_07_held_lock,
    row_08_racing_writers,
    row_09_bad_wire,
    row_09_repeated_input,
    row_10_close_killed,
    row_11_poison,
    row_11_poison_on_kafka,
    row_12_old_versions,
    row_13_clock,
    row_14_disk_full,
    row_15_overload,
    row_16_tampering,
    row_17_api_fuzz,
    row_18_stories,
    row_19_simulation,
    row_20_engine,
    row_20_properties,
    row_21_servers_killed,
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
        """How much to inject in a run of some length; 0: left out of the test suite."""
        return {Length.CI: self.ci, Length.SHORT: self.short, Length.FULL: self.full}[length]


ROWS: Final = (
    Row(
        number=1,
        fault="writer killed",
        run=row_01_writer_killed.run,
        ci=20,
        short=300,
        full=1000,
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
        number=3,
        fault="relay killed",
        run=row_03_relay_killed.run,
        ci=24,
        short=60,
        full=500,
        kafka=True,
    ),
    Row(
        number=4,
        fault="projector killed (store feed)",
        run=row_04_projector_killed.run,
        ci=10,
        short=200,
        full=450,
    ),
    Row(
        number=4,
        fault="projectors killed (Kafka)",
        run=row_04_kafka_projectors_killed.run,
        ci=10,
        short=25,
        full=50,
        kafka=True,
    ),
    Row(
        number=4,
        fault="intake killed",
        run=row_04_intake_killed.run,
        ci=8,
        short=20,
        full=100,
        kafka=True,
    ),
    Row(
        number=5,
        fault="broker killed, wiped",
        run=row_05_broker_wiped.run,
        ci=2,
        short=4,
        full=20,
        kafka=True,
    ),
    Row(
        number=6,
        fault="broker frozen, line cut or slow",
        run=row_06_broker_slow.run,
        ci=4,
        short=16,
        full=100,
        kafka=True,
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
        ci=200,
        short=1000,
        full=5000,
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
        number=9,
        fault="repeated, reordered, lost (Kafka)",
        run=row_09_bad_wire.run,
        ci=1_000,
        short=4_000,
        full=100_000,
        kafka=True,
    ),
    Row(
        number=10,
        fault="close of day killed, twice, at once",
        run=row_10_close_killed.run,
        ci=10,
        short=100,
        full=200,
    ),
    Row(
        number=11, fault="poison events and loans", run=row_11_poison.run, ci=10, short=60, full=300
    ),
    Row(
        number=11,
        fault="poison events (Kafka)",
        run=row_11_poison_on_kafka.run,
        ci=5,
        short=20,
        full=300,
        kafka=True,
    ),
    Row(
        number=12,
        fault="old versions, unknown fields",
        run=row_12_old_versions.run,
        ci=10,
        short=100,
        full=1000,
    ),
    Row(
        number=13,
        fault="clock jumps, backdated payments",
        run=row_13_clock.run,
        ci=100,
        short=1000,
        full=2000,
    ),
    Row(number=14, fault="disk full", run=row_14_disk_full.run, ci=1, short=5, full=20),
    Row(number=14, fault="fsync lost", run=row_14_disk_full.lost_fsync, ci=0, short=1, full=1),
    Row(number=15, fault="overload", run=row_15_overload.run, ci=1, short=1, full=10),
    Row(
        number=16,
        fault="tampering",
        run=row_16_tampering.run,
        ci=50,
        short=500,
        full=1000,
    ),
    Row(
        number=17,
        fault="API fuzz",
        run=row_17_api_fuzz.run,
        ci=500,
        short=1000,
        full=10_000,
    ),
    Row(number=18, fault="domain stories", run=row_18_stories.run, ci=100, short=500, full=5000),
    Row(
        number=19,
        fault="the system, simulated",
        run=row_19_simulation.run,
        ci=200,
        short=2500,
        full=10000,
    ),
    Row(
        number=20,
        fault="lives of the servicing engine",
        run=row_20_engine.run,
        ci=0,  # the test suite meets them in tests/domain/servicing
        short=200,
        full=2000,
    ),
    Row(
        number=20,
        fault="every property of the suite",
        run=row_20_properties.run,
        ci=0,  # it is the suite's own
        short=200,
        full=2000,
    ),
    Row(
        number=21,
        fault="API, relay, projector killed",
        run=row_21_servers_killed.run,
        ci=200,
        short=330,
        full=2000,
        kafka=True,
    ),
)


def rows_of(number: int) -> list[Row]:
    """Find the rows of a number."""
    return [row for row in ROWS if row.number == number]
