"""A new plan in the place of what is owed (rule RST-1): 重组, 延期, 减免.

Source: domain rules 1 row 15, 3.1; the arithmetic of the new plan is that of a new loan.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext

from domain.servicing.dates import knowing, schedule_periods
from domain.servicing.facts import Restructured
from domain.servicing.ledger import Charge, Entry, Ledger
from domain.servicing.period import to_minor
from domain.servicing.plan import Plan
from domain.servicing.recharging import let_fees_go, move_fees
from domain.servicing.row import COMPONENTS, F, I, N, P, Row
from domain.servicing.solving import disburse
from domain.servicing.terms import LoanTerms
from domain.servicing.values import Amortisation, ChargeTime
from domain.servicing.views import outstanding_on


def interest_owed(ledger: Ledger, on: date) -> int:
    """Interest earned by a day and neither paid nor given up, minor units (算头不算尾, 5.6)."""
    with localcontext(ledger.terms.arithmetic()):
        if ledger.recalculates:
            beside = sum(row.outstanding_of(I) for row in ledger.rows if not row.regular)
            return beside + outstanding_on(ledger.plan, on).interest
        return sum(_owed_on_row(row, on) for row in ledger.rows if row.outstanding_of(I) > 0)


def _owed_on_row(row: Row, on: date) -> int:
    if row.due_on <= on:
        return row.outstanding_of(I)
    if row.from_on >= on:
        return 0
    days = (row.due_on - row.from_on).days
    earned = to_minor(Decimal(row.due[I]) * (on - row.from_on).days / days)
    return max(0, earned - row.paid[I] - row.waived[I])


def restructure(ledger: Ledger, fact: Restructured, entry: Entry) -> None:
    """Replace what is owed by a new plan.

    Rows keep what was paid on them and count as met; rows on which nothing was paid are gone. What
    is left of principal, and the interest owed to the day less what is waived, is the new
    principal; open fees and penalties fall due with the first new instalment.
    """
    on = entry.on
    principal = ledger.outstanding()[P]
    interest = max(0, interest_owed(ledger, on) - fact.waived_interest_minor)
    let_fees_go(ledger, [row for row in ledger.rows if row.due_on > on], on)
    move_fees(ledger, ledger.rows)
    open_charges = {c: sum(row.outstanding_of(c) for row in ledger.rows) for c in (F, N)}
    kept = [row for row in ledger.rows if _has_history(row, on)]
    for row in kept:
        _close(row, on)
    terms = _terms_from(ledger.terms, fact, principal + interest)
    plan = Plan(terms, schedule_periods(terms, on))
    disburse(plan, on, principal + interest)
    fresh = [_row_of(plan, index) for index in range(len(plan.periods))]
    for component, amount in open_charges.items():
        fresh[0].ask(component, amount, None)
    if not ledger.recalculates:  # a plan that follows payments knows what was charged back
        gone = [row for row in ledger.rows if row not in kept]
        fresh[0].beside.credited[P] = sum(row.credited[P] for row in gone)
    for charge in ledger.charges:
        _move_charge(charge, fresh[0].due_on)
    ledger.terms, ledger.plan, ledger.rows = terms, plan, [*kept, *fresh]
    ledger.re_age = ledger.re_aged_equally_on = None
    ledger.prepays_all = ledger.rows_lead = False
    ledger.renumber()
    entry.amount = entry.parts[I] = interest


def _has_history(row: Row, on: date) -> bool:
    """Whether something was settled on a row, or it was due and asked for nothing."""
    settled = row.total_paid or any(row.waived.values()) or any(row.written_off.values())
    return bool(settled) or (row.due_on <= on and not row.outstanding)


def _close(row: Row, on: date) -> None:
    """Cut a row down to what was paid on it; one that was not due yet ends on the day."""
    row.from_on, row.due_on = min(row.from_on, on), min(row.due_on, on)
    if row.outstanding:
        for component in COMPONENTS:
            settled = row.paid[component] + row.waived[component]
            row.due[component] = settled + row.written_off[component]
        row.check_met(on)


def _terms_from(terms: LoanTerms, fact: Restructured, principal: int) -> LoanTerms:
    return replace(
        knowing(terms, fact.closed_days),
        principal_minor=principal,
        rate_annual=fact.rate_annual,
        rate_steps=(),
        instalments=fact.instalments,
        amortisation=_newly_planned(terms.amortisation),
        instalment_minor=None,
        custom=(),
        expected_disbursement_on=fact.effective_on,
        first_due_on=fact.first_due_on,
        fixed_length=None,
        explicit_periods=(),
        expected_tranches=(),
        grace_on_principal=0,
        grace_on_interest=0,
        interest_free_periods=0,
    )


def _newly_planned(amortisation: Amortisation) -> Amortisation:
    """Return how a new plan repays: instalments that were given for the old one are level."""
    given = (Amortisation.FIXED_INSTALMENT, Amortisation.CUSTOM)
    return Amortisation.EQUAL_INSTALMENTS if amortisation in given else amortisation


def _row_of(plan: Plan, index: int) -> Row:
    period = plan.periods[index]
    row = Row(period.from_on, period.due_on)
    row.due[P], row.due[I] = period.due_principal, period.due_interest
    row.check_met(period.from_on)
    return row


def _move_charge(charge: Charge, due_on: date) -> None:
    if charge.agreed or not charge.outstanding:
        return  # the new instalments ask for their own
    charge.time, charge.due_on, charge.shares = ChargeTime.SPECIFIED_DUE_DATE, due_on, {}
    charge.place = 0
