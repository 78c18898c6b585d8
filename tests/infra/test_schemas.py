"""The published JSON Schemas describe what is really stored and really taken."""

import json

import jsonschema_rs
import pytest

from domain.events import TOPICS
from infra.edge import BODIES
from infra.schemas import command_schema, event_schema, every_schema
from tests.support.golden_events import golden_path, stored_bytes


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
    assert names == {f"commands/{name}.json" for name in BODIES} | {
        f"events/{topic}.json" for topic in TOPICS
    }
