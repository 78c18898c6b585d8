"""Rows as msgspec structs, and the bulk statements that a table of such rows needs.

A struct's fields are the table's columns, and msgspec writes them as JSON, which costs a
microsecond a row; PostgreSQL casts every value to its column's type. New rows come in with COPY,
for a row as a JSON array is a row of CSV: strings in double quotes, a backslash before a quote.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, TypeVar, get_args, get_origin

import msgspec

from projections.ports import Database

R = TypeVar("R", bound=msgspec.Struct)

STILL = "9999-12-31"
"""The date that stands for no end: JSON and Python know no infinity."""

_encoder = msgspec.json.Encoder(decimal_format="string")
_encode = _encoder.encode
# JSON's escapes that CSV does not know: they stand for control characters.
_CONTROL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\[bfnrtu]")


class Table(Generic[R]):
    """One table of rows of one struct type."""

    def __init__(self, name: str, row: type[R], key: tuple[str, ...]) -> None:
        self.name = name
        self.row = row
        self.key = key
        self.columns = row.__struct_fields__
        listed = ", ".join(self.columns)
        values = [column for column in self.columns if column not in key]
        changes = ", ".join(f"{column} = excluded.{column}" for column in values)
        self._upsert = (
            f"INSERT INTO {name} ({listed}) "
            f"SELECT {listed} FROM json_populate_recordset(NULL::{name}, %s::json)"
            f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
        )
        texts = enumerate(_text_of(field.type) for field in msgspec.structs.fields(row))
        self._texts = [(place, *text) for place, text in texts if text is not None]
        self._select = f"SELECT {', '.join(f't.{c}' for c in self.columns)} FROM {name} t"

    def insert(self, db: Database, rows: Sequence[R]) -> None:
        """Add rows that are not there."""
        if not rows:
            return
        values = self._values(rows)
        csv = _csv(values)
        if csv is None:
            db.copy_in(self.name, self.columns, values)
        else:
            db.copy_csv(self.name, self.columns, csv)

    def upsert(self, db: Database, rows: Sequence[R]) -> None:
        """Add rows, or replace those of the same key; a key may come once."""
        if rows:
            db.execute(self._upsert, [_encode(rows).decode()])

    def save(self, db: Database, rows: Sequence[R], *, fresh: bool) -> None:
        """Add or replace rows; `fresh`: none of them is there, which is much cheaper."""
        (self.insert if fresh else self.upsert)(db, rows)

    def _values(self, rows: Sequence[R]) -> list[Sequence[Any]]:
        """Make the rows sequences of scalars: a list or an object becomes its text in SQL."""
        if not self._texts:
            return [msgspec.structs.astuple(row) for row in rows]
        values: list[Sequence[Any]] = []
        for row in rows:
            scalars = list(msgspec.structs.astuple(row))
            for place, text, empty in self._texts:
                value = scalars[place]
                if value is not None:
                    scalars[place] = text(value) if value else empty
            values.append(scalars)
        return values

    def load(self, db: Database, tail: str, parameters: dict[str, Any]) -> Iterable[R]:
        """Read rows; `tail` follows `SELECT ... FROM table t`."""
        for values in db.tuples(f"{self._select} {tail}", parameters):
            yield self.row(*values)


def _json(value: object) -> str:
    return _encode(value).decode()


def _numbers(value: list[int]) -> str:
    """Write numbers as a literal of an SQL array."""
    return "{" + ",".join(map(str, value)) + "}"


def _names(value: list[str]) -> str:
    """Write texts as a literal of an SQL array."""
    texts = '","'.join(value)
    if "\\" in texts or texts.count('"') > 2 * len(value) - 2:
        texts = '","'.join(text.replace("\\", "\\\\").replace('"', '\\"') for text in value)
    return f'{{"{texts}"}}'


def _text_of(kind: object) -> tuple[Callable[[Any], str], str] | None:
    """Choose how a column of this type is written in one CSV field, and empty; None: as it is."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is list and arguments[0] is int:
        return _numbers, "{}"
    if origin is list and arguments[0] is str:
        return _names, "{}"
    if origin in (list, dict):
        return _json, "[]" if origin is list else "{}"
    return None


def _csv(values: Iterable[Sequence[Any]]) -> bytes | None:
    """Write rows of scalars as CSV; None: there are control characters in them."""
    lines = _encoder.encode_lines(values)
    if b"\\" in lines and not _only_quotes(lines) and _CONTROL.search(lines):
        return None
    # A line break never stands in a JSON string: this is the seam between two rows.
    return lines[1:-2].replace(b"]\n[", b"\n") + b"\n"


def _only_quotes(lines: bytes) -> bool:
    """Tell whether every backslash stands before a quote: three quick looks, for a slow one."""
    return b"\\\\" not in lines and lines.count(b"\\") == lines.count(b'\\"')
