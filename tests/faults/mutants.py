"""Safeguards taken away in test code, one at a time; the row named beside each must go red.

A mutation changes a function of the database, or replaces a function of the program for a while.
Nothing in the product knows of them.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

SqlChange = Callable[[psycopg.Connection[Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One safeguard away. `sql` changes a prepared database, `patches` replace attributes."""

    safeguard: str
    row: int
    count: int
    """Faults that the row injects: enough to go red for certain."""
    fault: str = ""  # which row of the number, by its fault; empty: the first that goes red
    ci: bool = True  # False: in a soak only
    sql: SqlChange | None = None
    patches: tuple[tuple[Any, str, Any], ...] = ()


@contextmanager
def applied(mutation: Mutation | None) -> Generator[None]:
    """Patch this process for the time of the block."""
    kept = (
        [(owner, name, owner.__dict__[name]) for owner, name, _ in mutation.patches]
        if mutation
        else []
    )
    if mutation:
        for owner, name, value in mutation.patches:
            setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)


def replaced(*changes: tuple[str, str], also: str = "") -> SqlChange:
    """Rewrite the append function: each text must be there, or the mutation is out of date.

    `also` is a statement to run beside it.
    """

    def change(connection: psycopg.Connection[Any]) -> None:
        row = connection.execute(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'append_batch_v1'"
        ).fetchone()
        assert row is not None
        definition: str = row[0]
        for old, new in changes:
            assert old in definition, f"the append function has no {old!r}"
            definition = definition.replace(old, new)
        connection.execute(definition.encode())
        if also:
            connection.execute(also.encode())

    return change
