"""Derives a pydantic model for every public command from its dataclass. Converts nothing."""

import dataclasses
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from domain.commands import NAMES, Command, LoanCommand
from domain.commands.case import CaseCommand
from domain.commands.day import CloseDay
from domain.commands.product import DefineProductVersion
from domain.commands.reference import ReferenceCommand
from infra.edge.notes import note_of
from infra.edge.values import (
    LIST_ITEMS_MAX,
    AmountText,
    Currency,
    DecimalText,
    Integer,
    IsoDate,
    Text,
)

MINOR = "_minor"
PRIVATE: frozenset[type[Command]] = frozenset({CloseDay})
"""Commands that only the program gives to itself."""

_PLAIN: Mapping[object, object] = {
    str: Text,
    int: Integer,
    bool: Annotated[bool, Field(strict=True)],
    date: IsoDate,
    Decimal: DecimalText,
}


class Body(BaseModel):
    """What every body shares: unknown fields are an error, and nothing changes after validation."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)
    made_from: ClassVar[type]
    """The dataclass that the model was derived from."""


def edge_name(field: str) -> str:
    """Name a dataclass field as the edge does: an amount loses its `_minor`."""
    return field.removesuffix(MINOR)


def stream_field(command: type[Command]) -> str:
    """Name the field that says which aggregate is meant; the path or the message's key carries it.

    Raises ValueError for a command that the edge does not know.
    """
    if issubclass(command, LoanCommand | CaseCommand):
        return "loan_id"
    if issubclass(command, DefineProductVersion | ReferenceCommand):
        return "code"
    raise ValueError(f"{command.__name__} has no place at the edge")


def carries_amounts(cls: type) -> bool:
    """Tell whether a dataclass has an amount anywhere inside."""
    return any(
        name.endswith(MINOR) or any(carries_amounts(part) for part in dataclasses_in(hint))
        for name, hint in get_type_hints(cls).items()
    )


def dataclasses_in(hint: object) -> list[type]:
    """List the dataclasses that a type hint names."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return [hint]
    return [found for part in get_args(hint) for found in dataclasses_in(part)]


def _edge_type(name: str, hint: object) -> Any:  # noqa: ANN401 - a type expression
    origin, parts = get_origin(hint), get_args(hint)
    if origin in {UnionType, Union}:
        (inner,) = (part for part in parts if part is not NoneType)
        return _edge_type(name, inner) | None
    if origin in {tuple, frozenset}:
        return _list_type(name, parts)
    if name.endswith(MINOR):
        return AmountText
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return model_of(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    return Currency if name == "currency" else _PLAIN[hint]


def _list_type(name: str, parts: tuple[object, ...]) -> Any:  # noqa: ANN401 - a type expression
    """Make the edge's list of a tuple of known length, of any length, or of a set."""
    types = [_edge_type(name, part) for part in parts if part is not Ellipsis]
    if len(types) > 1:
        return tuple[tuple(types)]
    return Annotated[tuple[types[0], ...], Field(max_length=LIST_ITEMS_MAX)]


def _default(field: "dataclasses.Field[Any]") -> Any:  # noqa: ANN401 - any field's default
    if field.default_factory is not dataclasses.MISSING:
        return tuple(field.default_factory())
    if field.default is dataclasses.MISSING:
        return ...
    if field.name.endswith(MINOR):
        return None  # minor units of a currency that nobody knows yet; `to_command` leaves it out
    if dataclasses.is_dataclass(field.default):
        return model_of(type(field.default))()
    return field.default


@cache
def model_of(cls: type, left_out: frozenset[str] = frozenset()) -> type[Body]:
    """Derive the edge's model of a dataclass, without the fields in `left_out`."""
    hints = get_type_hints(cls)
    described: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        if field.name in left_out:
            continue
        default, hint = _default(field), hints[field.name]
        note = note_of(cls, field.name)
        if field.name.endswith(MINOR) and default is None and NoneType not in get_args(hint):
            hint = hint | None
        if field.name == "effective_on":
            default, hint, note = None, hint | None, "value date; left out: the business date"
        described[edge_name(field.name)] = (
            _edge_type(field.name, hint),
            Field(default, description=note),
        )
    made = create_model(cls.__name__, __base__=Body, __doc__=cls.__doc__, **described)
    made.made_from = cls
    return made


def _body_of(command: type[Command]) -> type[Body]:
    left_out = {stream_field(command)}
    if not carries_amounts(command):
        left_out.add("currency")
    return model_of(command, frozenset(left_out))


BODIES: Mapping[str, type[Body]] = MappingProxyType(
    {name: _body_of(command) for name, command in NAMES.items() if command not in PRIVATE}
)
"""A command's public name, such as `loan.receive_payment`, to the model of its body."""
