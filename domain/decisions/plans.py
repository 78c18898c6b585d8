"""What decisions on a new plan share: its bounds, and how it looked before and after."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from domain.calendar import HolidayCalendar
from domain.errors import Rejected
from domain.loan.arrears import days_past_due, overdue
from domain.loan.booking import Booked
from domain.loan.contract import loan_terms
from domain.loan.instalments import Instalment, merge
from domain.loan.plan_summary import PlanSummary
from domain.loan.state import Loan
from domain.loan.terms import Conditions, Terms
from domain.servicing.dates import closed_days
from domain.servicing.facts import Paid
from domain.servicing.timeline import Timeline

FIRST_DUE_DAYS_MAX = 366
"""A new plan begins within a year: a later first due date is a typing error."""


def require_first_due(first_due_on: date, on: date) -> None:
    """Refuse a first due date that does not lie ahead, or lies too far."""
    if first_due_on <= on:
        raise Rejected("first_due_too_early", "the first due date lies ahead", "first_due_on")
    if first_due_on > on + timedelta(days=FIRST_DUE_DAYS_MAX):
        raise Rejected(
            "first_due_too_late", f"at most {FIRST_DUE_DAYS_MAX} days ahead", "first_due_on"
        )


def require_instalments(loan: Loan, instalments: int) -> None:
    """Refuse a number of new instalments that the product does not allow."""
    fewest, most = loan.conditions.instalments_min, loan.conditions.instalments_max
    if not fewest <= instalments <= most:
        detail = f"the product allows {fewest}..{most} instalments"
        raise Rejected("instalments_outside_product", detail, "instalments")


def require_rate(conditions: Conditions, rate_annual: Decimal, field: str = "rate_annual") -> None:
    """Refuse a rate that the product does not allow."""
    most = conditions.rate_annual_max
    if not 0 <= rate_annual <= most:
        raise Rejected("rate_outside_product", f"the product allows up to {most} a year", field)


def closed_days_of(
    loan: Loan, terms: Terms, on: date, first_due_on: date | None, calendar: HolidayCalendar | None
) -> tuple[date, ...]:
    """Return the closed days that the due dates of a plan begun on a day meet; () without any."""
    if calendar is None:
        return ()
    agreed = loan_terms(loan.conditions, terms, from_on=on, first_due_on=first_due_on)
    return closed_days(agreed, on, calendar)


def require_fixed_rate(loan: Loan) -> None:
    """Refuse another rate where the rate follows a reference: it moves on reset dates only."""
    if loan.conditions.floating is not None:
        detail = f"the rate follows {loan.conditions.floating.reference}"
        raise Rejected("rate_floats", detail, "rate_annual")


def require_no_observed_split(timeline: Timeline) -> None:
    """Refuse to plan anew what an upstream system plans."""
    if any(isinstance(fact, Paid) and fact.split is not None for fact in timeline.facts):
        raise Rejected(
            "upstream_allocates", "the source of the payments' parts also says the loan's terms"
        )


def rate_of(loan: Loan, on: date) -> Decimal:
    """Return the annual rate in force on a day."""
    terms, timeline = loan.terms, loan.timeline
    if terms is not None and terms.rate_steps and timeline is not None:
        return rate_on(timeline, on)
    agreed = Decimal(0) if terms is None else terms.rate_annual
    return agreed if loan.rate_annual is None else loan.rate_annual


def rate_on(timeline: Timeline, on: date) -> Decimal:
    """Return the rate in force on a day, by the facts effective by then."""
    return timeline.read(lambda ledger: ledger.plan.rate_on(ledger.terms.counts_from(on)), on)


def plan_summary(
    loan: Loan, rows: Sequence[Instalment], on: date, rate_annual: Decimal
) -> PlanSummary:
    """Say in a line how rows stand on a day."""
    late = overdue(rows, on, loan.conditions)
    return PlanSummary(
        instalments_left=sum(1 for row in rows if row.met_on is None),
        rate_annual=rate_annual,
        last_due_on=rows[-1].due_on,
        owed_minor=sum(row.unpaid_minor for row in rows),
        days_past_due=days_past_due(late, on),
    )


def rows_after(loan: Loan, booked: Booked) -> tuple[Instalment, ...]:
    """Return the rows as they will be published."""
    return merge(loan.rows, booked.changed, booked.rows_total)


def waived_interest(loan: Loan, booked: Booked) -> int:
    """Return how much more interest is given up on the rows than before, minor units."""
    before = sum(row.interest_waived_minor for row in loan.rows)
    return sum(row.interest_waived_minor for row in rows_after(loan, booked)) - before
