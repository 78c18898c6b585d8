"""The invariants I1 to I8, each as a function that answers with what does not hold.

They read the record, the read models and the client's own ledger; they change nothing.
"""

import sys
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any, Final

import psycopg

from consumers.reconcile import read_models_fold
from consumers.states import states_fold
from domain.decide import decider_of
from domain.envelope import Position, RecordedEvent
from domain.events.servicing import AllocationsRestated, PaymentAllocated
from domain.loan.state import Loan
from domain.ports import EventStore
from domain.postings import Account, postings
from infra.database import DatabasePool
from infra.verify import verify_store
from tests.faults.found import Violation
from tests.faults.ledger import Answered

PAGE_EVENTS: Final = 5_000
SHOWN_MAX: Final = 5
"""Violations of one kind are told up to here; the rest only counted."""

# The functions of `domain/servicing/` that compute figures; deciding calls them, folding must not.
COMPUTES: Final = frozenset({("fold", "apply"), ("fold", "evaluate"), ("solving", "solve")})


def violations(invariant: str, details: Iterable[object]) -> list[Violation]:
    """Turn details into violations of one invariant; a long list is cut and says so."""
    found = [str(detail) for detail in details]
    more = [f"and {len(found) - SHOWN_MAX} more"] if len(found) > SHOWN_MAX else []
    return [Violation(invariant=invariant, detail=d) for d in found[:SHOWN_MAX] + more]


def acknowledged_once(dsn: str, ledger: Sequence[Answered]) -> list[Violation]:
    """I1: what was answered stands in the record exactly as it was answered, exactly once."""
    accepted = [line for line in ledger if line.version is not None]
    marked = Counter(line.payment_id for line in accepted if line.payment_id)
    with psycopg.connect(dsn) as connection:
        places = {
            (stream, version): position
            for stream, version, position in connection.execute(
                "SELECT stream, version, position FROM events"
            )
        }
        paid: Counter[str] = Counter(
            payment_id
            for (payment_id,) in connection.execute(
                "SELECT convert_from(state, 'UTF8')::jsonb -> 'event' ->> 'payment_id' FROM events"
                " WHERE topic = 'loan.payment_received.v1'"
            )
        )
    lost = [line for line in accepted if places.get((line.stream, line.version or 0)) is None]
    moved = [
        line
        for line in accepted
        if line.position is not None
        and places.get((line.stream, line.version or 0)) not in (None, line.position)
    ]
    missing = [payment_id for payment_id in marked if paid[str(payment_id)] == 0]
    doubled = [payment_id for payment_id, times in paid.items() if times > 1]
    return [
        *violations("I1", (f"acknowledged and lost: {line}" for line in lost)),
        *violations("I1", (f"acknowledged elsewhere: {line}" for line in moved)),
        *violations("I1", (f"acknowledged, not in the record: {p}" for p in missing)),
        *violations("I1", (f"in the record more than once: {p}" for p in doubled)),
    ]


def dense(dsn: str) -> list[Violation]:
    """I1: versions of each stream and positions are 1, 2, 3 and so on; heads and chains hold."""
    with psycopg.connect(dsn) as connection:
        streams = connection.execute(
            "SELECT stream, count(*), min(version), max(version) FROM events GROUP BY stream"
            " HAVING count(*) <> max(version) OR min(version) <> 1"
        ).fetchall()
        shards = connection.execute(
            "SELECT h.shard, h.position, count(e.position), coalesce(max(e.position), 0)"
            " FROM log_head h LEFT JOIN events e ON e.shard = h.shard GROUP BY h.shard, h.position"
            " HAVING h.position <> count(e.position) OR coalesce(max(e.position), 0) <> h.position"
        ).fetchall()
    return [
        *violations("I1", (f"versions not dense: {row}" for row in streams)),
        *violations("I1", (f"positions not dense: {row}" for row in shards)),
        *violations("I1", verify_store(dsn).breaks),
    ]


