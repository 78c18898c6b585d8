"""`loanbook run`: the whole system on this machine, with the real book in it."""

from typing import Annotated, Any

import typer

from api.cli.beside import chains_beside
from api.cli.history import print_checks
from api.cli.imports import import_book
from api.cli.output import Json, note, print_json, steps
from api.cli.serve import require_port, serve
from api.cli.system import System, opened
from consumers.checks import Check
from consumers.real_book.dataset import PublishedLoan, read_published
from consumers.real_book.life import product_code
from consumers.real_book.snapshot import SNAPSHOT_ON
from consumers.reconcile import (
    chains_verify,
    day_totals_tie,
    ledger_ties,
    read_models_fold,
    real_book_checks,
)
from domain.product import product_stream
from infra.settings import Settings
from projections.loan_day import last_closed


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
    settings = Settings()
    if not no_serve:
        require_port(settings)
    with opened(settings) as system:
        seconds = {"import": 0.0, "close": 0.0}
        published = read_published()[:loans] if holds_real_book(system) else []
        fresh = bool(published) and not system.close_of_day().is_closed(SNAPSHOT_ON)
        if fresh:
            seconds = import_book(system, published)
        if fresh or no_serve:
            result = reconciled(system, published) | {"seconds": seconds}
            if json:
                print_json(result)
            if no_serve:
                raise typer.Exit(0 if result["ok"] else 1)
        else:
            note("The data of the last time is kept; `loanbook run --no-serve` reconciles it.")
        serve(settings, system.dsn)


def holds_real_book(system: System) -> bool:
    """Tell whether the store is for the real book: empty, or an import was begun in it."""
    if system.store.head().number == 0:
        return True
    if system.service.state(product_stream(product_code(36))).version:
        return True
    note("The store holds loans of your own; the real book is left out.")
    return False


def reconciled(system: System, published: list[PublishedLoan]) -> dict[str, Any]:
    """Carry out every check, print them, and return the result for machines."""
    checks: list[Check] = []
    with steps() as shown, chains_beside(system.dsn) as chains:
        line = shown.begin("Reconciling", 4)
        system.catch_up()
        if published:
            checks += real_book_checks(published, system.bulk, SNAPSHOT_ON)
        shown.advance(line)
        with system.reads.transaction() as db:
            last = last_closed(db)
        if last is not None:
            checks.append(day_totals_tie(system.bulk, last))
            checks.append(ledger_ties(system.bulk, last))
        shown.advance(line)
        checks.append(read_models_fold(system.bulk))
        shown.advance(line)
        report = chains.result()
        checks += chains_verify(report)
        shown.advance(line)
    ok = all(check.ok for check in checks)
    print_checks(checks, on=last)
    note("All checks hold." if ok else "Not all checks hold; the exceptions are listed above.")
    return {
        "ok": ok,
        "snapshot_date": SNAPSHOT_ON if published else last,
        "loans": len(published),
        "events": report.events,
        "checks": [check.as_json() for check in checks],
    }
