"""The results that follow a fact: allocation, changed schedule, restatement, settlement.

Here decisions run the engine; nothing is judged.
"""

from dataclasses import replace
from datetime import date
from typing import TypeVar

from domain.errors import Rejected
from domain.events import ending
from domain.events import servicing as e
from domain.events.disbursement import TrancheDisbursed
from domain.events.income import IncomeCapitalised
from domain.events.registry import Event
from domain.loan.booking import FROM_CREDIT, Booked, Standing, book, split_parts
from domain.loan.facts import fact_of
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Component
from domain.servicing.facts import CreditRefunded, Fact, Paid
from domain.servicing.instalment_fees import fees_asked
from domain.servicing.restructuring import interest_owed
from domain.servicing.timeline import Timeline
from domain.servicing.values import ENGINE_VERSION

A = TypeVar("A", TrancheDisbursed, IncomeCapitalised)  # adds principal

CREDIT_USED = (CreditRefunded, *FROM_CREDIT)


def recorded(loan: Loan, timeline: Timeline, fact: Fact) -> Booked:
    """Record a fact and compare with what was published of the loan.

    Raises Rejected `waived_since`: what was waived since would not have been open any more.
    """
    booked = book(timeline, Standing(rows=loan.rows, balances=loan.balances), fact)
    if booked.rewaived:
        raise Rejected("waived_since", f"{booked.rewaived[0]} waived what this would pay or free")
    return booked


def credited(
    loan: Loan, timeline: Timeline, told: Event, payment_id: str, *, how: str
) -> list[Event]:
    """Return the results of money that came in: its allocation, restatements, settlement."""
    fact = fact_of(told)
    booked = recorded(loan, timeline, fact)
    observed = isinstance(fact, Paid) and fact.split is not None
    anew = bool(booked.restated)
    events: list[Event] = [
        e.PaymentAllocated(
            effective_on=told.effective_on,
            payment_id=payment_id,
            lines=booked.own.lines,
            overpaid_minor=booked.own.overpaid_minor,
            source=e.AllocationSource.UPSTREAM if observed else e.AllocationSource.ENGINE,
            kind=booked.own.kind,
            rows=() if anew else booked.changed,
            rows_total=len(loan.rows) if anew else booked.rows_total,
            balances=loan.balances if anew else booked.balances,
            engine_version=ENGINE_VERSION,
        )
    ]
    if anew:
        events.append(restated(booked, payment_id, told.effective_on, since_on=told.effective_on))
    return [*events, *settled(loan, booked, told.effective_on, how)]


def followed(loan: Loan, timeline: Timeline, told: Event, fact_id: str) -> list[Event]:
    """Record a fact that is no payment, and return its results."""
    booked = recorded(loan, timeline, fact_of(told))
    return results_of(loan, booked, fact_id, told.effective_on)


def results_of(
    loan: Loan, booked: Booked, fact_id: str, on: date, *, since_on: date | None = None
) -> list[Event]:
    """Return the results of a recorded fact that is no payment: what it left, settlement.

    `since_on` as in `changed`.
    """
    result = changed(booked, fact_id, on, since_on=since_on)
    return [result, *settled(loan, booked, on, "paid")]


def less_credit(told: A, booked: Booked) -> A:
    """Say what of new principal credit of the borrower's paid at once."""
    paid = booked.own.parts
    return replace(
        told,
        principal_minor=told.principal_minor - paid[Component.PRINCIPAL],
        interest_minor=-paid[Component.INTEREST],
        fee_minor=-paid[Component.FEE],
        penalty_minor=-paid[Component.PENALTY],
        overpaid_minor=sum(paid.values()),
    )


def changed(booked: Booked, fact_id: str, on: date, *, since_on: date | None = None) -> Event:
    """Say what a fact that is no payment left; a restatement if it split payments anew.

    `since_on` None: from `on` on.
    """
    if booked.restated:
        return restated(booked, fact_id, on, since_on=since_on or on)
    return e.ScheduleChanged(
        effective_on=on,
        cause_id=fact_id,
        rows=booked.changed,
        rows_total=booked.rows_total,
        balances=booked.balances,
        engine_version=ENGINE_VERSION,
    )


def owed_again(loan: Loan, booked: Booked, on: date) -> dict[str, int]:
    """Say what is owed on a day when an end was taken back, as events name it; minor units.

    But for penalties that ran meanwhile and fees of instalments that are there again: events of
    their own tell them.
    """
    owed, since = booked.balances, booked.penalised - loan.penalised
    return {
        "principal_minor": owed.principal_minor,
        "interest_minor": booked.timeline.read(lambda ledger: interest_owed(ledger, on), on),
        "fee_minor": owed.fee_minor - fees_since(loan, booked.timeline),
        "penalty_minor": owed.penalty_minor - sum(since),
    }


def fees_since(loan: Loan, timeline: Timeline) -> int:
    """Return how much more instalments ask for than was published of a loan, minor units."""
    if not loan.fees_asked:
        return 0
    asked = sum(timeline.read(fees_asked).values())
    return asked - sum(fee.amount_minor for fee in loan.fees_asked)


def paid_anew(booked: Booked) -> dict[Component, int]:
    """Return how much more of each component payments pay that are split anew; minor units."""
    more = dict.fromkeys(Component, 0)
    for change in booked.restated:
        before, after = split_parts(change.before), split_parts(change.after)
        for component in Component:
            more[component] += after[component] - before[component]
    return more


def _require_refunds_stand(booked: Booked) -> None:
    """Refuse what would take away credit that was paid back, charged back or drawn already."""
    for change in booked.restated:
        if isinstance(booked.timeline.find(change.payment_id), CREDIT_USED):
            raise Rejected("credit_already_refunded", "the overpayment was paid back already")


def taken_back(loan: Loan, fact: Fact, on: date, cause: str) -> list[Event]:
    """Take a payment or another credit back, on a day: what it paid is owed again."""
    assert loan.timeline is not None, "a loan with a payment has a time line"
    told = e.PaymentReversed(effective_on=on, payment_id=fact.id, cause=cause)
    booked = recorded(loan, loan.timeline, fact_of(told))
    return [told, restated(booked, fact.id, on, since_on=fact.effective_on)]


def restated(booked: Booked, cause_id: str, on: date, *, since_on: date) -> e.AllocationsRestated:
    """Say which payments are split anew, recorded today and true since `since_on`."""
    _require_refunds_stand(booked)
    return e.AllocationsRestated(
        effective_on=on,
        cause_id=cause_id,
        since_on=since_on,
        changes=booked.restated,
        rows=booked.changed,
        rows_total=booked.rows_total,
        balances=booked.balances,
        engine_version=ENGINE_VERSION,
    )


def settled(loan: Loan, booked: Booked, on: date, how: str) -> list[Event]:
    """Say that the loan is settled when nothing is owed any more."""
    if booked.balances.owed_minor > 0 or loan.status is LoanStatus.SETTLED:
        return []
    return [ending.LoanSettled(effective_on=on, how=how)]
