"""The relay, from the store to Kafka, beside kafka-python's raw produce of the same records.

Same broker, settings, keys, headers and partitions on both sides, and every record's own answer is
asked for. Ours reads the store and saves its checkpoint besides; the raw side has all in memory.
"""

import time
from collections.abc import Sequence
from itertools import chain

from benchmarks import harness, histories
from benchmarks.broker import broker, fresh_topics, length
from consumers.relay import Publication
from infra.broker import BrokerUnavailable
from infra.event_topic import EventRow, headers_of
from infra.garbage import look_once
from infra.kafka_cluster import abandon, partition_of
from infra.outbox import Outbox

LOANS = 500
LOANS_FULL = 20_000
SLICES = 2  # turns of each side a round
NAME = "relay: store to Kafka"

Made = tuple[bytes, bytes, list[tuple[str, bytes]], int]
"""Value, key, headers and partition of a record."""


def run(options: harness.Options) -> list[harness.Result]:
    """Compare rates of events a second; `size` counts loans of twenty events."""
    look_once()  # as `loanbook relay` does at its start; for both sides
    loans = options.size or (LOANS_FULL if options.full else LOANS)
    with harness.server() as server:
        try:
            with broker() as servers:
                return [_compare(server, servers, loans, options.rounds)]
        except BrokerUnavailable as reason:
            return [harness.not_run(NAME, str(reason))]


def _compare(server: harness.Server, servers: str, loans: int, rounds: int) -> harness.Result:
    def fill(dsn: str) -> None:
        histories.store(dsn, histories.records(loans))

    with server.copy_of(f"relay_{loans}", fill) as dsn:
        with Outbox(dsn) as outbox:
            made = [_made(row) for row in _rows(outbox)]
        measured = harness.interleave(
            rounds,
            ours=lambda: _ours(servers, dsn, len(made)),
            peer=lambda: _raw(servers, made),
            slices=SLICES,
        )
    return harness.compared(NAME, measured, "events/s", floor=0.7, target=0.9)


def _rows(outbox: Outbox) -> Sequence[EventRow]:
    pages: list[list[EventRow]] = []
    while page := outbox.page(pages[-1][-1].position if pages else 0, 10_000):
        pages.append(page)
    return list(chain.from_iterable(pages))


def _made(row: EventRow) -> Made:
    key = row.stream.encode()
    return row.state, key, headers_of(0, row), partition_of(key)


def _ours(servers: str, dsn: str, events: int) -> float:
    with fresh_topics(servers) as kafka, Outbox(dsn) as outbox:
        with Publication(outbox, kafka) as publication:
            begun = time.perf_counter()
            published = sum(iter(publication.step, 0))
            seconds = time.perf_counter() - begun
        saved = outbox.checkpoint(kafka.topics.events)
        assert saved is not None
        assert published == saved.position == length(kafka) == events, "not all was published"
    print(f"  ours {events / seconds:8,.0f} events/s")
    return events / seconds


def _raw(servers: str, made: Sequence[Made]) -> float:
    with fresh_topics(servers) as kafka:
        producer = kafka.producer()
        begun = time.perf_counter()
        sent = [
            producer.send(kafka.topics.events, value, key, headers, partition)
            for value, key, headers, partition in made
        ]
        for record in sent:
            record.get(timeout=60)
        seconds = time.perf_counter() - begun
        abandon(producer)
        assert length(kafka) == len(made), "not all was produced"
    print(f"  raw  {len(made) / seconds:8,.0f} events/s")
    return len(made) / seconds


if __name__ == "__main__":
    harness.main(run)
