"""Simulates a loan and writes what came of it: the schedule, transactions, charges, each step.

The engine is the one that serves loans (`domain.servicing.simulate`). Nothing is stored, and
nothing here waits: it is arithmetic, done in a process of its own (`api/workshop.py`).
"""

import traceback
from collections.abc import Iterator
from datetime import date
from http import HTTPStatus
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from api import problems
from api.explanations import Explanation, explained
from api.rows import answer_model
from domain.errors import Rejected
from domain.money import format_amount
from domain.servicing.account import Amounts, ChargeView, Instalment, Transaction
from domain.servicing.operations import Operation
from domain.servicing.simulation import Stage, State, simulate
from infra.edge import SimulationRequest, refusals_of, to_simulation

ROWS_MAX: Final = 100_000
"""Rows of one answer; past it, ask for `detail: final` or for less."""

CANNOT_FOLLOW: Final = (ArithmeticError, AssertionError, LookupError, TypeError, ValueError)
"""What the engine raises for an operation that makes no sense where it stands."""

_PARTS: Final = {"principal": str, "interest": str, "fees": str, "penalties": str}
Parts = answer_model("Parts", "An amount by component.", **_PARTS, total=str)
SimulatedInstalment = answer_model(
    "SimulatedInstalment",
    "One row of the schedule.",
    number=int,
    from_on=date,
    due_on=date,
    days=int,
    **_PARTS,
    due=str,
    paid=str,
    paid_in_advance=str,
    paid_late=str,
    waived=str,
    written_off=str,
    outstanding=str,
    balance=str,
    met_on=date | None,
    down_payment=bool,
    additional=bool,
)
SimulatedLine = answer_model(
    "SimulatedLine",
    "Which rule took which part of a payment to which instalment.",
    instalment=int,
    component=str,
    amount=str,
    rule=str,
)
SimulatedTransaction = answer_model(
    "SimulatedTransaction",
    "A movement on the account.",
    kind=str,
    on=date,
    amount=str,
    **_PARTS,
    overpaid=str,
    balance=str,
    reversed=bool,
    replayed=bool,
    lines=list[SimulatedLine],
)
SimulatedCharge = answer_model(
    "SimulatedCharge",
    "A charge and what became of it.",
    code=str,
    kind=str,
    time=str,
    basis=str,
    due_on=date | None,
    amount=str,
    paid=str,
    waived=str,
    outstanding=str,
)
SimulatedStep = answer_model(
    "SimulatedStep",
    "Where the loan stands after an operation.",
    op=str,
    business_date=date,
    stage=str,
    status=str,
    outstanding=Parts,
    overpaid=str,
    paid_off=str | None,
    schedule=list[SimulatedInstalment] | None,
    transactions=list[SimulatedTransaction] | None,
)
SimulationAnswer = answer_model(
    "Simulation",
    "What came of it. Nothing was stored.",
    currency=str,
    steps=list[SimulatedStep],
    schedule=list[SimulatedInstalment],
    transactions=list[SimulatedTransaction],
    charges=list[SimulatedCharge],
    explanation=Explanation | None,
)


class CannotFollow(Exception):
    """The engine could not perform an operation where it stands."""

    def __init__(self, number: int) -> None:
        super().__init__(f"operation {number} cannot follow on those before it")
        self.number = number


def run(raw: bytes) -> tuple[int, bytes, str | None]:
    """Simulate what a JSON body asks for.

    Returns the status, the answer as JSON, and, when the engine stumbled, where: for the log.
    Raises nothing that depends on the body.
    """
    trouble: str | None = None
    try:
        request: Any = SimulationRequest.model_validate_json(raw)
        said = _simulated(request)
    except ValidationError as error:
        said = problems.of_refusals(refusals_of(error))
    except Rejected as no:
        said = problems.of_refusal(no)
    except CannotFollow as error:
        trouble = "".join(traceback.format_exception(error))
        field = f"operations.{error.number}"
        said = problems.said("cannot_follow", "this cannot follow on what was done before", field)
    else:
        return HTTPStatus.OK, msgspec.json.encode(said), None
    return said["status"], msgspec.json.encode(said), trouble


