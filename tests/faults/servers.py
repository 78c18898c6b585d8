"""The product's own processes, `loanbook api`, `relay` and `project`, killed and started again.

They know nothing of the test but their environment.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from api.cli.children import SUPERVISOR
from infra.broker import free_ports

TOKEN: Final = "token-of-the-fault-tests"  # noqa: S105 - opens a server that lives for a minute
CLIENT: Final = "http:human:developer"
"""The scope of this client's idempotency keys."""

COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "api": ("api",),
    "relay": ("relay",),
    "projector": ("project", "--feed", "kafka", "--member", "projector-1"),
}
AT_WORK: Final[Mapping[str, str]] = {
    "api": "",  # it is asked over HTTP
    "relay": '"publishing"',
    "projector": '"partitions_begun"',
}
"""What a process writes into its log when it has begun its work."""

AT_WORK_SECONDS_MAX: Final = 120.0
STOP_SECONDS_MAX: Final = 30.0


class Servers:
    """The processes by name. As a context manager it leaves none behind."""

    def __init__(self, folder: Path, dsn: str, bootstrap_servers: str) -> None:
        (self.port,) = free_ports(1)
        self._folder = folder
        self._started: dict[str, int] = dict.fromkeys(COMMANDS, 0)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = os.environ | {
            "LOANBOOK_DATA_DIR": str(folder),
            "LOANBOOK_DATABASE_URL": dsn,
            "LOANBOOK_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "LOANBOOK_HTTP_PORT": str(self.port),
            "LOANBOOK_DEVELOPMENT_TOKEN": TOKEN,
            "LOANBOOK_SWEEP_SECONDS": "2",
            "LOANBOOK_LOG_FORMAT": "json",
            SUPERVISOR: str(os.getpid()),
        }

    def __enter__(self) -> Self:
        for name in COMMANDS:
            self.start(name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in self._running:
            self.kill(name)

    def start(self, name: str) -> None:
        """Start a process that does not run."""
        self._started[name] += 1
        with self._log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "api.cli.main", *COMMANDS[name]],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> int:
        """End a process with SIGKILL; how it ended, which is otherwise if it was not running."""
        self._running[name].kill()
        return self._running[name].wait()

    def stop(self, name: str) -> int:
        """Ask a process to end; its exit code."""
        self._running[name].terminate()
        return self._running[name].wait(STOP_SECONDS_MAX)

    def log(self, name: str) -> str:
        """Return what a process has written since it was started last."""
        return self._log(name).read_text(errors="replace")

    def wait_until_at_work(self, name: str) -> None:
        """Wait until a process does what it was started for."""
        deadline = time.monotonic() + AT_WORK_SECONDS_MAX
        while not self._is_at_work(name):
            assert self._running[name].poll() is None, f"{name} ended:\n{self.log(name)}"
            assert time.monotonic() < deadline, f"{name} does nothing:\n{self.log(name)}"
            time.sleep(0.05)

    def _is_at_work(self, name: str) -> bool:
        if AT_WORK[name]:
            return AT_WORK[name] in self.log(name)
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health").is_success
        except httpx.TransportError:
            return False

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}-{self._started[name]}.log"
