"""What makes no sense for a simulated loan is refused before it is recorded, with a stable code.

It looks and changes nothing; amounts that the fold can take are not judged here.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from domain.errors import Rejected
from domain.servicing import facts as f
from domain.servicing import operations as op
from domain.servicing.account import Transaction
from domain.servicing.dates import ONE_DAY, add_units
from domain.servicing.life import Life
from domain.servicing.limit import headroom
from domain.servicing.rate_soundness import measures_periods
from domain.servicing.soundness import unsound_charge
from domain.servicing.terms import INSTALMENTS_MAX, RATE_ANNUAL_MAX, LoanTerms
from domain.servicing.values import PAYMENT_KINDS, ChargeTime, Kind, Status

YEAR_MAX = 9998  # a date of the year after is still a date
FACTS: dict[Kind, type[f.Fact]] = {
    Kind.RE_AGE: f.ReAged,
    Kind.RE_AMORTISE: f.ReAmortised,
    Kind.CHARGE_OFF: f.ChargedOff,
    Kind.CONTRACT_TERMINATION: f.Terminated,
}


def admit(life: Life, operation: op.Operation) -> None:
    """Raise Rejected if the operation makes no sense in the state it meets."""
    rule = _RULES.get(type(operation))
    if rule is not None:
        rule(life, operation)


def latest(life: Life, kind: type[f.Fact]) -> f.Fact:
    """Return the fact of a kind that was entered last; Rejected if there is none."""
    found = [fact for fact in life.timeline.facts if isinstance(fact, kind)]
    if not found:
        raise Rejected("nothing_to_undo", "nothing of this kind counts", "kind")
    return max(found, key=lambda fact: fact.id)


# --- rules that several operations share


def _must_be_disbursed(life: Life) -> None:
    if not life.timeline.disbursed:
        raise Rejected("loan_not_disbursed", "no money was paid out yet")


def _must_not_be_disbursed(life: Life) -> None:
    if life.timeline.disbursed:
        raise Rejected("loan_disbursed", "money was paid out already")


def _must_not_be_ended(life: Life) -> None:
    _must_not_be_charged_off(life)
    _must_not_be_terminated(life)


def _must_not_be_charged_off(life: Life) -> None:
    _must_not_be_written_off(life)
    if life.account.ledger.charged_off_on is not None:
        raise Rejected("loan_charged_off", "the loan is charged off")


def _must_not_be_terminated(life: Life) -> None:
    _must_not_be_written_off(life)
    if life.account.ledger.terminated_on is not None:
        raise Rejected("contract_terminated", "the contract was terminated")


def _must_not_be_written_off(life: Life) -> None:
    if life.account.ledger.written_off:
        raise Rejected("loan_written_off", "the loan is written off")


def _must_be_active(life: Life) -> None:
    _must_be_disbursed(life)
    _must_not_be_ended(life)
    if life.account.status is not Status.ACTIVE:
        raise Rejected("loan_not_active", f"the loan is {life.account.status}")


def _must_be_progressive(life: Life) -> None:
    if life.terms.cumulative:
        raise Rejected("change_not_offered", "needs a progressive schedule")


def _must_not_precede_the_money(life: Life, on: date, field: str) -> None:
    first = next(x.effective_on for x in life.timeline.facts if isinstance(x, f.Disbursed))
    if on < first:
        raise Rejected("date_before_disbursement", f"money was paid out on {first}", field)


def _must_be_positive(amount_minor: int) -> None:
    if amount_minor <= 0:
        raise Rejected("amount_out_of_range", "must be more than zero", "amount_minor")


def _must_be_within(value: int, most: int, field: str) -> None:
    if not 1 <= value <= most:
        raise Rejected("count_out_of_range", f"must be within 1..{most}", field)


def _not_entered_today(life: Life, kind: type[f.Fact], code: str) -> None:
    entered = (x.entered_on for x in life.timeline.facts if isinstance(x, kind))
    if life.today in entered:
        raise Rejected(code, "at most once a business day")


# --- one rule an operation


def _admit_approval(life: Life, o: op.Approve) -> None:
    _must_not_be_disbursed(life)
    for refusal in approved_terms(life.terms, o).validate():
        raise Rejected(refusal.code, refusal.reason, _OF_THE_APPROVAL.get(refusal.field))


_OF_THE_APPROVAL = {"principal_minor": "amount_minor"}  # other fields are the application's


def approved_terms(terms: LoanTerms, o: op.Approve) -> LoanTerms:
    """Return the terms an application is approved under."""
    expected = o.expected_disbursement_on or terms.expected_disbursement_on
    return replace(terms, principal_minor=o.amount_minor, expected_disbursement_on=expected)


def _admit_undo_of_approval(life: Life, _o: op.UndoApproval) -> None:
    _must_not_be_disbursed(life)


def _admit_tranche(_life: Life, o: op.ExpectTranche) -> None:
    _must_be_positive(o.amount_minor)


def _admit_payment(life: Life, o: op.Transact) -> None:
    _must_be_disbursed(life)
    _must_not_be_written_off(life)
    _must_be_positive(o.amount_minor)
    _must_not_precede_the_money(life, o.on, "on")
    if o.kind is Kind.INTEREST_REFUND:
        raise Rejected("transaction_unknown", "interest is refunded for a refund", "kind")
    if o.kind is Kind.CASH_REFUND:
        paid = sum(row.paid.total for row in life.account.instalments)
        if o.amount_minor > paid:
            raise Rejected("amount_out_of_range", "more than was paid", "amount_minor")
    if o.kind is Kind.CAPITALISED_INCOME:
        _must_not_be_ended(life)


def _admit_disbursement(life: Life, o: op.Disburse) -> None:
    _must_be_positive(o.amount_minor)
    if life.timeline.disbursed:
        _must_not_be_ended(life)
    left = headroom(life.timeline, o.on)
    if left is not None and o.amount_minor > left:
        raise Rejected("limit_exceeded", f"at most {left} can be drawn", "amount_minor")


def _admit_pay_off(life: Life, o: op.PayOff) -> None:
    _must_be_disbursed(life)
    _must_not_precede_the_money(life, o.on, "on")
    if life.payoff(o.on) <= 0:
        raise Rejected("nothing_owed", "nothing is owed on that day", "on")


def _admit_undo(life: Life, o: op.Undo) -> None:
    fact = life.timeline.find(life.find(o.target))
    if fact is None:
        raise Rejected("transaction_reversed", "it does not count any more", "target")
    if isinstance(fact, f.Disbursed):
        raise Rejected("transaction_not_reversible", "a disbursal is undone as one", "target")
    backs = (x for x in life.timeline.facts if isinstance(x, f.ChargedBack))
    if any(back.payment_id == fact.id for back in backs):
        raise Rejected("payment_charged_back", "undo its chargeback first", "target")


def _admit_interest_refund(life: Life, o: op.RefundInterest) -> None:
    _must_be_positive(o.amount_minor)
    refund = _named(life, o.target)
    if refund is None or refund.kind not in PAYMENT_KINDS:
        raise Rejected("transaction_not_a_payment", "only a payment that counts", "target")


def _admit_chargeback(life: Life, o: op.ChargeBack) -> None:
    _must_be_positive(o.amount_minor)
    payment = _named(life, o.target)
    if payment is None or payment.kind not in PAYMENT_KINDS:
        raise Rejected("transaction_not_a_payment", "only a payment that counts", "target")
    if payment.on > life.today:
        raise Rejected("payment_in_future", f"it counts from {payment.on}", "target")
    back = sum(
        fact.amount_minor
        for fact in life.timeline.facts
        if isinstance(fact, f.ChargedBack) and fact.payment_id == payment.id
    )
    if o.amount_minor > payment.amount_minor - back:
        raise Rejected("amount_out_of_range", "more than is left of the payment", "amount_minor")


def _named(life: Life, target: op.Reference) -> Transaction | None:
    """Return the transaction of a reference, if it counts."""
    found = life.find(target)
    return next((t for t in life.account.transactions if t.id == found), None)


def _admit_refund(life: Life, o: op.RefundCredit) -> None:
    _must_be_disbursed(life)
    _must_be_positive(o.amount_minor)
    _must_not_precede_the_money(life, o.on, "on")
    if o.amount_minor > life.account.overpaid:
        raise Rejected("amount_out_of_range", "more than was overpaid", "amount_minor")


def _admit_charge(life: Life, o: op.AddCharge) -> None:
    _must_not_be_written_off(life)
    unsound = unsound_charge(o.charge)
    if unsound is not None:
        raise Rejected(unsound, f"charge {o.charge.code}", "charge")
    if o.charge.time is ChargeTime.YEARLY:
        raise Rejected("not_offered", "a fee of every year is agreed with the contract", "charge")
    dated = o.charge.time in (ChargeTime.SPECIFIED_DUE_DATE, ChargeTime.OVERDUE)
    if dated and o.due_on is None:
        raise Rejected("due_date_missing", f"a charge {o.charge.time} has one", "due_on")
    if o.charge.time is ChargeTime.OVERDUE:
        _must_be_disbursed(life)
        if not any(r.due_on == o.due_on and not r.down_payment for r in life.account.instalments):
            raise Rejected("instalment_not_found", f"none is due on {o.due_on}", "due_on")


def _admit_charge_adjustment(life: Life, o: op.AdjustCharge) -> None:
    _must_be_disbursed(life)
    _must_be_positive(o.amount_minor)
    named = [c for c in life.account.charges if c.code == o.code and c.due_on == o.due_on]
    if not named:
        raise Rejected("charge_not_found", f"no {o.code} is due on {o.due_on}", "code")
    if o.amount_minor > max(charge.amount_minor for charge in named):
        raise Rejected("amount_out_of_range", "more than the charge", "amount_minor")


def _admit_charge_waiver(life: Life, _o: op.WaiveCharge) -> None:
    _must_be_disbursed(life)
    if not any(isinstance(fact, f.ChargeAdded) for fact in life.timeline.facts):
        raise Rejected("charge_not_found", "no charge was added")
    charge = latest(life, f.ChargeAdded)
    if next(c for c in life.account.charges if c.id == charge.id).outstanding <= 0:
        raise Rejected("nothing_to_waive", "nothing of the charge is owed")


def _admit_undo_of_charge_waiver(life: Life, _o: op.UndoWaiveCharge) -> None:
    latest(life, f.ChargeWaived)


def _admit_reschedule(life: Life, o: op.Reschedule) -> None:
    _must_not_be_terminated(life)
    if o.new_rate_annual is not None:
        _must_be_a_rate(o)
    if o.extra_instalments is not None:
        _must_be_within(o.extra_instalments, INSTALMENTS_MAX, "extra_instalments")
    if o.new_due_on is None:
        return
    rows = life.account.instalments
    row = next((r for r in rows if r.due_on == o.from_on and not r.down_payment), None)
    if row is None or row.additional:
        raise Rejected("instalment_not_found", f"none is due on {o.from_on}", "from_on")
    if o.new_due_on <= row.from_on:
        raise Rejected("due_date_out_of_order", f"must be after {row.from_on}", "new_due_on")


def _must_be_a_rate(o: op.Reschedule | op.ChangeRate) -> None:
    rate, field = (
        (o.rate_annual, "rate_annual")
        if isinstance(o, op.ChangeRate)
        else (o.new_rate_annual, "new_rate_annual")
    )
    if rate is None or not 0 <= rate <= RATE_ANNUAL_MAX:
        raise Rejected("rate_out_of_range", f"must be within 0..{RATE_ANNUAL_MAX}", field)


def _admit_rate(life: Life, o: op.ChangeRate) -> None:
    _must_not_be_terminated(life)
    _must_be_a_rate(o)


def _admit_misuse(life: Life, o: op.ReportMisuse) -> None:
    _must_be_disbursed(life)
    _must_not_precede_the_money(life, o.on, "on")


def _admit_pause(life: Life, o: op.PauseInterest) -> None:
    _must_not_be_terminated(life)
    if o.end < o.start:
        raise Rejected("dates_out_of_order", "a pause ends after it starts", "end")
    paused = (x for x in life.timeline.facts if isinstance(x, f.InterestPaused))
    if any(x.effective_on <= o.end and o.start <= x.until for x in paused):
        raise Rejected("pauses_overlap", "interest is paused on some of these days", "start")


def _admit_re_ageing(life: Life, o: op.ReAge) -> None:
    _must_be_active(life)
    _must_be_progressive(life)
    _must_not_precede_the_money(life, o.start_on - ONE_DAY, "start_on")
    _must_be_within(o.instalments, INSTALMENTS_MAX, "instalments")
    _must_be_within(o.every, INSTALMENTS_MAX, "every")
    if not measures_periods(life.terms.day_count, o.unit, o.every):
        raise Rejected("needs_regular_periods", f"{life.terms.day_count} measures by them", "unit")
    _not_entered_today(life, f.ReAged, "re_aged_today")
    try:
        last_due = add_units(o.start_on, o.unit, o.every * (o.instalments - 1))
    except (OverflowError, ValueError):
        last_due = date.max
    if last_due.year > YEAR_MAX:
        raise Rejected("date_out_of_range", "the last instalment is due too late", "instalments")


def _admit_re_amortising(life: Life, _o: op.ReAmortise) -> None:
    _must_be_active(life)
    _must_be_progressive(life)
    _not_entered_today(life, f.ReAmortised, "re_amortised_today")
    if life.today >= life.account.maturity:
        raise Rejected("loan_matured", f"no instalment is left after {life.account.maturity}")
    rows = _due_by(life, life.today)
    if not any(row.outstanding for row in rows):
        raise Rejected("nothing_past_due", "there is nothing to spread")


def _due_by(life: Life, on: date) -> Iterable[Any]:
    return (row for row in life.account.instalments if row.due_on <= on)


def _must_follow_the_money(life: Life, on: date) -> None:
    """An end is not dated back before money moved (domain rules, S-21)."""
    moved = max(x.effective_on for x in life.timeline.facts if isinstance(x, f.MONEY))
    if on < moved:
        raise Rejected("money_moved_since", f"money moved on {moved}", "on")


def _admit_charge_off(life: Life, o: op.ChargeOff) -> None:
    _must_be_disbursed(life)
    _must_not_be_charged_off(life)
    _must_follow_the_money(life, o.on)


def _admit_termination(life: Life, _o: op.Terminate) -> None:
    _must_be_disbursed(life)
    _must_not_be_charged_off(life)
    _must_not_be_terminated(life)
    _must_follow_the_money(life, life.today)


def _admit_write_off(life: Life, o: op.WriteOff) -> None:
    _must_be_disbursed(life)
    _must_not_be_written_off(life)
    _must_follow_the_money(life, o.on)


def _admit_undo_latest(life: Life, o: op.UndoLatest) -> None:
    if o.kind not in FACTS:
        raise Rejected("nothing_to_undo", f"{o.kind} is no action", "kind")
    latest(life, FACTS[o.kind])


def _admit_undo_of_disbursal(life: Life, _o: op.UndoDisbursal) -> None:
    _must_be_disbursed(life)


_RULES: dict[type[op.Operation], Callable[[Life, Any], None]] = {
    op.Approve: _admit_approval,
    op.UndoApproval: _admit_undo_of_approval,
    op.ExpectTranche: _admit_tranche,
    op.RefundInterest: _admit_interest_refund,
    op.AddCharge: _admit_charge,
    op.AdjustCharge: _admit_charge_adjustment,
    op.Disburse: _admit_disbursement,
    op.UndoDisbursal: _admit_undo_of_disbursal,
    op.Transact: _admit_payment,
    op.PayOff: _admit_pay_off,
    op.Undo: _admit_undo,
    op.ChargeBack: _admit_chargeback,
    op.RefundCredit: _admit_refund,
    op.WaiveCharge: _admit_charge_waiver,
    op.UndoWaiveCharge: _admit_undo_of_charge_waiver,
    op.Reschedule: _admit_reschedule,
    op.ChangeRate: _admit_rate,
    op.PauseInterest: _admit_pause,
    op.ReportMisuse: _admit_misuse,
    op.ReAge: _admit_re_ageing,
    op.ReAmortise: _admit_re_amortising,
    op.ChargeOff: _admit_charge_off,
    op.Terminate: _admit_termination,
    op.WriteOff: _admit_write_off,
    op.UndoLatest: _admit_undo_latest,
}
