"""A cumulative loan's facts folded: first the whole plan, then charges, then money by date.

The family has no incremental state: every fact may change the plan from its first row, so an
account is folded from its facts as a whole. Sources: domain rules 9.6 T-45, 9.10 "Cumulative".
"""

from collections.abc import Sequence
from datetime import date
from decimal import localcontext

from domain.servicing import facts as f
from domain.servicing.charge_amounts import percent_of
from domain.servicing.cumulative import Planned, plan
from domain.servicing.cumulative_recalculation import Following
from domain.servicing.down_payment import down_payment_of
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.payouts import ask_down_payment
from domain.servicing.plan import Plan
from domain.servicing.row import I, P
from domain.servicing.terms import LoanTerms
from domain.servicing.values import ChargeBasis, Kind, Recalculation


def open_cumulative(terms: LoanTerms, facts: Sequence[f.Fact], today: date | None) -> Ledger:
    """Ledger with the plan, the disbursements and their down payments; nothing is charged yet."""
    paid_out = [fact for fact in facts if isinstance(fact, f.Disbursed)]
    with localcontext(terms.arithmetic()):
        rows = _plan(terms, paid_out, facts, today)
        ledger = Ledger(terms, _as_plan(terms, rows, paid_out), paid_out[0].effective_on)
        for row, planned in zip(ledger.rows, rows, strict=True):
            row.ask(P, planned.principal, ledger.started_on)
            row.ask(I, planned.interest, ledger.started_on)
        for fact in paid_out:
            _pay_out(ledger, fact)
    return ledger


def comes_first(fact: f.Fact) -> int:
    """Phase of a fact: the plan, then charges, then money by value date."""
    if isinstance(fact, f.PLANNING):
        return 0
    return 1 if isinstance(fact, f.ChargeAdded) else 2


def _plan(
    terms: LoanTerms, paid_out: list[f.Disbursed], facts: Sequence[f.Fact], today: date | None
) -> list[Planned]:
    money = [
        (fact.effective_on, fact.amount_minor - down_payment_of(terms, fact.amount_minor))
        for fact in paid_out
    ]
    changes = [fact for fact in facts if isinstance(fact, f.TERM_CHANGES)]
    if terms.recalculation is Recalculation.NONE or today is None:
        return plan(terms, money, changes)
    payments = [
        (fact.effective_on, fact.amount_minor) for fact in facts if isinstance(fact, f.Paid)
    ]
    charges = [
        (fact.due_on, _flat_amount(terms, fact))
        for fact in facts
        if isinstance(fact, f.ChargeAdded) and fact.due_on is not None
    ]
    return plan(terms, money, changes, Following(terms, payments, charges, today))


def _flat_amount(terms: LoanTerms, fact: f.ChargeAdded) -> int:
    if fact.basis is ChargeBasis.FLAT or fact.amount_minor or fact.percent is None:
        return fact.amount_minor
    return percent_of(fact.basis, fact.percent, terms.principal_minor, 0)


def _as_plan(terms: LoanTerms, rows: Sequence[Planned], paid_out: list[f.Disbursed]) -> Plan:
    """The planned rows as periods that earn nothing further."""
    solved = Plan(terms, [(row.from_on, row.due_on) for row in rows])
    for period, row in zip(solved.periods, rows, strict=True):
        period.emi = period.original_emi = row.principal + row.interest
        period.fixed_interest = row.interest
    net = sum(x.amount_minor - down_payment_of(terms, x.amount_minor) for x in paid_out)
    solved.periods[0].subs[0].disbursed = net
    solved.derive()
    return solved


def _pay_out(ledger: Ledger, fact: f.Disbursed) -> None:
    entry = Entry(
        id=fact.id,
        kind=Kind.DISBURSEMENT,
        on=fact.effective_on,
        amount=fact.amount_minor,
        entered_on=fact.entered_on,
    )
    ledger.entries.append(entry)
    ledger.disbursements.append((entry.on, entry.amount, entry.id))
    ask_down_payment(ledger, entry)
