"""A plan that mirrors rows which were moved without it, so that terms can still be changed.

Interest stays what the rows ask for: the mirror earns nothing.
"""

from decimal import Decimal

from domain.servicing.ledger import Ledger
from domain.servicing.plan import Plan
from domain.servicing.row import I, P


def mirror_of(ledger: Ledger) -> Plan:
    """Return a plan whose periods are the regular rows."""
    rows = [row for row in ledger.rows if row.regular]
    plan = Plan(ledger.terms, [(row.from_on, row.due_on) for row in rows])
    plan.grace_lifted = True
    plan.keep_instalments()
    plan.rates = [(plan.start_on, Decimal(0))]
    plan.move_money(plan.start_on, disbursed=sum(row.due[P] - row.credited[P] for row in rows))
    for period, row in zip(plan.periods, rows, strict=True):
        last = period.subs[-1]
        period.fixed_interest = row.due[I] - row.waived[I]
        period.emi = period.original_emi = row.due[P] + period.fixed_interest
        period.paid_principal, period.paid_interest = row.paid[P], row.paid[I]
        last.credited_principal = row.credited[P]
        last.correction = row.credited[P] - row.paid[P]
        period.moved_credit = row.credited[P]
        period.moved_down = True
    plan.factor(plan.periods)
    plan.rebalance()
    return plan
