"""Instalments that are given and not solved: one amount, or a list of the loan's own.

With one amount the number of instalments follows. Source: domain rules 5.1 (fixed payment amount),
P-11, P-50.
"""

from collections.abc import Sequence
from datetime import date

from domain.servicing.dates import schedule_periods
from domain.servicing.ledger import Ledger
from domain.servicing.period import Period
from domain.servicing.plan import Plan
from domain.servicing.recharging import let_fees_go
from domain.servicing.row import I, P, Row
from domain.servicing.values import Amortisation


def given_instalments(plan: Plan, periods: Sequence[Period]) -> list[int] | None:
    """Return the given instalment of each period in minor units; None if they are to be solved."""
    terms = plan.terms
    if terms.amortisation is Amortisation.FIXED_INSTALMENT:
        return [terms.instalment_minor or 0] * len(periods)
    if terms.amortisation is Amortisation.CUSTOM and len(plan.periods) == len(terms.custom):
        rows = [terms.custom[plan.periods.index(period)] for period in periods]
        rest = plan.total_money_out  # the last one is open: it takes the residue of all this
        return [rest if row.instalment_minor is None else row.instalment_minor for row in rows]
    return None


def allow_longest_term(plan: Plan, on: date) -> None:
    """With one amount, put back the periods that the product allows and a solution did without.

    Before money moves on a day: what is drawn on the last due date falls due after it, as always.
    """
    if plan.terms.amortisation is not Amortisation.FIXED_INSTALMENT or on > plan.maturity:
        return
    last = plan.last
    for from_on, due_on in schedule_periods(plan.terms, plan.start_on):
        if due_on > plan.maturity:
            period = Period(from_on, due_on)
            period.disbursed_before = last.disbursed_before
            period.capitalised_before = last.capitalised_before
            plan.periods.append(period)


def end_when_repaid(plan: Plan) -> None:
    """Drop the periods after the one that repays the rest."""
    plan.rebalance()
    paid_out = plan.total_money_out > 0
    for index, period in enumerate(plan.periods):
        later = plan.periods[index + 1 :]
        untouched = not any(p.total_paid or p.disbursed or p.capitalised for p in later)
        if paid_out and untouched and not period.closing_balance():
            del plan.periods[index + 1 :]
            return


def let_rows_follow_term(ledger: Ledger) -> None:
    """Make rows for new periods of the plan; those it has none for ask for what was paid."""
    rows = {(row.from_on, row.due_on): row for row in ledger.rows if row.regular}
    dates = {(p.from_on, p.due_on) for p in ledger.plan.periods}
    ledger.rows += [Row(*of) for of in sorted(dates) if of not in rows]
    for of, row in rows.items():
        if of not in dates:
            row.due[P], row.due[I] = row.paid[P], row.paid[I] + row.waived[I]
    drop_rows_beyond(ledger)
    ledger.renumber()


def drop_rows_beyond(ledger: Ledger) -> None:
    """Take rows away that the plan has no period for any more."""
    dates = {(p.from_on, p.due_on) for p in ledger.plan.periods}
    beyond = [row for row in ledger.rows if row.regular and (row.from_on, row.due_on) not in dates]
    let_fees_go(ledger, beyond, date.min)
    ledger.rows = [
        row
        for row in ledger.rows
        if not row.regular or row.total_due or (row.from_on, row.due_on) in dates
    ]