def _simulated(request: Any) -> dict[str, Any]:  # noqa: ANN401 - a SimulationRequest
    """Perform the operations and write the answer. Raises Rejected, CannotFollow."""
    terms, operations = to_simulation(request)
    reached = 0

    def one_by_one() -> Iterator[Operation]:
        nonlocal reached
        for number, operation in enumerate(operations):
            reached = number
            yield operation

    try:
        simulation = simulate(terms, one_by_one())
        writer = Writer(request.currency)
        steps = [
            writer.step(asked.op, state, paid, whole=request.detail == "steps")
            for asked, state, paid in zip(
                request.operations, simulation.states, simulation.paid_off_minor, strict=True
            )
        ]
        told = {"currency": request.currency, "steps": steps} | writer.end(simulation.final)
        why = explained(simulation.states, request.currency) if request.explain else None
        return told | {"explanation": writer.counted_parts(why)}
    except Rejected as no:
        at = f"operations.{reached}"
        raise Rejected(no.code, no.detail, f"{at}.{no.field}" if no.field else at) from no
    except CANNOT_FOLLOW as error:
        raise CannotFollow(reached) from error


class Writer:
    """Writes the engine's views in one currency, and counts rows."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._rows = 0

    def step(self, op: str, state: State, paid: int | None, *, whole: bool) -> dict[str, Any]:
        """Write where the loan stands after an operation. Raises Rejected `answer_too_large`."""
        opened = state.stage is Stage.OPENED
        return {
            "op": op,
            "business_date": state.business_date,
            "stage": state.stage,
            "status": state.status if opened else state.stage,
            "outstanding": self._parts(state.account.outstanding),
            "overpaid": self._money(state.account.overpaid),
            "paid_off": None if paid is None else self._money(paid),
            "schedule": self._schedule(state) if whole else None,
            "transactions": self._transactions(state) if whole else None,
        }

    def end(self, state: State) -> dict[str, Any]:
        """Write the loan at the end."""
        return {
            "schedule": self._schedule(state),
            "transactions": self._transactions(state),
            "charges": [self._charge(charge) for charge in state.account.charges],
        }

    def _schedule(self, state: State) -> list[dict[str, Any]]:
        return self._counted([self._instalment(row) for row in state.account.instalments])

    def _transactions(self, state: State) -> list[dict[str, Any]]:
        return self._counted([self._transaction(t) for t in state.transactions])

    def _counted(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self._rows += len(rows)
        if self._rows > ROWS_MAX:
            raise Rejected("answer_too_large", f"more than {ROWS_MAX} rows", "detail")
        return rows

    def counted_parts(self, why: dict[str, list[Any]] | None) -> dict[str, list[Any]] | None:
        """Count an explanation's rows too. Raises Rejected `answer_too_large`."""
        for rows in (why or {}).values():
            self._counted(rows)
        return why

    def _money(self, minor: int) -> str:
        return format_amount(minor, self._currency)

    def _split(self, amounts: Amounts) -> dict[str, str]:
        return {part: self._money(getattr(amounts, part)) for part in _PARTS}

    def _parts(self, amounts: Amounts) -> dict[str, str]:
        return self._split(amounts) | {"total": self._money(amounts.total)}

    def _instalment(self, row: Instalment) -> dict[str, Any]:
        return {
            "number": row.number,
            "from_on": row.from_on,
            "due_on": row.due_on,
            "days": row.days,
            **self._split(row.due),
            "due": self._money(row.due.total),
            "paid": self._money(row.paid.total),
            "paid_in_advance": self._money(row.paid_in_advance_minor),
            "paid_late": self._money(row.paid_late_minor),
            "waived": self._money(row.waived.total),
            "written_off": self._money(row.written_off.total),
            "outstanding": self._money(row.outstanding),
            "balance": self._money(row.balance_after_minor),
            "met_on": row.met_on,
            "down_payment": row.down_payment,
            "additional": row.additional,
        }

    def _transaction(self, t: Transaction) -> dict[str, Any]:
        return {
            "kind": t.kind,
            "on": t.on,
            "amount": self._money(t.amount_minor),
            **self._split(t.split),
            "overpaid": self._money(t.overpayment_minor),
            "balance": self._money(t.balance_after_minor),
            "reversed": t.reversed,
            "replayed": t.replayed,
            "lines": [
                {
                    "instalment": line.instalment,
                    "component": line.component,
                    "amount": self._money(line.amount_minor),
                    "rule": line.rule,
                }
                for line in t.lines
            ],
        }

    def _charge(self, charge: ChargeView) -> dict[str, Any]:
        return {
            "code": charge.code,
            "kind": charge.kind,
            "time": charge.time,
            "basis": charge.basis,
            "due_on": charge.due_on,
            "amount": self._money(charge.amount_minor),
            "paid": self._money(charge.paid_minor),
            "waived": self._money(charge.waived_minor),
            "outstanding": self._money(charge.outstanding),
        }
