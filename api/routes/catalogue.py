"""What else a client asks: a product, a reference rate, the business date, a command's outcome."""

from datetime import date
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Request, Response
from pydantic import Field

from api import problems
from api.access import caller_of_request
from api.answers import position_text
from api.asking import Queries, answer
from api.headers import KEY_PATTERN
from api.parts import Parts
from api.rows import Row, answer_model
from api.writing import written
from domain.errors import Rejected
from domain.loan.charge_rules import ChargeRule
from domain.loan.terms import (
    ArrearsConditions,
    BuyDownFee,
    CapitalisedIncome,
    Conditions,
    DownPaymentConditions,
    DueDays,
    FloatingConditions,
    PayoutFee,
    PenaltyConditions,
)
from domain.product import Product, product_stream
from infra.edge import Identifier
from projections.repricing import ReferenceValue, values

FEE: Final = Row("ProductPayoutFee", "A fee that is kept back from payouts.", PayoutFee)
DUE_DAYS: Final = Row("ProductDueDays", "Which day of the month is agreed.", DueDays)
CHARGE_RULE: Final = Row("ProductChargeRule", "A charge that the product computes.", ChargeRule)
PENALTY: Final = Row(
    "ProductPenalty", "What overdue or misused principal costs.", PenaltyConditions
)
ARREARS: Final = Row(
    "ProductArrears", "What is tolerated before a loan is overdue.", ArrearsConditions
)
DOWN_PAYMENT: Final = Row(
    "ProductDownPayment", "What of a payout is due on its own day.", DownPaymentConditions
)
CAPITALISED: Final = Row(
    "ProductCapitalisedIncome", "Income that may be added to principal.", CapitalisedIncome
)
BUY_DOWN: Final = Row(
    "ProductBuyDownFee", "A fee for a lower price that the borrower does not owe.", BuyDownFee
)
FLOATING: Final = Row("ProductFloating", "How rates follow a reference.", FloatingConditions)
CONDITIONS: Final = Row(
    "ProductConditions",
    "What the product says of its loans.",
    Conditions,
    nested={
        "arrears": ARREARS.maybe,
        "buy_down_fee": BUY_DOWN.maybe,
        "capitalised_income": CAPITALISED.maybe,
        "charge_rules": CHARGE_RULE.many,
        "down_payment": DOWN_PAYMENT.maybe,
        "due_days": DUE_DAYS.maybe,
        "floating": FLOATING.maybe,
        "payout_fees": FEE.many,
        "penalty": PENALTY.maybe,
    },
)
ProductInForce = answer_model(
    "Product",
    "The newest version of a product; loans keep the version they were applied for under.",
    code=(str, Field(examples=["CONSUMER"])),
    product_version=(int, Field(description="Counts from 1")),
    version=(int, Field(description="Of the product's stream; send it as If-Match")),
    conditions=CONDITIONS.model,
)
VALUE: Final = Row(
    "ReferenceValue", "One value of a reference, as known now.", ReferenceValue, without=("code",)
)
ReferenceValues = answer_model(
    "ReferenceValues",
    "The newest values of a reference rate, newest first.",
    code=(str, Field(examples=["LPR-5Y"])),
    rows=VALUE.many,
)
BusinessDay = answer_model(
    "BusinessDay",
    "The business date of commands that come in now.",
    business_date=(date, Field(description="The day after the last closed one")),
)
CommandOutcome = answer_model(
    "CommandOutcome",
    "What became of a command.",
    stream=(str, Field(description="The aggregate's stream")),
    version=(int | None, Field(description="null: refused")),
    position=(str | None, Field(description="null: refused, or nothing changed")),
    problem=(problems.Problem | None, Field(description="Why it was refused; null: it was not")),
)

Code = Annotated[Identifier, Path(description="The product's code", examples=["CONSUMER"])]
Reference = Annotated[Identifier, Path(description="The reference's code", examples=["LPR-5Y"])]
Key = Annotated[str, Path(pattern=KEY_PATTERN, description="The Idempotency-Key", examples=["k-1"])]


class CatalogueQueries(Queries):
    """Answers that are about no loan in particular."""

    tag = "catalogue"

    async def get_product(self, request: Request, code: Code) -> Response:
        """Get the version of a product that new applications are made under."""
        del request
        parts, stream = self.parts, product_stream(code)
        known = (await parts.reads.in_thread(lambda: parts.service.fetch([stream])))[stream]
        if not isinstance(known.state, Product):
            raise Rejected("not_found", f"there is no product {code}", "code")
        current = known.state.current
        said = {
            "code": code,
            "product_version": current.version,
            "version": known.version,
            "conditions": written(current.conditions),
        }
        return answer(said, ETag=f'"{known.version}"')

    async def get_reference(self, request: Request, code: Reference) -> Response:
        """Get what was published of a reference rate, and by whom it was recorded."""
        rows = await self.ask(request, lambda db: values(db, code))
        if not rows:
            raise Rejected("not_found", f"nothing was published of {code}", "code")
        return answer({"code": code, "rows": VALUE.write_all(rows)})

    async def get_business_date(self, request: Request) -> Response:
        """Get the business date: value dates after it are refused."""
        del request
        return answer({"business_date": await self.parts.business_date.today()})

    async def get_command_outcome(self, request: Request, key: Key) -> Response:
        """Get what became of a command of yours whose answer was lost, by its Idempotency-Key."""
        parts, scope = self.parts, caller_of_request(self.parts.tokens, request).client
        outcome = await parts.reads.in_thread(lambda: parts.store.outcome(scope, key))
        if outcome is None:
            raise Rejected("not_found", "nothing is recorded under this key of yours", "key")
        said: dict[str, Any] = {
            "stream": outcome.stream,
            "version": outcome.version,
            "position": position_text(outcome.position),
            "problem": problems.of_refusal(outcome.refusal) if outcome.refusal else None,
        }
        return answer(said)


def register(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""
    queries = CatalogueQueries(parts)
    queries.add(app, "/v1/products/{code}", ProductInForce, queries.get_product)
    queries.add(app, "/v1/references/{code}", ReferenceValues, queries.get_reference)
    queries.add(app, "/v1/business-date", BusinessDay, queries.get_business_date)
    queries.add(app, "/v1/commands/{key}", CommandOutcome, queries.get_command_outcome)
