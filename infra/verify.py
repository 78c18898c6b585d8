"""Recomputes the hash chains of a whole store, or of one stream, and names what does not fit.

It reads one snapshot, so writers go on meanwhile. What it cannot see: a tail cut together with its
row in `stream_heads` and the counters in `log_head`; that takes a checkpoint kept elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

import psycopg
from psycopg.rows import class_row

from infra.chain import GENESIS, EventRow, event_hash
from infra.connections import configure
from infra.settings import Limits

BREAKS_MAX = 100
"""After so many the rest of a damaged store is not worth listing."""

# The order of the columns is the order of the fields under the hash: the bytes that COPY sends
# after the first two columns are the very bytes that were hashed.
_EVENTS = """
COPY (
    SELECT prev_hash, hash, shard::text, stream, version::text, position::text, topic,
        effective_on::text, (extract(epoch FROM recorded_at) * 1000000)::bigint::text, state
    FROM events ORDER BY events.shard, events.position
) TO STDOUT (FORMAT binary)
"""
_OUTCOMES = """
COPY (
    SELECT prev_hash, hash, shard::text, sequence::text, scope, key,
        encode(request_hash, 'hex'), command, actor, status, stream,
        version::text, position::text, code, detail, field,
        (extract(epoch FROM recorded_at) * 1000000)::bigint::text
    FROM outcomes ORDER BY outcomes.shard, outcomes.sequence
) TO STDOUT (FORMAT binary)
"""
_STREAM = """
SELECT shard, position, stream, version, topic, effective_on, recorded_at, state, prev_hash, hash
FROM events WHERE stream = %s ORDER BY version
"""
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES = 19
_TRAILER = b"\xff\xff"
_HASHED_FROM = 72  # after the fields prev_hash and hash, 4 and 32 bytes each
_START = (0, GENESIS)


class Fault(StrEnum):
    """What does not fit."""

    HASH = "hash"  # the row's hash is not that of its bytes
    LINK = "link"  # prev_hash is not the hash of the row before
    VERSION = "version"  # a version is missing or comes twice
    POSITION = "position"  # a position is missing or comes twice
    HEAD = "head"  # the stream does not end where stream_heads says
    LOG_HEAD = "log_head"  # the log does not end where log_head says
    OUTCOME_HASH = "outcome_hash"
    OUTCOME_LINK = "outcome_link"
    OUTCOME_SEQUENCE = "outcome_sequence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One place that does not fit. `number` is a position, or a sequence for outcomes."""

    fault: Fault
    shard: int
    number: int | None = None  # None: the place is known by its stream only
    stream: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What was looked at and the breaks, the first bad place first."""

    events: int
    streams: int
    outcomes: int
    breaks: tuple[Break, ...]

    @property
    def ok(self) -> bool:
        """Tell whether everything fits."""
        return not self.breaks


@dataclass(frozen=True, slots=True)
class _StoredRow(EventRow):
    """A row of `events` with the hash it claims."""

    hash: bytes


def verify_store(dsn: str) -> ChainReport:
    """Check every event, every stream's head and every outcome. Raises psycopg.Error."""
    with psycopg.connect(dsn) as connection:
        _snapshot(connection)
        events = _EventChains()
        for row in _rows(connection, _EVENTS):
            events.check(row)
        events.check_heads(connection)
        outcomes = _OutcomeChains()
        for row in _rows(connection, _OUTCOMES):
            outcomes.check(row)
        outcomes.check_heads(connection)
        return ChainReport(
            events=events.count,
            streams=len(events.heads),
            outcomes=outcomes.count,
            breaks=(*events.breaks, *outcomes.breaks),
        )


def verify_stream(dsn: str, stream: str) -> ChainReport:
    """Check one stream, its end included. Raises psycopg.Error."""
    breaks: list[Break] = []
    version, prev_hash, shard = 0, GENESIS, 0
    with psycopg.connect(dsn) as connection:
        _snapshot(connection)
        with connection.cursor(row_factory=class_row(_StoredRow)) as cursor:
            for row in cursor.execute(_STREAM, (stream,)):
                shard = row.shard
                for fault, holds in (
                    (Fault.VERSION, row.version == version + 1),
                    (Fault.LINK, row.prev_hash == prev_hash),
                    (Fault.HASH, row.hash == event_hash(row)),
                ):
                    if not holds:
                        breaks.append(
                            Break(
                                fault=fault,
                                shard=shard,
                                number=row.position,
                                stream=stream,
                                version=row.version,
                            )
                        )
                version, prev_hash = row.version, row.hash
        head = connection.execute(
            "SELECT version, hash FROM stream_heads WHERE stream = %s", (stream,)
        ).fetchone()
    if (head or _START) != (version, prev_hash):
        breaks.append(Break(fault=Fault.HEAD, shard=shard, stream=stream, version=version + 1))
    return ChainReport(
        events=version, streams=1 if version else 0, outcomes=0, breaks=tuple(breaks)
    )


def _snapshot(connection: psycopg.Connection[Any]) -> None:
    """Begin one read-only snapshot that no statement timeout cuts short."""
    configure(connection, Limits())
    connection.commit()
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    connection.execute("SET LOCAL statement_timeout = 0")


