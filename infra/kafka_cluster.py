"""How this program meets Kafka: settings, topics, clients with types. It knows no record.

A client belongs to one thread of one process and is made after any fork.
"""

import importlib.util
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, fields
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, Self, cast
from uuid import UUID

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError, TopicAlreadyExistsError
from kafka.partitioner import default as default_partitioner
from kafka.structs import OffsetAndMetadata

PARTITIONS: Final = 12
"""Of every topic, for ever: a stream's partition may not change. Another number is a new topic."""

TOPIC_SETTINGS: Final = {"retention.ms": "-1"}
"""A command that nobody has read yet, or an answer, does not vanish by its age."""

BOOTSTRAP_MS_MAX: Final = 10_000
# A topic that was just made is described a moment later; past five seconds something is wrong.
DESCRIBE_TRIES: Final = 50
DESCRIBE_PAUSE_SECONDS: Final = 0.1
CLOSE_SECONDS_MAX: Final = 5.0

PRODUCER: Final[Mapping[str, Any]] = {
    "acks": "all",
    "enable_idempotence": True,  # said aloud, so that a setting that excludes it raises
    "max_in_flight_requests_per_connection": 5,
    "linger_ms": 5,
    "batch_size": 131_072,
    "compression_type": "lz4",
    "delivery_timeout_ms": 30_000,
    "request_timeout_ms": 10_000,
    "max_block_ms": 10_000,
    "allow_auto_create_topics": False,
}
"""`retries` is left alone: 0 would turn idempotence off without a word."""

CONSUMER: Final[Mapping[str, Any]] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "allow_auto_create_topics": False,
    "partition_assignment_strategy": (CooperativeStickyAssignor,),
    "max_poll_interval_ms": 300_000,
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 3_000,
    # A member that joined before every partition of a new topic was described finds the others by
    # then; the default is five minutes of silence from them.
    "metadata_max_age_ms": 5_000,
}


_murmur2 = cast("Callable[[bytes], int]", cast("Any", default_partitioner).murmur2)


class KafkaUnavailable(Exception):
    """Kafka did not do what it was asked. Begin again from what the store knows."""


class WrongTopic(Exception):
    """A topic has another number of partitions than ours; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The names of the four topics."""

    events: str = "loanbook.events.v1"  # out: every event of the record
    commands: str = "loanbook.commands.v1"  # in: CloudEvents of upstream systems
    outcomes: str = "loanbook.outcomes.v1"  # out: what became of each command
    dead_letters: str = "loanbook.dead_letters.v1"  # out: what could not be read, and why

    @classmethod
    def under(cls, prefix: str) -> "Topics":
        """Name the same topics under a prefix: several books, or several tests, on one cluster."""
        return cls(**{field.name: prefix + str(field.default) for field in fields(cls)})

    def names(self) -> tuple[str, ...]:
        """All four."""
        return astuple(self)


if TYPE_CHECKING:

    class Partition(NamedTuple):
        """A topic's partition."""

        topic: str
        partition: int

else:
    from kafka import TopicPartition as Partition  # kafka-python asks for its own class


class Sent(Protocol):
    """The fate of one record on its way."""

    is_done: bool
    exception: BaseException | None

    def get(self, timeout: float | None = None) -> object:
        """Wait for the acknowledgement. Raises KafkaError."""
        ...


class Producer(Protocol):
    """What this program uses of kafka-python's producer."""

    def send(
        self,
        topic: str,
        value: bytes,
        key: bytes,
        headers: list[tuple[str, bytes]],
        partition: int | None = None,
    ) -> Sent:
        """Queue one record. Raises KafkaError."""
        ...

    def flush(self, timeout: float | None = None) -> None:
        """Send what lingers and wait. Says nothing about delivery: ask every `Sent`."""
        ...

    def close(self, timeout: float | None = None) -> None:
        """Flush and end."""
        ...


