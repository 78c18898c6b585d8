"""Named places where a test may kill, fail or hold a process. In service they do nothing.

A test in the same process uses `installed`; a child process reads `LOANBOOK_FAILPOINTS`, such as
`relay.after_produce=kill@3,relay.before_save=wait:2`: die at the third pass, wait two seconds at
every one. Actions are `kill` (SIGKILL to itself), `raise` and `wait:SECONDS`.
"""

import os
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from typing import Final

VARIABLE: Final = "LOANBOOK_FAILPOINTS"

Action = Callable[[], None]
_actions: dict[str, Action] = {}


class Injected(Exception):
    """A test asked for this failure."""


def failpoint(name: str) -> None:
    """Do what a test installed under this name; else nothing."""
    if _actions and (action := _actions.get(name)):
        action()


@contextmanager
def installed(name: str, action: Action) -> Generator[None]:
    """Install an action in this process for the time of the block."""
    _actions[name] = action
    try:
        yield
    finally:
        _actions.pop(name, None)


def action_of(text: str) -> Action:
    """Read an action such as `kill`, `raise@3` or `wait:0.5`. Raises ValueError."""
    what, _, nth = text.partition("@")
    verb, _, argument = what.partition(":")
    match verb:
        case "kill":
            act = _kill
        case "raise":
            act = _raise
        case "wait":
            seconds = float(argument)

            def act() -> None:
                time.sleep(seconds)

        case _:
            raise ValueError(f"{text!r} is not an action")
    return _at(act, int(nth)) if nth else act


def read_environment(text: str | None = None) -> None:
    """Install what `LOANBOOK_FAILPOINTS` (or `text`) says. Raises ValueError."""
    for part in filter(None, (text or os.environ.get(VARIABLE, "")).split(",")):
        name, _, action = part.partition("=")
        _actions[name] = action_of(action)


def _at(act: Action, nth: int) -> Action:
    passes = count(1)

    def act_once() -> None:
        if next(passes) == nth:
            act()

    return act_once


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise() -> None:
    raise Injected("a test asked for this")


read_environment()
