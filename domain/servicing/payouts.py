"""Money out: disbursements, down payments, capitalised income.

Sources: domain rules 9.10 "Second disbursement", "Down payment"; 9.9 S-27.
"""

from datetime import date
from decimal import Decimal
from functools import partial

from domain.servicing.balancing import close_principal_gap
from domain.servicing.charges import put_waiting_charges
from domain.servicing.credits import use_overpayment
from domain.servicing.dates import schedule_periods
from domain.servicing.down_payment import down_payment_of
from domain.servicing.given import drop_rows_beyond
from domain.servicing.instalment_rounding import to_multiple
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.period import Period, to_minor
from domain.servicing.plan import Plan
from domain.servicing.row import I, P, Row
from domain.servicing.solving import Money, add_money, disburse
from domain.servicing.terms import LoanTerms
from domain.servicing.tranches import add_full_term_tranche
from domain.servicing.values import Amortisation


def pay_out(ledger: Ledger, entry: Entry) -> None:
    """Pay out: the down payment falls due at once, the rest amortises."""
    on = entry.on
    first = not ledger.disbursements
    ledger.disbursements.append((on, entry.amount, entry.id))
    amortised = entry.amount - ask_down_payment(ledger, entry)
    if not ledger.rows_lead:
        if ledger.terms.full_term_tranches:
            add_full_term_tranche(ledger, on, amortised)
        else:
            disburse(ledger.plan, on, amortised)
        if on > ledger.plan.maturity:
            _principal_after_maturity(ledger, on, amortised)
        _follow_plan(ledger, on)
        if not first and not ledger.terms.recalculates:
            close_principal_gap(ledger, on)
    else:
        _spread_principal(ledger, on, amortised)
    if first:
        put_waiting_charges(ledger)
    use_overpayment(ledger, entry)
    if first and _can_be_solved_again(ledger):
        ledger.let_plan_go(partial(_solved, ledger.terms, ledger.started_on, (on, amortised)))


def _can_be_solved_again(ledger: Ledger) -> bool:
    follows = ledger.recalculates or ledger.plan.rates or ledger.terms.full_term_tranches
    return not follows and not ledger.rows_lead


def _solved(terms: LoanTerms, started_on: date, money: tuple[date, int]) -> Plan:
    plan = Plan(terms, schedule_periods(terms, started_on))
    disburse(plan, *money)
    return plan


def ask_down_payment(ledger: Ledger, entry: Entry) -> int:
    """Add the row of a disbursement's down payment; what it asks for, minor units."""
    amount = down_payment_of(ledger.terms, entry.amount)
    if not amount:
        return 0
    row = Row(entry.on, entry.on)
    row.down_payment = True
    row.ask(P, amount, entry.on)
    at = sum(_stays_before(r, row, ledger.terms) for r in ledger.rows)
    ledger.rows.insert(at, row)
    ledger.renumber()
    return amount


def _stays_before(other: Row, row: Row, terms: LoanTerms) -> bool:
    """Among rows due on one day a progressive down payment is last, a cumulative one first."""
    if other.due_on != row.due_on:
        return other.due_on < row.due_on
    return other.down_payment or not terms.cumulative


def _follow_plan(ledger: Ledger, on: date) -> None:
    rows = len(ledger.rows)
    for period, known in ledger.periods_with_rows():
        row = known
        if row is None:
            row = Row(period.from_on, period.due_on)
            ledger.rows.append(row)
        elif period.due_on < on:
            continue
        principal, interest, due = period.due_principal, period.due_interest, row.due
        if row.paid or row.rare is not None or not (principal or interest):
            _ask_as_solved(ledger, period, row)
            row.update_met(on)
        else:  # of a long schedule a call for each row is felt
            due[P], due[I] = principal, interest
            row.met, row.met_on = False, None
    fixed = ledger.terms.amortisation is Amortisation.FIXED_INSTALMENT
    if fixed:
        drop_rows_beyond(ledger)
    if fixed or len(ledger.rows) > rows:
        ledger.renumber()


def _ask_as_solved(ledger: Ledger, period: Period, row: Row) -> None:
    """Ask for what was solved anew, but for no less than was paid of it before it is due.

    A plan that follows payments knows of them, and of what was put back.
    """
    principal, interest = period.due_principal, period.due_interest
    if not ledger.terms.recalculates:
        principal = max(principal + row.credited[P], row.paid[P])
        interest = max(interest, row.paid[I])
    row.due[P], row.due[I] = principal, interest + row.waived_beside_plan


def _principal_after_maturity(ledger: Ledger, on: date, amount: int) -> None:
    row = ledger.additional_row()
    if row is None:
        row = Row(on, on)
        row.additional = True
        ledger.rows.append(row)
    row.due_on = max(row.due_on, on)
    row.ask(P, amount, on)
    ledger.renumber()


def _spread_principal(ledger: Ledger, on: date, amount: int) -> None:
    """Divide new principal evenly over the rows to come."""
    rows = [row for row in ledger.rows if row.regular and row.due_on > on]
    if not rows:
        _principal_after_maturity(ledger, on, amount)
        return
    left = amount
    share = to_minor(Decimal(amount) / len(rows))
    for row in rows[:-1]:
        more = to_multiple(ledger.terms, row.due[P] + share) - row.due[P]
        more = min(max(0, more), left)
        row.ask(P, more, on)
        left -= more
    rows[-1].ask(P, left, on)


def capitalise(ledger: Ledger, entry: Entry) -> None:
    """Add income to principal: it shows as money out and instalments are solved anew."""
    entry.parts[P] = entry.amount
    if not ledger.rows_lead:
        add_money(ledger.plan, Money(on=entry.on, capitalised=entry.amount))
        if entry.on > ledger.plan.maturity:
            _principal_after_maturity(ledger, entry.on, entry.amount)
        _follow_plan(ledger, entry.on)
        if not ledger.terms.recalculates:
            close_principal_gap(ledger, entry.on)
    else:
        _spread_principal(ledger, entry.on, entry.amount)
    use_overpayment(ledger, entry)
