"""Writes docs/events.md: every event, phase by phase, from the classes themselves."""

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from domain.events import TOPICS, Event
from infra.schemas import fields_of, in_one_line

HEAD: Final = """# Events

Generated from `domain/events/` by `make docs`; do not edit. A JSON Schema of each lies in
[schemas/events/](schemas/events/), a stored example in `tests/golden/events/`.

Every event has `effective_on`, its value date: when it is true in the world. Amounts (`..._minor`)
are integer minor units of the loan's currency, rates are decimal strings a year, dates are ISO.
Around each event stands the envelope: `actor` (kind, id, roles), `reason_code`, `on_behalf_of`,
`approvals`, `policy_versions`, `command_id`, `causation_id`, `correlation_id`,
`source_recorded_at`. Beside them the store keeps shard, position, stream, version, topic,
`recorded_at` and the hashes.

From release 0.1.0 on a topic's meaning never changes. A field that has a default may be added, and
an enumeration may gain a value; anything else is a new version and an upcaster. What each release
promised lies in `tests/golden/released/`, and a test holds all later ones to it.
"""


def event_catalogue() -> str:
    """Return the page."""
    return HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    kinds = sorted(TOPICS.items(), key=lambda item: (_phase(item[1]), _line(item[1])))
    for module, group in groupby(kinds, key=lambda item: item[1].__module__):
        yield f"\n## {module.rpartition('.')[2].capitalize()}\n\n"
        yield f"{(sys.modules[module].__doc__ or '').strip()}\n"
        for topic, kind in group:
            yield f"\n### `{topic}`\n\n{in_one_line(kind)}\n"
            fields = fields_of(kind)
            if fields:
                yield "\n| field | type | note |\n|---|---|---|\n"
            for name, type_name, note in fields:
                yield f"| `{name}` | {type_name} | {note} |\n"


ORDER: Final = ("application", "disbursement", "servicing")
"""The phases that come first, as in a loan's life; the others follow by name."""


def _phase(kind: type[Event]) -> tuple[int, str]:
    module = kind.__module__.rpartition(".")[2]
    return (ORDER.index(module) if module in ORDER else len(ORDER), module)


def _line(kind: type[Event]) -> int:
    """Order of registration, which is the order in the source."""
    return list(TOPICS.values()).index(kind)
