"""Commands that change the terms of a loan in service: its rate, its pauses, its plan."""

from datetime import date
from decimal import Decimal

from domain.commands.registry import LoanCommand, command
from domain.servicing.re_ageing_guard import Programme
from domain.servicing.values import ReAgeInterest, ReAmortiseInterest


@command("loan.change_rate")
class ChangeRate(LoanCommand):
    """Put another annual rate in force from the value date on; instalments are solved anew."""

    change_id: str
    rate_annual: Decimal  # fraction per year


@command("loan.pause_interest")
class PauseInterest(LoanCommand):
    """Let nothing be earned from the value date on (停息)."""

    change_id: str
    until_on: date  # the last day that earns nothing


@command("loan.extend_term")
class ExtendTerm(LoanCommand):
    """Add instalments at the end; those still open are solved anew (展期)."""

    change_id: str
    instalments: int  # how many are added


@command("loan.move_due_date")
class MoveDueDate(LoanCommand):
    """Let an instalment fall due on another day; those after it follow month by month."""

    change_id: str
    instalment: int
    due_on: date


@command("loan.defer_payments")
class DeferPayments(LoanCommand):
    """Let the next instalment, and all after it, fall due months later (延期还款)."""

    change_id: str
    months: int


@command("loan.grant_grace")
class GrantGrace(LoanCommand):
    """Let the next instalments ask for no principal, or for no interest (宽限期).

    As many instalments as have a grace on principal are added at the end.
    """

    change_id: str
    principal: int = 0  # next instalments that ask for no principal
    interest: int = 0  # next instalments that ask for no interest; it is earned, and asked after


@command("loan.re_age")
class ReAgeLoan(LoanCommand):
    """Move all that is unpaid, due or not, to new instalments, as often as before (重设账龄)."""

    re_age_id: str
    first_due_on: date
    instalments: int
    interest: ReAgeInterest = ReAgeInterest.DEFAULT  # what becomes of unpaid interest
    programme: Programme = Programme.ORDINARY
    willing_and_able: bool  # the borrower's renewed willingness and ability is documented


@command("loan.re_amortise")
class ReAmortiseLoan(LoanCommand):
    """Spread what is past due over the instalments to come; no due date changes."""

    re_amortisation_id: str
    interest: ReAmortiseInterest = ReAmortiseInterest.DEFAULT  # what becomes of interest past due
