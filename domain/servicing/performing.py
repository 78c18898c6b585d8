"""What each operation does to a simulated loan: the facts it records."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from domain.errors import Rejected
from domain.servicing import facts as f
from domain.servicing import operations as op
from domain.servicing.accrual_posting import accrued_charges
from domain.servicing.admission import FACTS, admit, approved_terms, latest
from domain.servicing.closing import DayClose
from domain.servicing.grace import require_grace
from domain.servicing.instalment_rounding import to_multiple
from domain.servicing.life import Life, Stage
from domain.servicing.terms import RATE_ANNUAL_MAX, ChargeTerms, LoanTerms, Tranche
from domain.servicing.timeline import Timeline
from domain.servicing.values import PAYMENT_KINDS, ChargeBasis, ChargeTime, Kind

HUNDRED = Decimal(100)


def perform(life: Life, operation: op.Operation) -> None:
    """Perform one operation; Rejected if it makes no sense, and then nothing changed."""
    admit(life, operation)
    life.perform(operation, lambda: _PERFORM[type(operation)](life, operation))


# --- application


def _set_business_date(life: Life, o: op.SetBusinessDate) -> None:
    life.today = o.on


def _apply(life: Life, _o: op.Apply) -> None:
    for charge in life.terms.product_charges:
        if charge.time is not ChargeTime.OVERDUE:
            _put_charge(life, charge, None)


def _approve(life: Life, o: op.Approve) -> None:
    life.stage = Stage.APPROVED
    terms = approved_terms(life.terms, o)
    if terms != life.terms:
        life.terms, life.timeline = terms, _under(terms, life.timeline)


def _under(terms: LoanTerms, timeline: Timeline) -> Timeline:
    fresh = Timeline.start(terms)
    for fact in timeline.facts:
        fresh = fresh.record(fact)
    return fresh


def _undo_approval(life: Life, _o: op.UndoApproval) -> None:
    life.stage = Stage.SUBMITTED


def _expect_tranche(life: Life, o: op.ExpectTranche) -> None:
    tranche = Tranche(expected_on=o.on, amount_minor=o.amount_minor)
    life.terms = replace(life.terms, expected_tranches=(*life.terms.expected_tranches, tranche))
    if not life.timeline.disbursed:
        life.timeline = _under(life.terms, life.timeline)


def _disburse(life: Life, o: op.Disburse) -> None:
    life.stage = Stage.OPENED
    overpaid = life.account.overpaid if life.timeline.disbursed else 0
    life.record(f.Disbursed, o.on, amount_minor=o.amount_minor)
    down = life.terms.down_payment
    if down is not None and (down.automatic and o.take_down_payment is not False):
        with localcontext(life.terms.arithmetic()):
            share = (Decimal(o.amount_minor) * down.percent / HUNDRED).to_integral_value()
            amount = to_multiple(life.terms, int(share)) - overpaid
        if amount > 0:  # what was overpaid pays the down payment first
            life.record(f.Paid, o.on, kind=Kind.DOWN_PAYMENT, amount_minor=amount)


def _undo_disbursal(life: Life, o: op.UndoDisbursal) -> None:
    if o.latest_only:
        _undo_latest_disbursal(life)
        return
    charges = [x for x in life.timeline.facts if _stays_without_money(x)]
    life.stage = Stage.APPROVED
    life.timeline = Timeline.start(life.terms)
    for charge in charges:
        life.timeline = life.timeline.record(charge)
    life.close = DayClose()
    life.replayed.clear()
    life.voided.clear()


def _undo_latest_disbursal(life: Life) -> None:
    """Repayments entered since go with it and are not listed; later-dated money forbids it."""
    facts = life.timeline.facts
    last = max(
        (x for x in facts if isinstance(x, f.Disbursed)), key=lambda x: (x.effective_on, x.id)
    )
    since = [x for x in facts if isinstance(x, f.Paid | f.Posted | f.ChargeWaived)]
    since = [x for x in since if x.id > last.id and x.effective_on >= last.effective_on]
    for fact in since:
        if not isinstance(fact, f.Posted) and fact.effective_on > last.effective_on:
            raise Rejected("paid_since", "money came in after the latest disbursement")
    gone = (Kind.REPAYMENT, Kind.DOWN_PAYMENT, Kind.ACCRUAL_ACTIVITY)
    for fact in since:
        if not isinstance(fact, f.ChargeWaived) and fact.kind in gone:
            life.drop(fact.id)
    life.reverse(last.id)


def _stays_without_money(fact: f.Fact) -> bool:
    """Charges of the loan outlive its disbursement; penalties of overdue rows do not."""
    return isinstance(fact, f.ChargeAdded) and fact.time is not ChargeTime.OVERDUE


# --- money


def _transact(life: Life, o: op.Transact) -> None:
    if o.kind in PAYMENT_KINDS:
        _pay(life, o)
    elif o.kind is Kind.CAPITALISED_INCOME:
        life.record(f.IncomeCapitalised, o.on, amount_minor=o.amount_minor)
    elif o.kind is Kind.BUY_DOWN_FEE:
        life.record(f.BuyDownFeeTaken, o.on, amount_minor=o.amount_minor)
    elif o.kind is Kind.BUY_DOWN_FEE_ADJUSTMENT:
        life.record(f.BuyDownFeeAdjusted, o.on, amount_minor=o.amount_minor)
    elif o.kind is Kind.CASH_REFUND:
        life.record(f.CashRefunded, o.on, amount_minor=o.amount_minor)
    else:
        raise Rejected("transaction_unknown", f"{o.kind} is no transaction of a customer", "kind")


def _pay(life: Life, o: op.Transact) -> None:
    fact_id = life.record(f.Paid, o.on, kind=o.kind, amount_minor=o.amount_minor)
    wanted = o.refund_interest
    if wanted is None:
        wanted = o.kind in life.terms.interest_refund_kinds
    if not wanted or not life.terms.recalculates:
        return  # what is paid does not change the interest
    refund_id = life.record(
        f.Paid, o.on, kind=Kind.INTEREST_REFUND, amount_minor=0, refund_id=fact_id
    )
    life.links[refund_id] = fact_id
    refund = next(t for t in life.account.transactions if t.id == refund_id)
    if refund.amount_minor <= 0:
        life.drop(refund_id)


def _pay_off(life: Life, o: op.PayOff) -> None:
    amount = life.payoff(o.on)
    life.paid_off = amount
    life.record(f.Paid, o.on, kind=Kind.REPAYMENT, amount_minor=amount)


def _undo(life: Life, o: op.Undo) -> None:
    life.reverse(life.find(o.target))


def _charge_back(life: Life, o: op.ChargeBack) -> None:
    payment = life.find(o.target)
    life.record(f.ChargedBack, life.today, amount_minor=o.amount_minor, payment_id=payment)


def _refund_credit(life: Life, o: op.RefundCredit) -> None:
    life.record(f.CreditRefunded, o.on, amount_minor=o.amount_minor)


def _refund_interest(life: Life, o: op.RefundInterest) -> None:
    refund = life.find(o.target)
    on = next(t.on for t in life.account.transactions if t.id == refund)
    fact_id = life.record(
        f.Paid,
        on,
        kind=Kind.INTEREST_REFUND,
        amount_minor=o.amount_minor,
        refund_id=refund,
        fixed=True,
    )
    life.links[fact_id] = refund


# --- charges


def _add_charge(life: Life, o: op.AddCharge) -> None:
    _put_charge(life, o.charge, o.due_on)
    late = life.timeline.disbursed and o.due_on is not None and o.due_on > life.account.maturity
    if life.accrues_late_charges and late:
        life.close.accrue(life, life.today)


def _put_charge(life: Life, charge: ChargeTerms, due_on: date | None) -> None:
    if charge.time in (ChargeTime.INSTALMENT, ChargeTime.DISBURSEMENT):
        due_on = None  # it falls due with what it is charged on
    counts_on = life.today if due_on is None else min(life.today, due_on)
    percent = None if charge.basis is ChargeBasis.FLAT else charge.percent
    life.record(
        f.ChargeAdded,
        counts_on,
        code=charge.code,
        kind=charge.kind,
        time=charge.time,
        basis=charge.basis,
        due_on=due_on,
        amount_minor=charge.amount_minor,
        percent=percent,
    )


def _waive_charge(life: Life, _o: op.WaiveCharge) -> None:
    added = [x for x in life.timeline.facts if isinstance(x, f.ChargeAdded)]
    charge = max(added, key=lambda x: x.id)
    on = life.today if charge.due_on is None else min(charge.due_on, life.today)
    view = next(c for c in life.account.charges if c.id == charge.id)
    receivable = max(0, accrued_charges(life)[charge.id] - view.paid_minor)
    life.record(
        f.ChargeWaived,
        on,
        charge_id=charge.id,
        amount_minor=view.outstanding,
        recognised_minor=min(view.outstanding, receivable),
    )


def _undo_waive_charge(life: Life, _o: op.UndoWaiveCharge) -> None:
    waived = [x for x in life.timeline.facts if isinstance(x, f.ChargeWaived)]
    life.reverse(max(waived, key=lambda x: x.id).id)


def _adjust_charge(life: Life, o: op.AdjustCharge) -> None:
    life.record(f.Paid, life.today, kind=Kind.CHARGE_ADJUSTMENT, amount_minor=o.amount_minor)


# --- changes


def _reschedule(life: Life, o: op.Reschedule) -> None:
    if o.new_due_on is not None:
        life.record(f.DueDateMoved, o.from_on, new_due_on=o.new_due_on)
    if o.extra_instalments is not None:
        life.record(f.TermExtended, o.from_on, instalments=o.extra_instalments)
    if o.new_rate_annual is not None:
        life.record(f.RateChanged, o.from_on, rate_annual=o.new_rate_annual)
    if o.grace_on_principal is not None or o.grace_on_interest is not None:
        _grant_grace(life, o)


def _grant_grace(life: Life, o: op.Reschedule) -> None:
    if not life.terms.cumulative:
        require_grace(life.terms, o.grace_on_interest or 0, prefix="grace_on_")
    life.record(
        f.GraceGranted,
        o.from_on,
        principal=o.grace_on_principal or 0,
        interest=o.grace_on_interest or 0,
    )


def _change_rate(life: Life, o: op.ChangeRate) -> None:
    life.record(f.RateChanged, o.on, rate_annual=o.rate_annual)


def _publish(life: Life, o: op.PublishReference) -> None:
    floating = life.terms.floating
    if floating is None or floating.reference != o.reference:
        raise Rejected("change_not_offered", f"the rate does not follow {o.reference}", "reference")
    if not abs(o.value) <= RATE_ANNUAL_MAX:
        raise Rejected("rate_out_of_range", f"must be within {RATE_ANNUAL_MAX}", "value")
    life.record(f.ReferencePublished, o.on, reference=o.reference, value=o.value)


def _pause(life: Life, o: op.PauseInterest) -> None:
    life.record(f.InterestPaused, o.start, until=o.end)


def _report_misuse(life: Life, o: op.ReportMisuse) -> None:
    if life.terms.penalty is None:
        raise Rejected("change_not_offered", "the terms agree no penalty rate")
    life.record(f.MisuseFound, o.on, cured=o.cured)


def _classify(life: Life, o: op.Classify) -> None:
    life.record(f.Classified, life.today, non_performing=o.non_performing)


def _re_age(life: Life, o: op.ReAge) -> None:
    life.record(
        f.ReAged,
        min(o.start_on, life.today),
        start_on=o.start_on,
        every=o.every,
        unit=o.unit,
        instalments=o.instalments,
        interest=o.interest,
    )


def _re_amortise(life: Life, o: op.ReAmortise) -> None:
    life.record(f.ReAmortised, life.today, interest=o.interest)


def _charge_off(life: Life, o: op.ChargeOff) -> None:
    """Deferred income is recognised up to today, and the rest of it with the charge-off."""
    life.close.recognise(life, life.today)
    fact_id = life.record(f.ChargedOff, o.on)
    for posted in life.close.recognise(life, o.on):
        life.links[posted] = fact_id


def _terminate(life: Life, _o: op.Terminate) -> None:
    life.record(f.Terminated, life.today)


def _write_off(life: Life, o: op.WriteOff) -> None:
    life.record(f.WrittenOff, o.on)


def _undo_latest(life: Life, o: op.UndoLatest) -> None:
    life.reverse(latest(life, FACTS[o.kind]).id)


# --- closing of days


def _close_days(life: Life, _o: op.CloseDays) -> None:
    if life.timeline.disbursed:
        life.close.run(life)


def _post_accruals(life: Life, _o: op.PostAccruals) -> None:
    if life.timeline.disbursed:
        life.close.accrue(life, life.today)


def _set_charge_accrual(life: Life, o: op.SetChargeAccrual) -> None:
    life.charge_accrual = o.accrual


def _accrue_late_charges(life: Life, o: op.AccrueLateChargesAtOnce) -> None:
    life.accrues_late_charges = o.enabled


def _nothing(_life: Life, _o: op.NoEffect) -> None:
    pass


_PERFORM: dict[type[op.Operation], Callable[[Life, Any], None]] = {
    op.SetBusinessDate: _set_business_date,
    op.Apply: _apply,
    op.Approve: _approve,
    op.UndoApproval: _undo_approval,
    op.ExpectTranche: _expect_tranche,
    op.Disburse: _disburse,
    op.UndoDisbursal: _undo_disbursal,
    op.Transact: _transact,
    op.PayOff: _pay_off,
    op.Undo: _undo,
    op.ChargeBack: _charge_back,
    op.RefundCredit: _refund_credit,
    op.RefundInterest: _refund_interest,
    op.AddCharge: _add_charge,
    op.WaiveCharge: _waive_charge,
    op.UndoWaiveCharge: _undo_waive_charge,
    op.AdjustCharge: _adjust_charge,
    op.Reschedule: _reschedule,
    op.ChangeRate: _change_rate,
    op.PublishReference: _publish,
    op.PauseInterest: _pause,
    op.ReportMisuse: _report_misuse,
    op.Classify: _classify,
    op.ReAge: _re_age,
    op.ReAmortise: _re_amortise,
    op.ChargeOff: _charge_off,
    op.Terminate: _terminate,
    op.WriteOff: _write_off,
    op.UndoLatest: _undo_latest,
    op.CloseDays: _close_days,
    op.PostAccruals: _post_accruals,
    op.SetChargeAccrual: _set_charge_accrual,
    op.AccrueLateChargesAtOnce: _accrue_late_charges,
    op.NoEffect: _nothing,
}
