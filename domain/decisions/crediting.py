"""Decisions on credits that are no payment: goodwill, refunds, charges given back.

Sources: domain rules 9.5 T-16, T-19 to T-21, T-28; 9.9 S-16, S-19.
"""

from domain.commands import crediting as c
from domain.context import Context
from domain.decisions.guards import (
    require_amount,
    require_new_fact,
    require_reason,
    require_status,
    require_value_date,
)
from domain.decisions.overdue_charges import undue_taken_back
from domain.decisions.results import credited
from domain.errors import Rejected
from domain.events import crediting as e
from domain.events.registry import Event
from domain.loan.contract import REFUND_KINDS
from domain.loan.evolve import evolve
from domain.loan.interest_refund import interest_refund_id, undue_interest
from domain.loan.payoff import owed_on
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Component
from domain.servicing.facts import ChargeAdded, Disbursed, Paid
from domain.servicing.timeline import Timeline

HOW = "credited"


def credit_goodwill(loan: Loan, command: c.CreditGoodwill, context: Context) -> list[Event]:
    """Pay part of the debt for the borrower: never more than ends it, and for a reason."""
    require_status(loan, (LoanStatus.ACTIVE,))
    require_amount(command.amount_minor)
    require_reason(context)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.credit_id, "credit_id")
    owed = owed_on(timeline, command.effective_on).owed_minor
    if command.amount_minor > owed:
        raise Rejected("more_than_owed", f"only {owed} minor units are owed", "amount")
    told = e.GoodwillCredited(
        effective_on=command.effective_on,
        credit_id=command.credit_id,
        amount_minor=command.amount_minor,
    )
    made = [told, *credited(loan, timeline, told, command.credit_id, how=HOW)]
    return [*made, *undue_taken_back(loan, made)]


def receive_refund(loan: Loan, command: c.ReceiveRefund, context: Context) -> list[Event]:
    """Take a refund, and refund the interest it makes undue if the product does.

    On a settled loan it becomes credit of the borrower's.
    """
    require_status(loan, (LoanStatus.ACTIVE, LoanStatus.SETTLED))
    require_amount(command.amount_minor)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.refund_id, "refund_id")
    require_new_fact(loan, interest_refund_id(command.refund_id), "refund_id")
    _require_paid_out(timeline, command)
    told = e.RefundReceived(
        effective_on=command.effective_on,
        refund_id=command.refund_id,
        kind=command.kind,
        amount_minor=command.amount_minor,
    )
    events = [told, *credited(loan, timeline, told, command.refund_id, how=HOW)]
    if (
        command.refund_interest
        and REFUND_KINDS[command.kind] in timeline.terms.interest_refund_kinds
    ):
        after = loan
        for event in events:
            after = evolve(after, event)
        events += _refund_interest(after, told)
    return [*events, *undue_taken_back(loan, events)]


def _require_paid_out(timeline: Timeline, command: c.ReceiveRefund) -> None:
    """Refuse to be given back more than was ever paid out."""
    refunds = REFUND_KINDS.values()
    left = sum(fact.amount_minor for fact in timeline.facts if isinstance(fact, Disbursed)) - sum(
        fact.amount_minor
        for fact in timeline.facts
        if isinstance(fact, Paid) and fact.kind in refunds
    )
    if command.amount_minor > left:
        raise Rejected("more_than_paid_out", f"{left} minor units can be given back", "amount")


def _refund_interest(loan: Loan, refund: e.RefundReceived) -> list[Event]:
    assert loan.timeline is not None, "a loan that took a refund has a time line"
    amount = undue_interest(loan.timeline, refund.refund_id, refund.effective_on)
    if amount <= 0:
        return []
    told = e.InterestRefunded(
        effective_on=refund.effective_on,
        interest_refund_id=interest_refund_id(refund.refund_id),
        refund_id=refund.refund_id,
        amount_minor=amount,
    )
    return [told, *credited(loan, loan.timeline, told, told.interest_refund_id, how=HOW)]


def adjust_charge(loan: Loan, command: c.AdjustCharge, context: Context) -> list[Event]:
    """Give a charge back, whole or in part; what was given back of it before counts."""
    require_status(loan, (LoanStatus.ACTIVE, LoanStatus.SETTLED))
    require_amount(command.amount_minor)
    require_reason(context)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.adjustment_id, "adjustment_id")
    charge = _require_charge(timeline, command)
    told = e.ChargeAdjusted(
        effective_on=command.effective_on,
        adjustment_id=command.adjustment_id,
        charge_id=command.charge_id,
        component=Component(charge.kind),
        amount_minor=command.amount_minor,
    )
    return [told, *credited(loan, timeline, told, command.adjustment_id, how=HOW)]


def _require_charge(timeline: Timeline, command: c.AdjustCharge) -> ChargeAdded:
    charge = timeline.find(command.charge_id)
    if not isinstance(charge, ChargeAdded):
        raise Rejected("unknown_charge", "no such charge stands on this loan", "charge_id")
    if command.effective_on < charge.effective_on:
        raise Rejected(
            "before_charge", f"the charge counts from {charge.effective_on}", "effective_on"
        )
    given = sum(
        fact.amount_minor
        for fact in timeline.facts
        if isinstance(fact, Paid) and fact.charge_id == charge.id
    )
    if command.amount_minor > charge.amount_minor - given:
        left = charge.amount_minor - given
        raise Rejected("more_than_charged", f"{left} minor units of the charge are left", "amount")
    return charge
