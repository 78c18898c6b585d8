"""Decisions on a loan in service: payments, reversals, charges, waivers, refunds."""

from datetime import date

from domain.commands import servicing as c
from domain.context import Context
from domain.decisions.down_payments import require_down_payment
from domain.decisions.guards import (
    require_amount,
    require_currency,
    require_new_fact,
    require_no_plan_since,
    require_not_charged_off,
    require_reason,
    require_reversal_date,
    require_status,
    require_value_date,
)
from domain.decisions.overdue_charges import undue_taken_back
from domain.decisions.rate_cap import within_cap
from domain.decisions.results import credited, followed, recorded, results_of, taken_back
from domain.errors import Rejected
from domain.events import ending
from domain.events import servicing as e
from domain.events.registry import Event
from domain.loan.charge_rules import ChargeRule, amount_of, rule_of, tax_in
from domain.loan.evolve import evolve
from domain.loan.facts import fact_of
from domain.loan.instalments import Instalment, place_of
from domain.loan.interest_refund import interest_refund_id
from domain.loan.state import OPEN, Loan, LoanStatus
from domain.loan.terms import Component, Recalculation
from domain.servicing.facts import DueDateMoved, Paid, TermExtended
from domain.servicing.timeline import Timeline
from domain.servicing.values import ChargeTime

DATES_CHANGE = (DueDateMoved, TermExtended)
CHARGEABLE = frozenset({Component.FEE, Component.PENALTY})
WAIVABLE = frozenset({Component.INTEREST, Component.FEE, Component.PENALTY})


def receive_payment(loan: Loan, command: c.ReceivePayment, context: Context) -> list[Event]:
    """Take a payment and allocate it; a backdated one restates what came after it."""
    require_status(loan, (LoanStatus.ACTIVE,))
    require_amount(command.amount_minor)
    require_currency(loan, command.currency)
    if command.split is not None:
        _require_split(loan, command.split, command.amount_minor)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.payment_id, "payment_id")
    require_down_payment(loan, command, timeline)
    received = e.PaymentReceived(
        effective_on=command.effective_on,
        payment_id=command.payment_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        channel=command.channel,
        split=command.split,
        kind=command.kind,
    )
    told = [received, *credited(loan, timeline, received, command.payment_id, how="paid")]
    return [*told, *undue_taken_back(loan, told)]


def _require_split(loan: Loan, split: e.Split, amount_minor: int) -> None:
    parts = (split.principal_minor, split.interest_minor, split.fee_minor, split.penalty_minor)
    if min(parts) < 0 or sum(parts) != amount_minor:
        raise Rejected("split_mismatch", "the parts must be the payment, none below zero", "split")
    if loan.conditions.recalculation is not Recalculation.NONE:
        raise Rejected(
            "split_needs_planned_interest",
            "the product computes interest from the balance; it takes no observed parts",
            "split",
        )
    if loan.conditions.penalty is not None:
        raise Rejected("penalties_run", "the engine says what of a payment they take", "split")


def reverse_payment(loan: Loan, command: c.ReversePayment, context: Context) -> list[Event]:
    """Take a payment or another credit back: balances are as if it had never been.

    Both events stay visible. A refund takes the interest refunded with it along.
    """
    require_status(loan, (*OPEN, LoanStatus.SETTLED))
    timeline = loan.timeline
    fact = None if timeline is None else timeline.find(command.payment_id)
    if timeline is None or not isinstance(fact, Paid):
        raise Rejected("unknown_payment", "no such payment stands on this loan", "payment_id")
    require_no_plan_since(timeline, fact, "payment_id")
    if fact.income_id is not None:
        require_not_charged_off(loan)  # what would be deferred again went with the charge-off
    if any(chargeback.payment_id == fact.id for chargeback in loan.chargebacks):
        raise Rejected("payment_charged_back", "reverse its chargeback first", "payment_id")
    require_reversal_date(fact.effective_on, command.effective_on, context, "its payment")
    interest = timeline.find(interest_refund_id(fact.id))
    events: list[Event] = []
    after = loan
    for gone in (interest, fact) if interest else (fact,):
        made = taken_back(after, gone, command.effective_on, command.cause)
        events += made
        for event in made:
            after = evolve(after, event)
    return [*events, *_settled_or_reopened(loan, after, command)]


def _settled_or_reopened(before: Loan, after: Loan, command: c.ReversePayment) -> list[Event]:
    """Say that a settled loan owes again, or that without the credit nothing is owed."""
    on, owes = command.effective_on, after.balances.owed_minor > 0
    if before.status is LoanStatus.SETTLED and owes:
        return [ending.LoanReopened(effective_on=on, cause_id=command.payment_id)]
    if before.status is not LoanStatus.SETTLED and not owes:
        return [ending.LoanSettled(effective_on=on, how="paid")]
    return []


def _require_row(loan: Loan, number: int) -> Instalment:
    if not 1 <= number <= len(loan.rows):
        raise Rejected(
            "unknown_instalment", f"the loan has {len(loan.rows)} instalments", "instalment"
        )
    return loan.rows[number - 1]


