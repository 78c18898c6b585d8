"""Where a command finds its servers: PostgreSQL, configured or embedded, and Kafka."""

from collections.abc import Generator
from contextlib import contextmanager

from api.cli.output import UsageError
from infra.embedded import EmbeddedPostgres
from infra.settings import Settings


@contextmanager
def database(settings: Settings) -> Generator[str]:
    """Hand out the DSN: a configured server, or the embedded one while the block runs."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with EmbeddedPostgres(settings.postgres_dir) as embedded:
        yield embedded.dsn


def kafka_servers(settings: Settings) -> str:
    """Return where Kafka is. Raises UsageError: it is not configured."""
    if settings.kafka_bootstrap_servers is None:
        raise UsageError("set LOANBOOK_KAFKA_BOOTSTRAP_SERVERS, such as 127.0.0.1:9092")
    return settings.kafka_bootstrap_servers
