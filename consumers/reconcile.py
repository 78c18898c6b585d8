"""Reconciles the whole system with the real book: engine, import, read models and record.

Queries here, judgement in the pure checks of `consumers/real_book/`.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from consumers.checks import Check, Finding
from consumers.projector import Transactions
from consumers.real_book.consistency import ImportedLoan, import_consistency
from consumers.real_book.dataset import PublishedLoan
from consumers.real_book.publisher import against_publisher
from consumers.rebuild import fold_from_zero
from domain.postings import DEFERRED, Account
from infra.verify import ChainReport
from projections import schema
from projections.day_totals import day_totals
from projections.deferred_income import deferred_income
from projections.hashes import hashes
from projections.journal import trial_balance
from projections.loan_day import accrued_interest
from projections.ports import Database, Row

IMPORTED = """
SELECT s.loan_id, s.status, d.days_past_due, s.principal_minor, s.principal_paid_minor,
    s.interest_paid_minor, s.penalty_paid_minor
FROM loan_summary s
LEFT JOIN (
    SELECT DISTINCT ON (loan_id) loan_id, days_past_due FROM loan_day
    WHERE business_date = %(on)s AND state = 'on_book' ORDER BY loan_id, known_from DESC
) AS d ON d.loan_id = s.loan_id
"""
SCRATCH = "fold_from_zero"
OPEN_PRINCIPAL = """
SELECT currency, count(*) AS loans, coalesce(sum(principal_minor), 0)::bigint AS principal_minor
FROM loan_summary WHERE disbursed_on IS NOT NULL AND left_on IS NULL
GROUP BY currency ORDER BY currency
"""


def real_book_checks(
    loans: Sequence[PublishedLoan], database: Transactions, snapshot_on: date
) -> list[Check]:
    """Compare engine and import with what was published, as the snapshot date was closed."""
    with database.transaction() as db:
        imported = {
            row["loan_id"]: ImportedLoan(
                status=row["status"],
                days_past_due=row["days_past_due"],
                principal_minor=row["principal_minor"],
                principal_paid_minor=row["principal_paid_minor"],
                interest_paid_minor=row["interest_paid_minor"],
                penalty_paid_minor=row["penalty_paid_minor"],
            )
            for row in db.rows(IMPORTED, {"on": snapshot_on})
        }
    return [*against_publisher(loans), *import_consistency(loans, imported)]


def day_totals_tie(database: Transactions, on: date) -> Check:
    """Compare the control totals of the last closed day with the loans, added up one by one."""
    with database.transaction() as db:
        closed = _by_currency(day_totals(db, on))
        loans = _by_currency(db.rows(OPEN_PRINCIPAL))
    return Check(
        name="day_totals_tie",
        ok=closed == loans,
        expected=_totals(loans),
        actual=_totals(closed),
    )


def _by_currency(rows: Sequence[Row]) -> dict[str, tuple[int, int]]:
    return {row["currency"]: (row["loans"], row["principal_minor"]) for row in rows}


def _totals(totals: dict[str, tuple[int, int]]) -> str:
    return ", ".join(f"{c} {loans} loans {minor}" for c, (loans, minor) in totals.items()) or "none"


LEDGER = {
    Account.LOAN_PORTFOLIO: "principal_minor",
    Account.FEE_RECEIVABLE: "fee_minor",
    Account.PENALTY_RECEIVABLE: "penalty_minor",
}
"""Accounts that are the sum of a column over the loans on the book."""

ON_BOOK = """
SELECT currency, sum(principal_minor)::bigint AS principal_minor,
    sum(fee_minor)::bigint AS fee_minor, sum(penalty_minor)::bigint AS penalty_minor
