"""What can be set from outside, by environment variables `LOANBOOK_...`; it only reads them.

Each limit bounds a queue or a wait; the first full queue refuses early.
"""

from functools import cached_property
from pathlib import Path
from typing import Final

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

KIB: Final = 1024


class Limits(BaseSettings):
    """Bounds and deadlines of one process; benchmarks correct the defaults."""

    model_config = SettingsConfigDict(env_prefix="LOANBOOK_", frozen=True)

    # HTTP: refused before the body is parsed.
    http_in_flight_max: PositiveInt = 512
    request_bytes_max: PositiveInt = 64 * KIB
    batch_bytes_max: PositiveInt = 1024 * KIB
    batch_commands_max: PositiveInt = 100

    # The append queue: length, age of the oldest, and what one call to the database may carry.
    append_queue_max: PositiveInt = 2_000
    append_wait_seconds_max: PositiveFloat = 1.0
    append_batch_max: PositiveInt = 500
    events_per_command_max: PositiveInt = 100
    event_bytes_max: PositiveInt = 64 * KIB  # a schedule of thirty years takes 20
    conflict_retries_max: NonNegativeInt = 5
    bulk_append_events_max: PositiveInt = 2_000
    bulk_lock_retries_max: NonNegativeInt = 14  # half a minute, with the lock timeout below
    close_chunk_loans: PositiveInt = 250_000

    # The committer's session; past them the outcome is unknown and the caller repeats its key.
    lock_timeout_seconds: PositiveFloat = 2.0
    statement_timeout_seconds: PositiveFloat = 10.0
    idle_in_transaction_timeout_seconds: PositiveFloat = 5.0
    connect_timeout_seconds: PositiveInt = 5
    reconnect_seconds_max: PositiveFloat = 1.0  # the pause between attempts doubles up to this

    # Reading the store: connections of one process, events in a page, streams in one round trip.
    read_connections_max: PositiveInt = 4
    bulk_connections_max: PositiveInt = 4  # projectors, the close of day, rebuilds
    read_page_max: PositiveInt = 10_000
    load_streams_max: PositiveInt = 10_000

    # Relay and consumers.
    relay_batch_max: PositiveInt = 4_000
    relay_in_flight_max: PositiveInt = 4
    consume_batch_max: PositiveInt = 2_000
    intake_batch_max: PositiveInt = 500
    apply_retries_max: NonNegativeInt = 5
    poll_seconds_idle: PositiveFloat = 0.005
    poll_seconds_max: PositiveFloat = 0.1
    sweep_seconds: PositiveFloat = 30.0
    rebuild_threshold: PositiveInt = 2_000_000

    # Queries.
    if_position_wait_seconds_max: PositiveFloat = 2.0
    page_rows_max: PositiveInt = 500
    query_seconds_max: PositiveFloat = 2.0

    # Simulations: each in a process of its own, so that arithmetic does not hold up payments.
    simulation_seconds_max: PositiveFloat = 5.0
    simulation_processes_max: PositiveInt = 1
    simulation_waiting_max: PositiveInt = 16

    stream_events_alert: PositiveInt = 5_000
    idempotency_days: PositiveInt = 400


class Settings(BaseSettings):
    """Where things are.

    `database_url` None means the embedded PostgreSQL under `data_dir`; `kafka_bootstrap_servers`
    None means that projections read the store.
    """

    model_config = SettingsConfigDict(env_prefix="LOANBOOK_", frozen=True)

    data_dir: Path = Path(".loanbook")
    database_url: SecretStr | None = None
    kafka_bootstrap_servers: str | None = None
    kafka_port: PositiveInt = 9092  # of the broker that `loanbook run-server` starts
    http_host: str = "127.0.0.1"
    http_port: NonNegativeInt = 8000
    tokens_file: Path | None = None
    sources_file: Path | None = None  # whose commands are taken from Kafka
    calendars_file: Path | None = None  # the lender's own closed and worked days
    development_token: SecretStr | None = None  # for loopback clients, without a tokens file
    session_secret: SecretStr | None = None  # signs the console's cookies; None: made at the start
    log_format: str = "console"
    log_level: str = "INFO"

    @cached_property
    def limits(self) -> Limits:
        """The bounds, read from the same environment."""
        return Limits()

    @property
    def postgres_dir(self) -> Path:
        """Data folder of the embedded PostgreSQL."""
        return self.data_dir / "postgres"
