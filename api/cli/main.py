"""The `loanbook` command: the list of its commands, and errors said in one line.

What each command does is in the module that its function comes from.
"""

import sys
from typing import Any, Final

import typer
from typer.core import TyperGroup

from api.cli.backup import backup_command, restore_command
from api.cli.children import ChildEnded
from api.cli.days import close_day
from api.cli.doctor import doctor
from api.cli.history import replay_command, verify
from api.cli.imports import import_command
from api.cli.operate import dead_letters, rebuild_command
from api.cli.output import UsageError, note
from api.cli.processes import api, broker, intake, project, relay
from api.cli.run import run
from api.cli.run_server import run_server
from consumers.lending_club import ImportRefused
from consumers.real_book.dataset import DatasetMissing
from consumers.real_book.frame import UnreadableTable
from consumers.sources import SourcesUnreadable
from domain.errors import Rejected
from infra.backup import BackupFailed
from infra.broker import BrokerUnavailable
from infra.calendars import CalendarsUnreadable
from infra.embedded import PostgresFailed
from infra.errors import Overloaded, Unavailable
from infra.kafka_cluster import WrongTopic
from infra.migrate import MigrationFailed

if not __debug__:
    raise SystemExit("Loanbook does not run with `python -O`: assertions guard money.")

NEXT_STEP: Final[dict[type[Exception], str]] = {
    UsageError: "",
    Rejected: "",
    DatasetMissing: "",
    UnreadableTable: "Install the version of the package that requirements/demo.txt names.",
    ImportRefused: "The store holds other things under these ids; set LOANBOOK_DATA_DIR anew.",
    PostgresFailed: "`loanbook doctor` looks at what may be missing.",
    MigrationFailed: "The database is of another version of Loanbook; see docs/runbook.md.",
    BackupFailed: "Nothing was changed.",
    Unavailable: "Is PostgreSQL running? The same command again goes on where it was.",
    Overloaded: "Try again in a moment.",
    ChildEnded: "",
    WrongTopic: "",
    BrokerUnavailable: "`loanbook doctor` looks at what may be missing.",
    SourcesUnreadable: "",
    CalendarsUnreadable: "",
    OSError: "",
}
"""Errors that are told without a traceback, and what to do about them."""


class Commands(TyperGroup):
    """Runs a command; an error that the user can mend becomes a line and exit code 1."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as in the library
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except tuple(NEXT_STEP) as error:
            note(f"error: {error}")
            hint = next(text for kind, text in NEXT_STEP.items() if isinstance(error, kind))
            if hint:
                note(hint)
            raise typer.Exit(1) from None


app = typer.Typer(
    name="loanbook",
    help="An event-sourced loan servicing backend.",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("run")(run)
app.command("run-server")(run_server)
app.command("import")(import_command)
app.command("close-day")(close_day)
app.command("rebuild")(rebuild_command)
app.add_typer(dead_letters)
app.command("api")(api)
app.command("project")(project)
app.command("broker")(broker)
app.command("relay")(relay)
app.command("intake")(intake)
app.command("replay")(replay_command)
app.command("verify")(verify)
app.command("backup")(backup_command)
app.command("restore")(restore_command)
app.command("doctor")(doctor)

if __name__ == "__main__":
    sys.exit(app())
