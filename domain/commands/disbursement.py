"""Commands around the payout: prepare (maker), check (checker), disburse, return, use of funds."""

from datetime import date

from domain.commands.registry import LoanCommand, MoneyCommand, command
from domain.loan.terms import PlannedTranche


@command("loan.prepare_disbursement")
class PrepareDisbursement(MoneyCommand):
    """The maker lays out what is to be paid to whom."""

    disbursement_id: str
    amount_minor: int
    payee_account_hash: str
    tranche_id: str | None = None  # of the plan, where payouts are planned


@command("loan.check_disbursement")
class CheckDisbursement(LoanCommand):
    """The checker, another person, confirms or rejects exactly what was prepared."""

    disbursement_id: str
    payload_hash: str  # of the preparation that was looked at
    checks: tuple[str, ...]
    passed: bool = True


@command("loan.disburse")
class DisburseLoan(MoneyCommand):
    """Confirm that money went out: the first payout of a loan, a further tranche or a draw."""

    disbursement_id: str
    amount_minor: int
    first_due_on: date | None = None  # None: one period later; the first payout sets it
    tranche_id: str | None = None  # of the plan, where payouts are planned


@command("loan.plan_tranches")
class PlanTranches(MoneyCommand):
    """Say what is still to be paid out when: the whole plan, in the place of the one before."""

    tranches: tuple[PlannedTranche, ...]


@command("loan.return_disbursement")
class ReturnDisbursement(LoanCommand):
    """The last payout bounced before anything followed it."""

    disbursement_id: str
    cause: str


@command("loan.declare_use_of_funds")
class DeclareUseOfFunds(LoanCommand):
    """Say what the money is for."""

    use: str


@command("loan.record_use_evidence")
class RecordUseEvidence(MoneyCommand):
    """Show by invoice, statement or visit what part of the money was used for."""

    evidence_id: str
    kind: str
    amount_minor: int


@command("loan.report_misuse")
class ReportMisuse(LoanCommand):
    """Report that the money went where it may not go."""

    category: str


@command("loan.end_misuse")
class EndMisuse(LoanCommand):
    """Say that the money is used as agreed again; from the report's own day: that it was wrong."""

    cause: str
