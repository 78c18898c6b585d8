"""Commands that credit a loan with money that is no payment of the borrower's; chargebacks."""

from domain.commands.registry import LoanCommand, MoneyCommand, command
from domain.loan.terms import RefundKind


@command("loan.credit_goodwill")
class CreditGoodwill(MoneyCommand):
    """Pay part of the debt out of the lender's own pocket."""

    credit_id: str
    amount_minor: int


@command("loan.receive_refund")
class ReceiveRefund(MoneyCommand):
    """A merchant, or who was paid out to, gave money back; interest may be refunded with it."""

    refund_id: str
    kind: RefundKind
    amount_minor: int
    refund_interest: bool = True  # false: none, though the product refunds interest


@command("loan.adjust_charge")
class AdjustCharge(MoneyCommand):
    """Give back up to a charge's amount, whether the charge was paid or not."""

    adjustment_id: str
    charge_id: str
    amount_minor: int


@command("loan.charge_back")
class ChargeBack(MoneyCommand):
    """Let part of a payment be owed again: the payer's bank took it back."""

    chargeback_id: str
    payment_id: str
    amount_minor: int


@command("loan.reverse_chargeback")
class ReverseChargeback(LoanCommand):
    """Take a chargeback back: the payer's bank paid after all."""

    chargeback_id: str
    cause: str
