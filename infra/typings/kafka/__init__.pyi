# What we use of kafka-python 3; the stubs bundled with type checkers describe version 2.

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

class TopicPartition(NamedTuple):
    topic: str
    partition: int

class OffsetAndMetadata(NamedTuple):
    offset: int
    metadata: str = ""
    leader_epoch: int = -1

class RecordMetadata(NamedTuple):
    topic: str
    partition: int
    topic_partition: TopicPartition
    offset: int
    timestamp: int

class FutureRecordMetadata:
    is_done: bool
    exception: BaseException | None
    def get(self, timeout: float | None = None) -> RecordMetadata: ...
    def succeeded(self) -> bool: ...
    def failed(self) -> bool: ...
    def add_callback(self, f: Callable[[RecordMetadata], object]) -> FutureRecordMetadata: ...
    def add_errback(self, f: Callable[[BaseException], object]) -> FutureRecordMetadata: ...

class ConsumerRecord(NamedTuple):
    topic: str
    partition: int
    leader_epoch: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]

class KafkaProducer:
    def __init__(
        self,
        *,
        bootstrap_servers: str,
        client_id: str | None = None,
        acks: Literal["all", 0, 1, -1] = "all",
        enable_idempotence: bool = True,
        transactional_id: str | None = None,
        max_in_flight_requests_per_connection: int = 5,
        linger_ms: int = 0,
        batch_size: int = 16_384,
        compression_type: Literal["gzip", "snappy", "lz4", "zstd"] | None = None,
        delivery_timeout_ms: int = 120_000,
        request_timeout_ms: int = 30_000,
        max_block_ms: int = 60_000,
        max_request_size: int = 1_048_576,
        bootstrap_timeout_ms: int = 30_000,
        allow_auto_create_topics: bool = True,
    ) -> None: ...
    def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> FutureRecordMetadata: ...
    def flush(self, timeout: float | None = None) -> None: ...
    def close(self, timeout: float | None = None) -> None: ...
    def partitions_for(self, topic: str) -> set[int]: ...
    def init_transactions(self) -> None: ...
    def begin_transaction(self) -> None: ...
    def commit_transaction(self) -> None: ...
    def abort_transaction(self) -> None: ...

class ConsumerRebalanceListener(ABC):
    @abstractmethod
    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None: ...
    @abstractmethod
    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None: ...
    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None: ...

class KafkaConsumer:
    def __init__(
        self,
        *topics: str,
        bootstrap_servers: str,
        client_id: str = ...,
        group_id: str | None = None,
        group_instance_id: str | None = None,
        enable_auto_commit: bool = True,
        auto_offset_reset: Literal["earliest", "latest", "none"] = "latest",
        allow_auto_create_topics: bool = True,
        partition_assignment_strategy: Sequence[type[CooperativeStickyAssignor]] = ...,
        isolation_level: Literal["read_uncommitted", "read_committed"] = "read_uncommitted",
        max_poll_records: int = 500,
        max_poll_interval_ms: int = 300_000,
        session_timeout_ms: int = 45_000,
        heartbeat_interval_ms: int = 3_000,
        request_timeout_ms: int = 30_000,
        fetch_max_wait_ms: int = 500,
        fetch_min_bytes: int = 1,
        fetch_max_bytes: int = 52_428_800,
        max_partition_fetch_bytes: int = 1_048_576,
        bootstrap_timeout_ms: int = 30_000,
        metadata_max_age_ms: int = 300_000,
    ) -> None: ...
    def subscribe(
        self,
        topics: Iterable[str] = (),
        pattern: str | None = None,
        listener: ConsumerRebalanceListener | None = None,
    ) -> None: ...
    def unsubscribe(self) -> None: ...
    def assign(self, partitions: Iterable[TopicPartition]) -> None: ...
    def assignment(self) -> set[TopicPartition]: ...
    def partitions_for_topic(self, topic: str) -> set[int] | None: ...
    def poll(
        self, timeout_ms: float = 0, max_records: int | None = None, update_offsets: bool = True
    ) -> dict[TopicPartition, list[ConsumerRecord]]: ...
    def commit(
        self,
        offsets: Mapping[TopicPartition, OffsetAndMetadata] | None = None,
        timeout_ms: float | None = None,
    ) -> None: ...
    def committed(self, partition: TopicPartition) -> int | None: ...
    def position(self, partition: TopicPartition) -> int: ...
    def pause(self, *partitions: TopicPartition) -> None: ...
    def resume(self, *partitions: TopicPartition) -> None: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    def seek_to_beginning(self, *partitions: TopicPartition) -> None: ...
    def seek_to_end(self, *partitions: TopicPartition) -> None: ...
    def beginning_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]: ...
    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]: ...
    def close(self, autocommit: bool = True, timeout_ms: float | None = None) -> None: ...

class TopicOptions(TypedDict):
    num_partitions: NotRequired[int]
    replication_factor: NotRequired[int]
    configs: NotRequired[Mapping[str, str]]

class KafkaAdminClient:
    def __init__(
        self,
        *,
        bootstrap_servers: str,
        client_id: str = ...,
        request_timeout_ms: int = 30_000,
        bootstrap_timeout_ms: int = 30_000,
    ) -> None: ...
    def create_topics(
        self,
        new_topics: Mapping[str, TopicOptions] | Sequence[str],
        timeout_ms: int | None = None,
        validate_only: bool = False,
        raise_errors: bool = True,
        wait_for_metadata: bool = False,
    ) -> dict[str, Any]: ...
    def delete_topics(
        self, topics: Sequence[str], timeout_ms: int | None = None, raise_errors: bool = True
    ) -> dict[str, Any]: ...
    def describe_topics(self, topics: Sequence[str] | None = None) -> list[dict[str, Any]]: ...
    def list_topics(self) -> list[str]: ...
    def describe_cluster(self) -> dict[str, Any]: ...
    def close(self) -> None: ...
