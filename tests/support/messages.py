"""Commands as the CloudEvents of an upstream system, and a system that sends them by Kafka."""

import dataclasses
import json
import time
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import msgspec

from consumers.stream import Entry
from domain.commands import Command, name_of
from domain.money import format_amount
from infra.edge import BODIES, edge_name, stream_field
from infra.edge.bodies import MINOR
from infra.kafka_cluster import PARTITIONS, Kafka, Partition
from infra.outcome_topic import Answer, AnswerEvent

CURRENCY = "USD"
ANSWER_SECONDS_MAX = 120.0


def body_of(command: Command) -> dict[str, Any]:
    """Write a command's body as a stranger would."""
    left_out = stream_field(type(command))
    body = {name: value for name, value in plain(command).items() if name != left_out}
    if "currency" in BODIES[name_of(type(command))].model_fields:
        body.setdefault("currency", CURRENCY)
    return body


def plain(value: Any) -> Any:  # noqa: ANN401 - any value of a command
    """Write a value; amounts are in CURRENCY."""
    if dataclasses.is_dataclass(value):
        fields = [field.name for field in dataclasses.fields(value)]
        given = {name: getattr(value, name) for name in fields}
        return {
            edge_name(name): format_amount(part, CURRENCY) if name.endswith(MINOR) else plain(part)
            for name, part in given.items()
            if part is not None
        }
    match value:
        case Enum():
            return value.value
        case Decimal():
            return format(value, "f")
        case date():
            return value.isoformat()
        case tuple():
            return [plain(part) for part in cast("tuple[object, ...]", value)]
        case _:
            return value


def event_of(entry: Entry, sources: Mapping[str, str]) -> dict[str, Any]:
    """Write an entry of a stream; `sources` tells which source acts for whom."""
    event = {
        "specversion": "1.0",
        "id": entry.key,
        "source": sources[entry.actor.id],
        "type": name_of(type(entry.command)),
        "subject": entry.command.stream.partition("-")[2],
        "businessdate": entry.on.isoformat(),
        "data": body_of(entry.command),
    }
    return event | ({"reasoncode": entry.reason_code} if entry.reason_code else {})


class Upstream:
    """A system that sends commands and keeps the answers, as its owner would: by Kafka alone."""

    def __init__(self, kafka: Kafka) -> None:
        self._topics = kafka.topics
        kafka.create_topics()
        self._producer = kafka.producer()
        self._answers = kafka.consumer("upstream", isolation_level="read_committed")
        places = [Partition(kafka.topics.outcomes, number) for number in range(PARTITIONS)]
        self._answers.assign(places)
        self._answers.seek_to_beginning(*places)
        self.answers: dict[tuple[str, str], list[Answer]] = {}

    def send(self, events: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
        """Send events in order, durably; return what names them."""
        sent: list[Any] = []
        names: list[tuple[str, str]] = []
        for event in events:
            key, value = str(event["subject"]).encode(), json.dumps(event).encode()
            sent.append(self._producer.send(self._topics.commands, value, key, []))
            names.append((event["source"], event["id"]))
        for record in sent:
            record.get(timeout=60)
        return names

    def wait_for(self, names: Iterable[tuple[str, str]]) -> list[Answer]:
        """Wait until each was answered; return the answers in the order asked for."""
        asked, deadline = list(names), time.monotonic() + ANSWER_SECONDS_MAX
        while any(name not in self.answers for name in asked):
            missing = [name for name in asked if name not in self.answers]
            assert time.monotonic() < deadline, f"no answer to {len(missing)}: {missing[:3]}"
            self.listen()
        return [self.answers[name][0] for name in asked]

    def listen(self, milliseconds: int = 200) -> None:
        """Take what answers there are."""
        for records in self._answers.poll(timeout_ms=milliseconds, max_records=5_000).values():
            for record in records:
                answer = msgspec.json.decode(record.value or b"", type=AnswerEvent).data
                self.answers.setdefault((answer.source, answer.id), []).append(answer)

    def close(self) -> None:
        """End the connections."""
        self._producer.close(timeout=5)
        self._answers.close(autocommit=False, timeout_ms=5_000)
