"""Examples for the documentation, made from a model: by a field's name, else by its type.

A new command has an example as soon as it has a body; a test holds every one valid.
"""

from collections.abc import Mapping
from datetime import date
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

LOAN_ID: Final = "0190a000-0000-7000-8000-000000000001"
ON: Final = "2018-06-26"
DUE: Final = "2018-07-26"
HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_BY_NAME: Final[Mapping[str, Any]] = {
    "amount": "1000.00",
    "annual_cost": "0.1349",
    "amount_max": "50000.00",
    "amount_min": "100.00",
    "four_eyes_from": "0.00",
    "allocation": ["penalty", "fee", "interest", "principal"],
    "cause": "bounced",
    "category": "securities",
    "channel": "ach",
    "charges": ["LATE"],
    "checks": ["conditions", "contract", "payee_account", "payee_name", "terms"],
    "code": "LATE",
    "currency": "USD",
    "customer_id": "customer-1",
    "decision": "approved",
    "effective_on": ON,
    "external_id": "application-1",
    "features_hash": HASH,
    "first_due_on": DUE,
    "how": "cured",
    "instalment": 1,
    "instalments": 36,
    "instalments_max": 360,
    "kind": "invoice",
    "method": "irr",
    "name": "Consumer loan",
    "payee_account_hash": HASH,
    "payload_hash": HASH,
    "product_code": "CONSUMER",
    "rate_annual": "0.1299",
    "reference": "LPR-5Y",
    "rate_annual_max": "0.36",
    "score": "0.71",
    "sha256": HASH,
    "suspicion": "altered",
    "tier": "call",
    "use": "debt_consolidation",
    "value": "0.0360",
}


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return an example: all that must be there, the value date, and little else."""
    return {
        name: _example(name, field.annotation)
        for name, field in model.model_fields.items()
        if field.is_required() or name == "effective_on"
    }


def _example(name: str, hint: Any) -> Any:  # noqa: ANN401 - any JSON value
    origin, parts = get_origin(hint), [part for part in get_args(hint) if part is not NoneType]
    if origin is Annotated or origin in {Union, UnionType}:
        return _example(name, parts[0])
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return example_of(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        values = [member.value for member in hint]
        return _BY_NAME[name] if _BY_NAME.get(name) in values else values[0]
    if name in _BY_NAME and (hint is not int or isinstance(_BY_NAME[name], int)):
        return _BY_NAME[name]
    if origin is tuple:
        return [_example(name, parts[0])]
    return _by_type(name, hint)


def _by_type(name: str, hint: Any) -> Any:  # noqa: ANN401 - any JSON value
    if hint is int:
        return 1
    if hint is bool:
        return False
    if hint is date:
        return ON
    if name.endswith("_id"):
        return f"{name.removesuffix('_id').replace('_', '-')}-1"
    return "0.1" if "rate" in name or name.endswith("_annual") else name.replace("_", "-")
