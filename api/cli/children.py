"""Child processes of one command: started together, ended together. It knows no process by name."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from api.cli.output import note

STOP_SECONDS_MAX: Final = 15
"""A child that has not ended by then is killed; everything it may lose is repeated."""
POLL_SECONDS: Final = 0.2
SUPERVISOR: Final = "LOANBOOK_SUPERVISOR"
"""Tells a child who started it: should that one be killed, the child ends by itself."""


class ChildEnded(Exception):
    """A child process ended by itself; the others were stopped."""


@dataclass(slots=True)
class Children:
    """Processes in the order in which they were started."""

    _running: dict[str, subprocess.Popen[bytes]] = field(
        default_factory=dict[str, "subprocess.Popen[bytes]"]
    )

    def start(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start `loanbook ARGUMENTS` in a session of its own, so that Ctrl-C reaches us alone."""
        mine = {SUPERVISOR: str(os.getpid())}
        self._running[name] = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "api.cli.main", *arguments],
            env=os.environ | (environment or {}) | mine,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ended(self) -> str | None:
        """Name a child that has ended; None: all run."""
        return next((n for n, child in self._running.items() if child.poll() is not None), None)

    def wait(self, stopping: "Stopping") -> None:
        """Return when told to stop. Raises ChildEnded when a child ends before that."""
        while not stopping.asked:
            name = self.ended()
            if name is not None:
                code = self._running[name].returncode
                raise ChildEnded(f"{name} ended with exit code {code}; its log is above")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End one after the other, the last started first; kill what does not end in time."""
        for name, child in reversed(self._running.items()):
            if child.poll() is None:
                child.terminate()
            try:
                child.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                note(f"{name} did not end in {STOP_SECONDS_MAX} s and is killed")
                child.kill()
                child.wait()


class Stopping:
    """Whether SIGINT or SIGTERM has asked this process to stop, or its supervisor is gone."""

    def __init__(self) -> None:
        self._signalled = False
        self._supervisor = os.environ.get(SUPERVISOR)

    @property
    def asked(self) -> bool:
        """Tell whether to stop."""
        orphaned = self._supervisor is not None and self._supervisor != str(os.getppid())
        return self._signalled or orphaned

    def ask(self, signum: int, frame: FrameType | None) -> None:
        """Take a signal."""
        del signum, frame
        self._signalled = True


@contextmanager
def stopping() -> Generator[Stopping]:
    """Take SIGINT and SIGTERM as a wish to stop, for the time of the block."""
    wish = Stopping()
    before = {s: signal.signal(s, wish.ask) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextmanager
def children() -> Generator[Children]:
    """Stop every child at the end of the block, however it ends."""
    started = Children()
    try:
        yield started
    finally:
        started.stop()
