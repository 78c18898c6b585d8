"""Every row of the fault matrix with the counts of the test suite; `make soak` has the others."""

import os
from pathlib import Path

import pytest

from tests.faults.found import NotHere
from tests.faults.registry import ROWS, Length, Row
from tests.faults.rig import Rig
from tests.support.kafka import ProxiedBroker
from tests.support.postgres import Server

SEED = int(os.environ.get("LOANBOOK_FAULT_SEED", "1"))

pytestmark = pytest.mark.slow


def named(row: Row) -> str:
    return f"{row.number}-{row.fault.replace(' ', '-')}"


def check_row(row: Row, server: Server, folder: Path, broker: ProxiedBroker | None = None) -> None:
    rig = Rig(server=server, folder=folder, seed=SEED, broker=broker)
    try:
        found = row.run(rig, row.count(Length.CI))
    except NotHere as reason:
        pytest.skip(f"not tested: {reason}")
    finally:
        rig.forget()
    print(f"{found.faults} faults; {found.note}")
    assert found.violations == []
    assert found.faults > 0


@pytest.mark.parametrize("row", [row for row in ROWS if row.ci and not row.kafka], ids=named)
def test_nothing_is_lost_doubled_or_reordered(
    row: Row, postgres_server: Server, tmp_path: Path
) -> None:
    check_row(row, postgres_server, tmp_path)


@pytest.mark.parametrize("row", [row for row in ROWS if row.ci and row.kafka], ids=named)
def test_nothing_is_lost_doubled_or_reordered_on_kafka(
    row: Row, postgres_server: Server, session_broker: ProxiedBroker, tmp_path: Path
) -> None:
    check_row(row, postgres_server, tmp_path, session_broker)
