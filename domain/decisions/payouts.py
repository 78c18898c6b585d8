"""Decisions on payouts after the first: how much may go out, tranches and draws, their return.

Sources: domain rules 9.2 P-13, P-52; 9.4 C-05, C-06.
"""

from datetime import date

from domain.commands import disbursement as c
from domain.context import Context
from domain.decisions.down_payments import down_payment_due, given_back, taken_with
from domain.decisions.guards import (
    approved,
    require_contract,
    require_new_fact,
    require_not_charged_off,
    require_status,
    require_value_date,
)
from domain.decisions.payout_fees import fees_of
from domain.decisions.results import changed, less_credit, recorded, restated, settled
from domain.errors import Rejected
from domain.events import disbursement as e
from domain.events import ending
from domain.events.registry import Event
from domain.loan.evolve import fold
from domain.loan.facts import fact_of
from domain.loan.headroom import matured, room
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import PlannedTranche, RepaymentMethod
from domain.servicing.facts import DueDateMoved, TermExtended
from domain.servicing.timeline import Timeline


def in_one_payout(loan: Loan) -> bool:
    """Whether all that was approved goes out at once."""
    return loan.conditions.payouts_max == 1


def require_payable(loan: Loan, amount_minor: int, on: date) -> None:
    """Refuse a payout that is not the approved amount, or does not fit into it (P-13, P-52)."""
    principal = approved(loan).principal_minor
    if in_one_payout(loan):
        less = loan.conditions.capitalised_income is not None  # income may take the rest
        if amount_minor != principal and not (less and amount_minor < principal):
            raise Rejected("amount_not_approved", f"approved are {principal} minor units", "amount")
        return
    require_not_matured(loan, on)
    most = loan.conditions.payouts_max
    if loan.payouts >= most:
        raise Rejected("too_many_payouts", f"the product allows {most} payouts", "disbursement_id")
    _require_fits(loan, amount_minor, on)


def require_room(loan: Loan, amount_minor: int, on: date) -> None:
    """Refuse more principal than was approved, whatever it comes from (P-13, S-27)."""
    require_not_matured(loan, on)
    _require_fits(loan, amount_minor, on)


def require_not_matured(loan: Loan, on: date) -> None:
    """Refuse what would have to be repaid, or earned, after the last instalment is due."""
    if matured(loan, on):
        raise Rejected(
            "after_maturity", f"the loan matures on {loan.rows[-1].due_on}", "effective_on"
        )


def _require_fits(loan: Loan, amount_minor: int, on: date) -> None:
    found = room(loan, on)
    cap = loan.conditions.outstanding_max_minor
    if cap is not None and found.outstanding_minor + amount_minor > cap:
        detail = f"{found.outstanding_minor} are outstanding of at most {cap}"
        raise Rejected("above_outstanding_max", detail, "amount")
    if amount_minor > found.left_minor:
        revolves = loan.conditions.method is RepaymentMethod.REVOLVING
        detail = f"{found.left_minor} minor units of {found.limit_minor} are left"
        raise Rejected("limit_exceeded" if revolves else "above_approved", detail, "amount")


def require_open_to_payouts(loan: Loan) -> None:
    """Refuse a payout on a loan that was not accepted or has ended, or a second one of a whole."""
    if in_one_payout(loan):
        require_status(loan, (LoanStatus.ACCEPTED,))
        return
    require_status(loan, (LoanStatus.ACCEPTED, LoanStatus.ACTIVE, LoanStatus.SETTLED))
    require_contract(loan)
    require_not_charged_off(loan)


def disburse_more(
    loan: Loan, command: c.DisburseLoan, tranche: PlannedTranche | None, context: Context
) -> list[Event]:
    """Pay out a tranche or a draw: instalments from its day on are solved anew (rule DSB-1).

    Whether it may go out at all was asked before. A settled loan is reopened by it; credit of the
    borrower's pays it first.
    """
    on = command.effective_on
    timeline = require_value_date(loan, on, context)
    require_new_fact(loan, command.disbursement_id, "disbursement_id")
    if command.first_due_on is not None:
        raise Rejected("due_dates_known", "the first payout set the due dates", "first_due_on")
    _require_own_term(loan, timeline)
    told = e.TrancheDisbursed(
        effective_on=on,
        disbursement_id=command.disbursement_id,
        amount_minor=command.amount_minor,
        principal_minor=command.amount_minor,
        interest_minor=0,
        fee_minor=0,
        penalty_minor=0,
        overpaid_minor=0,
        tranche=tranche,
        fees=fees_of(loan, command.amount_minor),
        down_payment_minor=down_payment_due(
            loan, command.disbursement_id, command.amount_minor, on
        ),
    )
    booked = recorded(loan, timeline, fact_of(told))
    told = less_credit(told, booked)
    events: list[Event] = [told, changed(booked, told.disbursement_id, on)]
    if loan.status is LoanStatus.SETTLED and booked.balances.owed_minor > 0:
        events.append(ending.LoanReopened(effective_on=on, cause_id=told.disbursement_id))
    return [*events, *taken_with(fold(loan, events), told)]


def _require_own_term(loan: Loan, timeline: Timeline) -> None:
    """Refuse a full-term tranche once due dates follow no regular cycle any more."""
    if not loan.conditions.full_term_tranches:
        return
    moved = any(isinstance(fact, DueDateMoved | TermExtended) for fact in timeline.facts)
    if moved or loan.replanned_on:
        raise Rejected("due_dates_changed_since", "its full term has no regular due dates any more")


def return_tranche(loan: Loan, command: c.ReturnDisbursement, context: Context) -> list[Event]:
    """Take the last payout back, from its own day on, if nothing followed it (C-06)."""
    require_status(loan, (LoanStatus.ACTIVE, LoanStatus.SETTLED))
    require_contract(loan)
    require_value_date(loan, command.effective_on, context)
    before = given_back(loan, command)
    loan = fold(loan, before)
    timeline = loan.timeline
    assert timeline is not None, "a loan with a tranche has a time line"
    last = _require_last_payout(loan, timeline, command)
    told = e.TrancheReturned(
        effective_on=command.effective_on,
        disbursement_id=last.disbursement_id,
        amount_minor=last.amount_minor,
        principal_minor=last.principal_minor,
        interest_minor=last.interest_minor,
        fee_minor=last.fee_minor,
        penalty_minor=last.penalty_minor,
        overpaid_minor=last.overpaid_minor,
        tranche=last.tranche,
        fees=last.fees,
        down_payment_minor=last.down_payment_minor,
        cause=command.cause,
    )
    booked = recorded(loan, timeline, fact_of(told))
    on = told.effective_on
    result = restated(booked, last.disbursement_id, on, since_on=last.effective_on)
    return [*before, told, result, *settled(loan, booked, on, "paid")]


def _require_last_payout(
    loan: Loan, timeline: Timeline, command: c.ReturnDisbursement
) -> e.TrancheDisbursed:
    last = loan.tranches_out[-1]
    if last.disbursement_id != command.disbursement_id:
        known = timeline.find(command.disbursement_id)
        if known is None:
            raise Rejected("unknown_disbursement", "there is no such payout", "disbursement_id")
        raise Rejected(
            "not_last_payout", f"{last.disbursement_id} went out after it", "disbursement_id"
        )
    newest = timeline.newest
    if newest is None or newest.id != last.disbursement_id:
        raise Rejected("already_serviced", "payments or charges have been booked since")
    if command.effective_on < last.effective_on:
        raise Rejected(
            "before_disbursement", f"the payout was on {last.effective_on}", "effective_on"
        )
    return last
