"""Processes beside this one: how they start, are spoken to and end. What they do is elsewhere.

They are spawned: a fork would take this process's connections and threads with it.
"""

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from typing import Any, Final, Protocol

SPAWNED: Final = multiprocessing.get_context("spawn")


class Pipe(Protocol):
    """An end of a pipe, on whatever system."""

    def send(self, obj: Any, /) -> None:  # noqa: ANN401 - what can be pickled
        """Hand something over. Raises OSError when the other end is closed."""

    def recv(self) -> Any:  # noqa: ANN401 - what was sent
        """Wait for something. Raises EOFError when the other end is closed."""

    def poll(self) -> bool:
        """Tell whether something is there."""
        ...

    def close(self) -> None:
        """Close this end."""


def start(target: Callable[..., None], *args: object) -> SpawnProcess:
    """Start a process that ends with this one, at the latest."""
    child = SPAWNED.Process(target=target, args=args, daemon=True)
    child.start()
    return child


def start_at_pipe(target: Callable[..., None], *args: object) -> tuple[SpawnProcess, Pipe]:
    """Start a process whose last argument is an end of a pipe; return it with the other end."""
    ours, theirs = SPAWNED.Pipe()
    child = start(target, *args, theirs)
    theirs.close()
    return child, ours


def kill(child: SpawnProcess) -> None:
    """End a process at once; what it had not committed is rolled back."""
    child.kill()
    child.join()


def leave_interrupts_to_parent() -> None:
    """Ctrl-C is the parent's, which ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
