"""Decisions on income that becomes principal after the payout: added, given back, taken back.

Sources: domain rules 9.2 P-72; 9.5 T-31, T-32; 9.9 S-27; 5.7 (the cost table).
"""

from domain.commands import income as c
from domain.context import Context
from domain.decisions.guards import (
    require_amount,
    require_contract,
    require_new_fact,
    require_no_plan_since,
    require_on_book,
    require_reason,
    require_reversal_date,
    require_status,
    require_value_date,
)
from domain.decisions.payouts import require_room
from domain.decisions.rate_cap import require_within_cap
from domain.decisions.results import credited, less_credit, recorded, results_of
from domain.errors import Rejected
from domain.events import income as e
from domain.events.registry import Event
from domain.loan.deferring import capitalised_minor, given_back
from domain.loan.facts import fact_of
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import CapitalisedIncome

HOW = "credited"


def capitalise_income(loan: Loan, command: c.CapitaliseIncome, context: Context) -> list[Event]:
    """Add income to principal, within the approved amount; instalments are solved anew.

    Credit of the borrower's pays it first.
    """
    agreed = loan.conditions.capitalised_income
    if agreed is None:
        raise Rejected("income_not_capitalised", "the product adds no income to principal")
    require_status(loan, (LoanStatus.ACTIVE,))
    require_contract(loan)
    require_amount(command.amount_minor)
    on = command.effective_on
    timeline = require_value_date(loan, on, context)
    require_new_fact(loan, command.income_id, "income_id")
    _require_allowed(loan, agreed, command.amount_minor)
    require_room(loan, command.amount_minor, on)
    require_within_cap(loan, command.amount_minor, on)
    told = e.IncomeCapitalised(
        effective_on=on,
        income_id=command.income_id,
        code=agreed.code,
        income=agreed.income,
        amount_minor=command.amount_minor,
        principal_minor=command.amount_minor,
        interest_minor=0,
        fee_minor=0,
        penalty_minor=0,
        overpaid_minor=0,
    )
    booked = recorded(loan, timeline, fact_of(told))
    return [less_credit(told, booked), *results_of(loan, booked, told.income_id, on)]


def _require_allowed(loan: Loan, agreed: CapitalisedIncome, amount_minor: int) -> None:
    """Refuse income that was not disclosed, or more than the product ever adds to a loan."""
    if agreed.code not in (loan.disclosed_charges or ()):
        raise Rejected("charge_not_disclosed", f"{agreed.code} is not on the cost table")
    most, so_far = agreed.total_max_minor, capitalised_minor(loan)
    if most is not None and so_far + amount_minor > most:
        raise Rejected("above_income_max", f"{so_far} were capitalised of at most {most}", "amount")


def adjust_capitalised_income(
    loan: Loan, command: c.AdjustCapitalisedIncome, context: Context
) -> list[Event]:
    """Give part of an income back: what was given back of it before counts."""
    require_on_book(loan)
    require_amount(command.amount_minor)
    require_reason(context)
    on = command.effective_on
    timeline = require_value_date(loan, on, context)
    require_new_fact(loan, command.adjustment_id, "adjustment_id")
    income = _income(loan, command.income_id)
    if on < income.effective_on:
        raise Rejected(
            "before_income", f"the income counts from {income.effective_on}", "effective_on"
        )
    left = income.amount_minor - given_back(timeline, income.income_id)
    if command.amount_minor > left:
        raise Rejected("more_than_capitalised", f"{left} minor units of it are left", "amount")
    told = e.CapitalisedIncomeAdjusted(
        effective_on=on,
        adjustment_id=command.adjustment_id,
        income_id=income.income_id,
        amount_minor=command.amount_minor,
    )
    return [told, *credited(loan, timeline, told, command.adjustment_id, how=HOW)]


def reverse_capitalised_income(
    loan: Loan, command: c.ReverseCapitalisedIncome, context: Context
) -> list[Event]:
    """Take an income back, from its own day on: it was never owed, and nothing of it earned."""
    require_on_book(loan)
    require_contract(loan)
    income = _income(loan, command.income_id)
    timeline = loan.timeline
    fact = None if timeline is None else timeline.find(income.income_id)
    assert timeline is not None, "a loan with an income has a time line"
    assert fact is not None, "an income that stands is on the time line"
    if given_back(timeline, income.income_id):
        raise Rejected("income_adjusted", "reverse its adjustments first", "income_id")
    require_no_plan_since(timeline, fact, "income_id")
    require_reversal_date(income.effective_on, command.effective_on, context, "its income")
    told = _reversal(income, command)
    booked = recorded(loan, timeline, fact_of(told))
    on, since_on = told.effective_on, income.effective_on
    return [told, *results_of(loan, booked, income.income_id, on, since_on=since_on)]


def _reversal(
    income: e.IncomeCapitalised, command: c.ReverseCapitalisedIncome
) -> e.CapitalisedIncomeReversed:
    return e.CapitalisedIncomeReversed(
        effective_on=command.effective_on,
        income_id=income.income_id,
        code=income.code,
        income=income.income,
        amount_minor=income.amount_minor,
        principal_minor=income.principal_minor,
        interest_minor=income.interest_minor,
        fee_minor=income.fee_minor,
        penalty_minor=income.penalty_minor,
        overpaid_minor=income.overpaid_minor,
        cause=command.cause,
    )


def _income(loan: Loan, income_id: str) -> e.IncomeCapitalised:
    found = next((one for one in loan.incomes if one.income_id == income_id), None)
    if found is None:
        raise Rejected("unknown_income", "no such income stands on this loan", "income_id")
    return found
