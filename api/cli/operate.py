"""`loanbook rebuild` and `loanbook dead-letters`: mending the read models."""

import os
from functools import partial
from typing import Annotated

import typer

from api.cli.output import Json, UsageError, note, print_json, print_table, steps
from api.cli.system import opened
from consumers.projector import redrive
from consumers.rebuild import Helpers, rebuild
from domain.envelope import StreamId
from infra.database import bulk_pool
from projections import applied
from projections.reading import Unreadable
from projections.schema import TABLES

ALL = "all"


def rebuild_command(
    projection: Annotated[
        str, typer.Argument(help="One of the read models, or all: they are rebuilt together.")
    ] = ALL,
    json: Json = False,
) -> None:
    """Fold the read models from zero into new tables, then switch to them; readers go on."""
    if projection not in {ALL, *TABLES}:
        raise UsageError(f"there is no {projection}; one of: {ALL}, {', '.join(TABLES)}")
    with opened() as system, steps() as shown:
        head = system.store.head()
        line = shown.begin("Folding events", head.number or None)
        done = 0

        def progress(events: int, _: int) -> None:
            nonlocal done
            shown.advance(line, events - done)
            done = events

        connect = partial(bulk_pool, system.dsn, system.settings.limits)
        helpers = Helpers(connect, (os.cpu_count() or 1) - 1)
        generation = rebuild(system.bulk, helpers=helpers, progress=progress)
        shown.end(line)
    if json:
        print_json({"ok": True, "generation": generation, "events": head.number})
    else:
        note(f"The read models are now generation {generation}, folded from {head.number} events.")


dead_letters = typer.Typer(
    name="dead-letters",
    help="Events that could not be applied: list, show and redrive them.",
    no_args_is_help=True,
    add_completion=False,
)

Stream = Annotated[str, typer.Argument(help="The stream, such as loan-0190...")]


@dead_letters.command("list")
def list_dead_letters(json: Json = False) -> None:
    """List parked events, oldest first."""
    with opened() as system, system.reads.transaction() as db:
        page = applied.dead_letters(db, limit=500)
    if json:
        print_json({"dead_letters": page.rows, "more": page.cursor is not None})
        return
    rows = [(r["stream"], r["version"], r["topic"], r["cause"]) for r in page.rows]
    print_table("Dead letters", ("stream", "version", "topic", "cause"), rows)
    note("`loanbook dead-letters redrive STREAM` applies them when the cause is mended."
         if rows else "Nothing is parked.")  # fmt: skip


@dead_letters.command("show")
def show_dead_letters(stream: Stream, json: Json = False) -> None:
    """Show the parked events of one stream."""
    with opened() as system, system.reads.transaction() as db:
        letters = applied.dead_letters_of(db, StreamId(stream))
    if not letters:
        raise UsageError(f"{stream} is not parked; `loanbook dead-letters list` shows what is")
    if json:
        print_json({"stream": stream, "dead_letters": letters})
        return
    rows = [(r["version"], r["topic"], r["parked_at"], r["cause"]) for r in letters]
    print_table(stream, ("version", "topic", "parked", "cause"), rows)


@dead_letters.command("redrive")
def redrive_dead_letters(stream: Stream, json: Json = False) -> None:
    """Apply a parked stream's events, after its trouble was mended."""
    with opened() as system:
        try:
            events = redrive(system.bulk, StreamId(stream))
        except (Unreadable, KeyError) as error:
            raise UsageError(f"{stream} stays parked: {error}") from error
    if json:
        print_json({"ok": True, "stream": stream, "events": events})
    else:
        note(f"{events} events of {stream} were applied.")
