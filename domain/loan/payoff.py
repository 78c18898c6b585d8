"""The payoff quote: exactly what settles a loan on a day. It records nothing."""

from dataclasses import dataclass
from datetime import date, timedelta

from domain.errors import Rejected
from domain.loan.instalments import Balances
from domain.loan.state import OPEN, Loan


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoffQuote:
    """What to pay. Amounts in minor units of the loan's currency."""

    on: date
    amount_minor: int  # this, paid on that day, settles the loan; a minor unit less does not
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    per_diem_minor: int  # what each further day adds, up to `valid_until`
    valid_until: date  # the last day for which amount and per diem hold, if nothing happens


def payoff_quote(loan: Loan, on: date) -> PayoffQuote:
    """Quote what settles a loan on a day that is not before its newest fact.

    Raises Rejected: `nothing_owed`, `before_last_fact`.
    """
    if loan.status not in OPEN or loan.timeline is None:
        raise Rejected("nothing_owed", f"the loan is {loan.status}")
    newest = loan.timeline.fact
    if newest is not None and on < newest.effective_on:
        raise Rejected(
            "before_last_fact", f"the loan's newest fact is of {newest.effective_on}", "on"
        )
    owed = _owed(loan, on)
    open_dates = (row.due_on for row in loan.rows if row.met_on is None and row.due_on >= on)
    return PayoffQuote(
        on=on,
        amount_minor=owed.owed_minor,
        principal_minor=owed.principal_minor,
        interest_minor=owed.interest_minor,
        fee_minor=owed.fee_minor,
        penalty_minor=owed.penalty_minor,
        per_diem_minor=_owed(loan, on + timedelta(days=1)).owed_minor - owed.owed_minor,
        valid_until=min(open_dates, default=on),
    )


def _owed(loan: Loan, on: date) -> Balances:
    """Return all that is owed on a day. Planned interest is owed whole, whenever it is paid."""
    del on
    return loan.balances