def assess_charge(loan: Loan, command: c.AssessCharge, context: Context) -> list[Event]:
    """Put a charge on an instalment. One that was not disclosed is refused (domain rules, 5.7)."""
    require_status(loan, (LoanStatus.ACTIVE,))
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.charge_id, "charge_id")
    if command.component not in CHARGEABLE:
        raise Rejected("not_chargeable", "a charge is a fee or a penalty", "component")
    if command.code not in (loan.disclosed_charges or ()):
        raise Rejected("charge_not_disclosed", "this charge is not on the cost table", "code")
    row = _require_row(loan, command.instalment)
    rule = rule_of(loan.conditions.charge_rules, command.code, ChargeTime.SPECIFIED_DUE_DATE)
    amount = _amount_charged(loan, command, rule)
    _require_due_dates_stand(timeline, command.effective_on)
    assessed = e.ChargeAssessed(
        effective_on=command.effective_on,
        charge_id=command.charge_id,
        code=command.code,
        component=command.component,
        amount_minor=amount,
        instalment=command.instalment,
        due_on=row.due_on,
        tax_minor=0 if rule is None else tax_in(amount, rule.tax_percent),
        place=place_of(loan.rows, command.instalment),
    )
    charge, said = within_cap(loan, assessed, None if rule is None else rule.tax_percent)
    if charge is None:
        return said
    return [*said, charge, *followed(loan, timeline, charge, command.charge_id)]


def _amount_charged(loan: Loan, command: c.AssessCharge, rule: ChargeRule | None) -> int:
    """Return what a charge comes to: what the product's rule computes, or else what is asked."""
    if rule is None:
        if command.amount_minor is None:
            raise Rejected("amount_missing", "the product computes no such charge", "amount")
        require_amount(command.amount_minor)
        return command.amount_minor
    if command.component is not rule.component:
        raise Rejected("not_as_agreed", f"the charge is a {rule.component}", "component")
    principal = sum(row.principal_minor for row in loan.rows)
    interest = sum(row.interest_minor for row in loan.rows)
    amount = amount_of(rule, principal, interest)
    if command.amount_minor not in (None, amount):
        raise Rejected("not_as_agreed", f"the product charges {amount}", "amount")
    require_amount(amount)
    return amount


def _require_due_dates_stand(timeline: Timeline, on: date) -> None:
    """Refuse a day on which the instalment was due at another time than now.

    The charge would be put on another row first, and then move away with it.
    """
    later = [fact.effective_on for fact in timeline.facts if isinstance(fact, DATES_CHANGE)]
    if any(on < changed_on for changed_on in later):
        raise Rejected(
            "due_dates_changed_since",
            f"due dates changed on {max(later)}; date the charge on that day or later",
            "effective_on",
        )


def waive(loan: Loan, command: c.Waive, context: Context) -> list[Event]:
    """Give up part of an instalment, principal aside; a reason is needed."""
    require_status(loan, OPEN)
    require_amount(command.amount_minor)
    require_reason(context)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.waiver_id, "waiver_id")
    if command.component not in WAIVABLE:
        raise Rejected("not_waivable", "interest, fees and penalties can be waived", "component")
    row = _require_row(loan, command.instalment)
    left = {
        Component.INTEREST: row.interest_left_minor,
        Component.FEE: row.fee_left_minor,
        Component.PENALTY: row.penalty_left_minor,
    }[command.component]
    if command.amount_minor > left:
        raise Rejected("more_than_owed", f"only {left} minor units are open there", "amount")
    waived = e.ChargeWaived(
        effective_on=command.effective_on,
        waiver_id=command.waiver_id,
        component=command.component,
        amount_minor=command.amount_minor,
        instalment=command.instalment,
    )
    booked = recorded(loan, timeline, fact_of(waived))
    open_then = booked.parts[command.component]
    if command.amount_minor > open_then:
        raise Rejected("more_than_owed", f"only {open_then} were open there on that day", "amount")
    on = command.effective_on
    return [waived, *results_of(loan, booked, command.waiver_id, on)]


def refund_credit_balance(
    loan: Loan, command: c.RefundCreditBalance, context: Context
) -> list[Event]:
    """Pay overpaid money back, up to the credit there is (domain rules, section 1)."""
    require_status(loan, (*OPEN, LoanStatus.SETTLED))
    require_amount(command.amount_minor)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.refund_id, "refund_id")
    if command.amount_minor > loan.balances.overpaid_minor:
        raise Rejected(
            "more_than_credit", f"the credit is {loan.balances.overpaid_minor}", "amount"
        )
    refunded = e.CreditBalanceRefunded(
        effective_on=command.effective_on,
        refund_id=command.refund_id,
        amount_minor=command.amount_minor,
    )
    booked = recorded(loan, timeline, fact_of(refunded))
    if booked.own.overpaid_minor < command.amount_minor:
        raise Rejected(
            "more_than_credit", f"on that day it was {booked.own.overpaid_minor}", "amount"
        )
    on = command.effective_on
    return [refunded, *results_of(loan, booked, command.refund_id, on)]
