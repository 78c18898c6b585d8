"""The OpenAPI document: whole, valid, described, with examples, and the file is up to date."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import jsonschema_rs
import pytest

from api.cli.openapi_document import openapi_document

# The file: to make the document takes seconds, which every collection of the tests would pay.
FILE: Final = Path(__file__).parents[2] / "docs" / "api" / "openapi.json"
DOCUMENT: Final[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def resolved(part: Any) -> Any:  # noqa: ANN401 - JSON
    """Follow a reference."""
    while "$ref" in part:
        found: Any = DOCUMENT
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def references(part: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    match part:
        case {"$ref": str() as reference}:
            yield reference
        case dict():
            yield from references(list(cast("dict[str, Any]", part).values()))
        case list():
            for one in cast("list[Any]", part):
                yield from references(one)
        case _:
            return


def test_the_file_is_what_the_application_says() -> None:
    assert json.loads(json.dumps(openapi_document())) == DOCUMENT, "make docs"


def test_it_is_openapi_3_1_and_every_reference_leads_somewhere() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    for reference in references(DOCUMENT):
        assert resolved({"$ref": reference})


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_an_operation_is_described(name: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["operationId"]
    assert operation["tags"]
    assert any(status.startswith("2") for status in operation["responses"])
    if " /v1/" in name:
        assert operation["security"] == [{"bearer": []}]
        assert {"401", "403", "422", "429"} - {"403"} <= set(operation["responses"])
    for parameter in operation.get("parameters", []):
        assert parameter["schema"]


@pytest.mark.parametrize(
    ("name", "operation"),
    [(name, operation) for name, operation in OPERATIONS if "requestBody" in operation],
    ids=[name for name, operation in OPERATIONS if "requestBody" in operation],
)
def test_a_body_s_example_fits_its_schema(name: str, operation: dict[str, Any]) -> None:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    examples = schema.get("examples") or resolved(schema).get("examples")
    assert examples, f"{name} has no example"
    whole = {"$ref": schema["$ref"], "components": DOCUMENT["components"]}
    for example in examples:
        jsonschema_rs.validate(whole, example)
        broken = example | {"surely_unknown": 1}
        assert not jsonschema_rs.is_valid(whole, broken)


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
