"""The payoff quote: exactly what settles a loan on a day. It records nothing."""

from dataclasses import dataclass
from datetime import date, timedelta

from domain.errors import Rejected
from domain.loan.instalments import Balances
from domain.loan.state import OPEN, Loan
from domain.servicing.payoff import payoff_parts
from domain.servicing.timeline import Timeline
from domain.servicing.values import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoffQuote:
    """What to pay. Amounts in minor units of the loan's currency."""

    on: date
    amount_minor: int  # this, paid on that day, settles the loan; a minor unit less does not
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    per_diem_minor: int  # what the next day adds; later days may round to one unit more or less
    valid_until: date  # the last day of the running period: on the next, other interest runs


def payoff_quote(loan: Loan, on: date) -> PayoffQuote:
    """Quote what settles a loan on a day that is not before its newest fact.

    Raises Rejected: `nothing_owed`, `before_last_fact`.
    """
    if loan.status not in OPEN or loan.timeline is None:
        raise Rejected("nothing_owed", f"the loan is {loan.status}")
    newest = loan.timeline.newest
    if newest is not None and on < newest.effective_on:
        raise Rejected(
            "before_last_fact", f"the loan's newest fact is of {newest.effective_on}", "on"
        )
    owed = owed_on(loan.timeline, on)
    tomorrow = owed_on(loan.timeline, on + timedelta(days=1))
    dates = (row.due_on for row in loan.rows if row.met_on is None and row.due_on > on)
    return PayoffQuote(
        on=on,
        amount_minor=owed.owed_minor,
        principal_minor=owed.principal_minor,
        interest_minor=owed.interest_minor,
        fee_minor=owed.fee_minor,
        penalty_minor=owed.penalty_minor,
        per_diem_minor=tomorrow.owed_minor - owed.owed_minor,
        valid_until=min(dates, default=on),
    )


def owed_on(timeline: Timeline, on: date) -> Balances:
    """Return what ends a loan on a day, by component, if nothing else happens until then.

    Interest runs to the day if the product recalculates; planned interest is owed whole.
    """
    parts, overpaid = timeline.read(lambda ledger: (payoff_parts(ledger, on), ledger.overpaid), on)
    return Balances(
        principal_minor=parts[Component.PRINCIPAL],
        interest_minor=parts[Component.INTEREST],
        fee_minor=parts[Component.FEE],
        penalty_minor=parts[Component.PENALTY],
        overpaid_minor=overpaid,
    )
