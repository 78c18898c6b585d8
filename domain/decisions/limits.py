"""Decisions on how much is approved: above what was applied for, and changed afterwards (调额).

Sources: domain rules 9.2 P-06, P-54; 9.4 C-07; 8 (a lower limit is adverse action).
"""

from dataclasses import replace
from decimal import Decimal

from domain.commands import application as c
from domain.context import Context
from domain.decisions.agreeing import require_served
from domain.decisions.guards import (
    require_contract,
    require_not_ahead,
    require_not_charged_off,
    require_reason,
    require_status,
)
from domain.errors import Rejected
from domain.events import application as e
from domain.events.registry import Event
from domain.loan.deferring import capitalised_minor
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Conditions, RepaymentMethod
from domain.money import AMOUNT_MINOR_MAX, to_minor

BEFORE_THE_MONEY = (LoanStatus.APPROVED, LoanStatus.ACCEPTED)
PERCENT_MAX = Decimal(1_000)


def require_amount_offered(conditions: Conditions, amount_minor: int) -> None:
    """Refuse an amount that the product does not lend (P-06)."""
    if not conditions.amount_min_minor <= amount_minor <= conditions.amount_max_minor:
        raise Rejected(
            "amount_outside_product",
            f"the product lends {conditions.amount_min_minor}..{conditions.amount_max_minor} "
            f"minor units of {conditions.currency}",
            "amount",
        )


def require_within_applied(loan: Loan, amount_minor: int) -> None:
    """Refuse to approve more than was applied for, but for what the product allows (P-54)."""
    conditions, applied = loan.conditions, loan.amount_minor
    share = to_minor(applied * conditions.over_applied_percent / 100)
    most = applied + max(conditions.over_applied_minor, share)
    if amount_minor > most:
        raise Rejected("above_applied", f"{applied} were applied for, {most} may be", "amount")


def require_sound_over_applied(conditions: Conditions) -> None:
    """Refuse an allowance that is negative, or given as an amount and as a share."""
    if not 0 <= conditions.over_applied_minor <= AMOUNT_MINOR_MAX:
        raise Rejected("bad_bounds", "not below zero", "over_applied")
    if not 0 <= conditions.over_applied_percent <= PERCENT_MAX:
        raise Rejected("bad_bounds", f"0 to {PERCENT_MAX}", "over_applied_percent")
    if conditions.over_applied_minor and conditions.over_applied_percent:
        raise Rejected("not_used", "an amount is given too", "over_applied_percent")


def change_approved_amount(
    loan: Loan, command: c.ChangeApprovedAmount, context: Context
) -> list[Event]:
    """Approve another amount (C-07): not below what went out in parts, or is planned to.

    The limit of a revolving loan may be lowered below what is drawn: then nothing is drawn until it
    is back under it. It may be raised above what was applied for, up to what the product lends.
    """
    _require_open(loan)
    require_not_ahead(command.effective_on, context)
    require_reason(context)
    require_amount_offered(loan.conditions, command.amount_minor)
    if loan.conditions.method is not RepaymentMethod.REVOLVING:
        require_within_applied(loan, command.amount_minor)
        _require_above_what_goes_out(loan, command.amount_minor)
    assert loan.terms is not None, "an approved loan has terms"
    before = loan.terms.principal_minor
    if command.amount_minor == before:
        raise Rejected("unchanged", "this is the approved amount", "amount")
    _require_agreed_kept(loan, command)
    return [
        e.ApprovedAmountChanged(
            effective_on=command.effective_on,
            amount_minor=command.amount_minor,
            before_minor=before,
        )
    ]


def _require_agreed_kept(loan: Loan, command: c.ChangeApprovedAmount) -> None:
    """Refuse an amount that the instalments agreed with the approval do not repay."""
    assert loan.terms is not None, "an approved loan has terms"
    custom = loan.terms.custom
    if custom and custom[-1].principal_minor is not None:
        raise Rejected("custom_inconsistent", "the agreed rows come to another amount", "amount")
    terms = replace(loan.terms, principal_minor=command.amount_minor)
    require_served(loan.conditions, terms, loan.disbursed_on or command.effective_on)


def _require_open(loan: Loan) -> None:
    once = loan.conditions.payouts_max == 1
    require_status(
        loan,
        BEFORE_THE_MONEY if once else (*BEFORE_THE_MONEY, LoanStatus.ACTIVE, LoanStatus.SETTLED),
    )
    require_contract(loan)
    require_not_charged_off(loan)


def _require_above_what_goes_out(loan: Loan, amount_minor: int) -> None:
    planned = sum(one.amount_minor for one in loan.tranches)
    lent = loan.paid_out_minor + capitalised_minor(loan)
    if amount_minor < lent:
        raise Rejected("below_paid_out", f"{lent} went out already", "amount")
    if amount_minor < lent + planned:
        raise Rejected("below_planned", f"{planned} more are planned to go out", "amount")
