"""`POST /v1/simulations`: terms and operations in, the loan's whole life out. Nothing is stored."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Body as BodyParameter
from fastapi import FastAPI, Request, Response

from api import problems
from api.access import caller_of_request
from api.bare import add_bare_route, parameter
from api.bodies import read_json
from api.identity import Scope
from api.openapi import errors
from api.parts import Parts
from api.simulations import SimulationAnswer
from infra.edge import SimulationRequest
from infra.log import logger

PATH: Final = "/v1/simulations"
EXAMPLE: Final[dict[str, Any]] = {
    "currency": "USD",
    "terms": {
        "principal": "1000.00",
        "rate_annual": "0.12",
        "instalments": 3,
        "expected_disbursement_on": "2018-01-15",
        "days_in_year": "360",
        "days_in_month": "30",
    },
    "operations": [
        {"op": "set_business_date", "on": "2018-01-15"},
        {"op": "apply"},
        {"op": "approve", "amount": "1000.00"},
        {"op": "disburse", "on": "2018-01-15", "amount": "1000.00"},
        {"op": "set_business_date", "on": "2018-02-15"},
        {"op": "transact", "kind": "repayment", "on": "2018-02-15", "amount": "340.02"},
    ],
}

_log = logger("simulations")


class Simulations:
    """Serves simulations."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def serve(self, request: Request) -> Response:
        """Simulate what the body asks for."""
        caller_of_request(self._parts.tokens, request).require(Scope.READ)
        raw = await read_json(request)
        status, content, trouble = await self._parts.workshop.run(raw)
        if trouble is not None:
            _log.warning("simulation stumbled", trouble=trouble)
        kind = "application/json" if status == HTTPStatus.OK else problems.MEDIA_TYPE
        return Response(content, status, media_type=kind)


def register(app: FastAPI, parts: Parts) -> None:
    """Add the route."""
    body = Annotated[SimulationRequest, BodyParameter(examples=[EXAMPLE])]
    add_bare_route(
        app,
        PATH,
        Simulations(parts).serve,
        parameters=[parameter("body", body)],
        operation_id="simulate",
        summary="Simulate a loan",
        description="Terms and dated operations in; the schedule, the transactions, the charges"
        " and where the loan stands after each operation out. The engine is the one that serves"
        " loans. Nothing is stored.\n\nScope `read`.",
        tags=["simulations"],
        responses={200: {"model": SimulationAnswer, "description": "What came of it"}}
        | errors(400, 401, 403, 413, 415, 422, 429),
    )