def one_outcome_per_key(dsn: str, ledger: Sequence[Answered]) -> list[Violation]:
    """I2: a key has one outcome, it is the one that was answered, and every answer was the same."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT scope, key, version, position, code FROM outcomes WHERE key IS NOT NULL"
        ).fetchall()
    known = {(scope, key): tuple(rest) for scope, key, *rest in rows}
    twice = [key for key, times in Counter(row[:2] for row in rows).items() if times > 1]
    other = [
        line
        for line in ledger
        if known.get((line.scope, line.key)) != (line.version, line.position, line.code)
    ]
    return [
        *violations("I2", (f"two outcomes under {key}" for key in twice)),
        *violations("I2", (f"answered otherwise than recorded: {line}" for line in other)),
    ]


def all_events(store: EventStore) -> Iterator[RecordedEvent]:
    """Read shard 0 whole, in order of position."""
    position = Position(shard=0, number=0)
    while page := store.read(position, PAGE_EVENTS):
        yield from page
        position = page[-1].position


def books_balance(store: EventStore) -> list[Violation]:
    """I3 and half of I4: every entry balances, and each loan's accounts are its balances.

    The portfolio is the principal owed, receivables of fees and penalties and the credit balance
    are the loan's; of a loan that was charged off nothing is left on the books.
    """
    loans: dict[str, Loan] = {}
    ledgers: dict[str, Counter[Account]] = {}
    found: list[Violation] = []
    for recorded in all_events(store):
        if not recorded.stream.startswith("loan-"):
            continue
        before = loans.get(recorded.stream)
        ledger = ledgers.setdefault(recorded.stream, Counter())
        lines = postings(recorded.event, charged_off=before is not None and before.charged_off)
        if total := sum(line.amount_minor for line in lines):
            found += violations("I3", [f"{recorded.position} is off by {total}"])
        for line in lines:
            ledger[line.account] += line.amount_minor
        loans[recorded.stream] = decider_of(recorded.stream).evolve(before, recorded.event)
    for stream, loan in loans.items():
        found += _ties(stream, loan, ledgers[stream])
    return found


def _ties(stream: str, loan: Loan, ledger: Counter[Account]) -> list[Violation]:
    found: list[Violation] = []
    if total := sum(ledger.values()):
        found += violations("I3", [f"{stream} is off by {total}"])
    owed = loan.balances
    expected = (
        {Account.LOAN_PORTFOLIO: 0}
        if loan.charged_off
        else {
            Account.LOAN_PORTFOLIO: owed.principal_minor if loan.disbursed_on else 0,
            Account.OVERPAYMENT_LIABILITY: -owed.overpaid_minor,
            Account.FEE_RECEIVABLE: owed.fee_minor,
            Account.PENALTY_RECEIVABLE: owed.penalty_minor,
        }
    )
    wrong = [
        f"{stream} {account}: {ledger[account]} on the books, {amount} by its events"
        for account, amount in expected.items()
        if ledger[account] != amount
    ]
    return found + violations("I4", wrong)


def read_model_ties(pool: DatabasePool) -> list[Violation]:
    """I4: the read model says of every loan what its own events say. Nothing may be under way."""
    check = states_fold(pool, domain_share=1)
    return violations("I4", (f"{f.id}: {f.reason}" for f in check.exceptions))


def projections_are_folds(pool: DatabasePool, position: int, head: int) -> list[Violation]:
    """I5: every read model is the fold of the record from zero, and its position is true."""
    check = read_models_fold(pool)
    wrong = [f"{finding.id}: {finding.reason}" for finding in check.exceptions]
    if position != head:
        wrong.append(f"the read models stand at {position}, the record at {head}")
    return violations("I5", wrong)


def position_is_true(pool: DatabasePool) -> list[Violation]:
    """I5: what the read models hold is what their position says, no event more and none less."""
    with pool.transaction() as db:
        row = db.row(
            "SELECT (SELECT count(*) FROM audit_trail) AS events,"
            " (SELECT coalesce(max(position), 0) FROM audit_trail) AS last,"
            " (SELECT coalesce(max(position), 0) FROM feed_positions) AS position,"
            " (SELECT coalesce(sum(version), 0)::bigint FROM applied_versions) AS versions"
        )
    assert row is not None
    same = row["events"] == row["last"] == row["position"] == row["versions"]
    return [] if same else violations("I5", [f"position and rows disagree: {row}"])


def no_reader_skipped(seen: Sequence[int], head: int) -> list[Violation]:
    """I6: a reader saw every position once, in order."""
    if list(seen) == list(range(1, head + 1)):
        return []
    missed = sorted(set(range(1, head + 1)) - set(seen))
    disordered = sum(1 for one, next_one in pairwise(seen) if next_one <= one)
    return violations(
        "I6", [f"{len(missed)} of {head} missed, first {missed[:3]}; {disordered} out of order"]
    )


def stream_order(
    wire: Sequence[RecordedEvent], recorded: Sequence[RecordedEvent]
) -> list[Violation]:
    """I7: after dropping repeats by version, every loan's order on the wire is its stream's."""
    heads: Counter[str] = Counter()
    kept: dict[str, list[RecordedEvent]] = {}
    wrong: list[str] = []
    for event in wire:
        head = heads[event.stream]
        if event.version > head + 1:
            wrong.append(f"{event.stream} jumps from version {head} to {event.version}")
        if event.version > head:
            heads[event.stream] = event.version
            kept.setdefault(event.stream, []).append(event)
    stored: dict[str, list[RecordedEvent]] = {}
    for event in recorded:
        stored.setdefault(event.stream, []).append(event)
    wrong += [stream for stream in stored if kept.get(stream) != stored[stream]]
    wrong += [stream for stream in kept if stream not in stored]
    return violations("I7", wrong)


class EngineCalled(AssertionError):
    """Folding ran the engine."""


@cache
def _computing(path: str) -> frozenset[str]:
    """Name the functions of a file that compute; it is asked for at every call."""
    place = Path(path)
    if place.parent.name != "servicing":
        return frozenset()
    return frozenset(name for stem, name in COMPUTES if stem == place.stem)


@contextmanager
def engine_forbidden() -> Generator[None]:
    """Raise EngineCalled when a function of the engine runs in this thread."""

    def watch(frame: FrameType, what: str, _: Any) -> None:  # noqa: ANN401
        if what == "call":
            code = frame.f_code
            if code.co_name in _computing(code.co_filename):
                raise EngineCalled(f"{Path(code.co_filename).stem}.{code.co_name}")

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


def folding_is_reading(events: Sequence[RecordedEvent]) -> list[Violation]:
    """I8: folding never calls the engine, and published splits change by restatement only."""
    loans: dict[str, Any] = {}
    published: dict[tuple[str, str], tuple[object, int]] = {}
    wrong: list[str] = []
    with engine_forbidden():
        for recorded in events:
            before = loans.get(recorded.stream)
            try:
                loans[recorded.stream] = decider_of(recorded.stream).evolve(before, recorded.event)
            except EngineCalled as called:
                wrong.append(f"folding {recorded.topic} called {called}")
    for recorded in events:
        match recorded.event:
            case PaymentAllocated() as event:
                published[recorded.stream, event.payment_id] = (event.lines, event.overpaid_minor)
            case AllocationsRestated() as event:
                for change in event.changes:
                    known = published.get((recorded.stream, change.payment_id))
                    if known is not None and known != (change.before, change.overpaid_before_minor):
                        wrong.append(f"{recorded.position} restates what was never published")
                    after = (change.after, change.overpaid_after_minor)
                    published[recorded.stream, change.payment_id] = after
            case _:
                continue
    return violations("I8", wrong)
