"""What strangers send, validated and made into domain commands. One reading for HTTP and Kafka.

`BODIES` holds a pydantic model for every public command, derived from the command's own dataclass:
amounts are decimal strings (`amount_minor: int` is `amount: "12.50"` here) in the body's
`currency`, rates are decimal strings, dates are ISO. Nothing is decided here.
"""

from infra.edge.bodies import BODIES, MINOR, Body, edge_name, model_of, stream_field
from infra.edge.commands import request_hash, to_command
from infra.edge.refusals import refusals_of
from infra.edge.simulation import SimulationRequest, to_simulation
from infra.edge.values import Identifier

__all__ = [
    "BODIES",
    "MINOR",
    "Body",
    "Identifier",
    "SimulationRequest",
    "edge_name",
    "model_of",
    "refusals_of",
    "request_hash",
    "stream_field",
    "to_command",
    "to_simulation",
]
