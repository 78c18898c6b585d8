"""Makes domain commands of validated bodies, and fingerprints requests. Validates no shapes."""

import dataclasses
import hashlib
from datetime import date
from functools import cache
from typing import Any, cast, get_origin, get_type_hints

from domain.commands import NAMES, Command
from domain.errors import Rejected
from domain.money import parse_amount
from infra.edge.bodies import MINOR, Body, edge_name, stream_field


def to_command(name: str, body: Body, *, target: str, business_date: date) -> Command:
    """Make the command `name` on the aggregate `target`; amounts become minor units.

    A body without `effective_on` means the business date. Raises Rejected with the field at fault:
    `currency_missing`, `unknown_currency`, `malformed_amount`, `too_many_decimals`,
    `amount_too_large`. Raises KeyError for an unknown name.
    """
    cls = NAMES[name]
    given = {
        stream_field(cls): target,
        "effective_on": getattr(body, "effective_on", None) or business_date,
    }
    command = build(cls, body, getattr(body, "currency", None), "", given)
    assert isinstance(command, Command)
    return command


def build(cls: type, body: Body, currency: str | None, path: str, given: dict[str, Any]) -> object:
    """Make a dataclass from its model, part by part; `path` leads to the model, with its dot.

    What the body leaves out is the dataclass's own default. Raises as `to_command`.
    """
    currency = getattr(body, "currency", None) or currency
    values = dict(given)
    for field in dataclasses.fields(cls):
        name = edge_name(field.name)
        if field.name in values or name not in type(body).model_fields:
            continue
        value = getattr(body, name)
        if field.name.endswith(MINOR) and value is not None:
            values[field.name] = _minor(value, currency, path + name)
        elif name in body.model_fields_set and (value is not None or not _has_default(field)):
            made = _part(value, currency, path + name)
            values[field.name] = frozenset(made) if field.name in _sets_of(cls) else made
        elif not _has_default(field):
            values[field.name] = value
    return cls(**values)


def _has_default(field: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


@cache
def _sets_of(cls: type) -> frozenset[str]:
    """Name the fields of a dataclass that are sets; the edge has them as lists."""
    hints = get_type_hints(cls)
    return frozenset(name for name, hint in hints.items() if get_origin(hint) is frozenset)


def _part(value: Any, currency: str | None, path: str) -> Any:  # noqa: ANN401 - any field's value
    if isinstance(value, Body):
        return build(value.made_from, value, currency, f"{path}.", {})
    if isinstance(value, tuple):
        parts = cast("tuple[Any, ...]", value)
        return tuple(_part(part, currency, f"{path}.{k}") for k, part in enumerate(parts))
    return value


def _minor(text: str, currency: str | None, path: str) -> int:
    if currency is None:
        raise Rejected("currency_missing", "an amount needs its currency", "currency")
    try:
        return parse_amount(text, currency)
    except Rejected as no:
        field = "currency" if no.field == "currency" else path
        raise Rejected(no.code, no.detail, field) from None


def request_hash(name: str, target: str, body: Body, *circumstances: str | None) -> bytes:
    """Fingerprint a request (SHA-256): the same key with another fingerprint is an error.

    Taken over what was asked, not over what it was resolved to, so that a repeat on the next
    business day is still a repeat. `circumstances`: reason code, on whose behalf, and the like.
    """
    canonical = body.model_dump_json(exclude_defaults=True)
    parts = (name, target, canonical, *(part or "" for part in circumstances))
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8) + encoded)
    return digest.digest()
