"""`loanbook broker`: one Kafka broker on this machine."""

import time

from api.cli.children import stopping
from api.cli.output import note
from infra.broker import BrokerUnavailable, KafkaBroker
from infra.settings import Settings

WATCH_SECONDS = 0.2


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
