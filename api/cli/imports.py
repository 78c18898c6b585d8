"""`loanbook import`: the real book, or a file of commands."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TaskID

from api.cli.beside import projector_beside
from api.cli.output import Json, UsageError, note, print_json, print_table, steps
from api.cli.system import System, opened
from consumers.book import BookImport, BookProgress
from consumers.daily_close import ClosedDay
from consumers.import_file import ImportReport, check_file, import_file
from consumers.real_book.dataset import PublishedLoan, read_published
from consumers.real_book.life import SOURCE
from infra.garbage import collected_rarely

OBSERVED = (
    "Observed, as published: applicant, terms, issue month, status, totals of principal, interest "
    "and late fees paid, balance."
)
DERIVED = (
    "Derived by the rules of docs/real-book.md, and marked so in every event: all dates, the "
    "single payments and their splits, the snapshot date (25 June 2018)."
)


def import_command(
    what: Annotated[
        str, typer.Argument(help="lending-club (the real book), or a file: *.csv or JSON Lines.")
    ],
    source: Annotated[
        str, typer.Option(help="Name of the system that a file comes from; keys are its own.")
    ] = "file",
    loans: Annotated[
        int | None, typer.Option(help="Take only so many loans of the real book.", min=1)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look at every line of a file, carry out none.")
    ] = False,
    json: Json = False,
) -> None:
    """Import the real book, or a file of commands (docs/import-format.md)."""
    if what == SOURCE:
        with opened() as system:
            seconds = import_book(system, read_published()[:loans])
        if json:
            print_json({"ok": True, "seconds": seconds})
        return
    path = Path(what)
    if not path.is_file():
        raise UsageError(f"there is no file {what}; give a file, or {SOURCE} for the real book")
    report = check_file(path, source) if dry_run else _import_file(path, source)
    _report(report, dry_run=dry_run, json=json)
    raise typer.Exit(0 if report.ok else 1)


def import_book(system: System, loans: list[PublishedLoan]) -> dict[str, float]:
    """Import published loans, close their days, and say what is observed and what derived."""
    note(OBSERVED)
    note(DERIVED)
    with collected_rarely(), steps() as shown, projector_beside(system) as projector:
        lines: dict[str, TaskID] = {}

        def begin(commands: int, days: int) -> None:
            lines["commands"] = shown.begin("Importing commands", commands)
            lines["days"] = shown.begin("Closing business days", days)

        def commands(done: int) -> None:
            projector.go_on()
            shown.advance(lines["commands"], done)

        def day(_: ClosedDay) -> None:
            shown.advance(lines["days"])

        book = BookImport(
            store=system.store,
            service=system.service,
            close=system.close_of_day(projector.catch_up),
            progress=BookProgress(begin=begin, commands=commands, day=day),
        )
        seconds = book.run(loans)
        with system.bulk.transaction() as db:
            db.script("ANALYZE")  # until the server does by itself, the first pages would wait
    return {"import": round(seconds.importing, 1), "close": round(seconds.closing, 1)}


def _import_file(path: Path, source: str) -> ImportReport:
    with opened() as system, steps() as shown:
        line = shown.begin(f"Importing {path.name}", None)
        report = import_file(system.service, path, source, lambda n: shown.advance(line, n))
        shown.end(line)
        system.catch_up()
    return report


def _report(report: ImportReport, *, dry_run: bool, json: bool) -> None:
    if json:
        errors = [
            {"line": e.line, "field": e.field, "code": e.code, "detail": e.detail}
            for e in report.errors
        ]
        print_json(
            {
                "ok": report.ok,
                "lines": report.lines,
                "accepted": report.accepted,
                "repeated": report.repeated,
                "errors": errors,
            }
        )
        return
    if report.errors:
        rows = [(e.line, e.field or "", e.code, e.detail) for e in report.errors]
        print_table("Errors", ("line", "field", "code", "detail"), rows)
    if dry_run:
        note(f"{report.lines} lines looked at; nothing was carried out.")
    elif report.errors and not report.accepted + report.repeated:
        note("Nothing was imported. Mend the lines and import the file again.")
    else:
        note(f"{report.accepted} lines carried out, {report.repeated} had been before.")
