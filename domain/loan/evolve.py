"""How each event changes a loan: which fields it sets, and to what.

No rule is judged here and no engine runs: history is not up for decision.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any, overload

from domain.events import application as app
from domain.events import arrears, changes, crediting, disbursement, ending, servicing, undoing
from domain.events.registry import Event
from domain.loan import instalment_fees
from domain.loan.evolve_income import INCOME
from domain.loan.facts import begin
from domain.loan.instalments import Instalment, merge
from domain.loan.recording import Changes
from domain.loan.recording import recorded as _recorded
from domain.loan.state import Loan, LoanStatus, Preparation, Repriced, applied_for
from domain.loan.terms import PlannedTranche
from domain.servicing.deferred import Deferred
from domain.servicing.re_ageing_guard import ReAgeing
from domain.servicing.row import Penalised

_FIELDS = len(fields(Loan))
_REVIEWED = {
    app.Decision.APPROVED: LoanStatus.APPROVED,
    app.Decision.DECLINED: LoanStatus.DECLINED,
    app.Decision.REFERRED: LoanStatus.REFERRED,
}


def evolve(loan: Loan | None, event: Event) -> Loan:
    """Return the loan after one event; the one before it stays as it was. Raises as `fold` does."""
    after = fold(loan, (event,))
    assert after is not None, "an event leaves a loan"
    return after


@overload
def fold(loan: Loan, events: Iterable[Event]) -> Loan: ...
@overload
def fold(loan: Loan | None, events: Iterable[Event]) -> Loan | None: ...
def fold(loan: Loan | None, events: Iterable[Event]) -> Loan | None:
    """Return the loan after events, in order; None for no loan and no events.

    All of them change one copy, which nobody has seen: the loans in between are never made. Raises
    ValueError for an event that cannot follow: then the history is corrupt.
    """
    following = iter(events)
    if loan is None:
        first = next(following, None)
        if first is None:
            return None
        if not isinstance(first, app.LoanApplied):
            raise ValueError(f"{type(first).__name__} cannot begin a loan")
        after = applied_for(first)
    else:
        after = object.__new__(Loan)
        object.__setattr__(after, "__dict__", vars(loan).copy())
    told = vars(after)
    for event in following:
        change = _CHANGES.get(type(event))
        if change is None:
            raise ValueError(f"{type(event).__name__} cannot follow on a loan")
        told.update(change(after, event))
    assert len(told) == _FIELDS, "an event set what a loan has not"
    return after


def _reviewed(_: Loan, event: app.LoanReviewed) -> Changes:
    status = _REVIEWED[event.decision]
    if event.terms is None:
        return {"status": status, "terms": None}
    return {"status": status, "terms": event.terms, "tranches": event.terms.tranches}


def _approved_otherwise(loan: Loan, event: app.ApprovedAmountChanged) -> Changes:
    if loan.terms is None:
        raise ValueError("another amount of a loan that was not approved")
    return {"terms": replace(loan.terms, principal_minor=event.amount_minor)}


def _prepared(_: Loan, event: disbursement.DisbursementPrepared) -> Changes:
    preparation = Preparation(
        disbursement_id=event.disbursement_id,
        amount_minor=event.amount_minor,
        payload_hash=event.payload_hash,
        prepared_by=event.prepared_by,
        tranche_id=event.tranche_id,
    )
    return {"preparation": preparation}


def _checked(loan: Loan, event: disbursement.DisbursementChecked) -> Changes:
    if loan.preparation is None:
        raise ValueError("a check without a preparation")
    return {"preparation": replace(loan.preparation, checked=True) if event.passed else None}


def _disbursed(loan: Loan, event: disbursement.LoanDisbursed) -> Changes:
    if loan.terms is None:
        raise ValueError("a payout without terms")
    return {
        **_off_the_plan(loan, event.tranche),
        "status": LoanStatus.ACTIVE,
        "disbursed_on": event.effective_on,
        "paid_out_minor": event.amount_minor,
        "fees_taken": event.fees,
        "timeline": begin(loan.conditions, loan.terms, event),
        "rows": event.instalments,
        "balances": event.balances,
    }


def _off_the_plan(loan: Loan, tranche: PlannedTranche | None) -> Changes:
    if tranche is None:
        return {}
    return {
        "tranches": tuple(one for one in loan.tranches if one.tranche_id != tranche.tranche_id),
        "tranches_paid": loan.tranches_paid | {tranche.tranche_id},
    }


def _back_on_the_plan(loan: Loan, tranche: PlannedTranche | None) -> Changes:
    if tranche is None:
        return {}
    expected = sorted([*loan.tranches, tranche], key=lambda one: one.expected_on)
    return {
        "tranches": tuple(expected),
        "tranches_paid": loan.tranches_paid - {tranche.tranche_id},
    }


def _tranche_disbursed(loan: Loan, event: disbursement.TrancheDisbursed) -> Changes:
    return {
        **_off_the_plan(loan, event.tranche),
        "timeline": _recorded(loan, event),
        "paid_out_minor": loan.paid_out_minor + event.amount_minor,
        "tranches_out": (*loan.tranches_out, event),
    }


def _tranche_returned(loan: Loan, event: disbursement.TrancheReturned) -> Changes:
    return {
        **_back_on_the_plan(loan, event.tranche),
        "timeline": _recorded(loan, event),
        "paid_out_minor": loan.paid_out_minor - event.amount_minor,
        "tranches_out": loan.tranches_out[:-1],
        "taken_back": loan.taken_back | {event.disbursement_id},
    }


def _still_missed(missed: frozenset[int], changed: tuple[Instalment, ...]) -> frozenset[int]:
    if not missed:
        return missed
    return missed.difference(row.number for row in changed if row.met_on is not None)


def _told(loan: Loan, event: Event) -> Changes:
    return {"timeline": _recorded(loan, event)}


def _taken_back(name: str) -> Callable[[Loan, Any], Changes]:
    """Return the change of an event that takes back the fact whose id a field of it names."""
    return lambda loan, event: {
        "timeline": _recorded(loan, event),
        "taken_back": loan.taken_back | {getattr(event, name)},
    }


def _charged_back(loan: Loan, event: crediting.ChargedBack) -> Changes:
    return {"timeline": _recorded(loan, event), "chargebacks": (*loan.chargebacks, event)}


def _chargeback_reversed(loan: Loan, event: crediting.ChargebackReversed) -> Changes:
    kept = tuple(x for x in loan.chargebacks if x.chargeback_id != event.chargeback_id)
    taken_back = loan.taken_back | {event.chargeback_id}
    return {"timeline": _recorded(loan, event), "chargebacks": kept, "taken_back": taken_back}


def _recovered(loan: Loan, event: ending.RecoveryReceived) -> Changes:
    if loan.status is LoanStatus.WRITTEN_OFF:
        return {}  # memo only: nothing stands on the books any more
    return {"timeline": _recorded(loan, event)}


def _result(loan: Loan, event: servicing.Result) -> Changes:
    return {
        "rows": merge(loan.rows, event.rows, event.rows_total),
        "balances": event.balances,
        "missed": _still_missed(loan.missed, event.rows),
    }


def _misused(loan: Loan, event: disbursement.UseOfFundsBreached) -> Changes:
    return {} if loan.conditions.penalty is None else _told(loan, event)


def _classified(loan: Loan, event: arrears.LoanClassified) -> Changes:
    return {"timeline": _recorded(loan, event), "loan_class": event.loan_class}


def _penalised(loan: Loan, event: servicing.PenaltyInterestCharged) -> Changes:
    so_far = loan.penalised
    charged = Penalised(
        so_far.penalty_minor + event.penalty_minor, so_far.compound_minor + event.compound_minor
    )
    return {**_result(loan, event), "timeline": _recorded(loan, event), "penalised": charged}


def _restructured(loan: Loan, event: ending.LoanRestructured) -> Changes:
    return {
        "timeline": _recorded(loan, event),
        "missed": frozenset(),
        "replanned_on": event.effective_on,
        "rate_annual": event.rate_annual,
    }


def _repriced(loan: Loan, event: changes.RateRepriced) -> Changes:
    """Take over a reset; one of an earlier date leaves the rate of a later one in force."""
    now = Repriced(
        on=event.effective_on,
        published_on=event.published_on,
        value=event.value,
        rate_annual_before=event.rate_annual_before,
        rate_annual=event.rate_annual,
    )
    others = [one for one in loan.repricings if one.on != now.on]
    newest = all(one.on < now.on for one in others)
    return {
        "timeline": _recorded(loan, event),
        "rate_annual": event.rate_annual if newest else loan.rate_annual,
        "repricings": tuple(sorted([*others, now], key=lambda one: one.on)),
    }


def _re_aged(loan: Loan, event: changes.LoanReaged) -> Changes:
    return {
        "timeline": _recorded(loan, event),
        "missed": frozenset(),
        "replanned_on": event.effective_on,
        "re_ageings": (
            *loan.re_ageings,
            ReAgeing(on=event.effective_on, programme=event.programme),
        ),
    }


def _re_ageing_reversed(loan: Loan, event: undoing.ReagingReversed) -> Changes:
    return {
        "timeline": _recorded(loan, event),
        "replanned_on": event.replanned_on,
        "re_ageings": loan.re_ageings[:-1],
        "taken_back": loan.taken_back | {event.re_age_id},
    }


def _charged_off(loan: Loan, event: ending.LoanChargedOff) -> Changes:
    return {
        "timeline": _recorded(loan, event),
        "status": LoanStatus.CHARGED_OFF,
        "charged_off": True,
        "deferred_charged_off": Deferred(
            event.deferred_capitalised_minor, event.deferred_bought_down_minor
        ),
    }


def _charge_off_reversed(loan: Loan, event: ending.ChargeOffReversed) -> Changes:
    return {"timeline": _recorded(loan, event), "status": LoanStatus.ACTIVE, "charged_off": False}


def _written_off(loan: Loan, event: ending.LoanWrittenOff) -> Changes:
    """End the time line. Rows and balances as published stay: they are the memo (账销案存)."""
    return {"timeline": _recorded(loan, event), "status": LoanStatus.WRITTEN_OFF}


def _missed(loan: Loan, event: arrears.PaymentMissed) -> Changes:
    return {"missed": loan.missed | {event.instalment}, "in_arrears": True}


def _cured(*_: object) -> Changes:
    return {"missed": frozenset(), "in_arrears": False, "days_past_due": 0}


def _bucket(_: Loan, event: arrears.DelinquencyBucketChanged) -> Changes:
    return {"bucket": event.after, "days_past_due": event.days_past_due}


def _becomes(status: LoanStatus) -> Callable[[Loan, Event], Changes]:
    return lambda _loan, _event: {"status": status}


_CHANGES: dict[type[Event], Callable[[Loan, Any], Changes]] = {
    app.DocumentSubmitted: lambda loan, e: {"documents": loan.documents | {e.document_id}},
    app.ModelScored: lambda _, e: {"recommended": e.recommends},
    app.LoanReviewed: _reviewed,
    app.ApprovedAmountChanged: _approved_otherwise,
    app.CostDisclosed: lambda _, e: {"disclosed_charges": e.charges},
    app.OfferAccepted: _becomes(LoanStatus.ACCEPTED),
    app.ApplicationWithdrawn: _becomes(LoanStatus.WITHDRAWN),
    disbursement.DisbursementPrepared: _prepared,
    disbursement.DisbursementChecked: _checked,
    disbursement.LoanDisbursed: _disbursed,
    disbursement.DisbursementReturned: _becomes(LoanStatus.RETURNED),
    disbursement.UseOfFundsBreached: _misused,
    disbursement.MisuseEnded: _told,
    arrears.LoanClassified: _classified,
    disbursement.TranchesPlanned: lambda _, e: {"tranches": e.tranches},
    disbursement.TrancheDisbursed: _tranche_disbursed,
    disbursement.TrancheReturned: _tranche_returned,
    servicing.PaymentReceived: _told,
    servicing.PaymentAllocated: _result,
    servicing.PaymentReversed: _taken_back("payment_id"),
    servicing.AllocationsRestated: _result,
    servicing.ScheduleChanged: _result,
    servicing.PenaltyInterestCharged: _penalised,
    servicing.ChargeAssessed: _told,
    servicing.ChargeCapped: lambda loan, e: {"capped": (*loan.capped, e)},
    servicing.InstalmentFeesChanged: lambda loan, e: {
        "fees_asked": instalment_fees.after(loan.fees_asked, e.changes)
    },
    servicing.ChargeReversed: _taken_back("charge_id"),
    servicing.ChargeWaived: _told,
    servicing.CreditBalanceRefunded: _told,
    crediting.GoodwillCredited: _told,
    crediting.RefundReceived: _told,
    crediting.InterestRefunded: _told,
    crediting.ChargeAdjusted: _told,
    crediting.ChargedBack: _charged_back,
    crediting.ChargebackReversed: _chargeback_reversed,
    **INCOME,
    arrears.PaymentMissed: _missed,
    arrears.ArrearsCured: _cured,
    arrears.DelinquencyBucketChanged: _bucket,
    arrears.DelinquencyPaused: lambda loan, e: {"count_pauses": (*loan.count_pauses, e)},
    changes.RateChanged: lambda loan, e: {
        "timeline": _recorded(loan, e),
        "rate_annual": e.rate_annual,
    },
    changes.RateRepriced: _repriced,
    changes.InterestPaused: _told,
    changes.TermExtended: _told,
    changes.GraceGranted: _told,
    changes.DueDateMoved: _told,
    changes.PaymentDeferred: _told,
    changes.LoanReaged: _re_aged,
    changes.LoanReamortized: _told,
    ending.LoanRestructured: _restructured,
    ending.LoanChargedOff: _charged_off,
    ending.RecoveryReceived: _recovered,
    ending.ChargeOffReversed: _charge_off_reversed,
    ending.ContractTerminated: lambda loan, e: {
        "timeline": _recorded(loan, e),
        "terminated_on": e.effective_on,
    },
    ending.LoanWrittenOff: _written_off,
    undoing.ReagingReversed: _re_ageing_reversed,
    undoing.ReamortizationReversed: _taken_back("re_amortisation_id"),
    undoing.TerminationReversed: lambda loan, e: {
        "timeline": _recorded(loan, e),
        "terminated_on": None,
    },
    ending.LoanSettled: _becomes(LoanStatus.SETTLED),
    ending.LoanReopened: lambda loan, _: {
        "status": LoanStatus.CHARGED_OFF if loan.charged_off else LoanStatus.ACTIVE
    },
}

_NOTED: tuple[type[Event], ...] = (
    app.DocumentVerified,
    app.DocumentFlagged,
    app.BureauReportReceived,
    app.CreditProfileAssessed,
    app.PolicyEvaluated,
    app.TermsRecommended,
    app.DecisionOverridden,
    disbursement.UseOfFundsDeclared,
    disbursement.UseEvidenceRecorded,
    arrears.WarningRaised,
    arrears.WarningClosed,
)
"""Events that no decision asks about: they are history for audit and projections."""

_CHANGES.update(dict.fromkeys(_NOTED, lambda _loan, _event: {}))
