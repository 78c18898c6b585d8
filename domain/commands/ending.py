"""Commands that change or end a loan, and the close of a business day for one loan."""

from datetime import date
from decimal import Decimal

from domain.commands.registry import LoanCommand, MoneyCommand, command
from domain.events.ending import RestructureKind


@command("loan.close_day")
class CloseLoanDay(LoanCommand):
    """Look at one loan at the end of the business day `effective_on`; publish what changed."""


@command("loan.reprice")
class RepriceLoan(LoanCommand):
    """Fix a floating rate anew on each reset date up to the value date; publish what changed."""


@command("loan.restructure")
class RestructureLoan(MoneyCommand):
    """Put a new plan in the place of what is still owed."""

    restructure_id: str
    kind: RestructureKind
    first_due_on: date
    instalments: int
    rate_annual: Decimal | None = None  # None: the rate stays
    waive_interest_minor: int = 0  # of the interest past due; the rest is capitalised
    financial_difficulty: bool


@command("loan.charge_off")
class ChargeOffLoan(LoanCommand):
    """Take the loan to loss; the debt is still owed."""

    cause: str


@command("loan.reverse_charge_off")
class ReverseChargeOff(LoanCommand):
    """Take a charged-off loan back on the books; interest runs again, also for the time between."""

    cause: str


@command("loan.terminate_contract")
class TerminateContract(LoanCommand):
    """End the contract: interest to the day, and all principal, are due at once (提前到期)."""

    cause: str


@command("loan.record_recovery")
class RecordRecovery(MoneyCommand):
    """Money came in after charge-off or write-off."""

    recovery_id: str
    amount_minor: int
    cost_minor: int = 0


@command("loan.write_off")
class WriteOffLoan(LoanCommand):
    """Remove a charged-off loan from the books; it stays in memo (账销案存)."""

    cause: str
