"""Mutations on Kafka's road: what relay, projector and answers must not do without."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from consumers import projector
from infra import kafka_cluster
from infra.event_publisher import Batch
from infra.kafka_cluster import Kafka
from infra.kafka_transactions import TransactionalPublisher
from infra.outbox import Checkpoint, Outbox
from projections.ports import Record
from projections.record_log import Stretch
from tests.faults.mutants import Mutation

KILLED_RELAY: Final = "relay killed"
LINGER_MS: Final = 200
"""So long that what is not waited for is still with the client when the relay is killed."""


def _not_waited_for(batch: Batch, stopping: Callable[[], bool]) -> bool:
    """Take what was handed to the client for acknowledged."""
    return len(batch) > 0 or stopping()


class _AnyTopic(UUID):
    """Is every topic's id."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UUID)

    def __hash__(self) -> int:
        return 0


_checkpoint = Outbox.checkpoint


def _of_any_topic(outbox: Outbox, topic: str) -> Checkpoint | None:
    """Take a checkpoint for one of the topic that there is now."""
    saved = _checkpoint(outbox, topic)
    return saved and Checkpoint(_AnyTopic(int=saved.topic_id.int), saved.position)


def _by_position(
    records: Sequence[Any], known: Mapping[Any, int]
) -> tuple[list[Any], list[Stretch], dict[Any, int]]:
    """Take what stands behind what came last for new, whatever its version."""
    fresh: list[Record] = []
    seen = -1
    for record in records:
        if record.position.number > seen:
            fresh.append(record)
            seen = record.position.number
    return fresh, [], {r.stream: max(known.get(r.stream, 0), r.version) for r in records}


def _unknown(_: TransactionalPublisher, kafka: Kafka) -> None:
    """Not ask Kafka how far the answers came."""
    assert kafka.bootstrap_servers


MUTATIONS: Final = (
    Mutation(
        safeguard="checkpoint after all acknowledgements",
        row=3,
        fault=KILLED_RELAY,
        count=12,
        patches=(
            (Batch, "wait", _not_waited_for),
            (kafka_cluster, "PRODUCER", {**kafka_cluster.PRODUCER, "linger_ms": LINGER_MS}),
        ),
    ),
    Mutation(
        safeguard="checkpoint after all acknowledgements (broker frozen)",
        row=6,
        fault="broker frozen, line cut or slow",
        count=8,
        ci=False,
        patches=((Batch, "wait", _not_waited_for),),
    ),
    Mutation(
        safeguard="version rule of a stream (position instead)",
        row=3,
        fault=KILLED_RELAY,
        count=6,
        ci=False,
        patches=((projector, "admit", _by_position),),
    ),
    Mutation(
        safeguard="topic's id beside the checkpoint",
        row=5,
        fault="broker killed, wiped",
        count=1,
        ci=False,
        patches=((Outbox, "checkpoint", _of_any_topic),),
    ),
    Mutation(
        safeguard="reach of the answers in their transaction",
        row=4,
        fault="intake killed",
        count=15,
        ci=False,
        patches=((TransactionalPublisher, "_saved", _unknown),),
    ),
)
