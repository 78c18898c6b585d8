"""The peer: the `eventsourcing` library on our events, set up as its guide says, at its best.

Its own application, recorder, mapper and JSON transcoder. Each event class is registered with a
transcoding; turning plain values into our classes is left to msgspec, which is faster than what a
user would write by hand. Nothing here is measured on its own.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from eventsourcing.application import Application
from eventsourcing.persistence import JSONTranscoder, Mapper, Transcoding
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from domain.decide import decider_of
from domain.envelope import Envelope, StreamId
from domain.events import TOPICS, Event
from domain.service import Known

CACHED_AGGREGATES_MAX = 20_000


@dataclass(frozen=True)
class Happened:
    """One of our events as an event of the library."""

    originator_id: str
    originator_version: int
    envelope: Envelope
    event: Event


class _Whole(Transcoding):
    """A dataclass of ours as an object of plain values."""

    def __init__(self, kind: type[object]) -> None:
        self.type = self._kind = kind
        self.name = kind.__name__

    def encode(self, obj: object) -> object:
        return msgspec.to_builtins(obj)

    def decode(self, data: object) -> object:
        return msgspec.convert(data, self._kind)


def register(transcoder: JSONTranscoder) -> None:
    """Teach the library's transcoder our classes."""
    for kind in (Envelope, *TOPICS.values()):
        transcoder.register(_Whole(kind))


def mapper() -> Mapper[Any]:
    """Make the library's own mapper."""
    transcoder = JSONTranscoder()
    register(transcoder)
    return Mapper(transcoder)


def project(known: Known | None, events: Iterable[Any]) -> Known | None:
    """Fold events of the library into a state of ours: the repository's projector function."""
    for happened in events:
        stream = StreamId(happened.originator_id)
        state = known.state if known else None
        known = Known(happened.originator_version, decider_of(stream).evolve(state, happened.event))
    return known


def same(one: Known, other: Known) -> bool:
    """Tell whether two states say the same; a time line is compared by what came of it."""
    return one.version == other.version and (
        replace(one.state, timeline=None) == replace(other.state, timeline=None)
    )


class Loans(Application[str]):
    """The library's application on its own PostgreSQL recorder."""

    name = "loans"

    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        """Add ours to the library's."""
        super().register_transcodings(transcoder)
        register(transcoder)

    def known(self, stream: StreamId) -> Known:
        """Load one state through the repository. Raises AggregateNotFoundError."""
        repository: Any = self.repository  # typed for aggregates of the library's own
        return repository.get(stream, projector_func=project)


def environment(dsn: str, threads: int, *, cached: bool = False) -> dict[str, str]:
    """Write the environment of an application: a connection for every thread."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "ORIGINATOR_ID_TYPE": "text",
        "POSTGRES_DBNAME": parts["dbname"],
        "POSTGRES_HOST": parts["host"],
        "POSTGRES_PORT": parts["port"],
        "POSTGRES_USER": parts["user"],
        "POSTGRES_PASSWORD": parts.get("password", ""),
        "POSTGRES_POOL_SIZE": str(threads),
    } | (
        {
            "AGGREGATE_CACHE_MAXSIZE": str(CACHED_AGGREGATES_MAX),
            "DEEPCOPY_FROM_AGGREGATE_CACHE": "n",
        }
        if cached
        else {}
    )


@contextmanager
def application(dsn: str, threads: int, *, cached: bool = False) -> Generator[Loans]:
    """Open the library's application; `cached`: it keeps states, as ours does."""
    loans = Loans(environment(dsn, threads, cached=cached))
    try:
        yield loans
    finally:
        loans.close()


@contextmanager
def recorder(dsn: str, threads: int) -> Generator[PostgresApplicationRecorder]:
    """Open the library's recorder with its defaults, and a connection for every thread."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    datastore = PostgresDatastore(
        dbname=parts["dbname"],
        host=parts["host"],
        port=parts["port"],
        user=parts["user"],
        password=parts.get("password", ""),
        pool_size=threads,
    )
    made = PostgresApplicationRecorder(datastore)
    made.create_table()
    try:
        yield made
    finally:
        datastore.close()


def happened(stream: StreamId, events: Sequence[tuple[Envelope, Event]]) -> list[Happened]:
    """Number the events of a stream from 1."""
    return [
        Happened(stream, version, envelope, event)
        for version, (envelope, event) in enumerate(events, start=1)
    ]
