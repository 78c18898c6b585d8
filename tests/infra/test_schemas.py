"""The published JSON Schemas describe what is really stored and really taken."""

import json
from datetime import UTC, datetime

import jsonschema_rs
import pytest

from consumers.stream import Entry
from domain.commands.servicing import ReceivePayment
from domain.events import TOPICS
from infra.edge import BODIES
from infra.outcome_topic import OutcomeRow, message_of
from infra.schemas import (
    command_schema,
    event_schema,
    every_schema,
    message_schema,
    outcome_schema,
    stored_schema,
)
from tests.support.book import BANK, START
from tests.support.golden_events import golden_path, stored_bytes
from tests.support.messages import event_of

PAYMENT = ReceivePayment(
    loan_id="L-1", effective_on=START, payment_id="p-1", amount_minor=1_000, currency="USD"
)


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_stored_event_is_as_its_schema_says(topic: str) -> None:
    event = json.loads(stored_bytes(golden_path(topic)))["event"]
    schema = jsonschema_rs.validator_for(event_schema(topic))
    assert [str(error) for error in schema.iter_errors(event)] == []
    assert not schema.is_valid(dict.fromkeys(event))


@pytest.mark.parametrize("name", sorted(BODIES))
def test_a_commands_schema_refuses_what_its_body_refuses(name: str) -> None:
    schema = jsonschema_rs.validator_for(command_schema(name))
    assert not schema.is_valid({"surprise": True})
    assert not schema.is_valid([])


def test_every_command_and_event_has_a_schema() -> None:
    names = set(every_schema())
    around = {"command.json", "outcome.json", "stored_event.json"}
    commands = {f"commands/{name}.json" for name in BODIES}
    assert names == around | commands | {f"events/{topic}.json" for topic in TOPICS}


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_the_stored_bytes_of_an_event_are_as_their_schema_says(topic: str) -> None:
    stored = json.loads(stored_bytes(golden_path(topic)))
    schema = jsonschema_rs.validator_for(stored_schema())
    assert [str(error) for error in schema.iter_errors(stored)] == []
    assert not schema.is_valid({name: said for name, said in stored.items() if name != "event"})
    assert not schema.is_valid({name: said for name, said in stored.items() if name != "actor"})


def test_a_message_is_as_its_schema_says() -> None:
    entry = Entry(on=START, key="m-1", command=PAYMENT, actor=BANK, reason_code="instalment")
    message = event_of(entry, {BANK.id: "urn:bank"})
    schema = jsonschema_rs.validator_for(message_schema())
    assert [str(error) for error in schema.iter_errors(message)] == []
    for name in ("specversion", "id", "source", "type"):
        assert not schema.is_valid({n: said for n, said in message.items() if n != name})


@pytest.mark.parametrize("code", [None, "wrong_status"])
def test_an_answer_is_as_its_schema_says(code: str | None) -> None:
    row = OutcomeRow(
        sequence=7,
        scope="urn:bank",
        key="m-1",
        command="loan.receive_payment",
        status="refused" if code else "recorded",
        stream="loan-1",
        version=None if code else 9,
        position=None if code else 4711,
        code=code,
        detail=code and "it is settled",
        field=None,
        recorded_at=datetime(2018, 1, 15, tzinfo=UTC),
    )
    answer = json.loads(message_of(0, row, "nobody").value)
    schema = jsonschema_rs.validator_for(outcome_schema())
    assert [str(error) for error in schema.iter_errors(answer)] == []
    assert not schema.is_valid(answer | {"data": answer["data"] | {"status": "lost"}})
