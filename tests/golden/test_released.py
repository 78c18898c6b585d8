"""Stored events are for ever: what a release promised of a topic, every later one keeps."""

import copy
from typing import Any

import pytest

from domain.events import TOPICS
from infra.codec import UPCASTERS
from tests.support.golden_events import golden_path
from tests.support.released import broken, promised, written

PROMISED = promised()
NOW = written()


@pytest.mark.parametrize("topic", sorted(PROMISED))
def test_a_released_topic_keeps_its_schema(topic: str) -> None:
    assert topic in NOW, "a released topic is served for ever"
    assert list(broken(PROMISED[topic], NOW[topic])) == []


@pytest.mark.parametrize("topic", sorted(PROMISED))
def test_a_released_topic_keeps_its_golden_file_and_is_read(topic: str) -> None:
    assert golden_path(topic).exists()
    assert topic in TOPICS or topic in {upcaster.topic for upcaster in UPCASTERS}


def changed(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    schema = copy.deepcopy(NOW["loan.payment_received.v1"])
    return schema | changes


SCHEMA = changed()
FIELDS = SCHEMA["properties"]
AMOUNT = FIELDS["amount_minor"]


def test_a_field_with_a_default_may_be_added() -> None:
    more = changed(properties=FIELDS | {"note": {"type": "string", "default": ""}})
    assert list(broken(SCHEMA, more)) == []


def test_a_field_may_be_added_to_a_part_that_may_be_missing() -> None:
    part: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}}
    more = part | {"properties": {"a": {"type": "integer"}, "b": {"type": "string", "default": ""}}}
    assert (
        list(broken({"anyOf": [{"type": "null"}, part]}, {"anyOf": [{"type": "null"}, more]})) == []
    )


def test_an_enumeration_may_gain_a_value() -> None:
    assert list(broken({"enum": ["a"]}, {"enum": ["a", "b"]})) == []


@pytest.mark.parametrize(
    "otherwise",
    [
        changed(properties={n: field for n, field in FIELDS.items() if n != "amount_minor"}),
        changed(properties=FIELDS | {"amount_minor": AMOUNT | {"type": "string"}}),
        changed(properties=FIELDS | {"amount_minor": AMOUNT | {"default": 0}}),
        changed(properties=FIELDS | {"split": FIELDS["split"] | {"anyOf": []}}),
        changed(required=[*SCHEMA["required"], "note"]),
        changed(required=SCHEMA["required"][:-1]),
    ],
    ids=[
        "a field gone",
        "another type",
        "another default",
        "no split",
        "one must more",
        "one must less",
    ],
)
def test_whatever_changes_a_meaning_is_found(otherwise: dict[str, Any]) -> None:
    assert len(list(broken(SCHEMA, otherwise))) == 1


def test_a_value_that_is_gone_is_found() -> None:
    assert len(list(broken({"enum": ["a", "b"]}, {"enum": ["a"]}))) == 1
