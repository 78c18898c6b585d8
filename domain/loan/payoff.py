"""The payoff quote: exactly what settles a loan on a day. It records nothing."""

from dataclasses import dataclass
from datetime import date, timedelta

from domain.errors import Rejected
from domain.loan.allocation import payoff_rows
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
    per_diem_minor: int  # what the next day adds; later days may round to one unit more or less
    valid_until: date  # the last day of the running period: on the next, other interest runs


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
    rows = [row for row in payoff_rows(loan.rows, on) if row.met_on is None]
    amount = sum(row.unpaid_minor for row in rows)
    return PayoffQuote(
        on=on,
        amount_minor=amount,
        principal_minor=sum(row.principal_left_minor for row in rows),
        interest_minor=sum(row.interest_left_minor for row in rows),
        fee_minor=sum(row.fee_left_minor for row in rows),
        penalty_minor=sum(row.penalty_left_minor for row in rows),
        per_diem_minor=_unpaid(loan, on + timedelta(days=1)) - amount,
        valid_until=min((row.due_on for row in rows if row.due_on > on), default=on),
    )


def _unpaid(loan: Loan, on: date) -> int:
    return sum(row.unpaid_minor for row in payoff_rows(loan.rows, on) if row.met_on is None)
