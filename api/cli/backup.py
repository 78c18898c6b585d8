"""`loanbook backup` and `loanbook restore`: the whole database in one file, and its seal beside it.

The seal belongs somewhere else as well: it proves that nothing is missing from what comes back.
"""

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.cli.output import Json, UsageError, note, print_json
from api.cli.servers import database
from infra.backup import Seal, backup, restore
from infra.settings import Settings
from infra.verify import verify_store

File = Annotated[Path, typer.Argument(help="The backup; its seal is FILE.seal.json.")]


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the seal's file: the record's seal and the backup file's own hash."""

    sha256: str
    record: Seal


def backup_command(file: File, json: Json = False) -> None:
    """Copy the database into a file while everything runs; write a seal of it beside."""
    if file.exists():
        raise UsageError(f"{file} is there already; give a new name")
    with database(Settings()) as dsn:
        seal = backup(dsn, file)
    sealed = Sealed(sha256=_hash_of(file), record=seal)
    seal_file(file).write_bytes(msgspec.json.format(msgspec.json.encode(sealed)) + b"\n")
    if json:
        print_json({"ok": True, "file": str(file), "events": sum(seal.positions.values())})
    else:
        note(f"{sum(seal.positions.values())} events of {seal.streams} streams are in {file}.")
        note(f"Keep {seal_file(file)} in another place: it shows whether all of it comes back.")


def restore_command(file: File, json: Json = False) -> None:
    """Bring a backup into an empty database, and check it against its seal and its chains."""
    if not file.is_file() or not seal_file(file).is_file():
        raise UsageError(f"{file} and {seal_file(file)} are both needed")
    sealed = msgspec.json.decode(seal_file(file).read_bytes(), type=Sealed)
    if _hash_of(file) != sealed.sha256:
        raise UsageError(f"{file} is not the file that was sealed; nothing was restored")
    with database(Settings()) as dsn:
        came = restore(dsn, file)
        breaks = verify_store(dsn).breaks
    ok = came == sealed.record and not breaks
    if json:
        print_json({"ok": ok, "events": sum(came.positions.values()), "breaks": len(breaks)})
    elif ok:
        note(f"{sum(came.positions.values())} events came back, whole; every hash holds.")
    else:
        note("What came back is not what was sealed: do not use it. `loanbook verify` says more.")
    raise typer.Exit(0 if ok else 1)


def seal_file(file: Path) -> Path:
    """Name the seal of a backup."""
    return file.with_name(file.name + ".seal.json")


def _hash_of(file: Path) -> str:
    with file.open("rb") as content:
        digest = sha256()
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
