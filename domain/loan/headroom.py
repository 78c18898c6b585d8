"""The headroom of a loan: what may still go out on a day. It records nothing and refuses nothing.

Source: domain rules P-13, P-52; 5.1 (随借随还, 额度).
"""

from dataclasses import dataclass
from datetime import date

from domain.loan.state import Loan
from domain.loan.terms import RepaymentMethod
from domain.servicing.limit import NOTHING_DRAWN, drawn_since


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """What may go out. Amounts in minor units of the loan's currency."""

    on: date
    limit_minor: int  # as approved
    drawn_minor: int  # of the limit: of a revolving loan what is owed, else what went out
    outstanding_minor: int  # the most principal owed on the day or on a day since
    available_minor: int  # in one payout; repayment makes room on a revolving loan, or under a cap
    payouts_left: int


def matured(loan: Loan, on: date) -> bool:
    """Whether the last instalment is due by a day: nothing goes out any more."""
    return bool(loan.rows) and on >= loan.rows[-1].due_on


def headroom(loan: Loan, on: date) -> Headroom:
    """Say what may go out on a day; a draw of an earlier day must fit on every day since."""
    limit = 0 if loan.terms is None else loan.terms.principal_minor
    timeline = loan.timeline
    outstanding, net = NOTHING_DRAWN if timeline is None else drawn_since(timeline, on)
    revolves = loan.conditions.method is RepaymentMethod.REVOLVING
    drawn = outstanding if revolves else loan.paid_out_minor
    available = limit - (net if revolves else drawn)
    cap = loan.conditions.outstanding_max_minor
    if cap is not None:
        available = min(available, cap - outstanding)
    left = max(0, loan.conditions.payouts_max - loan.payouts)
    if matured(loan, on):
        left = 0
    return Headroom(
        on=on,
        limit_minor=limit,
        drawn_minor=drawn,
        outstanding_minor=outstanding,
        available_minor=max(0, available) if left else 0,
        payouts_left=left,
    )
