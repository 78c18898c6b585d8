"""Brings the real book in: each business day's commands, then the close of that day."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from consumers.daily_close import ClosedDay, CloseOfDay
from consumers.lending_club import days_left, days_of, import_day
from consumers.real_book.dataset import PublishedLoan
from consumers.real_book.snapshot import SNAPSHOT_ON
from domain.ports import EventStore
from domain.service import Service


@dataclass(slots=True, kw_only=True)
class Seconds:
    """Where the time went."""

    importing: float = 0.0
    closing: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BookProgress:
    """Whom to tell: commands to come, commands carried out, a day closed."""

    begin: Callable[[int, int], None] = lambda _commands, _days: None
    commands: Callable[[int], None] = lambda _: None
    day: Callable[[ClosedDay], None] = lambda _: None


@dataclass(slots=True, kw_only=True)
class BookImport:
    """Imports published loans and closes their days; started again it goes on where it was."""

    store: EventStore
    service: Service
    close: CloseOfDay
    progress: BookProgress = field(default_factory=BookProgress)
    seconds: Seconds = field(default_factory=Seconds)

    def run(self, loans: Sequence[PublishedLoan], until: date = SNAPSHOT_ON) -> Seconds:
        """Import everything up to a day and close each day after its commands.

        Raises what the import and the close raise.
        """
        begun = time.monotonic()
        every = days_of(loans)
        left = {day.on: day for day in days_left(self.store, every)}
        on = every[0].on
        self.progress.begin(sum(len(day.entries) for day in left.values()), (until - on).days + 1)
        self.seconds.importing += time.monotonic() - begun
        while on <= until:
            begun = time.monotonic()
            if on in left:
                import_day(self.service, left[on], self.progress.commands)
                self.close.catch_up()
            imported = time.monotonic()
            self.progress.day(self.close.close_day(on))
            self.seconds.importing += imported - begun
            self.seconds.closing += time.monotonic() - imported
            on += timedelta(days=1)
        return self.seconds
