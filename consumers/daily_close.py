"""Closes business days: looks for loans with something to do, publishes it, writes the day's rows.

A business date is data, never the clock. Every step is idempotent, so a close that was killed, or
that runs twice, goes on where it was. Payments are never kept waiting: commands are appended in
chunks, and the rows of the day are computed beside them. Nothing about money is decided here.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, TypeVar

from consumers.close_helpers import CloseHelpers, Task
from consumers.loan_work import CHUNK_COMMANDS_MAX, LoanWork
from consumers.projector import Transactions
from consumers.stream import chunked
from domain.commands import name_of
from domain.commands.case import CloseCase, OpenCase
from domain.commands.day import CloseDay
from domain.commands.ending import RepriceLoan
from domain.envelope import StreamId
from domain.errors import Rejected
from domain.events.day import Accrual, Recognition
from domain.policies import US_BUCKETS, BucketSet
from domain.postings import DEFERRED, Account
from domain.service import Service
from infra.failpoints import failpoint
from infra.garbage import collected_rarely
from projections.case_work import case_without_arrears, late_without_case, park, parked, unpark
from projections.day_totals import day_totals
from projections.deferred_income import deferred_income
from projections.journal import balances_on
from projections.loan_day import (
    accrued_interest,
    fill_day,
    last_closed,
    loans_with_something_to_do,
    recalculated_loans,
)
from projections.ports import Database
from projections.repricing import loans_to_reprice
from projections.worklist import DEFAULT_STRATEGY, Strategy, tier_of

# One close writes a day's rows at a time; no other advisory lock of the database has this number.
FILL_LOCK: Final = 0x10A9B003


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedDay:
    """What a close did; figures of a day that was closed before are zero."""

    on: date
    loans_open: int = 0
    loans_acted_on: int = 0
    cases_opened: int = 0
    cases_closed: int = 0
    parked: int = 0
    was_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOfDay:
    """Closes the days of one shard.

    `catch_up` returns when the read models have taken in everything that is recorded so far.
    `helpers` None: all loans are worked on in this process.
    """

    service: Service
    database: Transactions
    catch_up: Callable[[], None]
    shard: int = 0
    buckets: BucketSet = US_BUCKETS
    strategy: Strategy = DEFAULT_STRATEGY
    helpers: CloseHelpers | None = None

    @property
    def work(self) -> LoanWork:
        """What is done with single loans in this process."""
        return LoanWork(
            service=self.service, database=self.database, shard=self.shard, buckets=self.buckets
        )

    def close_day(self, on: date) -> ClosedDay:
        """Close one business day; one that is closed stays as it is.

        Raises Rejected `day_before_open` or `day_passed` when the days do not come in order, and
        what the store raises (Unavailable: close again, nothing is doubled).
        """
        if self.is_closed(on):
            return ClosedDay(on=on, was_closed=True)
        with collected_rarely():
            return self._close_open(on)

    def _close_open(self, on: date) -> ClosedDay:
        self.catch_up()
        self._require_order(on)
        floating, unpriced = self._reprice(on)
        with self.database.transaction() as db:
            loans = loans_with_something_to_do(db, on, self.buckets)
        failed = unpriced | self._spread(LoanWork.close_loans, on, dict.fromkeys(loans, 0))
        failpoint("close.after_loans")
        self.catch_up()
        self._fill(on, {*floating, *loans}, failed)
        failpoint("close.after_fill")
        opened, closed = self._work_cases(on)
        failpoint("close.after_cases")
        if opened or closed:
            self.catch_up()
        acted_on = len({*floating, *loans} - set(failed))
        return self._close(on, acted_on=acted_on, cases=(opened, closed))

    def close_until(
        self,
        until: date,
        *,
        first: date | None = None,
        progress: Callable[[ClosedDay], None] = lambda _: None,
    ) -> list[ClosedDay]:
        """Close every open day after the last closed one up to a date, in order.

        `first` is where to begin while no day is closed; None: `until`. Raises as `close_day`.
        """
        with self.database.transaction() as db:
            last = last_closed(db)
        on = last or first or until
        days: list[ClosedDay] = []
        while on <= until:
            day = self.close_day(on)
            if not day.was_closed:
                days.append(day)
                progress(day)
            on += timedelta(days=1)
        return days

    def is_closed(self, on: date) -> bool:
        """Tell whether a business day is closed."""
        stream = StreamId(f"day-{self.shard}-{on.isoformat()}")
        return self.service.state(stream).version > 0

    def _require_order(self, on: date) -> None:
        with self.database.transaction() as db:
            last = last_closed(db)
        if last is None or last == on or self.is_closed(on - timedelta(days=1)):
            return
        if on < last:
            raise Rejected("day_passed", f"{last} is closed; {on} was before it", "date")
        if on > last + timedelta(days=1):
            detail = f"the last closed day is {last}; close the days up to {on} in order"
            raise Rejected("day_before_open", detail, "date")

    def _reprice(self, on: date) -> tuple[Sequence[str], dict[str, str]]:
        """Fix the rates of loans whose reset date came; return them, and those that failed.

        Without a key: what a reset takes over, and whether anything is left to do, follows from
        the loan and what was published. A value corrected between two attempts is taken over.
        """
        with self.database.transaction() as db:
            loans = loans_to_reprice(db, on)
        commands = [RepriceLoan(loan_id=loan_id, effective_on=on) for loan_id in loans]
        keyed = [self.work.instruction(f"{on}:reprice:{c.loan_id}", c) for c in commands]
        failed = self.work.publish(loans, [replace(instruction, key=None) for instruction in keyed])
        failpoint("close.after_repricing")
        if loans:
            self.catch_up()
        return loans, failed

    def _spread(self, task: Task[T], on: date, loans: Mapping[str, int]) -> dict[str, T]:
        """Do something with loans, here and in the helpers' processes."""
        if self.helpers is None:
            return task(self.work, on, loans)
        return self.helpers.spread(self.work, task, on, loans)

    def _fill(self, on: date, loans: Collection[str], failed: dict[str, str]) -> None:
        """Write the rows of the day, and again those of loans that moved on before they were.

        A loan that moves on later has its row, true as it was known then: however many payments
        come meanwhile, the second time ends it.
        """
        with self.database.transaction() as db:
            untold = recalculated_loans(db, on)
        told = self._spread(LoanWork.tell_with_lines, on, untold)
        with self.database.transaction() as db:
            db.execute("SELECT pg_advisory_xact_lock(%s)", [FILL_LOCK])
            fill_day(db, on, self.buckets, told)
            park(db, on, failed)
            unpark(db, on, set(loans) - set(failed))
            moved_on = recalculated_loans(db, on)
        untold = {loan: version for loan, version in moved_on.items() if loan not in told}
        if untold:
            self.catch_up()
            told = self._spread(LoanWork.tell, on, untold)
            with self.database.transaction() as db:
                db.execute("SELECT pg_advisory_xact_lock(%s)", [FILL_LOCK])
                fill_day(db, on, self.buckets, told, only=untold)

    def _work_cases(self, on: date) -> tuple[int, int]:
        """Open a case for loans that fell late, close those of loans that are late no more."""
        with self.database.transaction() as db:
            late, over = late_without_case(db, on), case_without_arrears(db)
        opening = [
            OpenCase(
                loan_id=row["loan_id"],
                effective_on=on,
                tier=tier_of(row["days_past_due"], row["overdue_minor"], self.strategy).tier,
            )
            for row in late
        ]
        closing = [
            CloseCase(loan_id=row["loan_id"], effective_on=on, how=row["how"]) for row in over
        ]
        for chunk in chunked([*closing, *opening], CHUNK_COMMANDS_MAX):
            self.service.handle_many(
                [self.work.instruction(f"{on}:{name_of(type(c))}:{c.loan_id}", c) for c in chunk]
            )
        return len(opening), len(closing)

    def _close(self, on: date, *, acted_on: int, cases: tuple[int, int]) -> ClosedDay:
        with self.database.transaction() as db:
            totals, left = day_totals(db, on), parked(db, on)
            accruals, recognitions = unposted(db, on), unrecognised(db, on)
        loans_open = sum(row["loans"] for row in totals)
        command = CloseDay(
            effective_on=on,
            shard=self.shard,
            business_date=on,
            loans_open=loans_open,
            loans_acted_on=acted_on,
            loans_parked=len(left),
            principal_minor_by_currency={row["currency"]: row["principal_minor"] for row in totals},
            accruals=accruals,
            recognitions=recognitions,
        )
        # Without a key: two closes at once may count differently, and the stream takes the first.
        self.service.handle(replace(self.work.instruction(f"{on}:day", command), key=None))
        return ClosedDay(
            on=on,
            loans_open=loans_open,
            loans_acted_on=acted_on,
            cases_opened=cases[0],
            cases_closed=cases[1],
            parked=len(left),
        )


