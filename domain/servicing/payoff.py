"""The payoff quote: exactly what closes the account on a day."""

from datetime import date
from decimal import localcontext

from domain.servicing.ledger import Ledger
from domain.servicing.movements import earn_on_overdue, rests_on
from domain.servicing.passing import pass_time, time_matters
from domain.servicing.row import I, P
from domain.servicing.values import Component, OverdueInterest, PreClose
from domain.servicing.views import outstanding_on


def payoff(ledger: Ledger, on: date) -> int:
    """Minor units; interest to the day, or to the end of the period if the product says so."""
    return sum(payoff_parts(ledger, on).values())


def payoff_parts(ledger: Ledger, on: date) -> dict[Component, int]:
    """Return the same by component."""
    with localcontext(ledger.terms.arithmetic()):
        if time_matters(ledger, on):
            ledger = ledger.copy()
            pass_time(ledger, on)
        owed = ledger.outstanding()
        if ledger.overpaid and not any(owed.values()):
            return owed  # more was paid than ever was asked for
        if not ledger.recalculates:
            return owed
        beside = [row for row in ledger.rows if not row.regular]
        till = on
        if ledger.terms.pre_close is PreClose.TILL_REST_FREQUENCY_DATE:
            till = rests_on(ledger.plan, on)
        plan = ledger.plan.copy()
        if ledger.terms.overdue_interest is OverdueInterest.EARNS:
            earn_on_overdue(plan, on, prepays_all=till > on)
        due = outstanding_on(plan, till)
        owed[P] = due.principal + sum(row.outstanding_of(P) for row in beside)
        owed[I] = due.interest + sum(row.outstanding_of(I) for row in beside)
        return owed


def prepays_all(ledger: Ledger, on: date, amount: int) -> bool:
    """Whether a payment pays the loan off before a rest: interest then runs to it (P-33)."""
    terms = ledger.terms
    if terms.pre_close is PreClose.TILL_PRE_CLOSE_DATE or not ledger.recalculates:
        return False
    return rests_on(ledger.plan, on) > on and amount >= payoff(ledger, on)
