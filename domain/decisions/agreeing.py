"""Decisions on what is agreed of a loan's own beside amount, price and number of instalments.

The product says what may be agreed. What cannot be kept is refused with the approval, or with the
payout where it depends on the day of it. Sources: domain rules 9.2 P-15, P-40.
"""

from dataclasses import replace
from datetime import date

from domain.commands.application import ReviewLoan
from domain.commands.disbursement import DisburseLoan
from domain.decisions.guards import approved
from domain.errors import Rejected
from domain.loan.state import Loan
from domain.loan.terms import Conditions, Terms


def with_agreed(conditions: Conditions, terms: Terms, command: ReviewLoan) -> Terms:
    """Return terms with what an approval agrees of the loan's own."""
    return replace(
        terms,
        due_day=_due_day(conditions, command.due_day),
        first_due_on=_first_due_on(conditions, command),
    )


def _due_day(conditions: Conditions, day: int | None) -> int | None:
    """Return the day of the month that instalments fall due on (固定还款日)."""
    days = conditions.due_days
    if days is None:
        if day is not None:
            raise Rejected("due_day_not_offered", "due dates follow the payout", "due_day")
        return None
    if day is None and days.earliest == days.latest:
        return days.earliest
    if day is None:
        raise Rejected("due_day_missing", "an approval states the day of the month", "due_day")
    if not days.earliest <= day <= days.latest:
        detail = f"the product allows the days {days.earliest} to {days.latest}"
        raise Rejected("due_day_outside_product", detail, "due_day")
    return day


def _first_due_on(conditions: Conditions, command: ReviewLoan) -> date | None:
    """Return a first due date that is agreed; how far from the payout, is seen with the payout."""
    on = command.first_due_on
    if on is None:
        return None
    _require_own_first_due(conditions)
    if on <= command.effective_on:
        detail = "the first instalment is due after the approval"
        raise Rejected("first_due_too_early", detail, "first_due_on")
    return on


def _require_own_first_due(conditions: Conditions) -> None:
    if conditions.full_term_tranches:
        raise Rejected("not_offered", "each tranche has its own full term", "first_due_on")
    if conditions.due_days is not None:
        raise Rejected("dates_given_twice", "the due day says the first date", "first_due_on")


def first_due_of(loan: Loan, command: DisburseLoan) -> date | None:
    """Return the first due date agreed with the approval or the payout; None: a regular one.

    Raises Rejected: `first_due_agreed`, `first_due_too_early`, `first_due_outside_product`,
    `dates_given_twice`, `not_offered`.
    """
    before, conditions = approved(loan).first_due_on, loan.conditions
    on = command.first_due_on or before
    if on is None:
        return None
    _require_own_first_due(conditions)
    if before not in {None, on}:
        raise Rejected("first_due_agreed", f"{before} was approved", "first_due_on")
    days = (on - command.effective_on).days
    if days < 1:
        raise Rejected(
            "first_due_too_early", "the first instalment is due after the payout", "first_due_on"
        )
    fewest, most = conditions.first_due_days_min, conditions.first_due_days_max
    if not fewest <= days <= most:
        detail = f"the product allows {fewest} to {most} days after the payout"
        raise Rejected("first_due_outside_product", detail, "first_due_on")
    return on
