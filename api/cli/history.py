"""`loanbook replay` and `loanbook verify`: a loan at any moment, and the proof that all fits."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from api.cli.output import Json, UsageError, note, notes, parse_date, print_json, print_table
from api.cli.system import System, opened
from consumers.checks import Check
from consumers.real_book.life import loan_id_of
from consumers.reconcile import chains_verify, read_models_fold
from consumers.states import DOMAIN_SHARE, states_fold
from domain.envelope import StreamId
from domain.loan.state import Loan
from domain.money import format_amount
from domain.replay import Replay, replay
from infra.verify import verify_store


def replay_command(
    loan: Annotated[
        str, typer.Argument(help="A loan's id, the upstream's id of it, or a row of the real book.")
    ],
    as_of: Annotated[
        str | None, typer.Option(help="Value date: what was true then, 2018-04-30.")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(help="Instant: what was known then, 2018-04-30T12:00:00+00:00.")
    ] = None,
    json: Json = False,
) -> None:
    """Show a loan as it was on a date and as it was known at an instant."""
    on = parse_date(as_of) if as_of else None
    instant = parse_instant(known_at) if known_at else None
    with opened() as system:
        stream = StreamId(f"loan-{find_loan(system, loan)}")
        seen = replay(system.store.load({stream: 0})[stream], as_of=on, known_at=instant)
    if seen.loan is None:
        raise UsageError(f"loan {loan} had not been applied for; choose a later moment")
    if json:
        print_json(as_json(stream, seen, seen.loan))
    else:
        show(stream, seen, seen.loan)


def parse_instant(text: str) -> datetime:
    """Read an instant; without a zone it is UTC. Raises UsageError."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f'"{text}" is no instant; write 2018-04-30T12:00:00+00:00') from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def find_loan(system: System, name: str) -> str:
    """Find a loan's id by any of its names. Raises UsageError."""
    try:
        candidates = [str(UUID(name))]
    except ValueError:
        candidates = [loan_id_of(int(name))] if name.isascii() and name.isdigit() else [name]
    for candidate in candidates:
        if system.service.state(StreamId(f"loan-{candidate}")).version:
            return candidate
    with system.reads.transaction() as db:
        row = db.row("SELECT loan_id FROM loan_summary WHERE external_id = %s LIMIT 1", [name])
    if row is None:
        raise UsageError(f"there is no loan {name}; `loanbook run` imports the real book")
    return str(row["loan_id"])


def as_json(stream: StreamId, seen: Replay, loan: Loan) -> dict[str, Any]:
    """Make plain values of a replayed loan."""
    return {
        "stream": stream,
        "status": loan.status,
        "currency": loan.currency,
        "days_past_due": seen.days_past_due,
        "delinquent_days": seen.delinquent_days,
        "balances": asdict(loan.balances),
        "instalments": [row._asdict() for row in loan.rows],
        "events": [
            {
                "version": recorded.version,
                "topic": recorded.topic,
                "effective_on": recorded.effective_on,
                "recorded_at": recorded.recorded_at,
                "actor": f"{recorded.envelope.actor.kind}:{recorded.envelope.actor.id}",
                "reason_code": recorded.envelope.reason_code,
                "hash": recorded.hash.hex(),
            }
            for recorded in seen.events
        ],
    }


def show(stream: StreamId, seen: Replay, loan: Loan) -> None:
    """Print a replayed loan for a person."""

    def money(minor: int) -> str:
        return format_amount(minor, loan.currency)

    balances = loan.balances
    print_table(
        str(stream),
        ("", loan.currency),
        [
            ("status", loan.status),
            ("days past due", seen.days_past_due),
            ("delinquent days", seen.delinquent_days),
            ("principal", money(balances.principal_minor)),
            ("interest planned", money(balances.interest_minor)),
            ("fees", money(balances.fee_minor)),
            ("penalties", money(balances.penalty_minor)),
            ("overpaid", money(balances.overpaid_minor)),
        ],
    )
    print_table(
        "Instalments",
        ("no.", "due", "principal", "interest", "charges", "paid", "open", "met"),
        [
            (
                row.number,
                row.due_on,
                money(row.principal_minor),
                money(row.interest_minor),
                money(row.fee_minor + row.penalty_minor),
                money(row.paid_minor),
                money(row.unpaid_minor),
                row.met_on or "",
            )
            for row in loan.rows
        ],
    )
    print_table(
        "Events",
        ("version", "value date", "recorded", "what", "who", "why"),
        [
            (
                recorded.version,
                recorded.effective_on,
                recorded.recorded_at.isoformat(timespec="seconds"),
                recorded.topic,
                f"{recorded.envelope.actor.kind}:{recorded.envelope.actor.id}",
                recorded.envelope.reason_code or "",
            )
            for recorded in seen.events
        ],
    )


def verify(
    states: Annotated[
        bool,
        typer.Option("--states", help="Fold every loan to its state, some with the domain itself."),
    ] = False,
    every: Annotated[
        bool,
        typer.Option("--every", help="With --states: fold every loan with the domain itself."),
    ] = False,
    json: Json = False,
) -> None:
    """Recompute every hash and compare the read models with a fold from zero."""
    with opened() as system:
        note("Recomputing every hash of the record, then folding it from zero.")
        checks = chains_verify(verify_store(system.dsn))
        system.catch_up()
        checks.append(read_models_fold(system.bulk))
        if states:
            checks.append(states_fold(system.bulk, domain_share=1 if every else DOMAIN_SHARE))
    ok = all(check.ok for check in checks)
    if json:
        print_json({"ok": ok, "checks": [check.as_json() for check in checks]})
    else:
        print_checks(checks)
    raise typer.Exit(0 if ok else 1)


def print_checks(checks: list[Check], *, on: date | None = None) -> None:
    """Print checks for a person, exceptions below."""
    print_table(
        "Checks" if on is None else f"Reconciliation as of {on}",
        ("", "check", "expected", "found"),
        [("ok" if c.ok else "FAILED", c.name, c.expected, c.actual) for c in checks],
        to=notes,
    )
    for check in checks:
        for finding in check.exceptions[:EXCEPTIONS_PRINTED_MAX]:
            note(f"  {check.name}: {finding.id}: {finding.reason}")
        more = len(check.exceptions) - EXCEPTIONS_PRINTED_MAX
        if more > 0:
            note(f"  {check.name}: and {more} more; --json lists them")


EXCEPTIONS_PRINTED_MAX = 5
