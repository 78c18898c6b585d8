"""Decisions on down payments: asked for with each payout, taken with it or paid, and given back.

Sources: domain rules P-51, T-24.
"""

from datetime import date

from domain.commands.disbursement import ReturnDisbursement
from domain.commands.servicing import ReceivePayment
from domain.decisions.guards import approved, require_new_fact
from domain.decisions.results import credited, taken_back
from domain.errors import Rejected
from domain.events import servicing as e
from domain.events.disbursement import LoanDisbursed, TrancheDisbursed
from domain.events.registry import Event
from domain.loan.down_payment import (
    down_payment_id,
    down_payments_in,
    due_at_once,
    open_down_payments,
)
from domain.loan.state import Loan
from domain.loan.terms import Conditions, RepaymentMethod
from domain.servicing.facts import Waived
from domain.servicing.timeline import Timeline


def require_sound_down_payment(conditions: Conditions) -> None:
    """Refuse a down payment on draws; its percentage is the engine's to judge."""
    if conditions.down_payment and conditions.method is RepaymentMethod.REVOLVING:
        raise Rejected("not_offered", "draws are repaid at will", "down_payment")


def down_payment_due(loan: Loan, disbursement_id: str, amount_minor: int, on: date) -> int:
    """Return what of a payout is due on its day; refuse one of which nothing would be left.

    Rows that it would number anew must not have been waived on by number since.
    """
    due = due_at_once(loan.conditions, approved(loan), amount_minor, on)
    if not due:
        return 0
    if due >= amount_minor:
        detail = "all of it would be due on its day; pay out more"
        raise Rejected("down_payment_takes_all", detail, "amount")
    require_new_fact(loan, down_payment_id(disbursement_id), "disbursement_id")
    facts = [] if loan.timeline is None else loan.timeline.facts
    if any(isinstance(fact, Waived) and fact.effective_on >= on for fact in facts):
        detail = "the down payment would number instalments anew that were waived on since"
        raise Rejected("waived_since", detail, "effective_on")
    return due


def taken_with(loan: Loan, payout: LoanDisbursed | TrancheDisbursed) -> list[Event]:
    """Take a payout's down payment with it where that is agreed; `loan` is the loan after it.

    Credit of the borrower's that paid part of it leaves so much less to take.
    """
    agreed, timeline = loan.conditions.down_payment, loan.timeline
    if agreed is None or not agreed.automatic or timeline is None:
        return []
    left = open_down_payments(timeline, payout.effective_on)
    amount = min(payout.down_payment_minor, left)
    if not amount:
        return []
    received = e.PaymentReceived(
        effective_on=payout.effective_on,
        payment_id=down_payment_id(payout.disbursement_id),
        amount_minor=amount,
        currency=loan.currency,
        kind=e.PaymentKind.DOWN_PAYMENT,
    )
    return [received, *credited(loan, timeline, received, received.payment_id, how="paid")]


def require_down_payment(loan: Loan, command: ReceivePayment, timeline: Timeline) -> None:
    """Refuse to call a payment a down payment that is none, or that is more than one asks for."""
    if command.kind is not e.PaymentKind.DOWN_PAYMENT:
        return
    if loan.conditions.down_payment is None:
        raise Rejected("down_payment_not_agreed", "the product asks for none", "kind")
    left = open_down_payments(timeline, command.effective_on)
    if not left:
        raise Rejected("no_down_payment_due", "none is open on that day", "kind")
    if command.amount_minor > left:
        raise Rejected("more_than_owed", f"{left} minor units are left of it", "amount")


def given_back(loan: Loan, command: ReturnDisbursement) -> list[Event]:
    """Give back the down payment taken with a payout that came back, if nothing followed it."""
    timeline = loan.timeline
    newest = None if timeline is None else timeline.newest
    if newest is None or newest.id != down_payment_id(command.disbursement_id):
        return []
    return taken_back(loan, newest, command.effective_on, command.cause)


def require_instalment(loan: Loan, number: int) -> None:
    """Refuse to move a down payment: it is due on the day of its payout."""
    if number in down_payments_in(loan.timeline):
        raise Rejected("is_down_payment", "it is due on the day of its payout", "instalment")
