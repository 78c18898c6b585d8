"""How the suite is handed out to workers."""

import pytest


def test_what_shares_a_broker_or_a_file_is_handed_out_together(
    request: pytest.FixtureRequest,
) -> None:
    """A group counts only when it was named before xdist looks: then it ends the test's name."""
    grouped = [
        item for item in request.session.items if item.get_closest_marker("xdist_group") is not None
    ]
    assert grouped
    if getattr(request.config.option, "loadgroup", False):
        assert all("@" in item.nodeid for item in grouped)
