"""Makes domain commands of validated bodies, and fingerprints requests. Validates no shapes."""

import dataclasses
import hashlib
from datetime import date
from typing import Any

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
    command = _build(cls, body, getattr(body, "currency", None), "", given)
    assert isinstance(command, Command)
    return command


def _build(cls: type, body: Body, currency: str | None, path: str, given: dict[str, Any]) -> object:
    """Make a dataclass from its model, part by part; `path` leads to the model, with its dot."""
    currency = getattr(body, "currency", None) or currency
    values = dict(given)
    for field in dataclasses.fields(cls):
        name = edge_name(field.name)
        if field.name in values or name not in type(body).model_fields:
            continue
        value = getattr(body, name)
        if value is None and field.default is not dataclasses.MISSING:
            continue  # left out: the command's own default
        if field.name.endswith(MINOR) and value is not None:
            value = _minor(value, currency, path + name)
        elif isinstance(value, Body):
            value = _build(value.made_from, value, currency, f"{path}{name}.", {})
        values[field.name] = value
    return cls(**values)


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
