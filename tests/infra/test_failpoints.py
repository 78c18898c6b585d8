"""Failpoints: nothing in service, and exactly what a test asked for."""

import os
import signal
import subprocess
import sys

import pytest

from infra.failpoints import VARIABLE, Injected, action_of, failpoint, installed


def test_a_failpoint_does_nothing_in_service() -> None:
    reached: list[str] = []
    with installed("test.here", lambda: reached.append("here")):
        failpoint("test.here")
    failpoint("test.here")
    assert reached == ["here"]


def test_an_installed_action_runs_inside_its_block_only() -> None:
    with installed("test.here", action_of("raise")):
        failpoint("test.elsewhere")
        with pytest.raises(Injected):
            failpoint("test.here")
    failpoint("test.here")


def test_an_action_can_wait_for_its_turn() -> None:
    with installed("test.here", action_of("raise@2")):
        failpoint("test.here")
        with pytest.raises(Injected):
            failpoint("test.here")
        failpoint("test.here")


def test_a_child_dies_where_its_environment_says() -> None:
    program = (
        "from infra.failpoints import failpoint; failpoint('a'); failpoint('b'); print('alive')"
    )
    for text, code in (("b=kill", -signal.SIGKILL), ("a=wait:0,b=kill@2", 0)):
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", program], env=os.environ | {VARIABLE: text}, check=False
        )
        assert done.returncode == code


@pytest.mark.parametrize("text", ["explode", "wait:soon", "kill@often"])
def test_an_unknown_action_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        action_of(text)
