"""What a release promised of stored events: schemas, kept for ever in `tests/golden/released`.

`python -m tests.support.released 0.1.0` writes a release's promise down, once. After that a topic
stays as it is but for two things that leave old bytes their meaning: a field that has a default is
added, and an enumeration gains a value. Anything else is a new version with an upcaster.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from domain.events import TOPICS
from infra.schemas import event_schema

FOLDER = Path(__file__).parent.parent / "golden" / "released"
WORDS = {"description", "title", "$schema", "$id", "$defs"}
"""What a schema tells people, and the parts that it names."""

PARTS = {"properties", "items", "anyOf"}

Schema = dict[str, Any]


def promised() -> dict[str, Schema]:
    """Read every released topic's schema, by the first release that had it."""
    topics: dict[str, Schema] = {}
    for path in sorted(FOLDER.glob("*.json")):
        topics = json.loads(path.read_text()) | topics
    return topics


def written() -> dict[str, Schema]:
    """Return the schemas of the events as they are now, references resolved."""
    schemas = {topic: json.loads(json.dumps(event_schema(topic))) for topic in sorted(TOPICS)}
    return {topic: _resolved(schema, schema) for topic, schema in schemas.items()}


def broken(old: Schema, new: Schema, at: str = "event") -> Iterator[str]:
    """Tell what a schema no longer keeps of another."""
    for key in sorted((old.keys() | new.keys()) - {*PARTS, "required", "enum"}):
        if old.get(key) != new.get(key):
            yield f"{at}: {key} was {old.get(key)}, is {new.get(key)}"
    if not set(old.get("enum", [])) <= set(new.get("enum", [])):
        yield f"{at}: a value is gone from {old['enum']}"
    if set(old.get("required", [])) != set(new.get("required", [])):
        yield f"{at}: other fields must be there than {old.get('required', [])}"
    if "items" in old:
        yield from broken(old["items"], new.get("items", {}), f"{at}[]")
    choices = old.get("anyOf", []), new.get("anyOf", [])
    if len(choices[0]) != len(choices[1]):
        yield f"{at}: it may be something else"
    for before, after in zip(*choices, strict=False):
        yield from broken(before, after, at)
    fields = new.get("properties", {})
    for name, field in old.get("properties", {}).items():
        if name not in fields:
            yield f"{at}.{name} is gone"
        else:
            yield from broken(field, fields[name], f"{at}.{name}")


def _resolved(part: Any, whole: Schema) -> Any:  # noqa: ANN401 - any JSON
    """Put what is referred to in the place of its name; leave out what tells people only."""
    if isinstance(part, list):
        return [_resolved(one, whole) for one in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    schema = cast("Schema", part)
    if "$ref" in schema:
        return _resolved(whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole)
    made = {key: _resolved(said, whole) for key, said in schema.items() if key not in WORDS}
    if "properties" in schema:
        fields: Schema = schema["properties"]
        made["properties"] = {name: _resolved(field, whole) for name, field in fields.items()}
    return made


def main(release: str) -> None:
    """Write what a release promises. Raises FileExistsError: a promise is not written twice."""
    with (FOLDER / f"{release}.json").open("x") as file:
        json.dump(written(), file, indent=1, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