class Record(Protocol):
    """One consumed record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Committed(Protocol):
    """A group's committed place in a partition."""

    offset: int
    metadata: str


class Consumer(Protocol):
    """What this program uses of kafka-python's consumer."""

    def poll(
        self, timeout_ms: int = 0, max_records: int | None = None
    ) -> Mapping[Partition, Sequence[Record]]:
        """Fetch; heartbeats and rebalances happen in here and on the client's loop."""
        ...

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Ask the broker for a topic's partitions and remember them."""
        ...

    def subscribe(self, topics: Sequence[str], *, listener: object) -> None:
        """Join the group."""
        ...

    def assign(self, partitions: Sequence[Partition]) -> None:
        """Take partitions without a group."""
        ...

    def assignment(self) -> set[Partition]:
        """Tell which partitions are ours now."""
        ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Go to an offset."""
        ...

    def seek_to_beginning(self, *partitions: Partition) -> None:
        """Go to the oldest record that there is."""
        ...

    def position(self, partition: Partition, timeout_ms: int | None = None) -> int | None:
        """Tell the offset of the next record."""
        ...

    def committed(
        self, partition: Partition, *, metadata: bool, timeout_ms: int | None = None
    ) -> Committed | None:
        """Ask the broker for the group's place; None: it has none."""
        ...

    def end_offsets(
        self, partitions: Iterable[Partition], timeout_ms: int | None = None
    ) -> dict[Partition, int]:
        """Ask the broker for the ends of partitions."""
        ...

    def commit(self, offsets: Mapping[Partition, Committed], timeout_ms: int | None = None) -> None:
        """Save the group's places and wait for it."""
        ...

    def commit_async(self, offsets: Mapping[Partition, Committed]) -> object:
        """Save the group's places in the background."""
        ...

    def close(self, autocommit: bool = True, timeout_ms: int | None = None) -> None:  # noqa: FBT001, FBT002 - kafka-python's
        """Leave the group."""
        ...


def place(offset: int, note: str = "") -> Committed:
    """Make a place to commit."""
    return cast("Committed", _untyped(OffsetAndMetadata)(offset, note))


class RebalanceFlags(ConsumerRebalanceListener):
    """Notes that partitions came or went, and no more: it runs on the loop of the heartbeats."""

    def __init__(self) -> None:
        self.assigned: set[Partition] = set()
        """Partitions that came and were not looked at yet."""

    def on_partitions_assigned(self, assigned: Iterable[tuple[str, int]]) -> None:
        """Note what came."""
        self.assigned |= {Partition(*each) for each in assigned}

    def on_partitions_revoked(self, revoked: Iterable[tuple[str, int]]) -> None:
        """Forget what went."""
        self.assigned -= {Partition(*each) for each in revoked}

    def take(self) -> set[Partition]:
        """Return what came since the last call."""
        taken, self.assigned = self.assigned, set()
        return taken


def _untyped(client: Any) -> Any:  # noqa: ANN401 - kafka-python's own types name some settings only
    return client


@contextmanager
def kafka_trouble(doing: str) -> Generator[None]:
    """Turn every failure of the client library into KafkaUnavailable."""
    try:
        yield
    except (KafkaError, OSError) as error:
        raise KafkaUnavailable(f"{doing}: {type(error).__name__}: {error}") from error


def require_native_crc() -> None:
    """Refuse to start without the native checksum: in pure Python every rate falls to a third."""
    if importlib.util.find_spec("crc32c") is None:
        raise SystemExit("Kafka needs kafka-python's native checksum: install kafka-python[crc32c]")


def partition_of(key: bytes, partitions: int = PARTITIONS) -> int:
    """Return the partition that every Kafka client's default partitioner gives a key."""
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


