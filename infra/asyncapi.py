"""The AsyncAPI document of the topics: who sends what where, and the schema of each message.

Made from the tables of commands and events; the schemas themselves lie in docs/schemas/.
"""

from typing import Any, Final

from domain.commands import NAMES
from domain.events import TOPICS
from infra import cloud_events
from infra.edge import BODIES
from infra.kafka_cluster import PARTITIONS, Topics
from infra.schemas import in_one_line

Part = dict[str, Any]
SCHEMAS: Final = "./schemas/"
KAFKA: Final = "0.5.0"
"""Version of AsyncAPI's Kafka bindings."""

STRUCTURED: Final = cloud_events.STRUCTURED.decode()


def asyncapi_document(version: str) -> Part:
    """Return the document of a release."""
    commands, events = sorted(NAMES.keys() & BODIES.keys()), sorted(TOPICS)
    topics = Topics()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Loanbook",
            "version": version,
            "license": {"name": "Apache-2.0"},
            "description": "Commands in, one outcome for each out, and every event of the record."
            " Delivery is at least once: commands are known by source and id, events by stream and"
            " version.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "commands": _channel(
                topics.commands,
                commands,
                "CloudEvents 1.0, structured or binary. The key is the id of the loan (or the code"
                " of the product); commands with one key are carried out in order.",
            ),
            "outcomes": _channel(
                topics.outcomes,
                ["outcome"],
                "One answer a message, published in transactions: read committed records.",
            ),
            "events": _channel(
                topics.events,
                events,
                "Every event, keyed by its stream, in order of version within a stream.",
            ),
            "deadLetters": _channel(
                topics.dead_letters,
                ["deadLetter"],
                "Messages that could not be used, as they came, with code and reason.",
            ),
        },
        "operations": {
            "takeCommands": _operation("receive", "commands", commands, "outcomes"),
            "answerCommands": _operation("send", "outcomes", ["outcome"]),
            "publishEvents": _operation("send", "events", events),
            "buryMessages": _operation("send", "deadLetters", ["deadLetter"]),
        },
        "components": {
            "messages": {name: _command(name) for name in commands}
            | {topic: _event(topic) for topic in events}
            | {"outcome": _outcome(), "deadLetter": _dead_letter()},
            "schemas": {"EventHeaders": EVENT_HEADERS},
        },
    }


EVENT_HEADERS: Final[Part] = {
    "type": "object",
    "properties": {
        "topic": {"type": "string", "description": "what happened, such as loan.applied.v1"},
        "version": {"type": "string", "description": "of the stream, from 1 without gaps"},
        "position": {"type": "string", "description": "shard:number, dense in a shard"},
        "schema": {"type": "string", "description": "file of the event's JSON Schema"},
        "effective_on": {"type": "string", "format": "date"},
        "recorded_at": {"type": "string", "description": "microseconds since 1970 in UTC"},
        "prev_hash": {"type": "string", "description": "32 bytes: of the stream's event before"},
        "hash": {"type": "string", "description": "32 bytes; infra/chain.py says over what"},
    },
    "required": ["topic", "version", "position", "effective_on", "recorded_at", "hash"],
}


def _channel(address: str, messages: list[str], says: str) -> Part:
    return {
        "address": address,
        "description": says,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": {"partitions": PARTITIONS, "bindingVersion": KAFKA}},
    }


def _operation(action: str, channel: str, messages: list[str], reply: str | None = None) -> Part:
    made: Part = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }
    if reply is not None:
        made["reply"] = {"channel": {"$ref": f"#/channels/{reply}"}}
    return made


def _message(title: str, says: str, content_type: str, payload: Part, key: str) -> Part:
    return {
        "name": title,
        "title": title,
        "summary": says,
        "contentType": content_type,
        "payload": payload,
        "bindings": {
            "kafka": {"key": {"type": "string", "description": key}, "bindingVersion": KAFKA}
        },
    }


def _command(name: str) -> Part:
    body = {"type": {"const": name}, "data": {"$ref": f"{SCHEMAS}commands/{name}.json"}}
    payload: Part = {"allOf": [{"$ref": f"{SCHEMAS}command.json"}, {"properties": body}]}
    key = "the aggregate's id, which is also the subject"
    return _message(name, in_one_line(NAMES[name]), STRUCTURED, payload, key)


def _event(topic: str) -> Part:
    event = {"event": {"$ref": f"{SCHEMAS}events/{topic}.json"}}
    payload: Part = {
        "allOf": [{"$ref": f"{SCHEMAS}stored_event.json"}, {"properties": event}],
    }
    says = in_one_line(TOPICS[topic])
    made = _message(topic, says, "application/json", payload, "the stream, such as loan-0190...")
    return made | {"headers": {"$ref": "#/components/schemas/EventHeaders"}}


def _outcome() -> Part:
    says = "What became of one message."
    payload = {"$ref": f"{SCHEMAS}outcome.json"}
    return _message("outcome", says, STRUCTURED, payload, "the aggregate's id, or the source")


def _dead_letter() -> Part:
    says = "A message that could not be used, byte for byte."
    key = "where it came from: topic/partition@offset"
    made = _message("deadLetter", says, "application/octet-stream", {}, key)
    headers = {
        "code": {"type": "string", "description": "stable, for programs"},
        "reason": {"type": "string", "description": "for people"},
        "original_key": {"type": "string", "description": "its own headers follow likewise"},
    }
    return made | {"headers": {"type": "object", "properties": headers, "required": [*headers]}}
