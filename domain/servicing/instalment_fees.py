"""Fees on every instalment, or on those that hold a day of the year: they follow their instalments.

Those that a contract agrees on are there from the start; an application may bring others. Sources:
domain rules 9.8 F-03, F-04, F-06 to F-09, F-11, F-22.
"""

from calendar import monthrange
from datetime import date

from domain.servicing.charge_amounts import percent_of
from domain.servicing.ledger import Charge, Ledger
from domain.servicing.row import I, P, Row
from domain.servicing.terms import ChargeTerms, LoanTerms
from domain.servicing.values import ChargeBasis, ChargeTime


def agreed_fees(terms: LoanTerms, start: date) -> list[Charge]:
    """Return what a contract asks for with each instalment, before there is one."""
    return [
        Charge(
            id=f"agreed:{fee.code}",
            code=fee.code,
            kind=fee.kind,
            time=ChargeTime.INSTALMENT,
            basis=fee.basis,
            submitted_on=start,
            each=fee.amount_minor,
            percent=fee.percent,
            least=fee.min_minor,
            most=fee.max_minor,
            agreed=True,
            yearly=_day_of_year(fee, start),
        )
        for fee in terms.instalment_fees
    ]


def _day_of_year(fee: ChargeTerms, start: date) -> tuple[int, int] | None:
    if fee.time is not ChargeTime.YEARLY:
        return None
    return (start.month, start.day) if fee.month is None else (fee.month, fee.day or 1)


def times_in(charge: Charge, after: date, until: date) -> int:
    """Count how often a fee of the contract falls into the days after one, up to another.

    A day that a month does not have is its last day.
    """
    if charge.yearly is None:
        return 1
    month, day = charge.yearly
    years = range(after.year, until.year + 1)
    days = [date(year, month, min(day, monthrange(year, month)[1])) for year in years]
    return sum(after < on <= until for on in days)


def fees_asked(ledger: Ledger) -> dict[str, int]:
    """Return what all instalments together ask for of each fee of the contract, minor units."""
    return {charge.code: charge.amount for charge in ledger.charges if charge.agreed}


def spread_fee(ledger: Ledger, charge: Charge) -> None:
    """Ask for a fee with every regular instalment; down payments and row N+1 bear none."""
    charge.shares = {}
    for row in ledger.rows:
        if row.regular:
            share = _share(ledger, charge, row)
            charge.shares[row.due_on] = share
            row.ask(charge.component, share, row.met_on)
    charge.amount = sum(charge.shares.values())


def _share(ledger: Ledger, charge: Charge, row: Row) -> int:
    times = times_in(charge, row.from_on, row.due_on)
    return times and times * _once(ledger, charge, row)


def _once(ledger: Ledger, charge: Charge, row: Row) -> int:
    if charge.basis is ChargeBasis.FLAT:
        return charge.each
    if charge.basis is ChargeBasis.PERCENT_OF_DISBURSED:
        base = (sum(amount for _, amount, _ in ledger.disbursements), 0)
    else:
        base = (row.due[P], row.due[I])
    share = max(charge.least, percent_of(charge.basis, charge.percent, *base))
    return share if charge.most is None else min(share, charge.most)


def follow_instalments(ledger: Ledger) -> None:
    """Let fees follow the rows they are computed from, as long as these may change (F-22).

    What the contract agrees on follows every plan until the loan has ended; what an application
    brought follows one that does not follow payments.
    """
    if not ledger.disbursements:
        return
    ended = ledger.charged_off_on or ledger.terminated_on or ledger.written_off
    for charge in ledger.charges:
        follows = not ended if charge.agreed else not ledger.terms.recalculates
        if charge.time is ChargeTime.INSTALMENT and follows:
            _follow(ledger, charge)


def _follow(ledger: Ledger, charge: Charge) -> None:
    for row in ledger.rows:
        if not row.regular or row.re_aged or (row.met and row.due_on in charge.shares):
            continue
        known = charge.shares.get(row.due_on, 0)
        change = _share(ledger, charge, row) - known
        change = max(change, -row.outstanding_of(charge.component))  # what was paid stays
        if change:
            charge.shares[row.due_on] = known + change
            row.ask(charge.component, change, row.met_on)
            if ledger.touched is not None:
                ledger.touched.add(row.number)
    charge.amount = sum(charge.shares.values()) + charge.moved
