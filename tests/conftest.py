"""Fixtures of the whole suite, and the markers that follow from them."""

import pytest

pytest_plugins = [
    "tests.support.postgres",
    "tests.support.kafka",
    "tests.support.record",
    "tests.support.browser",
]

MARKER_OF_FIXTURE = {"postgres_server": "postgres", "broker_jars": "kafka"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark a test by the servers it asks for, directly or through other fixtures."""
    for item in items:
        assert isinstance(item, pytest.Function)
        for fixture, marker in MARKER_OF_FIXTURE.items():
            if fixture in item.fixturenames:
                item.add_marker(marker)
