"""`POST /v1/commands`: many commands in one request, each answered for itself."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Body as BodyParameter
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api import problems
from api.access import caller_of_request
from api.answers import accepted
from api.asking import answer
from api.bare import add_bare_route, parameter
from api.bodies import HTTP_BODIES, read_body
from api.command_table import PLACES
from api.desk import Order
from api.examples import LOAN_ID, example_of
from api.gate import REQUEST_ID
from api.headers import KEY_PATTERN
from api.identity import Caller
from api.openapi import errors
from api.parts import Parts
from api.rows import answer_model
from domain.errors import Rejected
from domain.ports import Outcome
from infra.edge import Identifier, refusals_of

PATH: Final = "/v1/commands"


class Item(BaseModel):
    """One command of a batch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: str = Field(description="The command's name", examples=["loan.receive_payment"])
    target: Identifier = Field(description="The loan's id, or the product's code")
    key: Annotated[str, Field(pattern=KEY_PATTERN)] = Field(
        description="As the header Idempotency-Key", examples=["payment-2018-06-26-1"]
    )
    if_version: int | None = Field(None, ge=0, lt=10**18, description="As the header If-Match")
    body: dict[str, Any] = Field(
        default_factory=dict[str, Any], description="As the body of the command's own route"
    )


BatchAnswer = answer_model(
    "BatchAnswer",
    "Answers in the order of the commands.",
    answers=list[
        answer_model(
            "ItemAnswer",
            "What became of one command.",
            status=(int, Field(description="201, or the problem's status")),
            version=(int | None, Field(description="Of the aggregate; null: refused")),
            position=(str | None, Field(description="null: refused, or nothing changed")),
            repeated=(bool, Field(description="Whether this key was answered before")),
            problem=(problems.Problem | None, Field(description="null: carried out")),
        )
    ],
)


def batch_model(commands_max: int) -> type[BaseModel]:
    """Make the model of a batch's body."""

    class Batch(BaseModel):
        """Commands in order. Those on one aggregate are carried out in this order."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        commands: tuple[Item, ...] = Field(min_length=1, max_length=commands_max)

    return Batch


class Batches:
    """Serves batches."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.model = batch_model(parts.limits.batch_commands_max)

    async def serve(self, request: Request) -> Response:
        """Carry out many commands."""
        caller = caller_of_request(self._parts.tokens, request)
        batch: Any = await read_body(request, self.model)
        request_id = request.scope["state"][REQUEST_ID]
        orders: dict[int, Order] = {}
        answers: dict[int, dict[str, Any]] = {}
        for number, item in enumerate(batch.commands):
            try:
                orders[number] = _order(caller, item, f"{request_id}.{number}")
            except Rejected as no:
                answers[number] = _refused(problems.of_refusal(no))
            except ValidationError as error:
                answers[number] = _refused(problems.of_refusals(refusals_of(error)))
        outcomes = await self._parts.desk.carry_out_many(caller, list(orders.values()))
        for number, outcome in zip(orders, outcomes, strict=True):
            answers[number] = _answer(outcome)
        return answer({"answers": [answers[number] for number in range(len(answers))]})


def _order(caller: Caller, item: Item, command_id: str) -> Order:
    """Read one command. Raises Rejected `unknown_command`, `forbidden`; ValidationError."""
    place = PLACES.get(item.command)
    if place is None:
        raise Rejected("unknown_command", f"there is no command {item.command[:60]}", "command")
    caller.require(place.scope)
    body: Any = HTTP_BODIES[item.command].model_validate(item.body)
    return Order(
        name=item.command,
        target=item.target,
        body=body,
        key=item.key,
        reason_code=body.reason_code,
        on_behalf_of=body.on_behalf_of,
        expected_version=item.if_version,
        command_id=command_id,
    )


def _answer(outcome: Outcome | Exception) -> dict[str, Any]:
    if isinstance(outcome, Exception):
        return _refused(problems.of_error(outcome))
    if outcome.refusal is not None:
        return _refused(problems.of_refusal(outcome.refusal), repeated=outcome.repeated)
    said = accepted(outcome, "target", "")
    del said["target"]
    return {"status": HTTPStatus.CREATED, "problem": None} | said


def _refused(problem: dict[str, Any], *, repeated: bool = False) -> dict[str, Any]:
    return {
        "status": problem["status"],
        "version": None,
        "position": None,
        "repeated": repeated,
        "problem": problem,
    }


def register(app: FastAPI, parts: Parts) -> None:
    """Add the route."""
    batches = Batches(parts)
    payment = "loan.receive_payment"
    example = {
        "commands": [
            {
                "command": payment,
                "target": LOAN_ID,
                "key": "payment-2018-06-26-1",
                "body": example_of(HTTP_BODIES[payment]),
            }
        ]
    }
    add_bare_route(
        app,
        PATH,
        batches.serve,
        parameters=[parameter("body", Annotated[batches.model, BodyParameter(examples=[example])])],
        operation_id="carry_out_commands",
        summary="Carry out many commands",
        description="Each command is answered for itself, under its own key; one that is refused"
        " leaves the others alone. Each needs the scope of its own route.",
        tags=["commands"],
        responses={200: {"model": BatchAnswer, "description": "What became of each"}}
        | errors(400, 401, 413, 415, 422, 429, 503),
    )
