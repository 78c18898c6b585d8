"""JSON Schemas of what travels: commands and events, and the messages around them.

Made from the code, so they cannot say something else. Reading and writing files is the caller's.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from domain.actors import Actor, Approval
from domain.commands import NAMES
from domain.envelope import Envelope
from domain.events import TOPICS
from domain.events.registry import Event
from infra.cloud_events import CloudEvent
from infra.edge import BODIES
from infra.edge.notes import note_of
from infra.outcome_topic import Answer, AnswerEvent

Schema = dict[str, Any]
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def command_schema(name: str) -> Schema:
    """Describe the body of a public command. Raises KeyError for an unknown name."""
    made = BODIES[name].model_json_schema()
    return {"$schema": DIALECT, "$id": f"{name}.json"} | made | {"title": name}


def event_schema(topic: str) -> Schema:
    """Describe the `event` object that is stored under a topic. Raises KeyError."""
    kind = TOPICS[topic]
    (reference,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    own = parts.pop(kind.__name__)
    assert reference == {"$ref": f"#/$defs/{kind.__name__}"}
    for field, described in own["properties"].items():
        note = note_of(kind, field)
        if note is not None:
            described["description"] = note
    made = {"$schema": DIALECT, "$id": f"{topic}.json"} | own | {"title": topic}
    made["description"] = in_one_line(kind)
    return made | ({"$defs": parts} if parts else {})


def message_schema() -> Schema:
    """Describe the CloudEvent that carries a command; `data` is the command's body."""
    return _object_schema("command", CloudEvent) | {"description": "A command and who sent it."}


def outcome_schema() -> Schema:
    """Describe the CloudEvent that answers a message."""
    return _object_schema("outcome", AnswerEvent, Answer)


def stored_schema() -> Schema:
    """Describe what is stored and published of an event: the envelope, and `event` in it."""
    made = _object_schema("stored_event", Envelope, Actor, Approval)
    made["properties"] |= {"event": {"type": "object", "description": "by its topic's own schema"}}
    made["required"] += ["event"]
    return made


def _object_schema(title: str, kind: type, *parts: type) -> Schema:
    """Describe a class and the classes that it is made of, each field with its comment."""
    _, made = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    for cls in (kind, *parts):
        for field, schema in made[cls.__name__]["properties"].items():
            note = note_of(cls, field)
            if note is not None:
                schema["description"] = note
    own = made.pop(kind.__name__)
    own |= {"title": title, "description": in_one_line(kind)}
    return {"$schema": DIALECT, "$id": f"{title}.json"} | own | ({"$defs": made} if made else {})


def in_one_line(kind: type) -> str:
    """Return what a class's docstring says first."""
    return (kind.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")


def fields_of(kind: type[Event]) -> list[tuple[str, str, str]]:
    """List an event's own fields: name, type as a reader says it, note."""
    fields = msgspec.inspect.type_info(kind)
    assert isinstance(fields, msgspec.inspect.DataclassType)
    return [
        (field.name, _type_name(field.type), note_of(kind, field.name) or "")
        for field in fields.fields
        if field.name != "effective_on"
    ]


_PLAIN: Final[dict[type[msgspec.inspect.Type], str]] = {
    msgspec.inspect.StrType: "text",
    msgspec.inspect.IntType: "integer",
    msgspec.inspect.BoolType: "true or false",
    msgspec.inspect.DecimalType: "decimal",
    msgspec.inspect.DateType: "date",
    msgspec.inspect.DateTimeType: "instant",
}


def _type_name(kind: msgspec.inspect.Type) -> str:
    match kind:
        case msgspec.inspect.UnionType():
            inner = [t for t in kind.types if not isinstance(t, msgspec.inspect.NoneType)]
            return " or ".join(map(_type_name, inner)) + ", or null"
        case msgspec.inspect.VarTupleType() | msgspec.inspect.ListType():
            return f"list of {_type_name(kind.item_type)}"
        case msgspec.inspect.DictType():
            return f"map of {_type_name(kind.value_type)}"
        case msgspec.inspect.EnumType():
            return " \\| ".join(f"`{member.value}`" for member in kind.cls)
        case msgspec.inspect.DataclassType() | msgspec.inspect.NamedTupleType():
            return kind.cls.__name__
        case _:
            return _PLAIN[type(kind)]


def every_schema() -> dict[str, Callable[[], Schema]]:
    """Map `commands/NAME.json`, `events/TOPIC.json` and what is around them to their makers."""
    made: dict[str, Callable[[], Schema]] = {
        "command.json": message_schema,
        "outcome.json": outcome_schema,
        "stored_event.json": stored_schema,
    }
    for name in sorted(NAMES.keys() & BODIES.keys()):
        made[f"commands/{name}.json"] = lambda name=name: command_schema(name)
    for topic in sorted(TOPICS):
        made[f"events/{topic}.json"] = lambda topic=topic: event_schema(topic)
    return made
