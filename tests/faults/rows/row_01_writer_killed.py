"""Row 1: the writer is killed at a random instant; the client repeats with the same key."""

import time
from pathlib import Path
from typing import Final

from domain.service import Service
from infra.store import PostgresEventStore
from tests.faults import children, ledger
from tests.faults.found import Found, Violation
from tests.faults.invariants import (
    acknowledged_once,
    books_balance,
    dense,
    one_outcome_per_key,
    violations,
)
from tests.faults.rig import Rig
from tests.support.book import Book

LOANS: Final = 24
KILLS_PER_DATABASE: Final = 50  # the loans' histories stay short, so that each kill meets work
REPEATED_MAX: Final = 300
FIRST_ANSWER_SECONDS_MAX: Final = 60.0


def run(rig: Rig, count: int) -> Found:
    """Kill `count` writers."""
    found = Found()
    acknowledged = unanswered = 0
    while found.faults < count:
        kills = min(KILLS_PER_DATABASE, count - found.faults)
        answers = rig.folder / f"answers-{rig.seed}-{found.faults}.jsonl"
        with rig.database() as dsn:
            _open_loans(dsn)
            for _ in range(kills):
                _kill_one(rig, dsn, answers)
            _finish(rig, dsn, answers)
            lines = ledger.read(answers)
            found.violations += _checked(dsn, lines)
        found.faults += kills
        acknowledged += len(lines)
        unanswered += sum(line.repeated for line in lines)
    found.note = f"{acknowledged} acknowledged, {unanswered} committed before an answer was lost"
    return found


def _open_loans(dsn: str) -> None:
    with PostgresEventStore(dsn) as store:
        book = Book(store)
        for number in range(LOANS):
            book.open_loan(f"loan{number:04d}", amount=2_000_000, instalments=24)


def _kill_one(rig: Rig, dsn: str, answers: Path) -> None:
    """Wait until the writer answers, then kill it after a random moment; one in ten at any time."""
    child = rig.process(children.write, dsn, answers, LOANS, 10**9)
    before = answers.stat().st_size if answers.exists() else 0
    if rig.random.random() < 0.9:
        until = time.monotonic() + FIRST_ANSWER_SECONDS_MAX
        while not answers.exists() or answers.stat().st_size == before:
            assert child.is_alive(), "the writer ended by itself"
            assert time.monotonic() < until, "the writer never answered"
            time.sleep(0.001)
    time.sleep(rig.random.uniform(0, 0.08))
    child.kill()
    child.join()


def _finish(rig: Rig, dsn: str, answers: Path) -> None:
    """Let the client ask again for everything that was on its way, and a little more."""
    last = max(int(line.key) for line in ledger.read(answers))
    child = rig.process(children.write, dsn, answers, LOANS, last + 2 * children.WRITERS)
    child.join()
    assert child.exitcode == 0, "the last writer failed"


def _checked(dsn: str, lines: list[ledger.Answered]) -> list[Violation]:
    found = [*acknowledged_once(dsn, lines), *dense(dsn), *one_outcome_per_key(dsn, lines)]
    with PostgresEventStore(dsn) as store:
        found += books_balance(store)
        head = store.head()
        service = Service(store)
        for line in lines[-REPEATED_MAX:]:
            again = service.handle(children.payment(int(line.key), LOANS))
            if not again.repeated or not line.same_as(ledger.answered(line.scope, line.key, again)):
                found += violations("I2", [f"{line} was answered again with {again}"])
        if store.head() != head:
            found += violations("I2", ["repeats were recorded anew"])
    return found
