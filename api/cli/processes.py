"""The processes one by one: `loanbook api`, `project`, `broker`, `relay`, `intake`.

Each runs until SIGINT or SIGTERM and then ends what it has begun.
"""

import time
from contextlib import ExitStack, closing
from enum import StrEnum
from typing import Annotated

import typer
import uvicorn

from api.cli.children import stopping
from api.cli.output import UsageError, note
from api.cli.system import database
from consumers.answers import Answers
from consumers.business_date import business_date
from consumers.intake import Intake, commands_feed, run
from consumers.log_feed import LogFeed
from consumers.projector import Projector, RecordFeed
from consumers.relay import Relay
from consumers.sources import read_sources
from consumers.topic_feed import topic_feed
from domain.service import Service
from infra.broker import BrokerUnavailable, KafkaBroker
from infra.calendars import read_calendars
from infra.database import bulk_pool, read_pool
from infra.dead_letters import DeadLetters
from infra.garbage import set_aside
from infra.kafka_cluster import Kafka
from infra.log import configure
from infra.migrate import migrate
from infra.outbox import Outbox, OutcomeLog
from infra.settings import Settings
from infra.store import PostgresEventStore
from projections import schema

GRACE_SECONDS = 5
WATCH_SECONDS = 0.2


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
            kafka = stack.enter_context(Kafka(required_servers(settings)))
            source = topic_feed(kafka, pool, member=member, limits=limits)
            stack.enter_context(closing(source))
            note(f"the projector follows {kafka.topics.events} on {kafka.bootstrap_servers}")
        else:
            source = LogFeed(pool, limits=limits)
            note("the projector follows the store")
        set_aside()
        Projector(pool, source, limits=limits).run(lambda: wish.asked)


def broker() -> None:
    """Run one Kafka broker on this machine, with its data in the data folder; needs Java 17."""
    settings = Settings()
    with (
        stopping() as wish,
        KafkaBroker(settings.data_dir / "kafka", settings.kafka_port) as running,
    ):
        note(f"the broker listens on {running.bootstrap_servers}")
        while not wish.asked:
            if not running.running:
                raise BrokerUnavailable("the broker ended by itself; see its broker.log")
            time.sleep(WATCH_SECONDS)


def relay() -> None:
    """Publish the record to Kafka; needs LOANBOOK_KAFKA_BOOTSTRAP_SERVERS."""
    settings = Settings()
    limits = settings.limits
    configure(settings)
    with (
        database(settings) as dsn,
        Outbox(dsn, limits=limits) as outbox,
        Kafka(required_servers(settings)) as kafka,
        stopping() as wish,
    ):
        migrate(dsn)
        note(f"the relay publishes to {kafka.topics.events} on {kafka.bootstrap_servers}")
        set_aside()
        Relay(outbox, kafka, limits=limits).run(lambda: wish.asked)


def intake(
    member: Annotated[
        str | None, typer.Option(help="A lasting name in the consumer group, for quick restarts.")
    ] = None,
) -> None:
    """Carry out the commands that come by Kafka, and answer them."""
    settings = Settings()
    limits = settings.limits
    configure(settings)
    if settings.sources_file is None:
        raise UsageError("set LOANBOOK_SOURCES_FILE to the file of those whose commands count")
    sources = read_sources(settings.sources_file)
    with (
        database(settings) as dsn,
        Kafka(required_servers(settings)) as kafka,
        ExitStack() as stack,
        stopping() as wish,
    ):
        migrate(dsn)
        pool = stack.enter_context(read_pool(dsn, limits))
        with pool.transaction() as db:
            schema.install(db)
        store = stack.enter_context(PostgresEventStore(dsn, limits=limits))
        outcomes = stack.enter_context(OutcomeLog(dsn, limits=limits))
        feed = stack.enter_context(closing(commands_feed(kafka, limits=limits, member=member)))
        taking = Intake(
            Service(store, calendars=read_calendars(settings.calendars_file)),
            store,
            feed,
            stack.enter_context(closing(DeadLetters(kafka))),
            sources=sources,
            business_date=lambda: business_date(pool),
        )
        answers = stack.enter_context(closing(Answers(outcomes, kafka, sources)))
        note(f"the intake takes {kafka.topics.commands} of {', '.join(sources)}")
        set_aside()
        run(taking, answers, limits, lambda: wish.asked)


def required_servers(settings: Settings) -> str:
    """Return where Kafka is. Raises UsageError: it is not configured."""
    if settings.kafka_bootstrap_servers is None:
        raise UsageError("set LOANBOOK_KAFKA_BOOTSTRAP_SERVERS, such as 127.0.0.1:9092")
    return settings.kafka_bootstrap_servers
