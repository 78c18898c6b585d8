"""`loanbook intake`: commands that come by Kafka are carried out and answered."""

from contextlib import ExitStack, closing
from typing import Annotated

import typer

from api.cli.children import stopping
from api.cli.output import UsageError, note
from api.cli.servers import database, kafka_servers
from consumers.answers import Answers
from consumers.business_date import business_date
from consumers.intake import Intake, commands_feed, run
from consumers.sources import read_sources
from domain.service import Service
from infra.calendars import read_calendars
from infra.database import read_pool
from infra.dead_letters import DeadLetters
from infra.garbage import look_once
from infra.kafka_cluster import Kafka
from infra.log import configure
from infra.migrate import migrate
from infra.outbox import OutcomeLog
from infra.settings import Settings
from infra.store import PostgresEventStore
from projections import schema


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
        Kafka(kafka_servers(settings)) as kafka,
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
        look_once()
        run(taking, answers, limits, lambda: wish.asked)
