"""The processes that are killed: a writer, a projector, a close of day.

Each begins where the last one was killed, as the product's own processes do.
"""

import itertools
from datetime import date
from pathlib import Path

from consumers.daily_close import CloseOfDay
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.stream import Entry, instruction
from domain.commands.servicing import ReceivePayment
from domain.service import Instruction, Service
from infra.database import DatabasePool, bulk_pool
from infra.failpoints import read_environment
from infra.settings import Limits
from infra.store import PostgresEventStore
from tests.faults import ledger, safeguards
from tests.faults.mutants import applied
from tests.support.book import BANK, START
from tests.support.record import in_threads

WRITERS = 8
SCOPE = "faults"


def payment(number: int, loans: int, on: date = START) -> Instruction:
    """Return the client's command of a number: always the same. Every tenth will be refused."""
    command = ReceivePayment(
        loan_id=f"loan{number % loans:04d}",
        effective_on=on,
        payment_id=f"payment-{number}",
        amount_minor=1 + number % 97,
        currency="EUR" if number % 10 == 9 else "USD",
    )
    return instruction(Entry(on=on, key=str(number), command=command, actor=BANK), SCOPE)


def write(mutation: str | None, dsn: str, answers: Path, loans: int, until: int) -> None:
    """Hand in payments 0 to `until`, those without an answer first, from several threads."""
    known = {int(line.key) for line in ledger.read(answers)}
    numbers = itertools.count()  # threads may share it
    with (
        applied(safeguards.named(mutation)),
        PostgresEventStore(dsn) as store,
        ledger.Ledger(answers) as book,
    ):
        service = Service(store)

        def work(_: int) -> None:
            while (number := next(numbers)) < until:
                if number not in known:
                    outcome = service.handle(payment(number, loans))
                    mark = None if outcome.refusal else f"payment-{number}"
                    book.note([ledger.answered(SCOPE, str(number), outcome, mark)])

        in_threads(WRITERS, work)


def project(mutation: str | None, dsn: str, failpoints: str, batch: int, until: int) -> None:
    """Bring the read models up to a position in small batches."""
    read_environment(failpoints)
    limits = Limits(consume_batch_max=batch)
    with applied(safeguards.named(mutation)), bulk_pool(dsn) as pool:
        projector = Projector(pool, LogFeed(pool, limits=limits), limits=limits)
        while projector.position.number < until:
            projector.step()


def close(mutation: str | None, dsn: str, failpoints: str, first: date, until: date) -> None:
    """Close business days; those that are closed stay as they are."""
    read_environment(failpoints)
    with (
        applied(safeguards.named(mutation)),
        bulk_pool(dsn) as pool,
        PostgresEventStore(dsn) as store,
    ):
        projector = Projector(pool, LogFeed(pool))
        CloseOfDay(
            service=Service(store),
            database=pool,
            catch_up=lambda: projector.catch_up(store.head()),
        ).close_until(until, first=first)


def catch_up(pool: DatabasePool, store: PostgresEventStore) -> None:
    """Bring the read models up to everything that is recorded, in the caller's process."""
    Projector(pool, LogFeed(pool)).catch_up(store.head())
