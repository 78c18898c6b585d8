"""The money goes out (放款), and what it is used for."""

from dataclasses import dataclass
from datetime import date

from domain.events.registry import Event, event
from domain.loan.instalments import Balances, Instalment
from domain.loan.terms import PlannedTranche


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTaken:
    """A fee that was kept back from a payout: the borrower got so much less, and owes the whole."""

    code: str
    amount_minor: int
    tax_minor: int = 0  # of the amount, owed to the tax office


@event("loan.disbursement_prepared.v1")
class DisbursementPrepared(Event):
    """The maker's half of the four-eyes check: what exactly is to be paid to whom."""

    disbursement_id: str
    amount_minor: int
    payee_account_hash: str  # keyed fingerprint, never the account number
    payload_hash: str  # SHA-256 in hex; the checker approves exactly this
    prepared_by: str  # actor id of the maker
    tranche_id: str | None = None  # of the plan


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
    closed_days: tuple[date, ...] = ()  # that due dates met and were moved off
    tranche: PlannedTranche | None = None  # of the plan
    fees: tuple[FeeTaken, ...] = ()  # kept back: they went to the lender and not to the borrower
    down_payment_minor: int = 0  # of the amount, due on the day itself


@event("loan.tranches_planned.v1")
class TranchesPlanned(Event):
    """What is still expected to go out was planned anew: tranches added, changed or dropped."""

    tranches: tuple[PlannedTranche, ...]  # all that are expected from here on, by date
    before: tuple[PlannedTranche, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrancheParts(Event):
    """A further payout: what it added to the debt, and what credit of the borrower's paid at once.

    Credit may also pay what fell due with the new principal: then a part is below zero.
    """

    disbursement_id: str
    amount_minor: int  # the sum of the parts
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    overpaid_minor: int  # of the borrower's credit
    tranche: PlannedTranche | None = None  # of the plan
    fees: tuple[FeeTaken, ...] = ()  # kept back: they went to the lender and not to the borrower
    down_payment_minor: int = 0  # of the amount, due on the day itself


@event("loan.tranche_disbursed.v1")
class TrancheDisbursed(TrancheParts):
    """A fact: more money went out on a loan in service, a tranche or a draw (提款)."""


@event("loan.tranche_returned.v1")
class TrancheReturned(TrancheParts):
    """The last payout came back before anything followed it: it never was. Both stay visible."""

    cause: str


@event("loan.disbursement_returned.v1")
class DisbursementReturned(Event):
    """The payout came back before any repayment; nothing is owed any more."""

    disbursement_id: str
    amount_minor: int
    cause: str
    fees: tuple[FeeTaken, ...] = ()  # that had been kept back: they are given back


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


@event("loan.misuse_ended.v1")
class MisuseEnded(Event):
    """The money is used as agreed again, or was all along: its penalty rate ends on the day."""

    cause: str
