"""The client's own book of answers: a line is written after the answer and survives a SIGKILL.

It is the truth for invariant I1: what stands here was promised.
"""

import json
import os
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from domain.ports import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One acknowledged command."""

    scope: str
    key: str
    stream: str
    version: int | None  # None: refused
    position: int | None
    code: str | None  # of the refusal
    payment_id: str | None = None  # what marks the command in the bytes of its events
    repeated: bool = False  # answered from the idempotency row, after an answer that was lost

    def same_as(self, other: "Answered") -> bool:
        """Tell whether both are the same answer, given once or again."""
        return (self.version, self.position, self.code) == (
            other.version,
            other.position,
            other.code,
        )


def answered(scope: str, key: str, outcome: Outcome, payment_id: str | None = None) -> Answered:
    """Turn the store's answer to a command into a line."""
    return Answered(
        scope=scope,
        key=key,
        stream=outcome.stream,
        version=outcome.version,
        position=outcome.position.number if outcome.position else None,
        code=outcome.refusal.code if outcome.refusal else None,
        payment_id=payment_id,
        repeated=outcome.repeated,
    )


class Ledger:
    """An append-only file of answers; threads share it, processes take turns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._file)

    def note(self, lines: Iterable[Answered]) -> None:
        """Write answers; each line is whole or not there."""
        text = "".join(json.dumps(asdict(line)) + "\n" for line in lines)
        with self._lock:
            os.write(self._file, text.encode())


def read(path: Path) -> list[Answered]:
    """Read all whole lines; a line that was cut by a kill was never an answer."""
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [Answered(**json.loads(line)) for line in whole.split(b"\n") if line]
