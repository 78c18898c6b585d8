"""Decisions around the payout: the four-eyes check, disbursement, return, use of funds.

What goes out after the first payout stands in `payouts`.
"""

import json
from dataclasses import replace
from hashlib import sha256

from domain.actors import ActorKind
from domain.commands import disbursement as c
from domain.context import Context
from domain.decisions.agreeing import first_due_of, require_served
from domain.decisions.down_payments import down_payment_due, given_back, taken_with
from domain.decisions.guards import approved, require_amount, require_not_ahead, require_status
from domain.decisions.instalment_fees import require_fees_disclosed
from domain.decisions.payout_fees import fees_of
from domain.decisions.payouts import (
    disburse_more,
    require_open_to_payouts,
    require_payable,
    return_tranche,
)
from domain.decisions.plans import closed_days_of
from domain.decisions.tranches import require_tranche
from domain.errors import Rejected
from domain.events import disbursement as e
from domain.events.registry import Event
from domain.loan.booking import standing
from domain.loan.evolve import fold
from domain.loan.facts import begin
from domain.loan.instalments import Balances
from domain.loan.state import OPEN, Loan, LoanStatus, Preparation
from domain.servicing.values import ENGINE_VERSION

REQUIRED_CHECKS = frozenset({"payee_name", "payee_account", "contract", "terms", "conditions"})
"""What the checker must have looked at (放款复核, row 8 of the brief)."""


_SINCE_APPLICATION = (
    LoanStatus.APPLIED,
    LoanStatus.REFERRED,
    LoanStatus.APPROVED,
    LoanStatus.ACCEPTED,
    *OPEN,
)


def payload_hash(command: c.PrepareDisbursement) -> str:
    """Fingerprint exactly what was prepared; the checker approves this and nothing else."""
    payload = {
        "amount_minor": command.amount_minor,
        "disbursement_id": command.disbursement_id,
        "loan_id": command.loan_id,
        "payee_account_hash": command.payee_account_hash,
    }
    if command.tranche_id is not None:
        payload["tranche_id"] = command.tranche_id
    return sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def prepare(loan: Loan, command: c.PrepareDisbursement, context: Context) -> list[Event]:
    """Lay out a payout. Preparing again replaces the preparation and voids its check."""
    require_open_to_payouts(loan)
    require_not_ahead(command.effective_on, context)
    require_amount(command.amount_minor)
    require_payable(loan, command.amount_minor, command.effective_on)
    require_tranche(loan, command.tranche_id, command.amount_minor)
    return [
        e.DisbursementPrepared(
            effective_on=command.effective_on,
            disbursement_id=command.disbursement_id,
            amount_minor=command.amount_minor,
            payee_account_hash=command.payee_account_hash,
            payload_hash=payload_hash(command),
            prepared_by=context.actor.id,
            tranche_id=command.tranche_id,
        )
    ]


def check(loan: Loan, command: c.CheckDisbursement, context: Context) -> list[Event]:
    """Take the second pair of eyes: another person, with authority, on the exact payload."""
    require_open_to_payouts(loan)
    require_not_ahead(command.effective_on, context)
    preparation = _preparation(loan, command.disbursement_id)
    if context.actor.id == preparation.prepared_by:
        raise Rejected("checker_is_maker", "who prepared a payout may not check it")
    if command.payload_hash != preparation.payload_hash:
        raise Rejected(
            "payload_changed", "this is not what was prepared; look again", "payload_hash"
        )
    _require_authority(context, preparation.amount_minor)
    missing = sorted(REQUIRED_CHECKS - set(command.checks))
    if command.passed and missing:
        raise Rejected("checks_incomplete", f"not looked at: {', '.join(missing)}", "checks")
    return [
        e.DisbursementChecked(
            effective_on=command.effective_on,
            disbursement_id=command.disbursement_id,
            payload_hash=command.payload_hash,
            checks=command.checks,
            checked_by=context.actor.id,
            passed=command.passed,
        )
    ]


def _require_authority(context: Context, amount_minor: int) -> None:
    """Refuse a checker whose roles do not reach the amount.

    An upstream system has checked under its own rules and authorities.
    """
    if context.actor.kind is ActorKind.UPSTREAM:
        return
    limits = context.policies.check_limit_minor
    held = [limits[role] for role in context.actor.roles if role in limits]
    if not held:
        raise Rejected("no_authority", "checking a payout needs the role checker or senior_checker")
    if None not in held and max(limit for limit in held if limit is not None) < amount_minor:
        raise Rejected("authority_exceeded", "the amount is above your limit for checking")


