"""The headroom of a loan: what may still go out on a day. It records nothing and refuses nothing.

Source: domain rules P-13, P-52; 5.1 (随借随还, 额度); 9.9 S-27 (income fills it like a payout).
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from domain.loan.deferring import capitalised_minor
from domain.loan.state import Loan
from domain.loan.terms import RepaymentMethod
from domain.servicing.limit import NOTHING_DRAWN, drawn_since


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """What may go out. Amounts in minor units of the loan's currency."""

    on: date
    limit_minor: int  # as approved
    drawn_minor: int  # of the limit: of a revolving loan what is owed, else what was lent
    outstanding_minor: int  # the most principal owed on the day or on a day since
    available_minor: int  # in one payout; repayment makes room on a revolving loan, or under a cap
    payouts_left: int


def matured(loan: Loan, on: date) -> bool:
    """Whether the last instalment is due by a day: nothing goes out any more."""
    return bool(loan.rows) and on >= loan.rows[-1].due_on


class Room(NamedTuple):
    """What is left for more principal, however it comes about: a payout, or income. Minor units."""

    limit_minor: int
    drawn_minor: int
    outstanding_minor: int
    left_minor: int


def room(loan: Loan, on: date) -> Room:
    """Say how much more may be lent on a day; of an earlier day it must fit on every day since."""
    limit = 0 if loan.terms is None else loan.terms.principal_minor
    timeline = loan.timeline
    outstanding, net = NOTHING_DRAWN if timeline is None else drawn_since(timeline, on)
    revolves = loan.conditions.method is RepaymentMethod.REVOLVING
    drawn = outstanding if revolves else loan.paid_out_minor + capitalised_minor(loan)
    left = limit - (net if revolves else drawn)
    cap = loan.conditions.outstanding_max_minor
    if cap is not None:
        left = min(left, cap - outstanding)
    return Room(limit, drawn, outstanding, max(0, left))


def headroom(loan: Loan, on: date) -> Headroom:
    """Say what may go out on a day: the room, while payouts are left and the loan runs."""
    found = room(loan, on)
    left = max(0, loan.conditions.payouts_max - loan.payouts)
    if matured(loan, on):
        left = 0
    return Headroom(
        on=on,
        limit_minor=found.limit_minor,
        drawn_minor=found.drawn_minor,
        outstanding_minor=found.outstanding_minor,
        available_minor=found.left_minor if left else 0,
        payouts_left=left,
    )
