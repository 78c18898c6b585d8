"""A book whose next business days are closed, one after the other, checked."""

import time
from datetime import timedelta
from typing import Self

import psycopg

from benchmarks import book
from consumers.close_helpers import CloseHelpers, Workplace
from consumers.daily_close import ClosedDay, CloseOfDay
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from domain.service import Service
from infra.database import bulk_pool
from infra.settings import Limits
from infra.store import PostgresEventStore

# A payment dated on a day that is closed restates it: of a loan's rows the one known last counts.
_LOANS_AS_KNOWN_LAST = """
WITH of_day AS (SELECT loan_id, state, known_from FROM loan_day WHERE business_date = %s),
    last AS (SELECT DISTINCT ON (loan_id) * FROM of_day ORDER BY loan_id, known_from DESC)
SELECT (SELECT count(*) FROM last WHERE state = 'on_book'),
    (SELECT count(*) - count(DISTINCT (loan_id, known_from)) FROM of_day)
"""


class Closing:
    """A store with a book, and the next day to close."""

    def __init__(self, dsn: str) -> None:
        self.store = PostgresEventStore(dsn)
        self.pool = bulk_pool(dsn)
        self.dsn = dsn
        self.on = book.UNTIL + timedelta(days=1)

    def __enter__(self) -> Self:
        self.store.__enter__()
        self.pool.__enter__()
        self.service = Service(self.store)
        self.projector = Projector(self.pool, LogFeed(self.pool))
        self.helpers = CloseHelpers(Workplace(dsn=self.dsn, limits=Limits()), 1)  # of two cores
        self.close = CloseOfDay(
            service=self.service,
            database=self.pool,
            catch_up=self._catch_up,
            helpers=self.helpers,
        )
        return self

    def __exit__(self, *error: object) -> None:
        self.helpers.end()
        self.pool.__exit__(None, None, None)
        self.store.__exit__(None, None, None)

    def _catch_up(self) -> None:
        self.projector.catch_up(self.store.head())

    def close_next(self, *, quiet: bool = False, every: bool = False) -> float:
        """Close the next day; return the seconds it took. `every`: it acts on every loan."""
        before = self.store.head().number
        started = time.perf_counter()
        day = self.close.close_day(self.on)
        seconds = time.perf_counter() - started
        self._check(day)
        assert not every or day.loans_acted_on == day.loans_open, "a loan had nothing to say"
        if not quiet:
            share = 100 * day.loans_acted_on / day.loans_open
            print(
                f"  {self.on}: {day.loans_open:,} open, {day.loans_acted_on:,} ({share:.1f} %)"
                f" acted on, {day.cases_opened:,} cases opened, {day.cases_closed:,} closed,"
                f" {self.store.head().number - before:,} events: {seconds:.2f} s",
                flush=True,
            )
        self.on += timedelta(days=1)
        return seconds

    def _check(self, day: ClosedDay) -> None:
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(_LOANS_AS_KNOWN_LAST, (day.on,)).fetchone()
        assert row == (day.loans_open, 0), "a loan has no row of the day, or two of one moment"
        assert day.parked == 0
