"""Rows of read models as answers: which columns go out, under which names, written how.

A `Row` is made from the struct of its table, so a new column is one name in a list. Amounts are
decimal strings in the row's currency, rates decimal strings.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.notes import NOTES
from api.writing import amount, written
from domain.envelope import Position
from infra.edge import MINOR, edge_name
from projections.pages import Page

_PLAIN: Final = (int, str, bool, date, datetime)


class Answer(BaseModel):
    """What every answer shares: it has the fields that are described and no others."""

    model_config = ConfigDict(extra="forbid")


def answer_model(name: str, says: str, **fields: Any) -> type[Answer]:  # noqa: ANN401 - types
    """Make a model of an answer; a field is its type, or a pair of type and `Field`."""
    pairs: dict[str, Any] = {
        name: kind if isinstance(kind, tuple) else (kind, ...) for name, kind in fields.items()
    }
    return create_model(name, __base__=Answer, __doc__=says, **pairs)


class Row:
    """One kind of row of an answer."""

    def __init__(
        self,
        name: str,
        says: str,
        source: type,
        *,
        without: Collection[str] = (),
        nested: Mapping[str, Any] | None = None,
        **added: Any,  # noqa: ANN401 - type expressions
    ) -> None:
        """Make a kind of row from a struct or dataclass.

        `without` columns that stay inside, `nested` the types of columns that hold JSON, `added`
        columns that the query has beside the struct's, with their types.
        """
        hints = {k: v for k, v in get_type_hints(source).items() if k not in without} | added
        self.places = {"shard", "position"} <= set(hints)
        """Whether the row has a place in the record, which goes out as one text."""
        if self.places:
            del hints["shard"]
        nested = nested or {}
        fields: dict[str, Any] = {}
        for column, hint in hints.items():
            kind = nested.get(column) or _type_of(column, hint)
            edge = edge_name(column)
            note = NOTES.get(edge)
            fields[edge] = (kind, Field(description=note) if note else ...)
        self.columns: tuple[str, ...] = tuple(hints)
        if self.places:
            fields["position"] = (str, Field(description=NOTES["position"]))
        self.model = create_model(name, __base__=Answer, __doc__=says, **fields)
        self.many: Any = list[self.model]  # pyright: ignore[reportInvalidTypeForm] - made here
        self.maybe: Any = self.model | None

    def write(self, row: Mapping[str, Any], currency: str | None = None) -> dict[str, Any]:
        """Write one row; `currency` is that of its amounts if it has no column of that name."""
        currency = row.get("currency") or currency
        said: dict[str, Any] = {}
        for column in self.columns:
            value = row[column]
            if column.endswith(MINOR) and value is not None:
                value = amount(value, currency, column)
            else:
                value = written(value, currency)
            said[edge_name(column)] = value
        if self.places:
            said["position"] = str(Position(shard=row["shard"], number=row["position"]))
        return said

    def write_all(
        self, rows: Sequence[Mapping[str, Any]], currency: str | None = None
    ) -> list[dict[str, Any]]:
        """Write many rows."""
        return [self.write(row, currency) for row in rows]

    def page(self, page: Page, currency: str | None = None) -> dict[str, Any]:
        """Write a page."""
        return {"rows": self.write_all(page.rows, currency), "cursor": page.cursor}

    def page_model(self) -> type[Answer]:
        """Make the model of a page of these rows."""
        return answer_model(
            f"{self.model.__name__}Page",
            "A page of a list.",
            rows=self.many,
            cursor=(
                str | None,
                Field(description="Send it back for the next page; null: this was the last"),
            ),
        )


def _type_of(  # noqa: PLR0911 - one a kind of type
    column: str,
    hint: Any,  # noqa: ANN401 - type expressions
) -> Any:  # noqa: ANN401
    """Say how a column looks in an answer."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in {UnionType, Union}:
        (inner,) = (part for part in parts if part is not NoneType)
        return _type_of(column, inner) | None
    if column.endswith(MINOR) or hint is Decimal:
        return str
    if hint in _PLAIN:
        return hint
    if origin in {list, tuple}:
        return list[_type_of(column, parts[0])]
    if origin is dict:
        return dict[str, _type_of("", parts[1])]
    if hint is Any:
        return Any
    if isinstance(hint, type) and issubclass(hint, str):
        return str
    raise TypeError(f"{column}: an answer has no {hint}")
