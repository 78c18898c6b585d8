"""Daily interest on a balance that moves: 按日计息, 随借随还. No schedule and no allocation.

The day of a change counts with the new balance, the last day does not count (算头不算尾).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from domain.daycount import DayCount, year_fraction
from domain.errors import Rejected
from domain.money import WIDE_CONTEXT, to_minor

BALANCE_CHANGES_MAX = 10_000
"""Most changes of one balance in one call: a draw and a repayment a day for thirteen years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceChange:
    """A draw (positive) or a repayment (negative), in minor units, on its value date."""

    on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRate:
    """The price of a day: an annual rate and the year it is divided by."""

    rate_annual: Decimal
    convention: DayCount = DayCount.ACT_360  # Chinese banks: daily rate = annual / 360 (rules, 5.1)


def daily_interest(
    changes: Sequence[BalanceChange],
    price: DailyRate,
    until_on: date,
    mode: str = ROUND_HALF_UP,
) -> int:
    """Return the interest of all changes before `until_on`, in minor units, rounded once.

    Source: domain rules, 5.1 (按日计息、随借随还) and 5.3 (round the sum, never the day).
    Raises Rejected: `too_many_balance_changes`, `balance_below_zero`.
    """
    return to_minor(exact_daily_interest(changes, price, until_on), mode)


def exact_daily_interest(
    changes: Sequence[BalanceChange], price: DailyRate, until_on: date
) -> Decimal:
    """Return the same in minor units before rounding, for a sum that goes on."""
    if len(changes) > BALANCE_CHANGES_MAX:
        detail = f"at most {BALANCE_CHANGES_MAX} changes of a balance, not {len(changes)}"
        raise Rejected("too_many_balance_changes", detail, "changes")
    ordered = sorted((change for change in changes if change.on < until_on), key=lambda it: it.on)
    balance, balance_years = 0, Fraction(0)
    for k, change in enumerate(ordered, 1):
        end = ordered[k].on if k < len(ordered) else until_on
        balance += change.amount_minor
        if end == change.on:
            continue  # more follows on the same day; only the day's last balance earns
        if balance < 0:
            detail = f"more was repaid than was owed on {change.on}"
            raise Rejected("balance_below_zero", detail, "changes")
        balance_years += balance * year_fraction(price.convention, change.on, end)
    with localcontext(WIDE_CONTEXT):
        return price.rate_annual * balance_years.numerator / balance_years.denominator
