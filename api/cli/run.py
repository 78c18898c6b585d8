"""`loanbook run`: the whole system on this machine, with the real book in it."""

from typing import Annotated, Any

import typer

from api.cli.history import print_checks
from api.cli.imports import import_book
from api.cli.output import Json, note, print_json, steps
from api.cli.system import System, opened
from consumers.checks import Check
from consumers.real_book.dataset import PublishedLoan, read_published
from consumers.real_book.snapshot import SNAPSHOT_ON
from consumers.reconcile import (
    chains_verify,
    day_totals_tie,
    read_models_fold,
    real_book_checks,
)
from infra.verify import verify_store


def run(
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="End after the reconciliation.")
    ] = False,
    loans: Annotated[
        int | None, typer.Option(help="Take only so many loans of the real book.", min=1)
    ] = None,
    json: Json = False,
) -> None:
    """Start Postgres, import the real book if the store is empty, reconcile, and serve."""
    with opened() as system:
        published = read_published()[:loans]
        seconds = {"import": 0.0, "close": 0.0}
        if needs_import(system):
            seconds = import_book(system, published)
        result = reconciled(system, published) | {"seconds": seconds}
        if json:
            print_json(result)
        if no_serve:
            raise typer.Exit(0 if result["ok"] else 1)


def needs_import(system: System) -> bool:
    """Tell whether the snapshot date is still to be closed; a killed import is taken up again."""
    return not system.close_of_day().is_closed(SNAPSHOT_ON)


def reconciled(system: System, published: list[PublishedLoan]) -> dict[str, Any]:
    """Carry out every check, print them, and return the result for machines."""
    checks: list[Check] = []
    with steps() as shown:
        line = shown.begin("Reconciling", 4)
        system.catch_up()
        checks += real_book_checks(published, system.bulk, SNAPSHOT_ON)
        shown.advance(line)
        checks.append(day_totals_tie(system.bulk, SNAPSHOT_ON))
        shown.advance(line)
        checks.append(read_models_fold(system.bulk))
        shown.advance(line)
        report = verify_store(system.dsn)
        checks += chains_verify(report)
        shown.advance(line)
    ok = all(check.ok for check in checks)
    print_checks(checks, on=SNAPSHOT_ON)
    note("All checks hold." if ok else "Not all checks hold; the exceptions are listed above.")
    return {
        "ok": ok,
        "snapshot_date": SNAPSHOT_ON,
        "loans": len(published),
        "events": report.events,
        "checks": [check.as_json() for check in checks],
    }