def disburse(loan: Loan, command: c.DisburseLoan, context: Context) -> list[Event]:
    """Record that money went out: the first payout, which starts the schedule, or a further one."""
    require_open_to_payouts(loan)
    require_not_ahead(command.effective_on, context)
    require_amount(command.amount_minor)
    require_payable(loan, command.amount_minor, command.effective_on)
    tranche = require_tranche(loan, command.tranche_id, command.amount_minor)
    _require_checked(loan, command)
    if loan.status is not LoanStatus.ACCEPTED:
        return disburse_more(loan, command, tranche, context)
    first_due_on = first_due_of(loan, command)
    require_fees_disclosed(loan)
    on, amount = command.effective_on, command.amount_minor
    require_served(loan.conditions, approved(loan), command.effective_on, first_due_on)
    paid_out = e.LoanDisbursed(
        effective_on=command.effective_on,
        disbursement_id=command.disbursement_id,
        amount_minor=command.amount_minor,
        currency=loan.currency,
        first_due_on=first_due_on,
        instalments=(),
        balances=Balances(),
        engine_version=ENGINE_VERSION,
        tranche=tranche,
        fees=fees_of(loan, command.amount_minor),
        closed_days=closed_days_of(
            loan, approved(loan), command.effective_on, first_due_on, context.calendar
        ),
        down_payment_minor=down_payment_due(loan, command.disbursement_id, amount, on),
    )
    timeline = begin(loan.conditions, approved(loan), paid_out)
    planned = timeline.read(lambda ledger: standing(ledger, on))
    paid_out = replace(paid_out, instalments=planned.rows, balances=planned.balances)
    return [paid_out, *taken_with(fold(loan, [paid_out]), paid_out)]


def _require_checked(loan: Loan, command: c.DisburseLoan) -> None:
    """Refuse a payout that needs a second person and was not checked, or not this amount."""
    if command.amount_minor < loan.conditions.four_eyes_from_minor:
        return
    preparation = _preparation(loan, command.disbursement_id)
    if not preparation.checked:
        raise Rejected("not_checked", "a second person has not checked this payout")
    if command.amount_minor != preparation.amount_minor:
        raise Rejected("payload_changed", f"checked were {preparation.amount_minor}", "amount")
    if command.tranche_id != preparation.tranche_id:
        raise Rejected("payload_changed", "another tranche was checked", "tranche_id")


def return_disbursement(loan: Loan, command: c.ReturnDisbursement, context: Context) -> list[Event]:
    """Record that a payout came back; refused once a payment has come in since."""
    if loan.tranches_out:
        return return_tranche(loan, command, context)
    require_status(loan, (LoanStatus.ACTIVE,))
    require_not_ahead(command.effective_on, context)
    if loan.timeline is None:
        raise Rejected("not_disbursed", "no money has been paid out on this loan")
    before = given_back(loan, command)
    loan = fold(loan, before)
    assert loan.timeline is not None, "a reversal takes no time line away"
    paid_out, *serviced = loan.timeline.facts
    if serviced:
        raise Rejected("already_serviced", "payments or charges have been booked on this loan")
    if paid_out.id != command.disbursement_id:
        raise Rejected("unknown_disbursement", "there is no such payout", "disbursement_id")
    return [
        *before,
        e.DisbursementReturned(
            effective_on=command.effective_on,
            disbursement_id=command.disbursement_id,
            amount_minor=loan.balances.principal_minor,
            cause=command.cause,
            fees=loan.fees_taken,
        ),
    ]


def declare_use(loan: Loan, command: c.DeclareUseOfFunds, context: Context) -> list[Event]:
    """Record what the money is for."""
    require_status(loan, _SINCE_APPLICATION)
    require_not_ahead(command.effective_on, context)
    return [e.UseOfFundsDeclared(effective_on=command.effective_on, use=command.use)]


def record_use(loan: Loan, command: c.RecordUseEvidence, context: Context) -> list[Event]:
    """Record a proof of use."""
    require_status(loan, OPEN)
    require_not_ahead(command.effective_on, context)
    require_amount(command.amount_minor)
    return [
        e.UseEvidenceRecorded(
            effective_on=command.effective_on,
            evidence_id=command.evidence_id,
            kind=command.kind,
            amount_minor=command.amount_minor,
        )
    ]


def _preparation(loan: Loan, disbursement_id: str) -> Preparation:
    preparation = loan.preparation
    if preparation is None or preparation.disbursement_id != disbursement_id:
        raise Rejected("not_prepared", "no such payout was prepared", "disbursement_id")
    return preparation
