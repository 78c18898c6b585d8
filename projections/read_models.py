"""All read models as one group: a batch of events changes all of them in one transaction.

One group with one set of applied versions is the simplest thing that is exactly once: every read
model has seen exactly the same events, so screens never disagree.
"""

from collections.abc import Sequence

from domain.postings import POSTED
from projections.folds import compliance, money, repricing, rows
from projections.folds.cases import CasesFold
from projections.folds.compliance import AuditFold, FourEyesFold, OverrideFold
from projections.folds.journal import ACCRUED, RECOGNISED, JournalFold
from projections.folds.money import MoneyFold
from projections.folds.repricing import RepricingFold
from projections.folds.rows import RowsFold
from projections.folds.summary import SummaryFold
from projections.loan_summary import LoanSummary
from projections.ports import Database
from projections.reading import Entry


class Fold:
    """The rows that a batch touches, in memory."""

    def __init__(self, *, whole_streams: bool = False) -> None:
        """`whole_streams`: the batch brings whole streams, as a rebuild does; nothing is loaded."""
        self.whole_streams = whole_streams
        self.summary = SummaryFold()
        self.money = MoneyFold()
        self.rows = RowsFold(whole_streams=whole_streams)
        self.cases = CasesFold()
        self.audit = AuditFold()
        self.overrides = OverrideFold()
        self.four_eyes = FourEyesFold()
        self.journal = JournalFold()
        self.repricing = RepricingFold()

    def load(self, db: Database, entries: Sequence[Entry]) -> None:
        """Read what the events of a batch build on."""
        loans = [entry for entry in entries if entry.kind == "loan"]
        self.summary.load(db, {entry.key for entry in loans})
        self.money.load(db, loans)
        self.rows.load(db, loans, self.summary.rows)
        self.four_eyes.load(db, loans)
        self.cases.load(db, {entry.key for entry in entries if entry.kind == "case"})

    def apply(self, entry: Entry) -> None:
        """Apply one event. Raises KeyError for one whose predecessors are missing."""
        currency = None
        if entry.kind == "loan":
            if entry.topic == "loan.applied.v1":
                self.summary.apply(entry)
                loan = self.summary.rows[entry.key]
            else:
                loan = self.summary.rows[entry.key]
                self._apply_to_loan(entry, loan)
            currency = loan.currency
        elif entry.kind == "case":
            self.cases.apply(entry)
        elif entry.kind == "reference":
            self.repricing.publish(entry)
        elif entry.topic == ACCRUED:
            self.journal.accrue(entry)
        elif entry.topic == RECOGNISED:
            self.journal.recognise(entry)
        self.audit.apply(entry, currency)

    def _apply_to_loan(self, entry: Entry, loan: LoanSummary) -> None:
        """Apply an event of a loan to the read models that its topic concerns."""
        topic = entry.topic
        if topic in POSTED:
            self.journal.apply(entry, loan)
        if topic in money.TOPICS:
            self.money.apply(entry, loan)
        if topic == compliance.OVERRIDDEN:
            self.overrides.apply(entry, loan)
        if topic in compliance.PAYOUT_TOPICS:
            self.four_eyes.apply(entry, loan)
        self.summary.apply(entry)
        if topic in rows.TOPICS:
            self.rows.apply(entry, loan, self.money)
        if topic == repricing.REPRICED:
            self.repricing.apply(entry)

    def save(self, db: Database) -> None:
        """Write everything that changed, a statement or two a table."""
        self.rows.save(db)
        for loan_id, (number, due_on, unpaid) in self.rows.next_due(db).items():
            loan = self.summary.rows[loan_id]
            loan.next_instalment, loan.next_due_on, loan.next_due_minor = number, due_on, unpaid
        fresh = self.whole_streams
        self.summary.save(db, fresh=fresh)
        self.money.save(db, fresh=fresh)
        self.cases.save(db, fresh=fresh)
        self.overrides.save(db)
        self.four_eyes.save(db, fresh=fresh)
        self.repricing.save(db, fresh=fresh)
        self.audit.save(db)
        self.journal.save(db)  # last: who adds to the same balances waits until this commits


def apply(db: Database, entries: Sequence[Entry]) -> None:
    """Bring the read models that `db` has entered up by a batch, in order of version per stream.

    Raises KeyError when an event's predecessors are missing.
    """
    fold = Fold()
    fold.load(db, entries)
    for entry in entries:
        fold.apply(entry)
    fold.save(db)
