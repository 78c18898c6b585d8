"""Every package of the repository can be imported on its own."""

import importlib

import pytest


@pytest.mark.parametrize("name", ["domain", "projections", "consumers", "api", "api.cli", "infra"])
def test_a_package_imports_and_says_what_it_is(name: str) -> None:
    assert importlib.import_module(name).__doc__
