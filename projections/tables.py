"""Rows as msgspec structs, and the bulk statements that a table of such rows needs.

A struct's fields are the table's columns. Rows travel as one JSON text a statement: encoding them
costs a few microseconds a row, and PostgreSQL casts every value to its column's type.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from projections.ports import Database

R = TypeVar("R", bound=msgspec.Struct)

STILL = "9999-12-31"
"""The date that stands for no end: JSON and Python know no infinity."""

_encode = msgspec.json.Encoder(decimal_format="string").encode


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
        self._insert = (
            f"INSERT INTO {name} ({listed}) "
            f"SELECT {listed} FROM json_populate_recordset(NULL::{name}, %s::json)"
        )
        self._upsert = f"{self._insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
        self._select = f"SELECT {', '.join(f't.{c}' for c in self.columns)} FROM {name} t"

    def insert(self, db: Database, rows: Sequence[R]) -> None:
        """Add rows that are not there."""
        if rows:
            db.execute(self._insert, [_encode(rows).decode()])

    def upsert(self, db: Database, rows: Sequence[R]) -> None:
        """Add rows, or replace those of the same key; a key may come once."""
        if rows:
            db.execute(self._upsert, [_encode(rows).decode()])

    def load(self, db: Database, tail: str, parameters: dict[str, Any]) -> Iterable[R]:
        """Read rows; `tail` follows `SELECT ... FROM table t`."""
        for values in db.tuples(f"{self._select} {tail}", parameters):
            yield self.row(*values)
