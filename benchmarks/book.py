"""Writes a book of loans into an empty store: seeded, fast, and whole to the last hash.

    python -m benchmarks.book --loans 100000 --dsn postgresql://...

Some hundred lives are told by the domain (`benchmarks/lives.py`) and copied under new names. Rows
go in with COPY, in the order of business days, numbered and chained as `append_batch_v1` would do
it: `loanbook verify` passes. At most some 300 bytes a loan are held in memory.
"""

import argparse
import random
import struct
import time
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as day_time
from functools import cache, partial
from hashlib import sha256
from itertools import pairwise
from typing import Final
from uuid import UUID

import psycopg

from benchmarks.harness import Server
from benchmarks.lives import CUSTOMER_ID, EXTERNAL_ID, LENDER, LOAN_ID, Life, Told, live, products
from consumers.rebuild import Helpers, rebuild
from consumers.stream import chunked
from domain.loan.day import day_line
from domain.service import Instruction, Service
from infra.chain import GENESIS, NULL_FIELD, microseconds, text_field
from infra.chain import field as bytes_field
from infra.database import bulk_pool
from infra.migrate import migrate
from infra.staging import actor_text
from infra.store import PostgresEventStore
from projections import schema
from projections.day_lines import Line, keep_lines

UNTIL: Final = date(2025, 6, 15)
"""The last business day of a book; the close of the next one is what benchmarks time."""
SEED: Final = 7
LIVES_MAX: Final = 1_500
BEGUN_ON: Final = date(2024, 1, 1)
SCOPE: Final = "book"

_LINES_MAX = 5_000  # in one statement
_SHARD = 0
_FLUSH_BYTES = 1 << 20
_PG_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_PG_EPOCH_DAY = _PG_EPOCH.date().toordinal()
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_SHARD_FIELD, _SHARD_TEXT = struct.pack("!ii", 4, _SHARD), text_field(str(_SHARD))
_BIGINT = struct.Struct("!iq")
_DATE = struct.Struct("!ii")
_HASH_LENGTH = (32).to_bytes(4, "big")

