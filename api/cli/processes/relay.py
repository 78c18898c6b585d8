"""`loanbook relay`: the record is published to Kafka."""

from api.cli.children import stopping
from api.cli.output import note
from api.cli.servers import database, kafka_servers
from consumers.relay import Relay
from infra.garbage import look_once
from infra.kafka_cluster import Kafka
from infra.log import configure
from infra.migrate import migrate
from infra.outbox import Outbox
from infra.settings import Settings


def relay() -> None:
    """Publish the record to Kafka; needs LOANBOOK_KAFKA_BOOTSTRAP_SERVERS."""
    settings = Settings()
    limits = settings.limits
    configure(settings)
    with (
        database(settings) as dsn,
        Outbox(dsn, limits=limits) as outbox,
        Kafka(kafka_servers(settings)) as kafka,
        stopping() as wish,
    ):
        migrate(dsn)
        note(f"the relay publishes to {kafka.topics.events} on {kafka.bootstrap_servers}")
        look_once()
        Relay(outbox, kafka, limits=limits).run(lambda: wish.asked)
