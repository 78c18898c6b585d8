"""The AsyncAPI document: whole, and true to the topics and their messages."""

from collections.abc import Iterator
from functools import reduce
from typing import cast

import pytest

from domain.events import TOPICS
from infra.asyncapi import EVENT_HEADERS, asyncapi_document
from infra.edge import BODIES
from infra.event_topic import EventRow, headers_of
from infra.kafka_cluster import PARTITIONS, Topics
from infra.schemas import every_schema

DOCUMENT = asyncapi_document("1.2.3")
ROW = EventRow(1, "loan-1", b"1", "loan.settled.v1", b"2018-01-15", b"0", b"{}", b"", b"")


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for name, inner in cast("dict[str, object]", part).items():
            if name == "$ref":
                yield str(inner)
            else:
                yield from references(inner)
    elif isinstance(part, list):
        for inner in cast("list[object]", part):
            yield from references(inner)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > len(TOPICS) + len(BODIES)
    for reference in found:
        file, _, pointer = reference.partition("#/")
        if file:
            assert file.removeprefix("./schemas/") in every_schema()
        else:
            assert reduce(lambda part, name: part[name], pointer.split("/"), DOCUMENT)


def test_every_topic_is_a_channel_with_all_its_messages() -> None:
    channels = {c["address"]: c for c in DOCUMENT["channels"].values()}
    assert set(channels) == set(Topics().names())
    assert set(channels[Topics().events]["messages"]) == set(TOPICS)
    assert set(channels[Topics().commands]["messages"]) == set(BODIES)
    assert {c["bindings"]["kafka"]["partitions"] for c in channels.values()} == {PARTITIONS}


@pytest.mark.parametrize("name", sorted({*TOPICS, *BODIES}))
def test_every_message_says_what_it_is(name: str) -> None:
    message = DOCUMENT["components"]["messages"][name]
    assert message["summary"]
    assert message["payload"]["allOf"]


def test_the_headers_are_those_that_the_relay_writes() -> None:
    assert set(EVENT_HEADERS["properties"]) == {name for name, _ in headers_of(0, ROW)}
    assert set(EVENT_HEADERS["required"]) <= set(EVENT_HEADERS["properties"])


def test_the_document_names_its_release() -> None:
    assert DOCUMENT["info"]["version"] == "1.2.3"
