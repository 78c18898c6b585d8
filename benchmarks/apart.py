"""One benchmark in a process of its own: what others left in memory does not slow it."""

import sys
import traceback
from importlib import import_module

from benchmarks import harness
from infra.spawned import SPAWNED, Pipe

# Of the ten minutes that the short run may take, more than any benchmark needs.
SECONDS_MAX = 300


def measured(
    name: str, server: harness.Server, chosen: harness.Options
) -> list[harness.Result] | str:
    """Run a benchmark; why it has no results, where it breaks or takes too long."""
    ours, theirs = SPAWNED.Pipe()
    child = SPAWNED.Process(target=_run, args=(name, server.dsn, server.filled, chosen, theirs))
    child.start()
    theirs.close()
    try:
        found, server.filled = ours.recv()
    except EOFError:
        return "its process was killed"
    else:
        return found
    finally:
        child.join()


def _run(name: str, dsn: str, filled: set[str], chosen: harness.Options, pipe: Pipe) -> None:
    found: list[harness.Result] | str
    seconds = SECONDS_MAX if chosen.bounded else 0
    try:
        with harness.ending_within(seconds), harness.server_at(dsn, filled):
            found = import_module(f"benchmarks.{name}").run(chosen)
    except Exception as error:  # noqa: BLE001 - the others still run; this one fails the run
        traceback.print_exc()
        found = f"{type(error).__name__}: {error}"
    sys.stdout.flush()
    pipe.send((found, filled))
