"""A loan that bears penalties, and what tests ask of it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from domain.events.servicing import (
    PaymentAllocated,
    PenaltyInterestCharged,
)
from domain.loan.instalments import AllocationLine
from domain.loan.terms import (
    Component,
    Conditions,
    OverdueInterest,
    PenaltyConditions,
)
from tests.support.lives import (
    CONDITIONS,
    PLANNED,
    Life,
    disbursed,
    folded_again,
    ties_to_the_ledger,
)

AGREED = PenaltyConditions(overdue_markup=Decimal("0.50"), misuse_markup=Decimal("1.00"))
PRINCIPAL_FIRST = (Component.PRINCIPAL, Component.INTEREST, Component.FEE, Component.PENALTY)
PENAL = replace(PLANNED, penalty=AGREED)
FOLLOWING = replace(CONDITIONS, overdue_interest=OverdueInterest.DOES_NOT_EARN, penalty=AGREED)
"""Its interest follows what is paid."""
DUE = date(2018, 2, 15)
MONTH_END = date(2018, 2, 28)
OWED = 1_010_000  # when it falls due


def penal(conditions: Conditions = PENAL, instalments: int = 1) -> Life:
    return disbursed(1_000_000, instalments, conditions=conditions)


def charged(life: Life) -> list[tuple[date, int, int]]:
    """When what was charged: penalty and compound interest."""
    return [
        (event.effective_on, event.penalty_minor, event.compound_minor)
        for event in life.events
        if isinstance(event, PenaltyInterestCharged)
    ]


def allocated(life: Life) -> tuple[AllocationLine, ...]:
    """Where the last payment went."""
    (result,) = [event for event in life.last if isinstance(event, PaymentAllocated)]
    return result.lines


def holds(life: Life) -> Life:
    """Folding again says the same, and the ledger is what the loan owes."""
    folded_again(life)
    ties_to_the_ledger(life)
    return life


def by_days(days: int) -> date:
    """The day on which the loan is overdue for so long."""
    return DUE + timedelta(days=days)
