"""What all query routes share: who may ask, what must have been seen, how it is answered."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, ClassVar, Final, TypeVar

import msgspec
from fastapi import Depends, FastAPI, Header, Path, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from api import headers
from api.access import allowed
from api.examples import LOAN_ID
from api.identity import Scope
from api.openapi import QUERY_ERRORS
from api.parts import Parts
from domain.envelope import Position
from domain.errors import Rejected
from infra.edge import Identifier
from infra.edge.values import DATE_MAX, DATE_MIN, IsoDate, Text
from projections import loan_summary
from projections.pages import PAGE_ROWS_MAX
from projections.ports import Database, Row

T = TypeVar("T")

CURSOR_CHARS_MAX: Final = 500
JSON: Final = "application/json"


class Params(BaseModel):
    """What every set of query parameters shares: an unknown one is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paged(Params):
    """Parameters of a list."""

    limit: int = Field(50, ge=1, le=PAGE_ROWS_MAX, description="Rows of a page")
    cursor: str = Field("", max_length=CURSOR_CHARS_MAX, description="From the page before")


def _read_instant(value: object) -> object:
    """Take ISO instants with a zone only: pydantic alone would also take a Unix time."""
    if isinstance(value, datetime):
        return value
    problem = 'an instant is written "2018-06-30T12:00:00Z"; in an address + is %2B'
    try:
        read = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise PydanticCustomError("malformed_instant", problem) from None
    if read.tzinfo is None or not DATE_MIN < read.date() < DATE_MAX:
        raise PydanticCustomError("malformed_instant", problem)
    return read


Instant = Annotated[
    datetime,
    BeforeValidator(_read_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment with its zone."""

Day = IsoDate
Word = Text
Known = Annotated[
    str | None,
    Field(
        pattern=headers.POSITION_PATTERN,
        description="As known at this position, so that an answer once given stays",
    ),
]
LoanId = Annotated[Identifier, Path(description="The loan's id", examples=[LOAN_ID])]


def after(parts: Parts) -> Callable[..., Awaitable[Position | None]]:
    """Make the dependency that reads If-Position."""

    async def position(
        request: Request,
        if_position: Annotated[
            str | None,
            Header(
                alias=headers.IF_POSITION,
                pattern=headers.POSITION_PATTERN,
                description="Answer only from this position on, as a command's answer gave it;"
                " waits a moment, then 503.",
                examples=["0:4711"],
            ),
        ] = None,
    ) -> Position | None:
        del if_position  # there for the document and its pattern
        return headers.wanted_position(request, parts.store.shard)

    return position


class Queries:
    """Routes of one kind of query; a subclass has one method a route."""

    tag: ClassVar[str]
    scope: ClassVar[Scope] = Scope.READ

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def add(
        self,
        app: FastAPI,
        path: str,
        answers: type[BaseModel],
        ask: Callable[..., Awaitable[Response]],
    ) -> None:
        """Add a route; the first sentence of the method's docstring is its summary."""
        says = (ask.__doc__ or "").strip().partition("\n")[0]
        app.get(
            path,
            tags=[self.tag],
            response_model=answers,
            responses=QUERY_ERRORS,
            dependencies=[
                Depends(allowed(self.parts.tokens, self.scope)),
                Depends(after(self.parts)),
            ],
            operation_id=ask.__name__,
            summary=says.rstrip("."),
        )(ask)

    async def ask(self, request: Request, question: Callable[[Database], T]) -> T:
        """Ask the read models, once they have seen what the caller's If-Position says."""
        wanted = headers.wanted_position(request, self.parts.store.shard)
        return await self.parts.reads.run(question, after=wanted)

    def number_of(self, known: str | None) -> int | None:
        """Read the position of knowledge. Raises Rejected `malformed_position`."""
        if known is None:
            return None
        position = Position.parse(known)
        if position.shard != self.parts.store.shard:
            raise Rejected("malformed_position", f"there is no shard {position.shard}", "known")
        return position.number


def answer(said: object, **more: str) -> Response:
    """Make the response of JSON values; `more` are headers."""
    return Response(msgspec.json.encode(said), headers=more, media_type=JSON)


def known_loan(db: Database, loan_id: str) -> Row:
    """Return a loan's row. Raises Rejected `unknown_loan`."""
    row = loan_summary.loan(db, loan_id)
    if row is None:
        raise Rejected("unknown_loan", "there is no loan with this id", "loan_id")
    return row
