"""Every failpoint of the product is one at which some row kills."""

import ast
from functools import cache

import pytest

from tests.architecture.source import modules, text, tree
from tests.faults.rows import (
    row_03_relay_killed,
    row_04_intake_killed,
    row_04_projector_killed,
    row_10_close_killed,
)

KILLED_AT = {
    *row_03_relay_killed.PLACES,
    *row_04_intake_killed.PLACES,
    *(f"projector.{place}" for place in row_04_projector_killed.PLACES),
    *row_10_close_killed.PLACES,
}
REBUILD_TEST = "tests/consumers/test_rebuild.py"


@cache
def failpoints() -> set[str]:
    found: set[str] = set()
    for path in modules("domain", "projections", "infra", "consumers", "api"):
        if "failpoint(" not in text(path):  # to read all as syntax would take seconds
            continue
        for node in ast.walk(tree(path)):
            match node:
                case ast.Call(func=ast.Name(id="failpoint"), args=[ast.Constant(value=str(name))]):
                    found.add(name)
                case _:
                    continue
    return found


@pytest.mark.parametrize("name", sorted(failpoints()))
def test_something_is_killed_at_every_failpoint(name: str) -> None:
    assert name in KILLED_AT or f'"{name}"' in text(REBUILD_TEST)


def test_no_row_kills_at_a_place_that_is_gone() -> None:
    assert failpoints() >= KILLED_AT
