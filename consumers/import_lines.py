"""Reads an import file's lines, JSON Lines or CSV, and makes dated commands of them.

Nothing is carried out here. The format is in docs/import-format.md.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from consumers.stream import Entry
from domain.actors import Actor, ActorKind
from domain.commands import NAMES, Command, LoanCommand
from domain.commands.case import CaseCommand
from domain.errors import Rejected
from domain.ports import Refusal
from infra.edge import BODIES, Identifier, refusals_of, to_command
from infra.edge.bodies import Body
from infra.edge.values import IsoDate, Text

LINE_CHARACTERS_MAX = 1_000_000
LIST_SEPARATOR = "|"
_INTEGER = re.compile(r"-?[0-9]{1,12}")
_BOOLEANS = {"true": True, "false": False}


class Line(BaseModel):
    """What every line has, whichever its command; `data` is the command's body as in the API."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: IsoDate
    key: Annotated[str, Field(min_length=1, max_length=200)]
    type: str
    target: Identifier
    actor: Identifier | None = None
    reason_code: Text | None = None
    data: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedEntry:
    """An entry and the line of the file that it stands on."""

    line: int
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class LineError:
    """What is wrong with a line. `field` None: the line as a whole."""

    line: int
    code: str
    detail: str
    field: str | None = None


_LINE_FIELDS = frozenset(Line.model_fields) - {"data"}
_PLAIN_LINE = TypeAdapter(Line)


def read_lines(path: Path, source: str) -> Iterator[NumberedEntry | LineError]:
    """Read a file line by line; a line that cannot be used comes as its errors.

    `*.csv` is CSV, everything else JSON Lines. Raises OSError.
    """
    lines = _csv_lines(path) if path.suffix.lower() == ".csv" else _json_lines(path)
    for number, line in lines:
        if isinstance(line, LineError):
            yield line
        else:
            yield from _entry_of(number, line, source)


def _json_lines(path: Path) -> Iterator[tuple[int, object]]:
    with path.open("rb") as file:
        for number, raw in enumerate(iter(lambda: file.readline(LINE_CHARACTERS_MAX), b""), 1):
            if not raw.strip():
                continue
            try:
                yield number, json.loads(raw)
            except (UnicodeDecodeError, json.JSONDecodeError) as error:
                yield number, LineError(line=number, code="malformed_json", detail=str(error))


def _csv_lines(path: Path) -> Iterator[tuple[int, object]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            names = next(reader, list[str]())
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(names):
                    detail = f"{len(cells)} cells under {len(names)} column names"
                    yield 0, LineError(line=reader.line_num, code="wrong_cells", detail=detail)
                    continue
                yield reader.line_num, _nested(dict(zip(names, cells, strict=True)))
        except (csv.Error, UnicodeDecodeError) as error:
            yield 0, LineError(line=reader.line_num, code="malformed_csv", detail=str(error))


def _nested(cells: Mapping[str, str]) -> dict[str, Any]:
    """Make a line of a row: `split.interest` is a part of `split`; an empty cell is left out."""
    line: dict[str, Any] = {name: cells[name] for name in _LINE_FIELDS if cells.get(name)}
    data: dict[str, Any] = {}
    for name, cell in cells.items():
        if name in _LINE_FIELDS or cell == "":
            continue
        *path, last = name.split(".")
        place = data
        for part in path:
            place = place.setdefault(part, {})
        place[last] = cell
    body = BODIES.get(str(line.get("type")))
    return line | {"data": _typed(data, body) if body else data}


def _typed(cells: Mapping[str, object], body: type[BaseModel]) -> dict[str, object]:
    """Give cells the JSON types that the body asks for; what does not fit stays text."""
    typed: dict[str, object] = {}
    for name, cell in cells.items():
        field = body.model_fields.get(name)
        typed[name] = cell if field is None else _typed_cell(cell, field.annotation)
    return typed


def _typed_cell(cell: object, hint: object) -> object:
    parts = [part for part in get_args(hint) if part is not NoneType]
    if get_origin(hint) in {Annotated, Union, UnionType}:  # the constraints or the None beside it
        return _typed_cell(cell, parts[0])
    if isinstance(hint, type) and issubclass(hint, Body):
        return _typed(cast("dict[str, object]", cell), hint) if isinstance(cell, dict) else cell
    if not isinstance(cell, str):
        return cell
    if get_origin(hint) is tuple:
        return cell.split(LIST_SEPARATOR)
    if hint is int:
        return int(cell) if _INTEGER.fullmatch(cell) else cell
    return _BOOLEANS.get(cell, cell) if hint is bool else cell


def _entry_of(number: int, raw: object, source: str) -> Iterator[NumberedEntry | LineError]:
    try:
        line = _PLAIN_LINE.validate_python(raw)
        command = _command_of(line, source)
    except ValidationError as error:
        for problem in refusals_of(error):
            yield _error(number, problem)
    except Rejected as no:
        yield _error(number, Refusal(code=no.code, detail=no.detail, field=no.field))
    else:
        actor = Actor(kind=ActorKind.UPSTREAM, id=line.actor or source)
        yield NumberedEntry(
            line=number,
            entry=Entry(
                on=line.on,
                key=line.key,
                command=command,
                actor=actor,
                reason_code=line.reason_code,
            ),
        )


def _command_of(line: Line, source: str) -> Command:
    if line.type not in BODIES:
        raise Rejected("unknown_type", f"there is no command {line.type}", "type")
    body = BODIES[line.type].model_validate_json(json.dumps(line.data))
    return to_command(
        line.type,
        body,
        target=id_of(line.target, line.type, source),
        business_date=line.on,
    )


def id_of(target: str, command: str, source: str) -> str:
    """Name the aggregate: a loan's UUID as it is, the source's own id as UUIDv5 of both."""
    if not issubclass(NAMES[command], LoanCommand | CaseCommand):
        return target
    try:
        return str(UUID(target))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"{source}:loan:{target}"))


def _error(number: int, problem: Refusal) -> LineError:
    return LineError(line=number, code=problem.code, detail=problem.detail, field=problem.field)
