"""Simulations over HTTP: the engine's own figures, its refusals, and their bounds."""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from api.routes.simulations import EXAMPLE
from api.simulations import run
from api.workshop import Answer, Workshop
from domain.servicing.operations import Operation
from infra.edge.simulation import OPERATIONS
from infra.errors import Overloaded
from infra.settings import Limits
from tests.api.conftest import Api

TERMS: dict[str, Any] = dict(EXAMPLE["terms"])


def simulate(book: Api, body: object) -> tuple[int, Any]:
    answer = book.as_("rita").post("/v1/simulations", body, key="")
    return answer.status_code, answer.json()


def test_a_life_simulated_is_the_engine_s(book: Api) -> None:
    head = book.parts.store.head()
    status, said = simulate(book, EXAMPLE)
    assert status == 200
    assert [step["op"] for step in said["steps"]] == [one["op"] for one in EXAMPLE["operations"]]
    assert [row["due"] for row in said["schedule"]] == ["340.02", "340.02", "340.03"]
    assert said["schedule"][0]["met_on"] == "2018-02-15"
    last = said["steps"][-1]
    assert (last["status"], last["outstanding"]["total"]) == ("active", "680.05")
    assert last["schedule"] is None
    paid = said["transactions"][-1]
    assert (paid["kind"], paid["principal"], paid["interest"]) == ("repayment", "330.02", "10.00")
    assert sum(Decimal(line["amount"]) for line in paid["lines"]) == Decimal("340.02")
    assert book.parts.store.head() == head


def test_every_step_can_be_seen_whole(book: Api) -> None:
    status, said = simulate(book, EXAMPLE | {"detail": "steps"})
    assert status == 200
    disbursed = said["steps"][3]
    assert [row["outstanding"] for row in disbursed["schedule"]] == ["340.02", "340.02", "340.03"]
    assert said["steps"][-1]["schedule"] == said["schedule"]
    assert said["steps"][-1]["transactions"] == said["transactions"]


def test_every_figure_explains_itself_when_asked(book: Api) -> None:
    assert simulate(book, EXAMPLE)[1]["explanation"] is None
    status, said = simulate(book, EXAMPLE | {"explain": True})
    assert status == 200
    why = said["explanation"]
    assert [x["due"] for x in why["interest"]] == [row["interest"] for row in said["schedule"]]
    first = why["interest"][0]["stretches"][0]
    assert (first["days"], first["balance"], first["rate_annual"]) == (31, "1000.00", "0.12")
    taken = [x for x in why["parts"] if x["kind"] == "repayment"]
    assert sum(Decimal(x["amount"]) for x in taken) == Decimal("340.02")
    assert {x["rule"] for x in taken} == {"default:due:interest", "default:due:principal"}


def test_deferred_income_explains_itself_too(book: Api) -> None:
    """From 15 February, of 59 days to 15 April one: 1 / 59 of 5.90."""
    income = {"op": "transact", "kind": "capitalised_income", "on": "2018-02-15", "amount": "5.90"}
    body = EXAMPLE | {"explain": True, "operations": [*EXAMPLE["operations"], income]}
    status, said = simulate(book, body)
    assert status == 200
    (deferred,) = said["explanation"]["deferred"]
    assert (deferred["recognised"], deferred["deferred"]) == ("0.10", "5.80")
    (part,) = deferred["parts"]
    assert (part["days"], part["days_to_maturity"], part["earned_minor"]) == (1, 59, "10")


def test_amounts_are_in_the_currency_s_own_decimals(book: Api) -> None:
    yen: dict[str, Any] = EXAMPLE | {
        "currency": "JPY",
        "terms": TERMS | {"principal": "100000"},
        "operations": [{"op": "apply"}],
    }
    status, said = simulate(book, yen)
    assert (status, said["schedule"][0]["due"]) == (200, "34002")
    cents: dict[str, Any] = yen | {"terms": TERMS | {"principal": "100000.00"}}
    status, said = simulate(book, cents)
    assert (status, said["code"], said["field"]) == (422, "too_many_decimals", "terms.principal")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"operations": []}, "malformed_field", "operations"),
        ({"operations": [{"op": "fly"}]}, "malformed_field", "operations.0"),
        ({"operations": [{"op": "disburse"}]}, "field_missing", "operations.0.disburse.on"),
        ({"operations": [{"op": "apply", "x": 1}]}, "unknown_field", "operations.0.apply.x"),
        ({"terms": TERMS | {"instalments": 0}}, "count_out_of_range", "terms.instalments"),
        ({"terms": TERMS | {"rounding": "ROUND_ABOUT"}}, "unknown_rounding_mode", "terms.rounding"),
        ({"terms": TERMS | {"rate_annual": 0.12}}, "malformed_decimal", "terms.rate_annual"),
        ({"terms": TERMS | {"strategy": "guess"}}, "unknown_value", "terms.strategy"),
        ({"currency": "ABC"}, "unknown_currency", "currency"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_the_field(
    book: Api, change: dict[str, object], code: str, field: str
) -> None:
    status, said = simulate(book, EXAMPLE | change)
    assert status == 422
    assert (said["code"], said["field"]) == (code, field)


def test_an_operation_that_cannot_follow_is_a_conflict(book: Api) -> None:
    change = {"operations": [{"op": "undo", "target": {"kind": "repayment"}}]}
    status, said = simulate(book, EXAMPLE | change)
    assert (status, said["code"]) == (409, "transaction_not_found")
    assert said["field"] == "operations.0.target"


def test_the_edge_knows_every_operation_of_the_engine() -> None:
    assert {model.__name__ for model in OPERATIONS.values()} == {
        kind.__name__ for kind in Operation.__args__
    }


def test_the_answer_does_not_depend_on_the_process(book: Api) -> None:
    status, content, trouble = run(json.dumps(EXAMPLE).encode())
    assert (status, json.loads(content), trouble) == (*simulate(book, EXAMPLE), None)


def endless(raw: bytes) -> Answer:
    while raw:
        time.sleep(0.001)
    return 200, raw, None


def greedy(raw: bytes) -> Answer:
    return 200, raw * 2**31, None


def ended(raw: bytes) -> Answer:
    signal.raise_signal(signal.SIGKILL)
    return 200, raw, None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "seconds", "code"),
    [
        (endless, 0.3, "simulation_too_long"),
        (greedy, 60.0, "answer_too_large"),
        (ended, 60.0, "answer_too_large"),
    ],
)
def test_a_simulation_past_its_bounds_is_ended(
    work: Callable[[bytes], Answer], seconds: float, code: str
) -> None:
    with closing(Workshop(Limits(simulation_seconds_max=seconds), work)) as workshop:
        status, content, _ = asyncio.run(workshop.run(b"{}"))
    assert (status, json.loads(content)["code"]) == (422, code)


@pytest.mark.slow
def test_too_many_simulations_at_once_are_refused() -> None:
    async def many(workshop: Workshop) -> list[Answer | BaseException]:
        asked = (workshop.run(b"{}") for _ in range(4))
        return await asyncio.gather(*asked, return_exceptions=True)

    limits = Limits(simulation_seconds_max=0.3, simulation_waiting_max=2)
    with closing(Workshop(limits, endless)) as workshop:
        answers = asyncio.run(many(workshop))
    assert sum(isinstance(one, Overloaded) for one in answers) == 2