EVENT_COLUMNS = (
    "shard, position, stream, version, topic, effective_on, recorded_at, state, prev_hash, hash"
)
OUTCOME_COLUMNS = (
    "shard, sequence, scope, key, request_hash, command, actor, status, stream, version, position,"
    " code, detail, field, recorded_at, prev_hash, hash"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What was written."""

    loans: int
    events: int
    seconds: float
    lines: Mapping[str, Line]  # of loans' days to come, as a close of the last day leaves them


class Copy:
    """One COPY into a table on a connection of its own, fed with whole binary rows."""

    def __init__(self, dsn: str, table: str, columns: str) -> None:
        self._connection = psycopg.connect(dsn)
        statement = f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)"
        self._context = self._connection.cursor().copy(statement.encode())
        self._copy = self._context.__enter__()
        self._rows = [_SIGNATURE]
        self._bytes = 0

    def row(self, row: bytes) -> None:
        """Add one row."""
        self._rows.append(row)
        self._bytes += len(row)
        if self._bytes > _FLUSH_BYTES:
            self._copy.write(b"".join(self._rows))
            self._rows.clear()
            self._bytes = 0

    def end(self) -> None:
        """Send the rest and commit."""
        self._copy.write(b"".join((*self._rows, b"\xff\xff")))
        self._context.__exit__(None, None, None)
        self._connection.commit()
        self._connection.close()


@dataclass(frozen=True, slots=True)
class _Event:
    """An event of a life with all of its row that does not depend on the loan."""

    kind: str
    version: int
    version_text: bytes
    topic: bytes
    on_text: bytes
    on: bytes
    state: bytes  # as a field, when it names nobody
    template: bytes | None  # the bytes, when names have to be put in
    told: Told
    last_of_command: bool


class _Writer:
    """The log's counters and chains, and the ends of every loan's streams."""

    def __init__(self, dsn: str, seed: int, loans: int, *, keys: bool) -> None:
        number = random.Random(seed).getrandbits  # noqa: S311 - a seeded book, no secret
        self.names = [str(UUID(int=number(128), version=4)).encode() for _ in range(loans)]
        self.ends: dict[str, dict[int, tuple[int, bytes]]] = defaultdict(dict)
        self.position = 0
        self.sequence = 0
        self.outcome_hash = GENESIS
        self.events = Copy(dsn, "events", EVENT_COLUMNS)
        self.outcomes = Copy(dsn, "outcomes", OUTCOME_COLUMNS) if keys else None

    def block(self, event: _Event, loans: range, recorded_at: datetime) -> None:
        """Write one event of a life for all loans that live it."""
        micros = text_field(str(microseconds(recorded_at)))
        instant = _BIGINT.pack(8, microseconds(recorded_at) - microseconds(_PG_EPOCH))
        tail = event.topic + event.on_text + micros
        version = _BIGINT.pack(8, event.version)
        prefix, ends, state = event.kind.encode() + b"-", self.ends[event.kind], event.state
        pack = _BIGINT.pack
        for loan in loans:
            self.position += 1
            if event.template is not None:
                state = bytes_field(self._named(event.template, loan))
            prev = ends[loan][1] if event.version > 1 else GENESIS
            stream = bytes_field(prefix + self.names[loan])
            under_hash = (
                prev, _SHARD_TEXT, stream, event.version_text, text_field(str(self.position)),
                tail, state,
            )  # fmt: skip
            this = sha256(b"".join(under_hash)).digest()
            ends[loan] = (event.version, this)
            row = (
                b"\0\x0a", _SHARD_FIELD, pack(8, self.position), stream, version, event.topic,
                event.on, instant, state, _HASH_LENGTH, prev, _HASH_LENGTH, this,
            )  # fmt: skip
            self.events.row(b"".join(row))
            if self.outcomes and event.last_of_command:
                self._outcome(event, stream, instant, micros)

    def _named(self, template: bytes, loan: int) -> bytes:
        name = self.names[loan]
        return (
            template.replace(LOAN_ID.encode(), name)
            .replace(CUSTOMER_ID.encode(), b"customer-%011d" % (loan * 2 // 3))
            .replace(EXTERNAL_ID.encode(), b"external-%011d" % loan)
        )

    def _outcome(self, event: _Event, stream: bytes, instant: bytes, micros: bytes) -> None:
        """Chain and write the outcome of the command that ends with this event."""
        assert self.outcomes
        self.sequence += 1
        key = text_field(f"{SCOPE}-{self.sequence}")
        request = sha256(key).digest()
        command, actor = text_field(event.told.name), text_field(actor_text(LENDER))
        scope, status = text_field(SCOPE), text_field("recorded")
        prev = self.outcome_hash
        under_hash = (
            prev, _SHARD_TEXT, text_field(str(self.sequence)), scope, key,
            text_field(request.hex()), command, actor, status, stream, event.version_text,
            text_field(str(self.position)), NULL_FIELD, NULL_FIELD, NULL_FIELD, micros,
        )  # fmt: skip
        self.outcome_hash = sha256(b"".join(under_hash)).digest()
        row = (
            b"\0\x11", _SHARD_FIELD, _BIGINT.pack(8, self.sequence), scope, key,
            bytes_field(request), command, actor, status, stream,
            _BIGINT.pack(8, event.version), _BIGINT.pack(8, self.position), NULL_FIELD * 3,
            instant, _HASH_LENGTH, prev, _HASH_LENGTH, self.outcome_hash,
        )  # fmt: skip
        self.outcomes.row(b"".join(row))

    def end(self, dsn: str, recorded_at: datetime) -> None:
        """Write the ends of streams and log, and let the planner know the tables."""
        self.events.end()
        if self.outcomes:
            self.outcomes.end()
        heads = Copy(dsn, "stream_heads", "stream, shard, version, hash")
        for kind, ends in self.ends.items():
            for loan, (version, last) in ends.items():
                stream = bytes_field(kind.encode() + b"-" + self.names[loan])
                count = _BIGINT.pack(8, version)
                heads.row(b"".join((b"\0\x04", stream, _SHARD_FIELD, count, _HASH_LENGTH, last)))
        heads.end()
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                "UPDATE log_head SET position = %s, last_recorded_at = %s, outcome_sequence = %s,"
                " outcome_hash = %s WHERE shard = %s",
                (self.position, recorded_at, self.sequence, self.outcome_hash, _SHARD),
            )
            connection.execute("VACUUM (ANALYZE) events, stream_heads, outcomes")


def write_book(
    dsn: str,
    loans: int,
    *,
    seed: int = SEED,
    until: date = UNTIL,
    keys: bool = False,
    all_late: bool = False,
) -> Book:
    """Write a book of loans into an empty migrated store, business days closed up to `until`.

    `keys`: every command has its outcome under an idempotency key. `all_late`: every loan falls
    due on the last day and is not paid. Raises ValueError for a store that is not empty.
    """
    begun = time.monotonic()
    lives_told = min(loans, LIVES_MAX)
    lives = [lived(seed * LIVES_MAX + number, until, late=all_late) for number in range(lives_told)]
    edges = [loans * number // lives_told for number in range(lives_told + 1)]
    by_day: dict[date, list[tuple[_Event, range]]] = defaultdict(list)
    writer = _Writer(dsn, seed, loans, keys=keys)
    lines: dict[str, Line] = {}
    for life, (first, end) in zip(lives, pairwise(edges), strict=True):
        for event in _events(life.told):
            by_day[event.told.on].append((event, range(first, end)))
        line = _line(life, until)
        if line is not None:
            lines |= {writer.names[loan].decode(): line for loan in range(first, end)}
    _define_products(dsn, writer)
    for on in sorted(by_day):
        for event, copies in by_day[on]:
            writer.block(event, copies, _evening(on))
    writer.end(dsn, _evening(until))
    return Book(loans=loans, events=writer.position, seconds=time.monotonic() - begun, lines=lines)


@cache
def lived(seed: int, until: date, *, late: bool = False) -> Life:
    """Live a loan once in a run: all books and histories tell the same lives."""
    return live(seed, until=until, late=late)


def _line(life: Life, on: date) -> Line | None:
    loan = life.loan
    if loan.timeline is None:
        return None
    _, line = day_line(loan, on)
    return line and (sum(one.kind == "loan" for one in life.told), line)


def _evening(on: date) -> datetime:
    return datetime.combine(on, day_time(18), UTC)


def _events(told: Sequence[Told]) -> list[_Event]:
    versions: dict[str, int] = defaultdict(int)
    events: list[_Event] = []
    for index, one in enumerate(told):
        versions[one.kind] += 1
        version = versions[one.kind]
        named = any(name.encode() in one.state for name in (LOAN_ID, CUSTOMER_ID, EXTERNAL_ID))
        events.append(
            _Event(
                kind=one.kind,
                version=version,
                version_text=text_field(str(version)),
                topic=text_field(one.topic),
                on_text=text_field(one.on.isoformat()),
                on=_DATE.pack(4, one.on.toordinal() - _PG_EPOCH_DAY),
                state=bytes_field(one.state),
                template=one.state if named else None,
                told=one,
                last_of_command=index + 1 == len(told) or told[index + 1].command != one.command,
            )
        )
    return events


def _define_products(dsn: str, writer: _Writer) -> None:
    """Define the products by the usual road, on a day before the first loan."""
    with PostgresEventStore(dsn, clock=lambda: _evening(BEGUN_ON)) as store:
        if store.head().number:
            raise ValueError("a book is written into an empty store")
        service = Service(store)
        for command, context in products(BEGUN_ON):
            service.handle(Instruction(command=command, context=context))
        writer.position = store.head().number


def project(dsn: str, book: Book) -> int:
    """Fill the read models of a book that was written; return their generation."""
    with bulk_pool(dsn) as pool:
        with pool.transaction() as db:
            schema.install(db)
        generation = rebuild(pool, helpers=beside(dsn))
        for part in chunked(book.lines, _LINES_MAX):
            with pool.transaction() as db:
                keep_lines(db, {loan_id: book.lines[loan_id] for loan_id in part})
        return generation


def beside(dsn: str) -> Helpers:
    """Let one process fold beside this one: figures are of two cores."""
    return Helpers(partial(bulk_pool, dsn), 1)


@contextmanager
def recorded(server: Server, loans: int) -> Generator[str]:
    """Make a database with the book of so many loans, with keys; its read models are empty."""
    with server.database() as dsn:
        written = write_book(dsn, loans, keys=True)
        with bulk_pool(dsn) as pool, pool.transaction() as db:
            schema.install(db)
        print(f"  {_written(written)}", flush=True)
        yield dsn


def copied(server: Server, loans: int, *, all_late: bool = False) -> AbstractContextManager[str]:
    """Copy the book of so many loans, with keys and read models; it is written once in a run."""

    def fill(dsn: str) -> None:
        book = write_book(dsn, loans, keys=True, all_late=all_late)
        begun = time.monotonic()
        project(dsn, book)
        seconds = time.monotonic() - begun
        print(f"  {_written(book)}, projected in {seconds:.0f} s", flush=True)

    return server.copy_of(f"book_{loans}{'_late' * all_late}", fill)


def _written(book: Book) -> str:
    events, seconds = f"{book.events:,} events", f"{book.seconds:.0f} s"
    return f"book of {book.loans:,} loans: {events} written in {seconds}"


def main() -> None:
    """Write a book from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn", required=True, help="an empty database, migrated if need be")
    parser.add_argument("--loans", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--project", action="store_true", help="fill the read models too")
    given = parser.parse_args()
    migrate(given.dsn)
    book = write_book(given.dsn, given.loans, seed=given.seed)
    print(f"{book.loans} loans, {book.events} events in {book.seconds:.1f} s")
    if given.project:
        project(given.dsn, book)


if __name__ == "__main__":
    main()
