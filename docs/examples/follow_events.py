"""Follows Loanbook's events by Kafka and adds up what every loan was paid.

Plain kafka-python, no code of Loanbook: `python docs/examples/follow_events.py 127.0.0.1:9092`.
Delivery is at least once: `version` counts a stream's events from 1, and what was seen is skipped.
"""

import json
import sys
from collections import Counter

from kafka import KafkaConsumer

EVENTS = "loanbook.events.v1"
SILENCE_MS = 5_000


def main(servers: str) -> None:
    """Read from the beginning until nothing comes any more, then print the sums."""
    consumer = KafkaConsumer(
        EVENTS,
        bootstrap_servers=servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=SILENCE_MS,
    )
    seen: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    for record in consumer:
        headers = dict(record.headers)
        stream, version = record.key.decode(), int(headers["version"])
        if version <= seen[stream]:
            continue  # a repeat: the publisher was restarted
        if version > seen[stream] + 1:
            sys.exit(f"{stream} jumps to version {version}: ask the HTTP API for what is missing")
        seen[stream] = version
        if headers["topic"] == b"loan.payment_received.v1":
            paid[stream] += json.loads(record.value)["event"]["amount_minor"]  # in minor units
    consumer.close()
    print(f"{sum(seen.values())} events of {len(seen)} streams")
    for stream, amount in sorted(paid.items()):
        print(f"{stream} was paid {amount} minor units")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092")
