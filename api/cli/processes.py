"""The processes of the system one by one: `loanbook api`, `project`, `relay`.

Each runs until SIGINT or SIGTERM and then ends what it has begun.
"""

from typing import Annotated

import typer
import uvicorn

from api.cli.children import stopping
from api.cli.output import UsageError, note
from api.cli.system import database
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.relay import Relay
from infra.database import bulk_pool
from infra.kafka_cluster import Kafka
from infra.migrate import migrate
from infra.outbox import Outbox
from infra.settings import Settings
from projections import schema

GRACE_SECONDS = 5


def api(
    workers: Annotated[int, typer.Option(help="Processes that answer requests.", min=1)] = 1,
) -> None:
    """Serve HTTP API, documentation and console; needs LOANBOOK_DATABASE_URL."""
    settings = Settings()
    uvicorn.run(
        "api.app:from_environment",
        factory=True,
        host=settings.http_host,
        port=settings.http_port,
        workers=workers,
        timeout_graceful_shutdown=GRACE_SECONDS,
        access_log=False,
        log_level=settings.log_level.lower(),
    )


def project() -> None:
    """Bring the read models up with the record, and keep them there."""
    settings = Settings()
    limits = settings.limits
    with database(settings) as dsn, bulk_pool(dsn, limits) as pool, stopping() as wish:
        migrate(dsn)
        with pool.transaction() as db:
            schema.install(db)
        feed = LogFeed(pool, limits=limits)
        note("the projector follows the store")
        Projector(pool, feed, limits=limits).run(lambda: wish.asked)


def relay() -> None:
    """Publish the record to Kafka; needs LOANBOOK_KAFKA_BOOTSTRAP_SERVERS."""
    settings = Settings()
    limits = settings.limits
    with (
        database(settings) as dsn,
        Outbox(dsn, limits=limits) as outbox,
        Kafka(required_servers(settings)) as kafka,
        stopping() as wish,
    ):
        migrate(dsn)
        note(f"the relay publishes to {kafka.topics.events} on {kafka.bootstrap_servers}")
        Relay(outbox, kafka, limits=limits).run(lambda: wish.asked)


def required_servers(settings: Settings) -> str:
    """Return where Kafka is. Raises UsageError: it is not configured."""
    if settings.kafka_bootstrap_servers is None:
        raise UsageError("set LOANBOOK_KAFKA_BOOTSTRAP_SERVERS, such as 127.0.0.1:9092")
    return settings.kafka_bootstrap_servers