def _rows(connection: psycopg.Connection[Any], copy_sql: str) -> Iterator[bytes]:
    """Hand out the rows of a binary COPY, each as its fields without the count before them."""
    with connection.cursor().copy(copy_sql.encode()) as copy:
        for block in copy:
            data = bytes(block)
            if data.startswith(_SIGNATURE):
                data = data[_HEADER_BYTES:]
            if data and data != _TRAILER:
                yield data[2:]


def _fields(row: bytes, start: int, count: int) -> list[bytes]:
    """Read some fields of a row, from a byte on."""
    fields: list[bytes] = []
    for _ in range(count):
        end = start + 4 + int.from_bytes(row[start : start + 4], "big")
        fields.append(row[start + 4 : end])
        start = end
    return fields


class _EventChains:
    """All streams' chains at once, fed in position order."""

    def __init__(self) -> None:
        self.count = 0
        self.heads: dict[bytes, tuple[int, bytes]] = {}
        self.breaks: list[Break] = []
        self._ends: dict[int, int] = {}  # shard to its last position

    def check(self, row: bytes) -> None:
        """Check one event against its own bytes, its stream's last and the log's last."""
        prev_hash, claimed = row[4:36], row[40:_HASHED_FROM]
        shard, stream, version, position = _fields(row, _HASHED_FROM, 4)
        last_version, last_hash = self.heads.get(stream, _START)
        this_shard, this_version, this_position = int(shard), int(version), int(position)
        expected_position = self._ends.get(this_shard, 0) + 1
        if this_position != expected_position:
            self._note(Fault.POSITION, this_shard, expected_position)
        if this_version != last_version + 1:
            self._note(Fault.VERSION, this_shard, this_position, stream, this_version)
        if prev_hash != last_hash:
            self._note(Fault.LINK, this_shard, this_position, stream, this_version)
        if claimed != sha256(prev_hash + row[_HASHED_FROM:]).digest():
            self._note(Fault.HASH, this_shard, this_position, stream, this_version)
        self.count += 1
        self._ends[this_shard] = this_position
        self.heads[stream] = (this_version, claimed)

    def check_heads(self, connection: psycopg.Connection[Any]) -> None:
        """Compare the ends of streams and log with what the append function keeps."""
        unseen = set(self.heads)
        with connection.cursor(name="heads") as cursor:
            cursor.itersize = 10_000
            rows = cursor.execute("SELECT shard, stream, version, hash FROM stream_heads")
            for shard, name, version, head_hash in rows:
                stream = name.encode()
                last_version, last_hash = self.heads.get(stream, _START)
                if (last_version, last_hash) != (version, bytes(head_hash)):
                    place = min(last_version, version) + 1
                    self._note(Fault.HEAD, shard, None, stream, place)
                unseen.discard(stream)
        for stream in sorted(unseen):
            self._note(Fault.HEAD, 0, None, stream, 1)
        for shard, position in connection.execute("SELECT shard, position FROM log_head"):
            end = self._ends.get(shard, 0)
            if end != position:
                self._note(Fault.LOG_HEAD, shard, min(end, position) + 1)

    def _note(
        self,
        fault: Fault,
        shard: int,
        number: int | None,
        stream: bytes | None = None,
        version: int | None = None,
    ) -> None:
        if len(self.breaks) < BREAKS_MAX:
            name = stream.decode() if stream else None
            self.breaks.append(
                Break(fault=fault, shard=shard, number=number, stream=name, version=version)
            )


class _OutcomeChains:
    """The outcomes' chain of each shard, fed in order of sequence."""

    def __init__(self) -> None:
        self.count = 0
        self.breaks: list[Break] = []
        self._ends: dict[int, tuple[int, bytes]] = {}

    def check(self, row: bytes) -> None:
        """Check one outcome against its own bytes and the one before."""
        prev_hash, claimed = row[4:36], row[40:_HASHED_FROM]
        shard, sequence = map(int, _fields(row, _HASHED_FROM, 2))
        last_sequence, last_hash = self._ends.get(shard, _START)
        if sequence != last_sequence + 1:
            self._note(Fault.OUTCOME_SEQUENCE, shard, last_sequence + 1)
        if prev_hash != last_hash:
            self._note(Fault.OUTCOME_LINK, shard, sequence)
        if claimed != sha256(prev_hash + row[_HASHED_FROM:]).digest():
            self._note(Fault.OUTCOME_HASH, shard, sequence)
        self.count += 1
        self._ends[shard] = (sequence, claimed)

    def check_heads(self, connection: psycopg.Connection[Any]) -> None:
        """Compare the ends of the chains with what the append function keeps."""
        rows = connection.execute("SELECT shard, outcome_sequence, outcome_hash FROM log_head")
        for shard, sequence, head_hash in rows:
            last_sequence, last_hash = self._ends.get(shard, _START)
            if (last_sequence, last_hash) != (sequence, bytes(head_hash)):
                self._note(Fault.OUTCOME_SEQUENCE, shard, min(last_sequence, sequence) + 1)

    def _note(self, fault: Fault, shard: int, sequence: int) -> None:
        if len(self.breaks) < BREAKS_MAX:
            self.breaks.append(Break(fault=fault, shard=shard, number=sequence))
