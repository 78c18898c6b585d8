"""`loanbook close-day`: closes business days in order."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from api.cli.output import Json, UsageError, note, parse_date, print_json, print_table, steps
from api.cli.system import opened
from consumers.daily_close import ClosedDay
from projections.case_work import parked
from projections.ports import Row


def close_day(
    day: Annotated[str, typer.Argument(help="The business date, 2018-06-26.")],
    until: Annotated[
        str | None, typer.Option(help="Close every day from DAY up to this one.")
    ] = None,
    json: Json = False,
) -> None:
    """Close a business day, or every day up to another; what is closed stays as it is."""
    first = parse_date(day)
    last = parse_date(until) if until else first
    if last < first:
        raise UsageError(f"{last} is before {first}")
    with opened() as system, steps() as shown:
        line = shown.begin("Closing business days", (last - first).days + 1)
        close = system.close_of_day()
        days = [close.close_day(first)]
        shown.advance(line)
        if until:
            days += close.close_until(last, first=first, progress=lambda _: shown.advance(line))
        shown.end(line)
        left: dict[date, list[Row]] = {}
        for closed in days:
            if closed.parked:
                with system.reads.transaction() as db:
                    left[closed.on] = parked(db, closed.on)
    if json:
        print_json({"ok": not left, "days": [asdict(closed) for closed in days]})
    else:
        _show(days)
        for on, loans in left.items():
            for row in loans:
                note(f"parked on {on}: loan {row['loan_id']}: {row['reason']}")
    raise typer.Exit(1 if left else 0)


def _show(days: list[ClosedDay]) -> None:
    print_table(
        "Business days",
        ("day", "loans open", "acted on", "cases opened", "cases closed", "parked", ""),
        [
            (
                closed.on,
                closed.loans_open,
                closed.loans_acted_on,
                closed.cases_opened,
                closed.cases_closed,
                closed.parked,
                "was closed" if closed.was_closed else "",
            )
            for closed in days
        ],
    )
