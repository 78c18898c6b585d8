"""What a stranger wants simulated: terms and operations, as models and made into the engine's own.

Derived from `LoanTerms` and from the operations' dataclasses, as bodies are from commands, so that
what the engine learns the edge knows. It simulates nothing.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Union, get_args

from pydantic import Field, create_model

from domain.errors import Rejected
from domain.money import ROUNDING_MODES
from domain.servicing.operations import Operation
from domain.servicing.terms import LoanTerms
from infra.edge.bodies import Body, edge_name, model_of
from infra.edge.commands import build
from infra.edge.values import Currency

OPERATIONS_MAX: Final = 1_000
"""A month of thirty years has two operations, its date and its payment."""


def _name_of(kind: type) -> str:
    """Name an operation: `SetBusinessDate` is `set_business_date`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _model_of(kind: type) -> type[Body]:
    name = _name_of(kind)
    op: Any = (Literal[name], Field(description=f"`{name}`"))
    return create_model(kind.__name__, __base__=model_of(kind), __doc__=kind.__doc__, op=op)


OPERATIONS: Final[Mapping[str, type[Body]]] = MappingProxyType(
    {_name_of(kind): _model_of(kind) for kind in get_args(Operation)}
)
"""An operation's name to its model."""

_ANY_OPERATION: Final[Any] = Annotated[
    Union[tuple(OPERATIONS.values())],  # noqa: UP007 - of a list made at run time
    Field(discriminator="op"),
]

Detail = Literal["final", "steps"]

_FIELDS: Final[dict[str, Any]] = {
    "currency": (Currency, Field(description="Of all amounts", examples=["USD"])),
    "terms": (model_of(LoanTerms), Field(description="What the engine reads of a product")),
    "operations": (
        Annotated[tuple[_ANY_OPERATION, ...], Field(min_length=1, max_length=OPERATIONS_MAX)],
        Field(description="What is done to the loan, in order"),
    ),
    "detail": (
        Detail,
        Field("final", description="`steps`: schedule and transactions after every operation"),
    ),
    "explain": (
        bool,
        Field(default=False, description="Say why every figure is what it is"),
    ),
}
SimulationRequest: type[Body] = create_model(
    "SimulationRequest",
    __base__=Body,
    __doc__="Terms, and what is done to a loan under them.",
    **_FIELDS,
)


def to_simulation(request: Body) -> tuple[LoanTerms, list[Operation]]:
    """Make the engine's terms and operations of a `SimulationRequest`.

    Raises Rejected with the field at fault: as `to_command`, `unknown_rounding_mode`, and what
    `LoanTerms.validate` says.
    """
    asked: Any = request
    terms: Any = build(LoanTerms, asked.terms, asked.currency, "terms.", {})
    for name in ("rounding", "interest_rounding"):
        if getattr(terms, name) not in ROUNDING_MODES:
            detail = f"one of {', '.join(sorted(ROUNDING_MODES))}"
            raise Rejected("unknown_rounding_mode", detail, f"terms.{name}")
    for refusal in terms.validate():
        raise Rejected(refusal.code, refusal.reason, f"terms.{edge_name(refusal.field)}")
    operations: list[Any] = [
        build(one.made_from, one, asked.currency, f"operations.{k}.", {})
        for k, one in enumerate(asked.operations)
    ]
    return terms, operations
