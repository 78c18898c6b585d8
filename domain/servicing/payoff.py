"""The payoff quote: exactly what closes the account on a day."""

from datetime import date
from decimal import localcontext

from domain.servicing.ledger import Ledger
from domain.servicing.movements import earn_on_overdue
from domain.servicing.passing import pass_time, time_matters
from domain.servicing.row import F, I, N, P
from domain.servicing.values import OverdueInterest, PreClose
from domain.servicing.views import outstanding_on


def payoff(ledger: Ledger, on: date) -> int:
    """Minor units; interest to the day, or to the end of the period if the product says so."""
    with localcontext(ledger.terms.arithmetic()):
        if time_matters(ledger, on):
            ledger = ledger.copy()
            pass_time(ledger, on)
        if ledger.overpaid and not any(row.outstanding for row in ledger.rows):
            return 0  # more was paid than ever was asked for
        charges = sum(row.outstanding_of(F) + row.outstanding_of(N) for row in ledger.rows)
        if not ledger.recalculates:
            owed = sum(row.outstanding_of(P) + row.outstanding_of(I) for row in ledger.rows)
            return owed + charges
        beside = sum(
            row.outstanding_of(P) + row.outstanding_of(I) for row in ledger.rows if not row.regular
        )
        till = on
        if ledger.terms.pre_close is PreClose.TILL_REST_FREQUENCY_DATE:
            running = next(
                (r for r in ledger.rows if r.regular and r.from_on < on < r.due_on), None
            )
            till = running.due_on if running is not None else on
        plan = ledger.plan.copy()
        if ledger.terms.overdue_interest is OverdueInterest.EARNS:
            earn_on_overdue(plan, on, prepays_all=till > on)
        owed = outstanding_on(plan, till)
        return owed.principal + owed.interest + charges + beside
