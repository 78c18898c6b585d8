"""Row 13: clocks jump and facts come late; business dates and value dates decide, not the clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from consumers.daily_close import CloseOfDay
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from domain.envelope import RecordedEvent
from domain.events.servicing import AllocationsRestated, PaymentAllocated
from domain.loan.state import Loan
from domain.service import Service
from infra.database import bulk_pool
from infra.memory_store import MemoryEventStore
from infra.store import PostgresEventStore
from tests.faults.found import Found
from tests.faults.invariants import all_events, dense, folding_is_reading
from tests.faults.rig import Rig
from tests.faults.rows.row_10_close_killed import FIRST, UNTIL, open_book, outcome_of
from tests.support.book import Book

JUMPS: Final = (
    timedelta(days=1),
    timedelta(days=-1),
    timedelta(hours=1),  # daylight saving, both ways
    timedelta(hours=-1),
    timedelta(seconds=-1),
    timedelta(),
)
SHOWN: Final = [datetime(2018, 2, 14, tzinfo=UTC)]
"""What the clock of the store showed last."""

PAYOUTS: Final = (
    date(2020, 1, 31),  # due on the last day of short months
    date(2019, 11, 29),
    date(2020, 2, 29),
    date(2018, 3, 24),  # the day before clocks change in Europe
    date(2018, 12, 31),
)
PAYMENTS: Final = 7
PAID_MINOR_MAX: Final = 60_000  # the loan of 1,000,000 is never settled, so order must not matter


@dataclass(slots=True)
class Clock:
    """A clock that jumps, seeded; `now` is what it says last."""

    random: Random
    now: datetime = datetime(2018, 2, 14, 23, 59, 58, tzinfo=UTC)
    jumps: int = field(default=0)

    def __call__(self) -> datetime:
        self.now += self.random.choice(JUMPS) + timedelta(milliseconds=700)
        self.jumps += 1
        SHOWN[-1] = self.now
        return self.now


def run(rig: Rig, count: int) -> Found:
    """Tell `count` loans' payments late and shuffled, and close days under a jumping clock."""
    found = Found()
    for _ in range(count):
        _backdated(rig.random, found)
    closes = max(1, count // 100)
    for _ in range(closes):
        _close_under_a_jumping_clock(rig, found)
    found.note = f"{count} loans told late, {closes} books closed under a jumping clock"
    return found


def _close_under_a_jumping_clock(rig: Rig, found: Found) -> None:
    SHOWN[-1] = datetime(2018, 2, 14, tzinfo=UTC)
    steady = _closed(rig, lambda: SHOWN[-1], found)
    clock = Clock(rig.random)
    jumping = _closed(rig, clock, found)
    found.faults += clock.jumps
    different = [name for name in steady if steady[name] != jumping[name]]
    found.must(not different, "row 13", f"the clock changed {different}")


def _closed(rig: Rig, clock: Callable[[], datetime], found: Found) -> dict[str, list[str]]:
    """Close the days of the book in this process, with that clock in the store."""
    with (
        rig.database() as dsn,
        bulk_pool(dsn) as pool,
        PostgresEventStore(dsn, clock=clock) as store,
    ):
        open_book(store, rig.seed)
        projector = Projector(pool, LogFeed(pool))
        CloseOfDay(
            service=Service(store),
            database=pool,
            catch_up=lambda: projector.catch_up(store.head()),
        ).close_until(UNTIL, first=FIRST)
        times = [event.recorded_at for event in all_events(store)]
        found.must(times == sorted(times), "row 13", "recorded_at went back")
        found.violations += dense(dsn)
        return outcome_of(dsn)


def _backdated(r: Random, found: Found) -> None:
    """The published figures plus all restatements are what a run in order of value dates gives."""
    payout = r.choice(PAYOUTS)
    days = sorted(r.sample(range(1, 300), PAYMENTS))
    facts = [(payout + timedelta(days=day), r.randint(1, PAID_MINOR_MAX)) for day in days]
    late = facts[:]
    r.shuffle(late)
    end = payout + timedelta(days=300)
    fresh, _ = _told(payout, facts, lambda on: on)
    told, events = _told(payout, late, lambda _: end)
    found.faults += sum(one > other for one, other in zip(late, facts, strict=True))
    found.must(told.rows == fresh.rows, "I8", f"rows differ: {payout} {late}")
    found.must(told.balances == fresh.balances, "I8", f"balances differ: {payout} {late}")
    found.violations += folding_is_reading(events)
    published = _published(events)
    expected = _published(_told(payout, facts, lambda on: on)[1])
    found.must(published == expected, "I8", f"splits differ: {payout} {late}")


def _told(
    payout: date, facts: list[tuple[date, int]], today: Callable[[date], date]
) -> tuple[Loan, list[RecordedEvent]]:
    """Tell a loan's payments; `today` gives the business date on which each becomes known."""
    store = MemoryEventStore()
    book = Book(store, seed=3)
    book.today = payout
    book.open_loan("told", instalments=18)
    for on, amount in facts:
        book.today = today(on)
        outcome = book.pay("told", amount, on)
        assert outcome.refusal is None, outcome.refusal
    return book.state("told"), list(all_events(store))


def _published(events: list[RecordedEvent]) -> dict[tuple[date, int], object]:
    """The last published split of each payment, by its value date and amount."""
    place: dict[str, tuple[date, int]] = {}
    splits: dict[str, object] = {}
    for recorded in events:
        match recorded.event:
            case PaymentAllocated() as event:
                total = sum(line.total_minor for line in event.lines) + event.overpaid_minor
                place[event.payment_id] = (event.effective_on, total)
                splits[event.payment_id] = event.lines
            case AllocationsRestated() as event:
                splits |= {change.payment_id: change.after for change in event.changes}
            case _:
                pass
    return {place[payment_id]: lines for payment_id, lines in splits.items()}
