"""Decisions on how a loan behaves: misuse of its money (挪用) and its class of risk (五级分类).

Where the product agrees a penalty rate, misuse costs it from its value date to its end. Sources:
domain rules 3.1, 5.4, 5.5.
"""

from datetime import date

from domain.commands import disbursement as cd
from domain.commands import servicing as cs
from domain.context import Context
from domain.decisions.guards import (
    require_last,
    require_not_ahead,
    require_reason,
    require_status,
    require_value_date,
)
from domain.decisions.results import changed, recorded, settled
from domain.errors import Rejected
from domain.events.arrears import NON_PERFORMING, LoanClassified
from domain.events.disbursement import MisuseEnded, UseOfFundsBreached
from domain.events.registry import Event
from domain.loan.facts import fact_of
from domain.loan.state import OPEN, Loan
from domain.servicing.facts import MisuseFound
from domain.servicing.timeline import Timeline


def report_misuse(loan: Loan, command: cd.ReportMisuse, context: Context) -> list[Event]:
    """Record a breach of the agreed use; its penalty rate runs from its value date on."""
    require_status(loan, OPEN)
    require_not_ahead(command.effective_on, context)
    told = UseOfFundsBreached(effective_on=command.effective_on, category=command.category)
    if loan.conditions.penalty is None:
        return [told]
    timeline = require_value_date(loan, command.effective_on, context)
    last = _last_misuse(timeline)
    if last is not None and not last.cured:
        raise Rejected("already_misused", f"misuse was reported as of {last.effective_on}")
    _require_not_before(last, command.effective_on)
    return _with_results(loan, timeline, told)


def end_misuse(loan: Loan, command: cd.EndMisuse, context: Context) -> list[Event]:
    """Let the penalty rate of misuse end on a day; on its first day, it never ran."""
    require_status(loan, OPEN)
    timeline = require_value_date(loan, command.effective_on, context)
    last = _last_misuse(timeline)
    if last is None or last.cured:
        raise Rejected("not_misused", "no misuse is reported of this loan that costs anything")
    _require_not_before(last, command.effective_on)
    told = MisuseEnded(effective_on=command.effective_on, cause=command.cause)
    return _with_results(loan, timeline, told)


def _last_misuse(timeline: Timeline) -> MisuseFound | None:
    found = [fact for fact in timeline.facts if isinstance(fact, MisuseFound)]
    return found[-1] if found else None


def _require_not_before(last: MisuseFound | None, on: date) -> None:
    if last is not None and on < last.effective_on:
        raise Rejected(
            "before_last_fact", f"use was reported on as of {last.effective_on}", "effective_on"
        )


def _with_results(loan: Loan, timeline: Timeline, told: Event) -> list[Event]:
    """Say what follows; of today's misuse nothing does yet."""
    fact, on = fact_of(told), told.effective_on
    booked = recorded(loan, timeline, fact)
    results = [changed(booked, fact.id, on)] if booked.changed or booked.restated else []
    return [told, *results, *settled(loan, booked, on, "paid")]


def classify(loan: Loan, command: cs.ClassifyLoan, context: Context) -> list[Event]:
    """Put a loan into a class; it changes how later payments are split, and no earlier one."""
    require_status(loan, OPEN)
    require_reason(context)
    timeline = require_value_date(loan, command.effective_on, context)
    require_last(timeline, command.effective_on)
    if command.loan_class is loan.loan_class:
        raise Rejected("unchanged", f"the loan is {loan.loan_class} already", "loan_class")
    told = LoanClassified(
        effective_on=command.effective_on,
        loan_class=command.loan_class,
        before=loan.loan_class,
        non_performing=command.loan_class in NON_PERFORMING,
    )
    recorded(loan, timeline, fact_of(told))
    return [told]
