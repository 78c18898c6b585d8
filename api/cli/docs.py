"""Writes the generated documents, or with `--check` says which are out of date: `make docs`.

What each holds is made elsewhere; here is the list.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from api.app import VERSION
from api.cli.event_catalogue import event_catalogue
from api.cli.openapi_document import openapi_document
from api.cli.output import note
from infra.asyncapi import asyncapi_document
from infra.schemas import every_schema

DOCS: Final = Path(__file__).parents[2] / "docs"
GENERATED_FOLDERS: Final = ("schemas", "api")
"""Folders that hold nothing else: a file of a name that is gone is removed."""


def documents() -> Mapping[Path, Callable[[], str]]:
    """Map every generated document to its maker."""
    made: dict[Path, Callable[[], str]] = {
        DOCS / "events.md": event_catalogue,
        DOCS / "api" / "openapi.json": lambda: as_json(openapi_document()),
        DOCS / "asyncapi.json": lambda: as_json(asyncapi_document(VERSION)),
    }
    for name, schema in every_schema().items():
        made[DOCS / "schemas" / name] = lambda schema=schema: as_json(schema())
    return made


def as_json(content: object) -> str:
    """Write JSON as people and diffs like it."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write or check; the exit code."""
    wanted = {path: make() for path, make in documents().items()}
    present = {path for folder in GENERATED_FOLDERS for path in (DOCS / folder).rglob("*.*")}
    stale = [
        path
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    gone = sorted(present - wanted.keys())
    if "--check" in arguments:
        for path in [*stale, *gone]:
            note(f"{path.relative_to(DOCS.parent)} is out of date: make docs")
        return 1 if stale or gone else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    for path in gone:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
