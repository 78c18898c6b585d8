"""`POST` of one command: read, carry out, answer. `api/command_table.py` says which is where."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from inspect import Parameter
from typing import Annotated, Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec
from fastapi import Body as BodyParameter
from fastapi import FastAPI, Header, Path, Query, Request, Response

from api import headers, problems
from api.access import caller_of_request
from api.answers import CodeAnswer, LoanAnswer, PreviewAnswer, accepted, previewed
from api.bare import add_bare_route, parameter
from api.bodies import HTTP_BODIES, read_body
from api.command_table import LOANS, PLACES, CommandPlace
from api.desk import Order
from api.examples import LOAN_ID, example_of
from api.gate import REQUEST_ID
from api.identity import Caller
from api.openapi import errors
from api.parts import Parts
from domain.commands import NAMES
from domain.errors import Rejected
from domain.ports import Outcome
from infra.edge import Body, Identifier

PREVIEW: Final = "preview"
APPLY: Final = "loan.apply"
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Commands:
    """Serves the commands of one place in the table."""

    parts: Parts
    place: CommandPlace
    body: type[Body]

    async def serve(self, request: Request) -> Response:
        """Carry out a command on what the path names."""
        caller = self._let_in(request)
        target = identifier(request, self.place.target_name)
        body = await read_body(request, self.body)
        return await self._answer(request, caller, target, body)

    async def serve_new_loan(self, request: Request) -> Response:
        """Carry out an application for a loan whose id is made here."""
        caller = self._let_in(request)
        body = await read_body(request, self.body)
        target = loan_id_for(caller, headers.idempotency_key(request), body)
        return await self._answer(request, caller, target, body)

    def _let_in(self, request: Request) -> Caller:
        caller = caller_of_request(self.parts.tokens, request)
        caller.require(self.place.scope)
        return caller

    async def _answer(self, request: Request, caller: Caller, target: str, body: Body) -> Response:
        preview = wants_preview(request)
        order = Order(
            name=self.place.command,
            target=target,
            body=body,
            key="preview" if preview else headers.idempotency_key(request),
            reason_code=getattr(body, "reason_code", None),
            on_behalf_of=getattr(body, "on_behalf_of", None),
            expected_version=headers.expected_version(request),
            command_id=request.scope["state"][REQUEST_ID],
            correlation_id=headers.correlation_id(request),
        )
        if preview:
            yielded = previewed(await self.parts.desk.preview(caller, order))
            return Response(msgspec.json.encode(yielded), media_type=_JSON)
        outcome = await self.parts.desk.carry_out(caller, order)
        return answer(outcome, self.place, target)


def answer(outcome: Outcome, place: CommandPlace, target: str) -> Response:
    """Make the response of an outcome, accepted or refused."""
    if outcome.refusal is not None:
        refused = problems.of_refusal(outcome.refusal) | {"repeated": outcome.repeated}
        return problems.answer(refused)
    made = {"ETag": f'"{outcome.version}"'}
    if place.target_name == "loan_id":
        made["Location"] = f"{LOANS}/{target}"
    content = msgspec.json.encode(accepted(outcome, place.target_name, target))
    return Response(content, HTTPStatus.CREATED, made, _JSON)


def loan_id_for(caller: Caller, key: str, body: Body) -> str:
    """Name a new loan so that the same application always has the same id.

    By the upstream's own id of it where there is one, else by the key of the request.
    """
    external = getattr(body, "external_id", None)
    name = f"loan:{external}" if external else f"key:{key}"
    return str(uuid5(NAMESPACE_URL, f"{caller.client}:{name}"))


def identifier(request: Request, name: str) -> str:
    """Return a part of the path that is an id. Raises Rejected `malformed_field`."""
    given: str = request.path_params[name]
    if _IDENTIFIER.fullmatch(given) is None:
        detail = "1 to 64 letters, digits, dots, dashes, underscores, colons"
        raise Rejected("malformed_field", detail, name)
    return given


def wants_preview(request: Request) -> bool:
    """Tell whether nothing is to be stored. Raises Rejected for any other parameter."""
    if not request.scope["query_string"]:
        return False
    query = request.query_params
    for name in query:
        if name != PREVIEW:
            raise Rejected("unknown_parameter", f"the one there is: {PREVIEW}", name)
    given = query.get(PREVIEW, "false")
    if given not in _BOOLEANS:
        raise Rejected("malformed_field", "true or false", PREVIEW)
    return _BOOLEANS[given]


def register(app: FastAPI, parts: Parts) -> None:
    """Add the routes of every command."""
    for place in PLACES.values():
        commands = Commands(parts, place, HTTP_BODIES[place.command])
        add_bare_route(
            app,
            place.path,
            commands.serve,
            parameters=[_target_parameter(place), *_common(commands.body)],
            operation_id=place.operation_id,
            **_documentation(place),
        )
    place = PLACES[APPLY]
    commands = Commands(parts, place, HTTP_BODIES[APPLY])
    add_bare_route(
        app,
        LOANS,
        commands.serve_new_loan,
        parameters=_common(commands.body),
        operation_id="apply_for_loan",
        **_documentation(place),
    )


_TARGETS: Final = {
    "loan": (LOAN_ID, "The loan's id"),
    "case": (LOAN_ID, "The loan's id"),
    "product": ("CONSUMER", "The product's code"),
    "reference": ("LPR-5Y", "The reference's code"),
}
"""Kind of aggregate to an example of what the path names, and how it is called."""


def _target_parameter(place: CommandPlace) -> Parameter:
    example, says = _TARGETS[place.command.partition(".")[0]]
    annotation = Annotated[Identifier, Path(description=says, examples=[example])]
    return parameter(place.target_name, annotation)


def _common(body: type[Body]) -> list[Parameter]:
    """Describe what every command takes."""
    return [
        parameter("idempotency_key", KEY),
        parameter("if_match", IF_MATCH, None),
        parameter("x_correlation_id", CORRELATION, None),
        parameter(PREVIEW, PREVIEWS, default=False),
        parameter("body", Annotated[body, BodyParameter(examples=[example_of(body)])]),
    ]


KEY: Final = Annotated[
    str,
    Header(
        alias=headers.KEY,
        pattern=headers.KEY_PATTERN,
        description="Your name for this command. Repeating it with the same key and body gives"
        " the first answer again. Not needed for a preview.",
        examples=["payment-2018-06-26-1"],
    ),
]
IF_MATCH: Final = Annotated[
    str | None,
    Header(
        alias=headers.IF_MATCH,
        pattern=headers.IF_MATCH_PATTERN,
        description="Refuse (412) unless the aggregate is at this version.",
        examples=['"7"'],
    ),
]
CORRELATION: Final = Annotated[
    str | None,
    Header(
        alias=headers.CORRELATION,
        pattern=headers.CORRELATION_PATTERN,
        description="Your id of the larger undertaking; kept with the events.",
    ),
]
PREVIEWS: Final = Annotated[
    bool,
    Query(description="Decide as ever, store nothing, answer what would be recorded."),
]


def _documentation(place: CommandPlace) -> dict[str, Any]:
    says = (NAMES[place.command].__doc__ or "").strip()
    summary, _, rest = says.partition("\n")
    accepts = LoanAnswer if place.target_name == "loan_id" else CodeAnswer
    return {
        "summary": summary.rstrip(".").partition(". ")[0].partition(": ")[0],
        "description": f"{summary} {rest.strip()}".strip()
        + f"\n\nCommand `{place.command}`; scope `{place.scope}`.",
        "tags": [place.command.partition(".")[0] + " commands"],
        "status_code": HTTPStatus.CREATED,
        "responses": {
            200: {"model": PreviewAnswer, "description": "A preview; nothing was stored"},
            201: {"model": accepts, "description": "Carried out, and on disk"},
        }
        | errors(400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503),
    }
