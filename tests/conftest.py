"""Fixtures of the whole suite, its markers, where it writes, and how often properties run."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from infra.garbage import set_aside

pytest_plugins = [
    "tests.support.postgres",
    "tests.support.kafka",
    "tests.support.record",
    "tests.support.browser",
]

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - folders in it get random names
MEMORY_BYTES_MIN: Final = 8 * 2**30

# Where there is room, the suite writes to memory: a killed process loses as little there as on a
# disk, and a test's database is made in a tenth of the time. `make soak` writes to the disk.
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# A busy machine is no defect; tests/api/test_limits.py tests this bound at one of its own.
os.environ.setdefault("LOANBOOK_QUERY_SECONDS_MAX", "60")

# The suite meets the same examples each time, so that a red run says something about the change;
# `make soak` meets new ones, many (row 20).
settings.register_profile("suite", max_examples=25, derandomize=True, deadline=None)
settings.register_profile(
    "soak",
    max_examples=int(os.environ.get("LOANBOOK_EXAMPLES", "2000")),
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")

MARKER_OF_FIXTURE: Final = {"postgres_server": "postgres", "broker_jars": "kafka"}
LONGEST_FIRST: Final = ("kafka", "slow", "postgres")
SPREAD: Final = ("test_rows.py", "test_mutations.py")
"""Files of long tests that share nothing, a broker neither: each may go to another worker."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark properties, and a test by the servers it asks for, also through other fixtures.

    What shares a broker, a server's setup or a file's stays on one worker: xdist reads the groups
    after this. Long ones go first, so that all workers end at about the same time.
    """
    for item in items:
        assert isinstance(item, pytest.Function)
        if getattr(item.obj, "is_hypothesis_test", False):
            item.add_marker("property")
        for fixture, marker in MARKER_OF_FIXTURE.items():
            if fixture in item.fixturenames:
                item.add_marker(marker)
        if group := _group(item):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """Leave thousands of collected tests out of the garbage collector's rounds."""
    set_aside()


def _turn(item: pytest.Item) -> int:
    """Tell when a test is handed out: those that wait and take long first, the shortest last."""
    marked = [name for name in LONGEST_FIRST if item.get_closest_marker(name)]
    return LONGEST_FIRST.index(marked[0]) if marked else len(LONGEST_FIRST)


def _group(item: pytest.Item) -> str:
    """Name what stays on one worker, because it shares what is slow to set up; empty: nothing."""
    if item.path.name in SPREAD:
        return ""
    if item.get_closest_marker("kafka"):
        return "kafka"
    folder = item.path.parent.name
    return folder if folder == "console" else f"{folder}/{item.path.stem}"
