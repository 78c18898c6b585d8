"""Full-term tranches: each disbursement gets a schedule of its own, and the schedules are added.

Source: domain rules P-55.
"""

from datetime import date

from domain.servicing.dates import due_on
from domain.servicing.ledger import Ledger
from domain.servicing.period import Period
from domain.servicing.plan import Plan
from domain.servicing.settling import settle_last
from domain.servicing.solving import Money, add_money


def add_full_term_tranche(ledger: Ledger, on: date, amount: int) -> None:
    """Add a schedule that starts with the period the money falls in; maturity moves out."""
    plan, terms = ledger.plan, ledger.terms
    running = next((p for p in plan.periods if p.from_on <= on < p.due_on), None)
    start = plan.maturity if running is None else running.from_on
    for period in plan.periods:
        if on <= period.from_on:
            period.disbursed_before += amount
    dues = [due_on(terms, start, number) for number in range(1, terms.instalments + 1)]
    tranche = Plan(terms, zip([start, *dues[:-1]], dues, strict=True))
    add_money(tranche, Money(on=on, disbursed=amount))
    known = {(p.from_on, p.due_on): p for p in plan.periods}
    held: list[Period] = []
    for added in tranche.periods:
        emi = added.due_principal + added.due_interest
        period = known.get((added.from_on, added.due_on))
        if period is None:
            period = Period(
                plan.last.due_on if added is tranche.periods[0] else added.from_on, added.due_on
            )
            period.disbursed_before = plan.last.disbursed_before
            plan.periods.append(period)
        period.emi += emi
        period.original_emi = period.emi
        held.append(period)
    plan.move_money(on, disbursed=amount)
    plan.factor(held)
    plan.rebalance()
    settle_last(plan, on)
