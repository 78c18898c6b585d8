"""Says what penalty and compound interest have become owed, beside what is decided (罚息, 复利).

Time alone makes them grow, and no event tells of time: they are charged up to the day on which
something happens to the loan, before it happens, and at each month's end by the close. What a
backdated fact changes of those charged before is charged as a difference. Source: ADR 0015.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from domain.commands.ending import CloseLoanDay
from domain.commands.registry import LoanCommand
from domain.context import Context
from domain.events import servicing as e
from domain.events.disbursement import DisbursementReturned
from domain.events.registry import Event
from domain.loan.booking import Standing, book
from domain.loan.evolve import fold
from domain.loan.facts import FACTS, fact_of
from domain.loan.state import OPEN, Loan
from domain.servicing.row import NOTHING_YET, Penalised
from domain.servicing.values import ENGINE_VERSION

Rule = Callable[[Loan, Any, Context], list[Event]]


def with_penalties(rule: Rule, loan: Loan, command: LoanCommand, context: Context) -> list[Event]:
    """Decide on a loan that bears penalties: they are charged up to the day first.

    Raises Rejected: as the rule says.
    """
    if isinstance(command, CloseLoanDay):
        events = rule(loan, command, context)
        if any(type(event) in FACTS for event in events):  # a charge of a day that is closed late
            events += _difference(fold(loan, events))
        return events
    on = command.effective_on
    before = charged_by(loan, on) if on <= context.business_date else []
    events = rule(fold(loan, before), command, context)
    if any(isinstance(event, DisbursementReturned) for event in events):
        return [*_given_back(loan, on), *events]
    if not any(type(event) in FACTS for event in events):
        return events  # nothing of it moves money: penalties are charged with what does
    events = [*before, *events]
    return [*events, *_difference(fold(loan, events))]


def charged_by(loan: Loan, on: date) -> list[Event]:
    """Charge what has run up to a day since penalties were charged last; nothing: no event."""
    timeline = loan.timeline
    if loan.conditions.penalty is None or timeline is None or loan.status not in OPEN:
        return []
    if timeline.through is not None and on <= timeline.through:
        return []
    told = _charged(loan, on, NOTHING_YET)
    booked = book(timeline, Standing(rows=loan.rows, balances=loan.balances), fact_of(told))
    more = booked.penalised - loan.penalised
    if not any(more):
        return []
    charged = _charged(loan, on, more)
    return [
        replace(
            charged, rows=booked.changed, rows_total=booked.rows_total, balances=booked.balances
        )
    ]


def _difference(loan: Loan) -> list[Event]:
    """Charge what a fact of an earlier day changed of penalties that had run, more or less.

    Rows and balances said so already. It counts from the last day they had been charged to: they
    stood on the books until then.
    """
    timeline = loan.timeline
    if timeline is None or timeline.through is None:
        return []
    more = timeline.read(lambda ledger: ledger.penalised) - loan.penalised
    return [_charged(loan, timeline.through, more)] if any(more) else []


def _given_back(loan: Loan, on: date) -> list[Event]:
    """Charge nothing any more on money that came back before anything followed its payout."""
    if not any(loan.penalised):
        return []
    rows = tuple(row._replace(penalty_minor=0) for row in loan.rows if row.penalty_minor)
    balances = replace(loan.balances, penalty_minor=0)
    return [replace(_charged(loan, on, NOTHING_YET - loan.penalised), rows=rows, balances=balances)]


def _charged(loan: Loan, on: date, more: Penalised) -> e.PenaltyInterestCharged:
    return e.PenaltyInterestCharged(
        effective_on=on,
        penalty_minor=more.penalty_minor,
        compound_minor=more.compound_minor,
        rows=(),
        rows_total=len(loan.rows),
        balances=loan.balances,
        engine_version=ENGINE_VERSION,
    )