def unposted(db: Database, on: date) -> tuple[Accrual, ...]:
    """Compare what loans owe in interest for the days up to `on` with the ledger, by product.

    Both are cumulative, so what one close rounds or misses the next one posts (rule 5.3).
    """
    owed = accrued_interest(db, on)
    ledger = balances_on(db, Account.INTEREST_RECEIVABLE, on)
    return tuple(
        Accrual(
            product_code=product,
            currency=currency,
            receivable_minor=owed.get((product, currency), 0),
            posted_minor=owed.get((product, currency), 0) - ledger.get((product, currency), 0),
        )
        for product, currency in sorted(owed.keys() | ledger.keys())
        if owed.get((product, currency), 0) != ledger.get((product, currency), 0)
    )


def unrecognised(db: Database, on: date) -> tuple[Recognition, ...]:
    """Compare the income that loans defer at the end of a day with the ledger, by product.

    Cumulative like `unposted`: whatever changed what is earned, the difference is posted (S-29).
    """
    deferred = deferred_income(db, on)
    ledger = {
        (*book, kind): -amount
        for kind, (account, _) in DEFERRED.items()
        for book, amount in balances_on(db, account, on).items()
    }
    return tuple(
        Recognition(
            product_code=product,
            currency=currency,
            kind=kind,
            deferred_minor=deferred.get((product, currency, kind), 0),
            recognised_minor=ledger.get((product, currency, kind), 0)
            - deferred.get((product, currency, kind), 0),
        )
        for product, currency, kind in sorted(deferred.keys() | ledger.keys())
        if deferred.get((product, currency, kind), 0) != ledger.get((product, currency, kind), 0)
    )
