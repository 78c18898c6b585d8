"""Folds events into journal entries and the balances of the ledger's accounts."""

from collections import Counter

from domain.loan.terms import Component
from domain.postings import Lines, accrual, postings_of_topic, recognition
from domain.servicing.values import DeferredKind
from projections import journal
from projections.journal import JournalEntry
from projections.loan_summary import LoanSummary
from projections.ports import Database
from projections.reading import Entry

ACCRUED = "day.interest_accrued.v1"
RECOGNISED = "day.deferred_income_recognised.v1"


class JournalFold:
    """The entries of a batch."""

    def __init__(self) -> None:
        self.entries: list[JournalEntry] = []
        self._totals: Counter[tuple[str, str, str]] = Counter()

    def apply(self, entry: Entry, loan: LoanSummary) -> None:
        """Post an event of a loan; `loan` as it stood before."""
        lines = postings_of_topic(
            entry.topic, entry.event, charged_off=loan.charged_off_on is not None
        )
        if lines:
            self._post(entry, 1, (loan.product_code, loan.currency), lines)

    def accrue(self, entry: Entry) -> None:
        """Post the interest that a close found to be earned, an entry a product."""
        for number, part in enumerate(entry.event.accruals, start=1):
            lines = accrual(Component.INTEREST, part.posted_minor)
            self._post(entry, number, (part.product_code, part.currency), lines)

    def recognise(self, entry: Entry) -> None:
        """Post the deferred income that a close found to be earned, an entry a product and kind."""
        for number, part in enumerate(entry.event.recognitions, start=1):
            lines = recognition(DeferredKind(part.kind), part.recognised_minor)
            self._post(entry, number, (part.product_code, part.currency), lines)

    def save(self, db: Database) -> None:
        """Write the entries and add them to the balances."""
        journal.TABLE.insert(db, self.entries)
        journal.add(db, self._totals)

    def _post(self, entry: Entry, number: int, book: tuple[str, str], lines: Lines) -> None:
        for line in lines:
            self._totals[*book, line.account] += line.amount_minor
        self.entries.append(
            JournalEntry(
                entry.shard,
                entry.position,
                number,
                entry.stream,
                entry.topic,
                *book,
                entry.effective_on,
                entry.recorded_at,
                [line.account for line in lines],
                [line.amount_minor for line in lines],
            )
        )
