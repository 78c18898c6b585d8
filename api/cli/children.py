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
        self._running[name] = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "api.cli.main", *arguments],
            env=os.environ | (environment or {}),
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
        """End all, the last started first; kill what does not end in time."""
        for child in reversed(self._running.values()):
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + STOP_SECONDS_MAX
        for name, child in reversed(self._running.items()):
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                note(f"{name} did not end in {STOP_SECONDS_MAX} s and is killed")
                child.kill()
                child.wait()


@dataclass(slots=True)
class Stopping:
    """Whether SIGINT or SIGTERM has asked this process to stop."""

    asked: bool = False

    def ask(self, signum: int, frame: FrameType | None) -> None:
        """Take a signal."""
        del signum, frame
        self.asked = True


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
