"""Decisions that change or end a loan: restructuring, charge-off, recovery, write-off."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from domain.commands import ending as c
from domain.context import Context
from domain.decisions.arrears import days_past_due, overdue
from domain.decisions.guards import (
    require_amount,
    require_new_fact,
    require_reason,
    require_status,
    require_value_date,
)
from domain.decisions.results import changed, credited, followed, recorded
from domain.errors import Rejected
from domain.events import ending as e
from domain.events.registry import Event
from domain.loan.booking import standing
from domain.loan.evolve import merge
from domain.loan.facts import CHARGE_OFF_ID, fact_of
from domain.loan.instalments import Instalment
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Terms
from domain.servicing.restructuring import interest_owed


def restructure(loan: Loan, command: c.RestructureLoan, context: Context) -> list[Event]:
    """Put a new plan in the place of what is owed (rule RST-1).

    What may be waived is the interest owed to the day.
    """
    require_status(loan, (LoanStatus.ACTIVE,))
    require_reason(context)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.restructure_id, "restructure_id")
    newest = timeline.newest
    if newest and command.effective_on < newest.effective_on:
        raise Rejected(
            "before_last_fact",
            f"the loan's newest fact is of {newest.effective_on}",
            "effective_on",
        )
    if loan.terms is None:
        raise Rejected("not_approved", "the loan has no approved terms")
    rate_before = loan.terms.rate_annual if loan.rate_annual is None else loan.rate_annual
    terms = _new_terms(loan, loan.terms, command)
    if command.first_due_on <= command.effective_on:
        raise Rejected("first_due_too_early", "the first due date lies ahead", "first_due_on")
    on = command.effective_on
    before, interest = timeline.read(
        lambda ledger: (standing(ledger, on), interest_owed(ledger, on)), on
    )
    if not 0 <= command.waive_interest_minor <= interest:
        raise Rejected(
            "more_than_owed", f"{interest} minor units of interest are owed", "waive_interest"
        )
    tolerance = loan.conditions.arrears_tolerance_minor
    told = e.LoanRestructured(
        effective_on=on,
        restructure_id=command.restructure_id,
        kind=command.kind,
        first_due_on=command.first_due_on,
        instalments=command.instalments,
        rate_annual=terms.rate_annual,
        waived_interest_minor=command.waive_interest_minor,
        capitalised_interest_minor=interest - command.waive_interest_minor,
        financial_difficulty=command.financial_difficulty,
        before=_summary(before.rows, rate_before, on, tolerance),
        after=_summary(before.rows, terms.rate_annual, on, tolerance),
    )
    booked = recorded(loan, timeline, fact_of(told))
    rows = merge(loan.rows, booked.changed, booked.rows_total)
    told = replace(told, after=_summary(rows, terms.rate_annual, on, tolerance))
    return [told, changed(booked, command.restructure_id, on)]


def _new_terms(loan: Loan, terms: Terms, command: c.RestructureLoan) -> Terms:
    rate = command.rate_annual
    if rate is None:
        rate = terms.rate_annual if loan.rate_annual is None else loan.rate_annual
    if not 0 <= rate <= loan.conditions.rate_annual_max:
        raise Rejected(
            "rate_outside_product",
            f"the product allows up to {loan.conditions.rate_annual_max} a year",
            "rate_annual",
        )
    if not 1 <= command.instalments <= loan.conditions.instalments_max:
        raise Rejected(
            "instalments_outside_product",
            f"the product allows 1..{loan.conditions.instalments_max} instalments",
            "instalments",
        )
    return replace(terms, rate_annual=rate, instalments=command.instalments)


def _summary(
    rows: tuple[Instalment, ...], rate_annual: Decimal, on: date, tolerance_minor: int
) -> e.PlanSummary:
    return e.PlanSummary(
        instalments_left=sum(1 for row in rows if row.met_on is None),
        rate_annual=rate_annual,
        last_due_on=rows[-1].due_on,
        owed_minor=sum(row.unpaid_minor for row in rows),
        days_past_due=days_past_due(overdue(rows, on, tolerance_minor), on),
    )


def charge_off(loan: Loan, command: c.ChargeOffLoan, context: Context) -> list[Event]:
    """Take what is owed to loss; nothing of the debt goes away (domain rules, 2.8)."""
    require_status(loan, (LoanStatus.ACTIVE,))
    timeline = require_value_date(loan, command.effective_on, context)
    on = command.effective_on
    told = e.LoanChargedOff(
        effective_on=on,
        principal_minor=loan.balances.principal_minor,
        interest_minor=timeline.read(lambda ledger: interest_owed(ledger, on), on),
        fee_minor=loan.balances.fee_minor,
        penalty_minor=loan.balances.penalty_minor,
        cause=command.cause,
    )
    return [told, *followed(loan, timeline, told, CHARGE_OFF_ID)]


def record_recovery(loan: Loan, command: c.RecordRecovery, context: Context) -> list[Event]:
    """Take money on a loan that was given up. On a charged-off loan it still reduces the debt."""
    require_status(loan, (LoanStatus.CHARGED_OFF, LoanStatus.WRITTEN_OFF))
    require_amount(command.amount_minor)
    if not 0 <= command.cost_minor <= command.amount_minor:
        raise Rejected("amount_out_of_range", "the cost is part of the recovery", "cost")
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.recovery_id, "recovery_id")
    received = e.RecoveryReceived(
        effective_on=command.effective_on,
        recovery_id=command.recovery_id,
        amount_minor=command.amount_minor,
        cost_minor=command.cost_minor,
    )
    if loan.status is LoanStatus.WRITTEN_OFF:
        return [received]
    return [
        received,
        *credited(loan, timeline, received, command.recovery_id, how="recovered"),
    ]


def write_off(loan: Loan, command: c.WriteOffLoan, context: Context) -> list[Event]:
    """Take a charged-off loan from the books; it needs a reason and stays in memo (账销案存)."""
    require_status(loan, (LoanStatus.CHARGED_OFF,))
    require_reason(context)
    require_value_date(loan, command.effective_on, context)
    return [
        e.LoanWrittenOff(
            effective_on=command.effective_on,
            amount_minor=loan.balances.owed_minor,
            cause=command.cause,
        )
    ]
