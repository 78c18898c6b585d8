"""Decisions on what is agreed of a loan's own beside amount, price and number of instalments.

The product says what may be agreed. What cannot be kept is refused with the approval, or with the
payout where it depends on the day of it; codes and reasons are then the engine's
(`domain.servicing.soundness`). Sources: domain rules 9.2 P-11, P-14, P-15, P-18, P-50; 5.1.
"""

from dataclasses import replace
from datetime import date

from domain.commands.application import ReviewLoan
from domain.commands.disbursement import DisburseLoan
from domain.decisions.guards import approved
from domain.decisions.plans import require_rate
from domain.errors import Rejected
from domain.loan.contract import loan_terms
from domain.loan.down_payment import due_at_once
from domain.loan.state import Loan
from domain.loan.terms import Conditions, CustomInstalment, RateStep, RepaymentMethod, Terms

GIVEN = frozenset({RepaymentMethod.FIXED_INSTALMENT, RepaymentMethod.CUSTOM})
"""Methods whose instalments are agreed and not solved."""
_FIELDS = {"instalment_minor": "instalment", "principal_minor": "amount"}


def with_agreed(conditions: Conditions, terms: Terms, command: ReviewLoan) -> Terms:
    """Return terms with what an approval agrees of the loan's own.

    It is judged as if the money went out on the day of the approval.
    """
    at_once = due_at_once(conditions, terms, terms.principal_minor, command.effective_on)
    agreed = replace(
        terms,
        due_day=_due_day(conditions, command.due_day),
        first_due_on=_first_due_on(conditions, command),
        instalment_minor=command.instalment_minor,
        custom=_adding_up(command.custom, terms.principal_minor - at_once),
        rate_steps=_within_product(conditions, command.rate_steps),
    )
    require_served(conditions, agreed, command.effective_on)
    return agreed


def require_served(
    conditions: Conditions, terms: Terms, on: date, first_due_on: date | None = None
) -> None:
    """Refuse instalments and rates of a loan's own that cannot be kept from a payout on a day."""
    own = terms.instalment_minor is not None or terms.custom or terms.rate_steps
    if not own and conditions.method not in GIVEN:
        return  # as any loan of the product, which was judged when it was defined
    first = first_due_on or terms.first_due_on
    served = loan_terms(conditions, terms, from_on=on, first_due_on=first)
    for no in served.validate():
        raise Rejected(no.code, no.reason, _FIELDS.get(no.field, no.field))


def _adding_up(
    rows: tuple[CustomInstalment, ...], principal_minor: int
) -> tuple[CustomInstalment, ...]:
    """Return a schedule of the loan's own; all of its principal is what is lent (P-50).

    Less a down payment: that is due beside it.
    """
    parts = [row.principal_minor for row in rows]
    if rows and None not in parts:
        total = sum(part for part in parts if part is not None)
        if total != principal_minor:
            detail = f"the rows come to {total} of {principal_minor}"
            raise Rejected("custom_inconsistent", detail, "custom")
    return rows


def _within_product(conditions: Conditions, steps: tuple[RateStep, ...]) -> tuple[RateStep, ...]:
    """Return steps of the rate that are as many and as high as the product allows (P-18)."""
    if len(steps) > conditions.rate_steps_max:
        detail = f"the product allows {conditions.rate_steps_max} steps of the rate"
        raise Rejected("too_many_rate_steps", detail, "rate_steps")
    for step in steps:
        require_rate(conditions, step.rate_annual, "rate_steps")
    return steps


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
