"""Kafka clients with the settings we rely on; the defaults of kafka-python lose or double records.

They know no topic. One client a process, made after any fork; neither is safe to share.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, Literal

import crc32c  # noqa: F401  # pyright: ignore[reportUnusedImport]  # without it a fifth of the speed
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

BATCH_BYTES: Final = 131_072
LINGER_MS: Final = 5
REQUEST_TIMEOUT_MS: Final = 10_000
DELIVERY_TIMEOUT_MS: Final = 30_000
SESSION_TIMEOUT_MS: Final = 10_000
HEARTBEAT_MS: Final = 3_000  # under a third of the session
POLL_INTERVAL_MS_MAX: Final = 300_000


def open_producer(bootstrap_servers: str) -> KafkaProducer:
    """An idempotent producer; ask each future it returns, `flush()` says nothing of delivery.

    Idempotence is asked for by name: left to its default it is switched off in silence by other
    settings. `retries` is left alone for the same reason.
    """
    return KafkaProducer(
        bootstrap_servers=bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        max_in_flight_requests_per_connection=5,
        linger_ms=LINGER_MS,
        batch_size=BATCH_BYTES,
        compression_type="lz4",
        delivery_timeout_ms=DELIVERY_TIMEOUT_MS,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        max_block_ms=REQUEST_TIMEOUT_MS,
        allow_auto_create_topics=False,
    )


def open_consumer(
    bootstrap_servers: str,
    group_id: str,
    *,
    batch_max: int,
    isolation_level: Literal["read_uncommitted", "read_committed"] = "read_uncommitted",
) -> KafkaConsumer:
    """A consumer of `group_id` that commits nothing by itself and starts at the beginning.

    `batch_max` bounds the records of one poll. Topics of others, whose producers may use
    transactions, are read with `read_committed`.
    """
    return KafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        group_id=group_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
        partition_assignment_strategy=(CooperativeStickyAssignor,),
        isolation_level=isolation_level,
        max_poll_records=batch_max,
        max_poll_interval_ms=POLL_INTERVAL_MS_MAX,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_MS,
    )


@contextmanager
def administrator(bootstrap_servers: str) -> Generator[KafkaAdminClient]:
    """An admin client for the time of a `with` block."""
    client = KafkaAdminClient(
        bootstrap_servers=bootstrap_servers, request_timeout_ms=REQUEST_TIMEOUT_MS
    )
    try:
        yield client
    finally:
        client.close()
