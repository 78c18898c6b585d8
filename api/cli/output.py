"""How the command line speaks: results on standard output, everything else on standard error."""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from domain.money import format_amount

WIDTH_OF_A_FILE: Final = 160


def _console(*, stderr: bool) -> Console:
    """A terminal knows its width; a file or a pipe takes long lines."""
    console = Console(stderr=stderr, highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_A_FILE
    return console


notes = _console(stderr=True)
"""Progress, tables for people, what to do next."""

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON for machines.")]


class UsageError(Exception):
    """The user can mend this; the message says how."""


def print_json(value: object) -> None:
    """Write one line of JSON to standard output."""
    typer.echo(json.dumps(value, default=_plain, ensure_ascii=False))


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def note(message: str) -> None:
    """Tell the person at the terminal something."""
    notes.print(message)


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    to: Console | None = None,
) -> None:
    """Write a table; figures stand to the right. `to` None: standard output."""
    table = Table(
        title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
    figures = [all(isinstance(row[k], int | Decimal) for row in rows) for k in range(len(columns))]
    for column, figure in zip(columns, figures, strict=True):
        last = column == columns[-1]
        justify = "right" if figure else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=not last)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    (to or _console(stderr=False)).print(table)


def money(minor: int, currency: str) -> str:
    """Write an amount with its decimals."""
    return format_amount(minor, currency)


def parse_date(text: str) -> date:
    """Read a date as the user types it. Raises UsageError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f'"{text}" is no date; write it like 2018-06-25') from None


class Steps:
    """A progress bar on standard error with one line a step of the work."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def begin(self, what: str, total: int | None) -> TaskID:
        """Show a new line; `total` None: nobody knows how long."""
        return self._progress.add_task(what, total=total)

    def advance(self, step: TaskID, by: int = 1) -> None:
        """Move a line on."""
        self._progress.advance(step, by)

    def end(self, step: TaskID) -> None:
        """Fill a line up."""
        task = next(t for t in self._progress.tasks if t.id == step)
        total = task.total if task.total is not None else max(task.completed, 1)
        self._progress.update(step, total=total, completed=total)


@contextmanager
def steps() -> Generator[Steps]:
    """Show progress while the block works."""
    with Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=notes,
    ) as progress:
        yield Steps(progress)
