"""Terms changed on the way: rate, pause, length, plan. What follows is a result of its own."""

from datetime import date
from decimal import Decimal

from domain.events.registry import Event, event
from domain.loan.plan_summary import PlanSummary
from domain.servicing.re_ageing_guard import Programme
from domain.servicing.values import ReAgeInterest, ReAmortiseInterest, Unit


@event("loan.rate_changed.v1")
class RateChanged(Event):
    """Another annual rate is in force from the value date on."""

    change_id: str
    rate_annual: Decimal
    rate_annual_before: Decimal


@event("loan.rate_repriced.v1")
class RateRepriced(Event):
    """A reset date came: the rate is the latest value published by then, plus the spread.

    A second one of the same date takes a corrected, or late, value in the place of the first.
    """

    repricing_id: str
    reference: str  # such as LPR-5Y
    value: Decimal  # of the reference, fraction per year
    published_on: date
    spread_bps: int  # basis points on the reference
    rate_annual_before: Decimal
    rate_annual: Decimal  # within the product's floor and cap


@event("loan.interest_paused.v1")
class InterestPaused(Event):
    """Nothing is earned from the value date to a day, both included."""

    change_id: str
    until_on: date


@event("loan.term_extended.v1")
class TermExtended(Event):
    """Instalments were added at the end."""

    change_id: str
    instalments: int
    closed_days: tuple[date, ...] = ()  # that their due dates met and were moved off


@event("loan.due_date_moved.v1")
class DueDateMoved(Event):
    """An instalment falls due on another day; those after it follow month by month."""

    change_id: str
    instalment: int
    due_on_before: date
    due_on: date
    closed_days: tuple[date, ...] = ()  # that the due dates after it met and were moved off


@event("loan.payment_deferred.v1")
class PaymentDeferred(Event):
    """The next instalment falls due months later, and all after it; interest runs on."""

    change_id: str
    instalment: int
    months: int
    due_on_before: date
    due_on: date
    closed_days: tuple[date, ...] = ()  # that the due dates after it met and were moved off


@event("loan.grace_granted.v1")
class GraceGranted(Event):
    """From an instalment on some ask for no principal, or for no interest."""

    change_id: str
    instalment: int  # the first one under the grace
    due_on: date  # of that one
    principal: int  # how many ask for no principal; as many were added at the end
    interest: int  # how many ask for no interest; the next one after asks for it
    closed_days: tuple[date, ...] = ()  # that due dates of those added met and were moved off


@event("loan.reaged.v1")
class LoanReaged(Event):
    """All that was unpaid moved to new instalments, under a policy's guard (rule RAG-1)."""

    re_age_id: str
    first_due_on: date
    instalments: int
    interest: ReAgeInterest
    programme: Programme
    policy_version: str  # of the guard that let it pass
    principal_minor: int  # that moved
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    waived_interest_minor: int
    before: PlanSummary
    after: PlanSummary
    repayment_every: int = 1  # units between the new due dates
    repayment_unit: Unit = Unit.MONTHS


@event("loan.reamortized.v1")
class LoanReamortized(Event):
    """What was past due is spread over the instalments to come."""

    re_amortisation_id: str
    interest: ReAmortiseInterest
    principal_minor: int  # that is spread
    interest_minor: int
    waived_interest_minor: int
