"""Commands on a loan in service: payments, reversals, charges, waivers, refunds."""

from datetime import date

from domain.commands.registry import LoanCommand, MoneyCommand, command
from domain.events.arrears import LoanClass
from domain.events.servicing import PaymentKind, Split
from domain.loan.terms import Component


@command("loan.receive_payment")
class ReceivePayment(LoanCommand):
    """A payer's money arrived."""

    payment_id: str
    amount_minor: int
    currency: str
    channel: str | None = None
    split: Split | None = None  # the parts, where the upstream observed them
    kind: PaymentKind = PaymentKind.REPAYMENT  # down_payment: where the product asks for one


@command("loan.reverse_payment")
class ReversePayment(LoanCommand):
    """Take a payment or another credit back: it bounced or belonged elsewhere."""

    payment_id: str  # or the id of a recovery, a refund, a goodwill credit, an adjustment
    cause: str


@command("loan.assess_charge")
class AssessCharge(MoneyCommand):
    """Put a fee or penalty on an instalment; its code must be on the disclosed cost table."""

    charge_id: str
    code: str
    component: Component
    amount_minor: int | None = None  # None: what the product's rule computes
    instalment: int


@command("loan.waive")
class Waive(MoneyCommand):
    """Give up part of an instalment's interest, fees or penalties (减免)."""

    waiver_id: str
    component: Component
    amount_minor: int
    instalment: int


@command("loan.refund_credit_balance")
class RefundCreditBalance(MoneyCommand):
    """Pay overpaid money back."""

    refund_id: str
    amount_minor: int


@command("loan.classify")
class ClassifyLoan(LoanCommand):
    """Put a loan into one of the five classes (五级分类)."""

    loan_class: LoanClass


@command("loan.pause_delinquency")
class PauseDelinquency(LoanCommand):
    """Let the delinquent days stand still from the day after the value date on."""

    until_on: date  # the last day that does not count
