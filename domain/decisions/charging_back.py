"""Decisions on chargebacks: part of a payment is owed again, or is not after all.

Source: domain rules 9.5 T-22; 9.9 S-15.
"""

from dataclasses import replace

from domain.commands import crediting as c
from domain.context import Context
from domain.decisions.guards import (
    require_amount,
    require_new_fact,
    require_no_plan_since,
    require_reversal_date,
    require_status,
    require_value_date,
)
from domain.decisions.results import changed, recorded, results_of
from domain.errors import Rejected
from domain.events import crediting as e
from domain.events import ending
from domain.events.registry import Event
from domain.loan.booking import Booked
from domain.loan.facts import fact_of
from domain.loan.state import Loan, LoanStatus
from domain.servicing import facts as f
from domain.servicing.timeline import Timeline
from domain.servicing.values import Component, Kind

PAID_BY_BORROWER = (Kind.REPAYMENT, Kind.DOWN_PAYMENT)


def charge_back(loan: Loan, command: c.ChargeBack, context: Context) -> list[Event]:
    """Let part of a payment be owed again, as principal; a settled loan is reopened by it."""
    require_status(loan, (LoanStatus.ACTIVE, LoanStatus.SETTLED))
    require_amount(command.amount_minor)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.chargeback_id, "chargeback_id")
    _require_payment(timeline, command)
    told = e.ChargedBack(
        effective_on=command.effective_on,
        chargeback_id=command.chargeback_id,
        payment_id=command.payment_id,
        amount_minor=command.amount_minor,
        principal_minor=0,
        interest_minor=0,
        fee_minor=0,
        penalty_minor=0,
        overpaid_minor=0,
    )
    booked = recorded(loan, timeline, fact_of(told))
    told = _with_parts(told, booked)
    events = [told, changed(booked, told.chargeback_id, told.effective_on)]
    if loan.status is LoanStatus.SETTLED and booked.balances.owed_minor > 0:
        reopened = ending.LoanReopened(effective_on=told.effective_on, cause_id=told.chargeback_id)
        events.append(reopened)
    return events


def _require_payment(timeline: Timeline, command: c.ChargeBack) -> None:
    payment = timeline.find(command.payment_id)
    if not isinstance(payment, f.Paid) or payment.kind not in PAID_BY_BORROWER:
        raise Rejected("unknown_payment", "no such payment stands on this loan", "payment_id")
    if command.effective_on < payment.effective_on:
        raise Rejected(
            "before_payment", f"the payment counts from {payment.effective_on}", "effective_on"
        )
    back = sum(
        fact.amount_minor
        for fact in timeline.facts
        if isinstance(fact, f.ChargedBack) and fact.payment_id == payment.id
    )
    if command.amount_minor > payment.amount_minor - back:
        left = payment.amount_minor - back
        raise Rejected("more_than_paid", f"{left} minor units of the payment are left", "amount")


def _with_parts(told: e.ChargedBack, booked: Booked) -> e.ChargedBack:
    """Say what the engine made of it: new debt, less what credit of the borrower's paid at once."""
    paid = booked.own.parts
    parts = {component: amount - paid[component] for component, amount in booked.parts.items()}
    return replace(
        told,
        principal_minor=parts[Component.PRINCIPAL],
        interest_minor=parts[Component.INTEREST],
        fee_minor=parts[Component.FEE],
        penalty_minor=parts[Component.PENALTY],
        overpaid_minor=booked.own.overpaid_minor,
    )


def reverse_chargeback(loan: Loan, command: c.ReverseChargeback, context: Context) -> list[Event]:
    """Take a chargeback back, from its own day on: its debt never was."""
    require_status(loan, (LoanStatus.ACTIVE, LoanStatus.SETTLED))
    timeline = loan.timeline
    stood = next((x for x in loan.chargebacks if x.chargeback_id == command.chargeback_id), None)
    if timeline is None or stood is None:
        raise Rejected(
            "unknown_chargeback", "no such chargeback stands on this loan", "chargeback_id"
        )
    fact = timeline.find(stood.chargeback_id)
    assert fact is not None, "a chargeback that stands is on the time line"
    require_no_plan_since(timeline, fact, "chargeback_id")
    require_reversal_date(stood.effective_on, command.effective_on, context, "its chargeback")
    told = e.ChargebackReversed(
        effective_on=command.effective_on,
        chargeback_id=stood.chargeback_id,
        payment_id=stood.payment_id,
        amount_minor=stood.amount_minor,
        principal_minor=stood.principal_minor,
        interest_minor=stood.interest_minor,
        fee_minor=stood.fee_minor,
        penalty_minor=stood.penalty_minor,
        overpaid_minor=stood.overpaid_minor,
        cause=command.cause,
    )
    booked = recorded(loan, timeline, fact_of(told))
    on, since_on = told.effective_on, stood.effective_on
    return [told, *results_of(loan, booked, told.chargeback_id, on, since_on=since_on)]