FROM loan_summary WHERE disbursed_on IS NOT NULL AND charged_off_on IS NULL GROUP BY currency
"""
CREDIT = (
    "SELECT currency, -sum(overpaid_minor)::bigint AS minor FROM loan_summary GROUP BY currency"
)


def ledger_ties(database: Transactions, on: date) -> Check:
    """Compare the trial balance of a closed day with the sums over the loans, per currency.

    Nothing may have been recorded for later days.
    """
    with database.transaction() as db:
        ledger = {(row["currency"], row["account"]): row["amount_minor"]
                  for row in trial_balance(db, on)}  # fmt: skip
        loans = {(row["currency"], account): row[column]
                 for row in db.rows(ON_BOOK) for account, column in LEDGER.items()}  # fmt: skip
        loans |= {(row["currency"], Account.OVERPAYMENT_LIABILITY): row["minor"]
                  for row in db.rows(CREDIT)}  # fmt: skip
        loans |= {(row["currency"], Account.INTEREST_RECEIVABLE): 0 for row in day_totals(db, on)}
        for (_, currency), minor in accrued_interest(db, on).items():
            loans[currency, Account.INTEREST_RECEIVABLE] += minor
        loans |= _deferred(db, on)
    wrong = [
        Finding(id=f"{currency} {account}", reason=f"ledger {ledger.get((currency, account), 0)},"
                f" loans {minor}")
        for (currency, account), minor in sorted(loans.items())
        if ledger.get((currency, account), 0) != minor
    ]  # fmt: skip
    unbalanced = sum(ledger.values())
    return Check(
        name="ledger_ties",
        ok=not wrong and unbalanced == 0,
        expected=f"{len(loans)} accounts tie, debits less credits 0",
        actual=f"{len(loans) - len(wrong)} tie, debits less credits {unbalanced}",
        exceptions=tuple(wrong),
    )


def _deferred(db: Database, on: date) -> dict[tuple[str, str], int]:
    """Return what is owed to days to come, by currency and account: a credit on the books."""
    owed: dict[tuple[str, str], int] = {}
    for (_, currency, kind), minor in deferred_income(db, on).items():
        key = (currency, DEFERRED[kind][0])
        owed[key] = owed.get(key, 0) - minor
    return owed


def chains_verify(report: ChainReport) -> list[Check]:
    """Say what recomputing every hash found: the events' chains and the outcomes'."""
    outcome_breaks = [b for b in report.breaks if b.fault.startswith("outcome")]
    event_breaks = [b for b in report.breaks if not b.fault.startswith("outcome")]
    return [
        Check(
            name=name,
            ok=not breaks,
            expected=f"{count} links hold",
            actual="all hold" if not breaks else f"{len(breaks)} do not",
            exceptions=tuple(
                Finding(id=f"{b.stream or b.shard}:{b.version or b.number}", reason=b.fault)
                for b in breaks
            ),
        )
        for name, count, breaks in (
            ("event_chains_verify", report.events, event_breaks),
            ("outcome_chain_verifies", report.outcomes, outcome_breaks),
        )
    ]


def read_models_fold(database: Transactions) -> Check:
    """Fold the whole record from zero into a scratch schema and compare every read model's hash.

    The read models must have caught up, and nothing may be recorded meanwhile.
    """
    with ThreadPoolExecutor(1, "hashes") as beside:
        hashing = beside.submit(_current_hashes, database)
        fold_from_zero(database, SCRATCH)
        try:
            with database.transaction() as db:
                schema.enter(db, SCRATCH)
                folded = hashes(db)
        finally:
            with database.transaction() as db:
                schema.drop(db, SCRATCH)
        current = hashing.result()
    different = [name for name in folded if folded[name] != current[name]]
    return Check(
        name="read_models_equal_fold",
        ok=not different,
        expected=f"{len(folded)} read models",
        actual=f"{len(folded) - len(different)} equal",
        exceptions=tuple(Finding(id=name, reason="its hash differs") for name in different),
    )


def _current_hashes(database: Transactions) -> dict[str, str]:
    with database.transaction() as db:
        return hashes(db)