class Kafka:
    """One cluster as this program sees it: makes topics and clients. Not for several threads."""

    def __init__(self, bootstrap_servers: str, topics: Topics | None = None) -> None:
        require_native_crc()
        self.bootstrap_servers = bootstrap_servers
        self.topics = topics or Topics()
        self._admin: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the next question opens another."""
        admin, self._admin = self._admin, None
        if admin is not None:
            with suppress(KafkaError, OSError):  # it is given up either way
                admin.close()

    def create_topics(self) -> None:
        """Make the topics that are missing. Raises KafkaUnavailable, WrongTopic."""
        for name in self.topics.names():
            if self.topic_id(name) is None:
                self._ask(f"creating {name}", partial(_create, name))
                self._require_described(name)

    def _require_described(self, name: str) -> None:
        """Wait until the broker describes a topic, also one that another process made."""
        for _ in range(DESCRIBE_TRIES):
            if self.topic_id(name) is not None:
                return
            time.sleep(DESCRIBE_PAUSE_SECONDS)
        raise KafkaUnavailable(f"the broker does not know of {name} after it was made")

    def topic_id(self, name: str) -> UUID | None:
        """Ask for a topic's id; a topic that was made again has another. None: there is none.

        Raises KafkaUnavailable, WrongTopic.
        """
        (described,) = self._ask(f"describing {name}", lambda admin: admin.describe_topics([name]))
        if described["error_code"]:
            return None
        partitions = len(described["partitions"])
        if partitions != PARTITIONS:
            raise WrongTopic(
                f"the topic {name} has {partitions} partitions and not {PARTITIONS}; remove it,"
                " and Loanbook makes it and fills it again"
            )
        return UUID(str(described["topic_id"]))

    def producer(self, **changes: Any) -> Producer:  # noqa: ANN401 - kafka-python's settings
        """Make a producer with the settings above. Raises KafkaUnavailable."""
        with kafka_trouble("connecting a producer"):
            return cast(
                "Producer",
                _untyped(KafkaProducer)(
                    bootstrap_servers=self.bootstrap_servers,
                    bootstrap_timeout_ms=BOOTSTRAP_MS_MAX,
                    **{**PRODUCER, **changes},
                ),
            )

    def consumer(self, group_id: str, **changes: Any) -> Consumer:  # noqa: ANN401 - as above
        """Make a consumer with the settings above. Raises KafkaUnavailable."""
        with kafka_trouble("connecting a consumer"):
            return cast(
                "Consumer",
                _untyped(KafkaConsumer)(
                    bootstrap_servers=self.bootstrap_servers,
                    bootstrap_timeout_ms=BOOTSTRAP_MS_MAX,
                    group_id=group_id,
                    **{**CONSUMER, **changes},
                ),
            )

    def _ask(self, doing: str, question: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - untyped
        """Ask the cluster; a connection that may have died meanwhile gets a second try."""
        if self._admin is not None:
            try:
                with kafka_trouble(doing):
                    return question(self._admin)
            except KafkaUnavailable:
                self.close()
        try:
            with kafka_trouble(doing):
                self._admin = _untyped(KafkaAdminClient)(
                    bootstrap_servers=self.bootstrap_servers,
                    bootstrap_timeout_ms=BOOTSTRAP_MS_MAX,
                    request_timeout_ms=BOOTSTRAP_MS_MAX,
                )
                return question(self._admin)
        except KafkaUnavailable:
            self.close()
            raise


def _create(name: str, admin: Any) -> None:  # noqa: ANN401 - kafka-python has no types
    with suppress(TopicAlreadyExistsError):  # another process was quicker
        admin.create_topics(
            {name: {"num_partitions": PARTITIONS, "configs": TOPIC_SETTINGS}},
            wait_for_metadata=True,
        )


def abandon(producer: Producer) -> None:
    """Close a producer without sending what it still holds.

    `close` alone would flush first, and newer records of a stream could overtake failed ones.
    """
    sender: Any = cast("Any", producer)._sender  # noqa: SLF001 - the public close always flushes
    sender.force_close()
    with suppress(KafkaError, OSError):  # it is given up either way
        producer.close(timeout=CLOSE_SECONDS_MAX)
