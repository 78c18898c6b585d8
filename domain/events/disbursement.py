"""The money goes out (放款), and what it is used for."""

from datetime import date

from domain.events.registry import Event, event
from domain.loan.instalments import Balances, Instalment


@event("loan.disbursement_prepared.v1")
class DisbursementPrepared(Event):
    """The maker's half of the four-eyes check: what exactly is to be paid to whom."""

    disbursement_id: str
    amount_minor: int
    payee_account_hash: str  # keyed fingerprint, never the account number
    payload_hash: str  # SHA-256 in hex; the checker approves exactly this
    prepared_by: str  # actor id of the maker


@event("loan.disbursement_checked.v1")
class DisbursementChecked(Event):
    """The checker's half: another person looked at every listed point (临门一脚)."""

    disbursement_id: str
    payload_hash: str
    checks: tuple[str, ...]
    checked_by: str
    passed: bool


@event("loan.disbursed.v1")
class LoanDisbursed(Event):
    """The payout is confirmed: from here on money is owed."""

    disbursement_id: str
    amount_minor: int
    currency: str
    first_due_on: date | None = None  # None: one period after the payout
    instalments: tuple[Instalment, ...]  # the whole first schedule
    balances: Balances
    engine_version: int


@event("loan.disbursement_returned.v1")
class DisbursementReturned(Event):
    """The payout came back before any repayment; nothing is owed any more."""

    disbursement_id: str
    amount_minor: int
    cause: str


@event("loan.use_of_funds_declared.v1")
class UseOfFundsDeclared(Event):
    """What the borrower says the money is for."""

    use: str


@event("loan.use_evidence_recorded.v1")
class UseEvidenceRecorded(Event):
    """An invoice, a statement or a visit that shows the use of part of the money."""

    evidence_id: str
    kind: str  # invoice, statement or visit
    amount_minor: int


@event("loan.use_of_funds_breached.v1")
class UseOfFundsBreached(Event):
    """The money went where it may not go (说一套做一套可不行)."""

    category: str
