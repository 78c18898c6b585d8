"""The store's limits as one value. Every queue has a bound and every wait a deadline."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """Start values from measurements; a benchmark that shows a better one changes it here."""

    append_queue_max: int = 2_000  # commands that wait; past it callers hear Overloaded
    append_wait_seconds_max: float = 1.0  # dropped before it is sent, never after
    append_batch_max: int = 500  # commands in one call
    events_per_command_max: int = 100
    event_bytes_max: int = (
        256 * 1024
    )  # a disbursement carries its whole schedule: 360 rows are 100 KiB
    bulk_append_events_max: int = 2_000  # events in one lock hold
    lock_timeout_seconds: float = 2.0
    statement_timeout_seconds: float = 10.0
    idle_in_transaction_seconds: float = 5.0
    connect_timeout_seconds: int = 5
    reconnect_seconds_max: float = 1.0  # pause between attempts, doubling from 0.05 s
    read_connections_max: int = 4
    read_page_max: int = 10_000  # events in one page
    load_streams_max: int = 10_000  # streams in one round trip
