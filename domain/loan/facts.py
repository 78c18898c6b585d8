"""Which fact of the servicing engine an event tells. The same function serves decide and evolve.

A fact is known from its value date on: order of recording decides between facts of one day.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from domain.events import (
    arrears,
    changes,
    crediting,
    disbursement,
    ending,
    income,
    servicing,
    undoing,
)
from domain.events.registry import Event
from domain.loan import income_facts
from domain.loan.contract import REFUND_KINDS, loan_terms
from domain.loan.terms import Conditions, Terms
from domain.servicing import facts as f
from domain.servicing.terms import LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import ChargeBasis, ChargeKind, Component, Kind

TERMINATION_ID = "termination"
WRITE_OFF_ID = "write_off"


def begin(conditions: Conditions, terms: Terms, event: disbursement.LoanDisbursed) -> Timeline:
    """Return the time line that the first payout opens."""
    agreed = loan_terms(
        conditions,
        terms,
        from_on=event.effective_on,
        first_due_on=event.first_due_on,
        closed_days=event.closed_days,
    )
    fact, begun = _disbursed(event), _begun[0]
    # Of the same loan, not of one that agreed to equal terms: 0.12 and 0.120 are told as agreed.
    if begun is not None and begun[0] is terms and begun[1:3] == (agreed, fact):
        return begun[3]
    timeline = Timeline.start(agreed).record(fact)
    _begun[0] = (terms, agreed, fact, timeline)
    return timeline


# A plan is solved once: a decision and the fold of its event begin the same time line.
_begun: list[tuple[Terms, LoanTerms, f.Disbursed, Timeline] | None] = [None]


_latest: list[tuple[Event, f.Fact] | None] = [None]  # a decision asks, and then the fold of it


def fact_of(event: Event) -> f.Fact:
    """Return the fact an event tells. Raises KeyError for an event that tells none."""
    latest = _latest[0]
    if latest is not None and latest[0] is event:
        return latest[1]
    fact = FACTS[type(event)](event)
    _latest[0] = (event, fact)
    return fact


def _disbursed(event: disbursement.LoanDisbursed | disbursement.TrancheDisbursed) -> f.Disbursed:
    on = event.effective_on
    return f.Disbursed(
        id=event.disbursement_id, effective_on=on, entered_on=on, amount_minor=event.amount_minor
    )


PAYMENT_KINDS = {
    servicing.PaymentKind.REPAYMENT: Kind.REPAYMENT,
    servicing.PaymentKind.DOWN_PAYMENT: Kind.DOWN_PAYMENT,
}


def _received(event: servicing.PaymentReceived) -> f.Fact:
    split = event.split
    on = event.effective_on
    return f.Paid(
        id=event.payment_id,
        effective_on=on,
        entered_on=on,
        kind=PAYMENT_KINDS[event.kind],
        amount_minor=event.amount_minor,
        split=None
        if split is None
        else (
            (Component.PRINCIPAL, split.principal_minor),
            (Component.INTEREST, split.interest_minor),
            (Component.FEE, split.fee_minor),
            (Component.PENALTY, split.penalty_minor),
        ),
    )


def _recovered(event: ending.RecoveryReceived) -> f.Fact:
    on = event.effective_on
    return f.Paid(
        id=event.recovery_id,
        effective_on=on,
        entered_on=on,
        kind=Kind.RECOVERY,
        amount_minor=event.amount_minor,
    )


def _goodwill(event: crediting.GoodwillCredited) -> f.Fact:
    on = event.effective_on
    return f.Paid(
        id=event.credit_id,
        effective_on=on,
        entered_on=on,
        kind=Kind.GOODWILL_CREDIT,
        amount_minor=event.amount_minor,
    )


def _given_back(event: crediting.RefundReceived) -> f.Fact:
    on = event.effective_on
    return f.Paid(
        id=event.refund_id,
        effective_on=on,
        entered_on=on,
        kind=REFUND_KINDS[event.kind],
        amount_minor=event.amount_minor,
    )


def _interest_refunded(event: crediting.InterestRefunded) -> f.Fact:
    on = event.effective_on
    return f.Paid(
        id=event.interest_refund_id,
        effective_on=on,
        entered_on=on,
        kind=Kind.INTEREST_REFUND,
        amount_minor=event.amount_minor,
        refund_id=event.refund_id,
        fixed=True,
    )


def _charge_adjusted(event: crediting.ChargeAdjusted) -> f.Fact:
    on = event.effective_on
    return f.Paid(
        id=event.adjustment_id,
        effective_on=on,
        entered_on=on,
        kind=Kind.CHARGE_ADJUSTMENT,
        amount_minor=event.amount_minor,
        charge_id=event.charge_id,
    )


def _charged_back(event: crediting.ChargedBack) -> f.Fact:
    on = event.effective_on
    return f.ChargedBack(
        id=event.chargeback_id,
        effective_on=on,
        entered_on=on,
        amount_minor=event.amount_minor,
        payment_id=event.payment_id,
    )


def _taken_back(fact_id: str, on: date) -> f.Fact:
    return f.Reversed(id=f"reversal:{fact_id}", effective_on=on, entered_on=on, fact_id=fact_id)


def _charged(event: servicing.ChargeAssessed) -> f.Fact:
    on = event.effective_on
    return f.ChargeAdded(
        id=event.charge_id,
        effective_on=on,
        entered_on=on,
        code=event.code,
        kind=ChargeKind(event.component),
        time=event.time,
        basis=ChargeBasis.FLAT,
        due_on=event.due_on,
        amount_minor=event.amount_minor,
        place=event.place,
    )


def _waived(event: servicing.ChargeWaived) -> f.Fact:
    on = event.effective_on
    return f.Waived(
        id=event.waiver_id,
        effective_on=on,
        entered_on=on,
        instalment=event.instalment,
        component=event.component,
        amount_minor=event.amount_minor,
    )


def _penalised(event: servicing.PenaltyInterestCharged) -> f.Fact:
    on = event.effective_on
    return f.Evaluated(id=f"penalties:{on}", effective_on=on, entered_on=on)


def _misused(event: disbursement.UseOfFundsBreached) -> f.Fact:
    on = event.effective_on
    return f.MisuseFound(id=f"misuse:{on}", effective_on=on, entered_on=on)


def _misuse_ended(event: disbursement.MisuseEnded) -> f.Fact:
    on = event.effective_on
    return f.MisuseFound(id=f"misuse_end:{on}", effective_on=on, entered_on=on, cured=True)


def _classified(event: arrears.LoanClassified) -> f.Fact:
    on = event.effective_on
    return f.Classified(
        id=f"class:{on}:{event.loan_class}",
        effective_on=on,
        entered_on=on,
        non_performing=event.non_performing,
    )


def _refunded(event: servicing.CreditBalanceRefunded) -> f.Fact:
    on = event.effective_on
    return f.CreditRefunded(
        id=event.refund_id, effective_on=on, entered_on=on, amount_minor=event.amount_minor
    )


def _restructured(event: ending.LoanRestructured) -> f.Fact:
    on = event.effective_on
    return f.Restructured(
        id=event.restructure_id,
        effective_on=on,
        entered_on=on,
        first_due_on=event.first_due_on,
        instalments=event.instalments,
        rate_annual=event.rate_annual,
        waived_interest_minor=event.waived_interest_minor,
        closed_days=event.closed_days,
    )


def _charged_off(event: ending.LoanChargedOff) -> f.Fact:
    on = event.effective_on
    return f.ChargedOff(id=ending.CHARGE_OFF_ID, effective_on=on, entered_on=on)


def _terminated(event: ending.ContractTerminated) -> f.Fact:
    on = event.effective_on
    return f.Terminated(id=TERMINATION_ID, effective_on=on, entered_on=on)


def _written_off(event: ending.LoanWrittenOff) -> f.Fact:
    on = event.effective_on
    return f.WrittenOff(id=WRITE_OFF_ID, effective_on=on, entered_on=on)


def _rate_changed(event: changes.RateChanged) -> f.Fact:
    on = event.effective_on
    return f.RateChanged(
        id=event.change_id, effective_on=on, entered_on=on, rate_annual=event.rate_annual
    )


def _repriced(event: changes.RateRepriced) -> f.Fact:
    on = event.effective_on
    return f.Repriced(
        id=event.repricing_id,
        effective_on=on,
        entered_on=on,
        rate_annual=event.rate_annual,
        reference=event.reference,
        value=event.value,
        published_on=event.published_on,
        spread_bps=event.spread_bps,
    )


def _interest_paused(event: changes.InterestPaused) -> f.Fact:
    on = event.effective_on
    return f.InterestPaused(
        id=event.change_id, effective_on=on, entered_on=on, until=event.until_on
    )


def _term_extended(event: changes.TermExtended) -> f.Fact:
    on = event.effective_on
    return f.TermExtended(
        id=event.change_id,
        effective_on=on,
        entered_on=on,
        instalments=event.instalments,
        closed_days=event.closed_days,
    )


def _grace_granted(event: changes.GraceGranted) -> f.Fact:
    on = event.effective_on
    return f.GraceGranted(
        id=event.change_id,
        effective_on=on,
        entered_on=on,
        principal=event.principal,
        interest=event.interest,
        from_due_on=event.due_on,
        closed_days=event.closed_days,
    )


def _due_date_moved(event: changes.DueDateMoved | changes.PaymentDeferred) -> f.Fact:
    on = event.effective_on
    return f.DueDateMoved(
        id=event.change_id,
        effective_on=on,
        entered_on=on,
        due_on=event.due_on_before,
        new_due_on=event.due_on,
        closed_days=event.closed_days,
    )


def _re_aged(event: changes.LoanReaged) -> f.Fact:
    on = event.effective_on
    return f.ReAged(
        id=event.re_age_id,
        effective_on=on,
        entered_on=on,
        start_on=event.first_due_on,
        every=event.repayment_every,
        unit=event.repayment_unit,
        instalments=event.instalments,
        interest=event.interest,
    )


def _re_amortised(event: changes.LoanReamortized) -> f.Fact:
    on = event.effective_on
    return f.ReAmortised(
        id=event.re_amortisation_id, effective_on=on, entered_on=on, interest=event.interest
    )


FACTS: dict[type[Event], Callable[[Any], f.Fact]] = {
    disbursement.TrancheDisbursed: _disbursed,
    disbursement.TrancheReturned: lambda e: _taken_back(e.disbursement_id, e.effective_on),
    disbursement.UseOfFundsBreached: _misused,
    disbursement.MisuseEnded: _misuse_ended,
    arrears.LoanClassified: _classified,
    servicing.PaymentReceived: _received,
    servicing.PaymentReversed: lambda e: _taken_back(e.payment_id, e.effective_on),
    servicing.PenaltyInterestCharged: _penalised,
    servicing.ChargeAssessed: _charged,
    servicing.ChargeReversed: lambda e: _taken_back(e.charge_id, e.effective_on),
    servicing.ChargeWaived: _waived,
    servicing.CreditBalanceRefunded: _refunded,
    crediting.GoodwillCredited: _goodwill,
    crediting.RefundReceived: _given_back,
    crediting.InterestRefunded: _interest_refunded,
    crediting.ChargeAdjusted: _charge_adjusted,
    crediting.ChargedBack: _charged_back,
    crediting.ChargebackReversed: lambda e: _taken_back(e.chargeback_id, e.effective_on),
    income.IncomeCapitalised: income_facts.capitalised,
    income.CapitalisedIncomeAdjusted: income_facts.adjusted,
    income.CapitalisedIncomeReversed: lambda e: _taken_back(e.income_id, e.effective_on),
    income.BuyDownFeeRecorded: income_facts.bought_down,
    income.BuyDownFeeReversed: lambda e: _taken_back(e.fee_id, e.effective_on),
    income.BuyDownFeeAdjusted: income_facts.buy_down_adjusted,
    income.BuyDownAdjustmentReversed: lambda e: _taken_back(e.adjustment_id, e.effective_on),
    changes.RateChanged: _rate_changed,
    changes.RateRepriced: _repriced,
    changes.InterestPaused: _interest_paused,
    changes.TermExtended: _term_extended,
    changes.GraceGranted: _grace_granted,
    changes.DueDateMoved: _due_date_moved,
    changes.PaymentDeferred: _due_date_moved,
    changes.LoanReaged: _re_aged,
    changes.LoanReamortized: _re_amortised,
    ending.LoanRestructured: _restructured,
    ending.LoanChargedOff: _charged_off,
    ending.ChargeOffReversed: lambda e: _taken_back(ending.CHARGE_OFF_ID, e.effective_on),
    ending.ContractTerminated: _terminated,
    ending.LoanWrittenOff: _written_off,
    undoing.ReagingReversed: lambda e: _taken_back(e.re_age_id, e.effective_on),
    undoing.ReamortizationReversed: lambda e: _taken_back(e.re_amortisation_id, e.effective_on),
    undoing.TerminationReversed: lambda e: _taken_back(TERMINATION_ID, e.effective_on),
    ending.RecoveryReceived: _recovered,
}
"""Events after the first payout that tell a fact. Every other event is a result or a note.

A breach of use tells one where it costs a penalty rate; else it is a note.
"""
