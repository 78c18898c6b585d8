"""Change and end: restructuring, charge-off, recovery, write-off, settlement, reopening."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from domain.events.registry import Event, event
from domain.loan.plan_summary import PlanSummary

CHARGE_OFF_ID = "charge_off"
"""What results of a charge-off and of its reversal name as their cause; one stands at a time."""


class RestructureKind(StrEnum):
    """What is changed in the borrower's favour or at the borrower's wish."""

    EXTENSION = "extension"  # 延期: more instalments
    RATE_REDUCTION = "rate_reduction"
    RESCHEDULE = "reschedule"  # a new plan for what is owed


@event("loan.restructured.v1")
class LoanRestructured(Event):
    """A new plan stands in the place of what was owed (rule RST-1)."""

    restructure_id: str
    kind: RestructureKind
    first_due_on: date
    instalments: int
    rate_annual: Decimal
    waived_interest_minor: int
    capitalised_interest_minor: int  # interest that became principal
    financial_difficulty: bool
    before: PlanSummary
    after: PlanSummary
    closed_days: tuple[date, ...] = ()  # that the new due dates met and were moved off


@event("loan.charged_off.v1")
class LoanChargedOff(Event):
    """An accounting status: the debt is still owed, later money is recovery (domain rules, 2.8)."""

    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    cause: str
    deferred_capitalised_minor: int = 0  # never to be earned: the loss is so much less
    deferred_bought_down_minor: int = 0  # the same of buy-down fees


@event("loan.charge_off_reversed.v1")
class ChargeOffReversed(Event):
    """The loan is on the books again, with what is owed on the day; both events stay visible."""

    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    cause: str
    deferred_capitalised_minor: int = 0  # as when it was charged off: it is earned again
    deferred_bought_down_minor: int = 0


@event("loan.contract_terminated.v1")
class ContractTerminated(Event):
    """The contract ended early: all of this is due on the day, and nothing is earned after it."""

    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    cause: str


@event("loan.recovery_received.v1")
class RecoveryReceived(Event):
    """Money that came in after the loan was charged off or written off."""

    recovery_id: str
    amount_minor: int
    cost_minor: int = 0  # what the collecting cost; the recovery rate is net of it


@event("loan.written_off.v1")
class LoanWrittenOff(Event):
    """Removed from the books and kept in memo (账销案存)."""

    amount_minor: int
    cause: str


@event("loan.settled.v1")
class LoanSettled(Event):
    """Nothing is owed in any component (结清)."""

    how: str  # paid, recovered


@event("loan.reopened.v1")
class LoanReopened(Event):
    """A settled loan owes money again, because a payment was reversed."""

    cause_id: str
