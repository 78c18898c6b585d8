"""Writes the domain's values as JSON ones, the way bodies are read: amounts as decimal strings.

`amount_minor: 1250` in US dollars becomes `amount: "12.50"`, a rate a decimal string. It knows no
event and no row by name.
"""

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, cast

from domain.money import format_amount
from infra.edge import MINOR, edge_name


def written(  # noqa: PLR0911 - one a kind of value
    value: object, currency: str | None = None
) -> Any:  # noqa: ANN401 - any JSON value
    """Write a value and all that is inside; `currency` is that of amounts around which none stands.

    Raises ValueError for an amount without any currency, TypeError for a kind of value that no
    answer has.
    """
    match value:
        case None | bool() | int() | str() if not isinstance(value, Enum):
            return value
        case Enum():
            return value.value
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return _named(cast("Mapping[str, object]", value), currency)
        case tuple() if hasattr(cast("object", value), "_asdict"):
            return _named(cast("Any", value)._asdict(), currency)
        case list() | tuple() | frozenset():
            return [written(one, currency) for one in cast("list[object]", value)]
        case _ if dataclasses.is_dataclass(value):
            named = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            return _named(named, currency)
        case _:
            raise TypeError(f"an answer has no {type(value).__name__}")


def _named(values: Mapping[str, object], currency: str | None) -> dict[str, Any]:
    own = values.get("currency")
    currency = own if isinstance(own, str) else currency
    return {edge_name(name): _field(name, value, currency) for name, value in values.items()}


def _field(name: str, value: object, currency: str | None) -> Any:  # noqa: ANN401 - as above
    if not name.endswith(MINOR) or value is None:
        return written(value, currency)
    return amount(value, currency, name)


def amount(value: object, currency: str | None, name: str = "amount") -> str:
    """Write minor units. Raises ValueError without a currency."""
    if currency is None or not isinstance(value, int):
        raise ValueError(f"{name} {value!r} has no currency")
    return format_amount(value, currency)
