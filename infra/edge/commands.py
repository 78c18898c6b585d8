"""Makes domain commands of validated bodies, and fingerprints requests. Validates no shapes."""

import dataclasses
import hashlib
from datetime import date
from functools import cache
from typing import Any, NamedTuple, cast, get_origin, get_type_hints

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
    sent = body.model_fields_set
    values = dict(given)
    for field in _fields(cls, type(body)):
        if field.name in values:
            continue
        name = field.edge_name
        value = getattr(body, name)
        if field.is_minor and value is not None:
            values[field.name] = _minor(value, currency, path + name)
        elif name in sent and (value is not None or not field.has_default):
            made = _part(value, currency, path + name)
            values[field.name] = frozenset(made) if field.is_set else made
        elif not field.has_default:
            values[field.name] = value
    return cls(**values)


class _Field(NamedTuple):
    """A field of a dataclass, and how its model has it."""

    name: str
    edge_name: str
    is_minor: bool
    is_set: bool  # the edge has a list
    has_default: bool


@cache
def _fields(cls: type, model: type[Body]) -> tuple[_Field, ...]:
    """List the fields of a dataclass that a model has."""
    hints = get_type_hints(cls)
    missing = dataclasses.MISSING
    return tuple(
        _Field(
            name=field.name,
            edge_name=edge_name(field.name),
            is_minor=field.name.endswith(MINOR),
            is_set=get_origin(hints[field.name]) is frozenset,
            has_default=not (field.default is missing and field.default_factory is missing),
        )
        for field in dataclasses.fields(cls)
        if edge_name(field.name) in model.model_fields
    )


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
