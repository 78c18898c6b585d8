"""Decisions on the plan of payouts: which tranches are expected, and which one a payout is.

Sources: domain rules 9.2 P-52, P-53; 9.4 C-03, C-08.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from domain.commands import disbursement as c
from domain.context import Context
from domain.decisions.guards import (
    require_amount,
    require_contract,
    require_not_ahead,
    require_not_charged_off,
    require_status,
)
from domain.errors import Rejected
from domain.events import disbursement as e
from domain.events.registry import Event
from domain.loan.deferring import capitalised_minor
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Conditions, PayoutPlan, PlannedTranche


def require_plan(
    conditions: Conditions, tranches: Sequence[PlannedTranche], amount_minor: int, on: date
) -> tuple[PlannedTranche, ...]:
    """Return tranches by date; refuse a plan of a product without one, or that cannot be kept.

    `amount_minor`: what they may sum to; less than it may be planned. None lies before `on`.
    """
    if not tranches:
        return ()
    if conditions.payout_plan is PayoutPlan.NONE:
        raise Rejected("tranches_not_planned", "the product plans no payouts", "tranches")
    if len(tranches) > conditions.payouts_max:
        most = conditions.payouts_max
        raise Rejected("too_many_tranches", f"the product allows {most} payouts", "tranches")
    repeated = [name for name, n in Counter(one.tranche_id for one in tranches).items() if n > 1]
    if repeated:
        raise Rejected("tranche_repeated", f"{repeated[0]} stands there twice", "tranches")
    for one in tranches:
        require_amount(one.amount_minor, "tranches")
        if one.expected_on < on:
            raise Rejected("tranche_in_past", f"{one.tranche_id} is before {on}", "tranches")
    planned = sum(one.amount_minor for one in tranches)
    if planned > amount_minor:
        detail = f"{planned} are planned and {amount_minor} are left to pay out"
        raise Rejected("above_approved", detail, "tranches")
    return tuple(sorted(tranches, key=lambda one: one.expected_on))


def plan_tranches(loan: Loan, command: c.PlanTranches, context: Context) -> list[Event]:
    """Put a plan in the place of what was expected: tranches added, changed, dropped (C-08)."""
    require_status(
        loan,
        (LoanStatus.APPROVED, LoanStatus.ACCEPTED, LoanStatus.ACTIVE, LoanStatus.SETTLED),
    )
    require_contract(loan)
    require_not_charged_off(loan)
    require_not_ahead(command.effective_on, context)
    if loan.conditions.payout_plan is PayoutPlan.NONE:
        raise Rejected("tranches_not_planned", "the product plans no payouts", "tranches")
    assert loan.terms is not None, "an approved loan has terms"
    left = loan.terms.principal_minor - loan.paid_out_minor - capitalised_minor(loan)
    planned = require_plan(loan.conditions, command.tranches, left, command.effective_on)
    _require_room(loan, planned)
    if planned == loan.tranches:
        raise Rejected("unchanged", "this is the plan in force", "tranches")
    return [
        e.TranchesPlanned(effective_on=command.effective_on, tranches=planned, before=loan.tranches)
    ]


def _require_room(loan: Loan, planned: Sequence[PlannedTranche]) -> None:
    """Refuse more tranches than payouts are left, and ids of tranches that went out."""
    left = loan.conditions.payouts_max - loan.payouts
    if len(planned) > left:
        raise Rejected("too_many_tranches", f"{left} payouts are left", "tranches")
    for one in planned:
        if one.tranche_id in loan.tranches_paid:
            raise Rejected("tranche_paid_out", f"{one.tranche_id} went out already", "tranches")


def require_tranche(loan: Loan, tranche_id: str | None, amount_minor: int) -> PlannedTranche | None:
    """Return the tranche that a payout is; None: the product plans none. Another is refused."""
    if loan.conditions.payout_plan is PayoutPlan.NONE:
        if tranche_id is not None:
            raise Rejected("tranches_not_planned", "the product plans no payouts", "tranche_id")
        return None
    if tranche_id is None:
        raise Rejected("tranche_missing", "each payout is a tranche of the plan", "tranche_id")
    if tranche_id in loan.tranches_paid:
        raise Rejected("tranche_paid_out", "this tranche went out already", "tranche_id")
    planned = next((one for one in loan.tranches if one.tranche_id == tranche_id), None)
    if planned is None:
        raise Rejected("unknown_tranche", "the plan has no such tranche", "tranche_id")
    if amount_minor != planned.amount_minor:
        detail = f"the tranche is of {planned.amount_minor}; plan it anew first"
        raise Rejected("amount_not_planned", detail, "amount")
    return planned
