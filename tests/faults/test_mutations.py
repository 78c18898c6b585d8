"""The harness itself: without a safeguard, the row named beside it goes red."""

from pathlib import Path

import pytest

from tests.faults.mutants import Mutation
from tests.faults.mutations import caught
from tests.faults.safeguards import MUTATIONS
from tests.support.postgres import Server

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.safeguard.replace(" ", "-"))
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_missing_safeguard_is_noticed(
    mutation: Mutation, postgres_server: Server, tmp_path: Path
) -> None:
    seen = caught(mutation, postgres_server, tmp_path)
    assert seen, f"row {mutation.row} stays green without: {mutation.safeguard}"
