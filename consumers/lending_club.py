"""Imports the real book: the lives of the published loans, business day by business day.

The commands go through the same service as everybody's; the only shortcut is that they come in
bulk. Closing the days and projecting is the caller's, in `after_day`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter

from consumers.real_book.dataset import PublishedLoan
from consumers.real_book.life import SOURCE, life_of, products
from consumers.stream import Entry, chunked, instruction
from domain.ports import EventStore, Outcome
from domain.service import Service

# While one chunk is projected beside us the next one is decided: a day should have several.
CHUNK_COMMANDS_MAX = 100

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The commands of one business day, in the order in which they are given."""

    on: date
    entries: tuple[Entry, ...]


class ImportRefused(Exception):
    """A command of the stream was refused, which its rules do not foresee."""


def days_of(loans: Iterable[PublishedLoan]) -> list[Day]:
    """Tell all lives and sort them by business day; within a day, loan after loan."""
    entries = [*products()]
    for loan in loans:
        entries += life_of(loan)
    entries.sort(key=attrgetter("on"))  # stable: a loan's commands keep their order
    return [Day(on=on, entries=tuple(day)) for on, day in groupby(entries, attrgetter("on"))]


def days_left(store: EventStore, days: Sequence[Day]) -> Sequence[Day]:
    """Leave out the days that were imported whole, so that a restart goes on where it was.

    Commands are recorded in order, so a day whose last command has an outcome is complete.
    """
    low, high = 0, len(days)
    while low < high:
        middle = (low + high) // 2
        if store.outcome(SOURCE, days[middle].entries[-1].key) is None:
            high = middle
        else:
            low = middle + 1
    return days[low:]


def import_day(service: Service, day: Day, progress: Progress = lambda _: None) -> int:
    """Carry out one day's commands; return how many were new. Raises ImportRefused."""
    new = 0
    for chunk in chunked(day.entries, CHUNK_COMMANDS_MAX):
        outcomes = service.handle_many([instruction(entry, SOURCE) for entry in chunk])
        for entry, outcome in zip(chunk, outcomes, strict=True):
            _require_accepted(entry, outcome)
            new += not outcome.repeated
        progress(len(chunk))
    return new


def _require_accepted(entry: Entry, outcome: Outcome) -> None:
    if outcome.refusal is not None:
        raise ImportRefused(f"{entry.key} on {entry.on}: {outcome.refusal.detail}")
