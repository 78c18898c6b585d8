"""The close of business days over a book of loans, beside a close that takes loan after loan.

Ours is `CloseOfDay` whole: search, events of loans with something to do, the rows of the day,
cases, postings, control totals; the read models are projected in it. Every round closes the next
day of a book whose last day was closed, so that the engine has said its loans' days to come. The
peer loads, decides and saves each loan of a sample, a transaction a hundred loans, as a batch job
of the usual kind does; its time for the whole book is extrapolated.

`--every-loan`: instead, the worst day, on which every loan has missed an instalment and gets an
event. `--busy`: instead, payments while a day closes (`benchmarks/close_busy.py`).
"""

import random
import time
from collections.abc import Sequence
from datetime import date
from statistics import median
from typing import Any

import psycopg

from benchmarks import book, close_busy, harness
from benchmarks.closing import Closing
from benchmarks.lives import CLOSE
from consumers.stream import chunked
from domain.commands.ending import CloseLoanDay
from domain.context import Context
from domain.decide import decide_loan
from domain.envelope import StreamId
from domain.loan.arrears import days_past_due, overdue
from domain.loan.evolve import evolve
from domain.loan.state import Loan, LoanStatus
from domain.service import Service
from infra.codec import Codec
from infra.garbage import collected_rarely

LOANS, LOANS_FULL = 20_000, 1_000_000
SECONDS_A_MILLION, GOAL = 90.0, 20.0
GOAL_EVERY = 60.0
SAMPLE, SAMPLE_FULL = 300, 3_000
CHUNK = 100
FLOOR, TARGET = 10.0, 40.0
CAUGHT_UP, CAUGHT_UP_FULL = 2_000, 100_000
DAYS = 30

_PEER_TABLES = """
CREATE TABLE peer_days (
    loan_id text, business_date date, days_past_due int, principal_minor bigint,
    overdue_minor bigint, accrued_minor bigint, PRIMARY KEY (business_date, loan_id)
);
CREATE TABLE peer_events (
    stream text, version bigint, topic text, state bytea, PRIMARY KEY (stream, version)
);
"""


def run(options: harness.Options) -> list[harness.Result]:
    """Close days of a large book, and catch up a month of a smaller one; or what was asked for."""
    loans = options.size or (LOANS_FULL if options.full else LOANS)
    sample = SAMPLE_FULL if options.full else SAMPLE
    with harness.server() as server:
        if options.busy:
            return [close_busy.compared(server, options, loans)]
        few = min(loans, CAUGHT_UP_FULL if options.full or loans > LOANS else CAUGHT_UP)
        if options.every_loan:
            return [_every_loan(server, options, options.size or few)]
        return [*_normal_days(server, options, loans, sample), _caught_up(server, few)]


def _normal_days(
    server: harness.Server, options: harness.Options, loans: int, sample: int
) -> list[harness.Result]:
    limit = SECONDS_A_MILLION * loans / 1_000_000
    goal = GOAL * loans / 1_000_000
    with book.copied(server, loans) as dsn, Closing(dsn) as closing:
        closing.close_next()  # the day after the one on which half the book falls due
        rounds: list[harness.Round] = []
        for _ in range(options.rounds):
            theirs = _row_at_a_time(closing, sample) * loans / sample
            rounds.append(harness.Round(ours=closing.close_next(), peer=theirs))
    own = [turn.ours for turn in rounds]
    name = f"daily close: {loans:,} loans"
    return [
        harness.bounded(f"{name}, limit of {limit:g} s", own, limit, "s", target=goal),
        harness.compared(
            f"{name}, row at a time from {sample} loans", rounds, "s", floor=FLOOR, target=TARGET
        ),
    ]


def _every_loan(server: harness.Server, options: harness.Options, loans: int) -> harness.Result:
    """Close the day after the one on which all fell due and nobody paid; reported, not judged."""
    goal = GOAL_EVERY * loans / 1_000_000
    seconds: list[float] = []
    for _ in range(options.rounds):
        with book.copied(server, loans, all_late=True) as dsn, Closing(dsn) as closing:
            seconds.append(closing.close_next(every=True))
    rounds = [harness.Round(ours=one, peer=goal) for one in seconds]
    name = f"daily close: {loans:,} loans, an event for every one, {goal:g} s"
    return harness.compared(name, rounds, "s", target=1.0)


def _caught_up(server: harness.Server, loans: int) -> harness.Result:
    """Close a month of a book one day after the other; reported, not judged."""
    with book.copied(server, loans) as dsn, Closing(dsn) as closing:
        seconds = [closing.close_next(quiet=True) for _ in range(DAYS)]
    total = sum(seconds)
    print(f"  {DAYS} days of {loans:,} loans: {total:.1f} s, a day {median(seconds):.2f} s")
    whole = harness.Round(ours=total, peer=DAYS * median(seconds))
    return harness.compared(
        f"daily close: {DAYS} days of {loans:,} loans, {DAYS} median days", [whole], "s"
    )


def _row_at_a_time(closing: Closing, sample: int) -> float:
    """Close a sample loan by loan, in tables of its own; return the seconds."""
    with psycopg.connect(closing.dsn) as connection:
        connection.execute("DROP TABLE IF EXISTS peer_days, peer_events")
        connection.execute(_PEER_TABLES)
        rows = connection.execute("SELECT loan_id FROM loan_summary ORDER BY loan_id").fetchall()
        connection.commit()
        ids = [row[0] for row in rows]
        chosen = random.Random(7).sample(ids, min(sample, len(ids)))  # noqa: S311 - a seeded sample
        service, codec = Service(closing.store, cached_streams_max=0), Codec()
        context = Context(actor=CLOSE, business_date=closing.on)
        with collected_rarely():  # as ours
            started = time.perf_counter()
            for chunk in chunked(chosen, CHUNK):
                for loan_id in chunk:
                    _close_one(connection, service, codec, (loan_id, closing.on, context))
                connection.commit()
            seconds = time.perf_counter() - started
    print(f"  row at a time: {len(chosen) / seconds:,.0f} loans/s over {len(chosen)}")
    return seconds * sample / len(chosen)


def _close_one(
    connection: psycopg.Connection[Any],
    service: Service,
    codec: Codec,
    what: tuple[str, date, Context],
) -> None:
    loan_id, on, context = what
    stream = StreamId(f"loan-{loan_id}")
    known = service.fetch([stream])[stream]
    loan: Loan = known.state
    if loan.status is LoanStatus.ACTIVE:
        command = CloseLoanDay(loan_id=loan_id, effective_on=on)
        for number, event in enumerate(decide_loan(loan, command, context), known.version + 1):
            loan = evolve(loan, event)
            topic, state = codec.encode(context.envelope(), event)
            connection.execute(
                "INSERT INTO peer_events VALUES (%s, %s, %s, %s)", (stream, number, topic, state)
            )
        connection.execute(
            "INSERT INTO peer_days VALUES (%s, %s, %s, %s, %s, %s)", (loan_id, *_day(loan, on))
        )


def _day(loan: Loan, on: date) -> Sequence[object]:
    late = overdue(loan.rows, on, loan.conditions)
    accrued = 0
    for row in loan.rows:
        if row.met_on is None and row.from_on < on:
            days = (min(on, row.due_on) - row.from_on).days
            share = row.interest_minor * days // (row.due_on - row.from_on).days
            accrued += max(0, share - row.interest_minor + row.interest_left_minor)
    late_minor = sum(row.unpaid_minor for row in late)
    return on, days_past_due(late, on), loan.balances.principal_minor, late_minor, accrued


if __name__ == "__main__":
    harness.main(run)
