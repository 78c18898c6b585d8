"""How a product computes its charges, and when it puts them on a loan. It judges no loan.

What is kept back from payouts is `terms.PayoutFee`. Sources: domain rules 9.8 F-03 to F-12.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from domain.money import to_minor
from domain.servicing.dates import add_units
from domain.servicing.values import ChargeBasis, ChargeTime, Component, Unit

PERCENT = 100


AGREED_TIMES = frozenset({ChargeTime.INSTALMENT, ChargeTime.YEARLY})
"""Of fees that the contract asks for: they are in the plan from its start."""


class UndueCharge(StrEnum):
    """What becomes of an overdue charge when a payment shows that nothing had been overdue."""

    TAKEN_BACK = "taken_back"  # as if it had never been: later payments are split anew
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRule:
    """A charge that the product computes: a fixed amount, or a share of principal, interest, both.

    A share is of the whole loan for a charge on a date, of an instalment for a fee on each, of what
    was paid out for either or a yearly one, and of what is overdue of an instalment.
    """

    code: str  # one of the product's charges
    component: Component  # fee or penalty
    time: ChargeTime  # when it is asked for; with each instalment; yearly; overdue, by the close
    basis: ChargeBasis = ChargeBasis.FLAT
    amount_minor: int = 0
    percent: Decimal | None = None  # of what the basis says: 1.5 is 1.5 %; None: the fixed amount
    min_minor: int = 0  # of a share, each time
    max_minor: int | None = None  # of a share, each time; None: without limit
    wait_days: int = 0  # after the due date; the first overdue charge is put on the day after them
    every: int | None = None  # units between two overdue charges; None: once an instalment
    every_unit: Unit = Unit.DAYS
    cap_minor: int | None = None  # of all overdue charges on one instalment; None: without limit
    undue: UndueCharge = UndueCharge.TAKEN_BACK
    month: int | None = None  # of a yearly fee, 1 to 12; None: anniversaries of the first payout
    day: int | None = None  # of a yearly fee, of its month; the last day of a month without it
    tax_percent: Decimal | None = None  # inside the charge, on its net: 6 is VAT of 6 %; None: none


def amount_of(rule: ChargeRule, principal_minor: int, interest_minor: int) -> int:
    """Return what a rule asks for, minor units: a share is rounded half up, then bounded (F-11)."""
    if rule.percent is None:
        return rule.amount_minor
    base = 0
    if rule.basis is not ChargeBasis.PERCENT_OF_INTEREST:
        base += principal_minor
    if rule.basis is not ChargeBasis.PERCENT_OF_AMOUNT:
        base += interest_minor
    share = max(rule.min_minor, to_minor(base * rule.percent / PERCENT))
    return share if rule.max_minor is None else min(share, rule.max_minor)


def tax_in(amount_minor: int, percent: Decimal | None) -> int:
    """Return the tax inside an amount, minor units, half up: at 6 % 6.00 of 106.00 (F-20)."""
    if percent is None:
        return 0
    return to_minor(amount_minor * percent / (PERCENT + percent))


def last_turn(rule: ChargeRule, due_on: date, on: date) -> date | None:
    """Return the last day by `on` on which an overdue charge is put; None: none yet (F-05).

    Turns are counted from the first, so that the days of months do not drift.
    """
    first = due_on + timedelta(days=rule.wait_days + 1)
    if on < first:
        return None
    if rule.every is None:
        return first
    turn, number = first, 0
    while (later := add_units(first, rule.every_unit, rule.every * (number + 1))) <= on:
        turn, number = later, number + 1
    return turn


def agreed_fees(rules: Iterable[ChargeRule]) -> list[ChargeRule]:
    """Return the rules of fees that the contract asks for."""
    return [rule for rule in rules if rule.time in AGREED_TIMES]


def rule_of(rules: Iterable[ChargeRule], code: str, time: ChargeTime) -> ChargeRule | None:
    """Return the rule of a code at a time; None: the product has none."""
    return next((rule for rule in rules if rule.code == code and rule.time is time), None)
