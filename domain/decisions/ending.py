"""Decisions that change or end a loan: restructuring, termination, charge-off, write-off."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from domain.commands import ending as c
from domain.context import Context
from domain.decisions.guards import (
    approved,
    require_amount,
    require_contract,
    require_last,
    require_new_fact,
    require_reason,
    require_status,
    require_value_date,
)
from domain.decisions.plans import (
    closed_days_of,
    plan_summary,
    rate_of,
    require_first_due,
    require_fixed_rate,
    require_instalments,
    require_no_observed_split,
    require_rate,
    rows_after,
)
from domain.decisions.results import (
    changed,
    credited,
    fees_since,
    owed_again,
    paid_anew,
    recorded,
    results_of,
)
from domain.errors import Rejected
from domain.events import ending as e
from domain.events.registry import Event
from domain.loan.booking import standing
from domain.loan.facts import TERMINATION_ID, fact_of
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import ChargeOffBehaviour, Component, Terms
from domain.servicing.deferred import deferred_on
from domain.servicing.facts import Paid
from domain.servicing.restructuring import interest_owed
from domain.servicing.values import Kind

T = TypeVar("T", e.LoanChargedOff, e.ChargeOffReversed)


def restructure(loan: Loan, command: c.RestructureLoan, context: Context) -> list[Event]:
    """Put a new plan in the place of what is owed (rule RST-1).

    What may be waived is the interest owed to the day.
    """
    require_status(loan, (LoanStatus.ACTIVE,))
    require_contract(loan)
    require_reason(context)
    timeline = require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.restructure_id, "restructure_id")
    require_last(timeline, command.effective_on)
    agreed, rate_before = approved(loan), rate_of(loan, command.effective_on)
    terms = _new_terms(loan, agreed, command)
    require_first_due(command.first_due_on, command.effective_on)
    on = command.effective_on
    before, interest = timeline.read(
        lambda ledger: (standing(ledger, on), interest_owed(ledger, on)), on
    )
    if not 0 <= command.waive_interest_minor <= interest:
        raise Rejected(
            "more_than_owed", f"{interest} minor units of interest are owed", "waive_interest"
        )
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
        before=plan_summary(loan, before.rows, on, rate_before),
        after=plan_summary(loan, before.rows, on, terms.rate_annual),
        closed_days=closed_days_of(loan, terms, on, command.first_due_on, context.calendar),
    )
    booked = recorded(loan, timeline, fact_of(told))
    after = plan_summary(loan, rows_after(loan, booked), on, terms.rate_annual)
    told = replace(told, after=after)
    return [told, changed(booked, command.restructure_id, on)]


def _new_terms(loan: Loan, terms: Terms, command: c.RestructureLoan) -> Terms:
    rate = rate_of(loan, command.effective_on)
    if command.rate_annual is not None:
        require_fixed_rate(loan)
        require_rate(loan.conditions, command.rate_annual)
        rate = command.rate_annual
    require_instalments(loan, command.instalments)
    return replace(terms, rate_annual=rate, instalments=command.instalments, custom=())


def charge_off(loan: Loan, command: c.ChargeOffLoan, context: Context) -> list[Event]:
    """Take what is owed to loss; nothing of the debt goes away (domain rules, 2.8)."""
    require_status(loan, (LoanStatus.ACTIVE,))
    on = command.effective_on
    timeline = require_value_date(loan, on, context)
    require_last(timeline, on)
    interest, deferred = timeline.read(
        lambda ledger: (interest_owed(ledger, on), deferred_on(ledger, on)), on
    )
    told = e.LoanChargedOff(
        effective_on=on,
        principal_minor=loan.balances.principal_minor,
        interest_minor=interest,
        fee_minor=loan.balances.fee_minor,
        penalty_minor=loan.balances.penalty_minor,
        cause=command.cause,
        deferred_capitalised_minor=deferred.capitalised_minor,
        deferred_bought_down_minor=deferred.bought_down_minor,
    )
    booked = recorded(loan, timeline, fact_of(told))
    told = replace(told, fee_minor=told.fee_minor + fees_since(loan, booked.timeline))
    told = _posted_with(told, paid_anew(booked), 1)
    if loan.conditions.charge_off is ChargeOffBehaviour.ACCELERATE_MATURITY:
        told = replace(told, interest_minor=booked.balances.interest_minor)
    return [told, *results_of(loan, booked, e.CHARGE_OFF_ID, on)]


def _posted_with(told: T, paid: Mapping[Component, int], sign: int) -> T:
    """Leave to the restatement of payments what it posts itself: together they clear the books.

    `paid` is what payments pay more of now. A charge-off takes so much less off the books; its
    reversal, of which the restatement takes it away again, puts so much more back on them.
    """
    return replace(
        told,
        principal_minor=told.principal_minor - sign * paid[Component.PRINCIPAL],
        fee_minor=told.fee_minor - sign * paid[Component.FEE],
        penalty_minor=told.penalty_minor - sign * paid[Component.PENALTY],
    )


def reverse_charge_off(loan: Loan, command: c.ReverseChargeOff, context: Context) -> list[Event]:
    """Take a loan back on the books as if it had never been charged off (domain rules, 9.9 S-21).

    Money that came in since is recovery income: it is taken back first.
    """
    require_status(loan, (LoanStatus.CHARGED_OFF,))
    require_reason(context)
    on = command.effective_on
    timeline = require_value_date(loan, on, context)
    charged_off = timeline.find(e.CHARGE_OFF_ID)
    assert charged_off is not None, "a charged-off loan has its charge-off on the time line"
    require_last(timeline, on)
    if any(isinstance(x, Paid) and x.kind is Kind.RECOVERY for x in timeline.facts):
        raise Rejected("recovered_since", "money was recovered since; reverse the recoveries first")
    told = e.ChargeOffReversed(
        effective_on=on,
        principal_minor=0,
        interest_minor=0,
        fee_minor=0,
        penalty_minor=0,
        cause=command.cause,
        deferred_capitalised_minor=loan.deferred_charged_off.capitalised_minor,
        deferred_bought_down_minor=loan.deferred_charged_off.bought_down_minor,
    )
    booked = recorded(loan, timeline, fact_of(told))
    told = replace(told, **owed_again(loan, booked, on))
    told = _posted_with(told, paid_anew(booked), -1)
    return [told, changed(booked, e.CHARGE_OFF_ID, on, since_on=charged_off.effective_on)]


def terminate(loan: Loan, command: c.TerminateContract, context: Context) -> list[Event]:
    """End the contract: interest to the day and all principal are due (domain rules, 9.9 S-24)."""
    require_status(loan, (LoanStatus.ACTIVE,))
    require_contract(loan)
    require_reason(context)
    on = command.effective_on
    timeline = require_value_date(loan, on, context)
    require_last(timeline, on)
    require_no_observed_split(timeline)
    told = e.ContractTerminated(
        effective_on=on,
        principal_minor=0,
        interest_minor=0,
        fee_minor=0,
        penalty_minor=0,
        cause=command.cause,
    )
    booked = recorded(loan, timeline, fact_of(told))
    told = replace(told, **booked.part_fields)
    return [told, changed(booked, TERMINATION_ID, on)]


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
    require_last(require_value_date(loan, command.effective_on, context), command.effective_on)
    return [
        e.LoanWrittenOff(
            effective_on=command.effective_on,
            amount_minor=loan.balances.owed_minor,
            cause=command.cause,
        )
    ]
