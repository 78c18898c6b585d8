"""The `loanbook` command: the list of its commands, and errors said in one line.

What each command does is in the module that its function comes from. A module is loaded when its
command is asked for, so that a process starts with what it needs and no more.
"""

import sys
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from api.cli.output import note

if not __debug__:
    raise SystemExit("Loanbook does not run with `python -O`: assertions guard money.")

COMMANDS: Final[dict[str, str]] = {
    "run": "api.cli.run:run",
    "run-server": "api.cli.run_server:run_server",
    "import": "api.cli.imports:import_command",
    "close-day": "api.cli.days:close_day",
    "rebuild": "api.cli.operate:rebuild_command",
    "dead-letters": "api.cli.operate:dead_letters",
    "api": "api.cli.processes.api:api",
    "project": "api.cli.processes.project:project",
    "broker": "api.cli.processes.broker:broker",
    "relay": "api.cli.processes.relay:relay",
    "intake": "api.cli.processes.intake:intake",
    "replay": "api.cli.history:replay_command",
    "verify": "api.cli.history:verify",
    "backup": "api.cli.backup:backup_command",
    "restore": "api.cli.backup:restore_command",
    "doctor": "api.cli.doctor:doctor",
}
"""Where each command is, as `module:name`: a function, or a group of its own."""

NEXT_STEP: Final[dict[str, str]] = {
    "api.cli.output:UsageError": "",
    "domain.errors:Rejected": "",
    "consumers.real_book.dataset:DatasetMissing": "",
    "consumers.real_book.frame:UnreadableTable": (
        "Install the version of the package that requirements/demo.txt names."
    ),
    "consumers.lending_club:ImportRefused": (
        "The store holds other things under these ids; set LOANBOOK_DATA_DIR anew."
    ),
    "infra.embedded:PostgresFailed": "`loanbook doctor` looks at what may be missing.",
    "infra.migrate:MigrationFailed": (
        "The database is of another version of Loanbook; see docs/runbook.md."
    ),
    "infra.backup:BackupFailed": "Nothing was changed.",
    "infra.errors:Unavailable": (
        "Is PostgreSQL running? The same command again goes on where it was."
    ),
    "infra.errors:Overloaded": "Try again in a moment.",
    "api.cli.children:ChildEnded": "",
    "infra.kafka_cluster:WrongTopic": "",
    "infra.broker:BrokerUnavailable": "`loanbook doctor` looks at what may be missing.",
    "consumers.sources:SourcesUnreadable": "",
    "infra.calendars:CalendarsUnreadable": "",
    "builtins:OSError": "",
}
"""Errors, as `module:name`, that are told without a traceback, and what to do about them."""


class Commands(TyperGroup):
    """Finds and runs a command; an error the user can mend becomes a line and exit code 1."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - as in the library
        """Name the commands, in the order of the list."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - as in the library
        """Load the module of one command; None: there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(module), name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command(cmd_name)(found)
            found = alone
        return typer.main.get_command(found)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as in the library
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            hint = next_step(error)
            if hint is None:
                raise
            note(f"error: {error}")
            if hint:
                note(hint)
            raise typer.Exit(1) from None


def next_step(error: Exception) -> str | None:
    """Tell what the user can do about an error, empty where it says so; None: it is a defect."""
    kinds = (f"{kind.__module__}:{kind.__qualname__}" for kind in type(error).__mro__)
    return next((NEXT_STEP[kind] for kind in kinds if kind in NEXT_STEP), None)


app = typer.Typer(
    name="loanbook",
    help="An event-sourced loan servicing backend.",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def loanbook() -> None:
    """Let `Commands` find what was asked for."""


if __name__ == "__main__":
    sys.exit(app())
