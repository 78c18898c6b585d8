"""`loanbook project`: the read models follow the record."""

from contextlib import ExitStack, closing
from enum import StrEnum
from typing import Annotated

import typer

from api.cli.children import stopping
from api.cli.output import note
from api.cli.servers import database, kafka_servers
from consumers.log_feed import LogFeed
from consumers.projector import Projector, RecordFeed
from consumers.topic_feed import topic_feed
from infra.database import bulk_pool
from infra.garbage import look_once
from infra.kafka_cluster import Kafka
from infra.log import configure
from infra.migrate import migrate
from infra.settings import Settings
from projections import schema


class Road(StrEnum):
    """Where a projector's events come from."""

    STORE = "store"
    KAFKA = "kafka"


def project(
    feed: Annotated[
        Road | None, typer.Option(help="Left out: Kafka where it is configured, else the store.")
    ] = None,
    member: Annotated[
        str | None, typer.Option(help="A lasting name in the consumer group, for quick restarts.")
    ] = None,
) -> None:
    """Bring the read models up with the record, and keep them there."""
    settings = Settings()
    limits = settings.limits
    configure(settings)
    if feed is None:
        feed = Road.KAFKA if settings.kafka_bootstrap_servers else Road.STORE
    with (
        database(settings) as dsn,
        bulk_pool(dsn, limits) as pool,
        ExitStack() as stack,
        stopping() as wish,
    ):
        migrate(dsn)
        with pool.transaction() as db:
            schema.install(db)
        source: RecordFeed
        if feed is Road.KAFKA:
            kafka = stack.enter_context(Kafka(kafka_servers(settings)))
            source = topic_feed(kafka, pool, member=member, limits=limits)
            stack.enter_context(closing(source))
            note(f"the projector follows {kafka.topics.events} on {kafka.bootstrap_servers}")
        else:
            source = LogFeed(pool, limits=limits)
            note("the projector follows the store")
        look_once()
        Projector(pool, source, limits=limits).run(lambda: wish.asked)
