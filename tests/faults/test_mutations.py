"""The harness itself: without a safeguard, the row named beside it goes red."""

from pathlib import Path

import pytest

from tests.faults.mutants import Mutation
from tests.faults.mutations import caught, rows_without
from tests.faults.rig import Rig
from tests.faults.safeguards import MUTATIONS
from tests.support.kafka import ProxiedBroker
from tests.support.postgres import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


def chosen(*, kafka: bool) -> list[Mutation]:
    return [m for m in MUTATIONS if m.ci and rows_without(m)[0].kafka == kafka]


def named(mutation: Mutation) -> str:
    return mutation.safeguard.replace(" ", "-")


def check_noticed(mutation: Mutation, rig: Rig) -> None:
    seen = caught(mutation, rig)
    assert seen, f"row {mutation.row} stays green without: {mutation.safeguard}"


@pytest.mark.parametrize("mutation", chosen(kafka=False), ids=named)
def test_a_missing_safeguard_is_noticed(
    mutation: Mutation, postgres_server: Server, tmp_path: Path
) -> None:
    check_noticed(mutation, Rig(server=postgres_server, folder=tmp_path))


@pytest.mark.parametrize("mutation", chosen(kafka=True), ids=named)
def test_a_missing_safeguard_is_noticed_on_kafka(
    mutation: Mutation, postgres_server: Server, session_broker: ProxiedBroker, tmp_path: Path
) -> None:
    check_noticed(mutation, Rig(server=postgres_server, folder=tmp_path, broker=session_broker))
