"""A plain loan calculator, as one writes it for one purpose: it measures nothing.

No conventions, no corrections, no explanation: level instalments, ACT/365F, a payment a month. What
it does not check and does not keep is what the engine's extra time buys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise

_YEAR = Decimal(365)


@dataclass(slots=True)
class Row:
    """An instalment, amounts in minor units."""

    due_on: date
    principal: int
    interest: int
    paid: int = 0


def schedule(
    principal_minor: int, rate_annual: Decimal, starts_on: date, dues: Sequence[date]
) -> list[Row]:
    """Solve level instalments over the days between due dates; the last one takes the rest."""
    rows: list[Row] = []
    with localcontext() as context:
        context.rounding = ROUND_HALF_UP
        factors = [
            rate_annual * (due - before).days / _YEAR
            for before, due in pairwise([starts_on, *dues])
        ]
        product = series = Decimal(1)
        for factor in factors[1:]:
            series = 1 + series * (1 + factor)
        for factor in factors:
            product *= 1 + factor
        instalment = int((principal_minor * product / series).to_integral_value())
        balance = principal_minor
        for factor, due in zip(factors, dues, strict=True):
            interest = int((balance * factor).to_integral_value())
            part = balance if due == dues[-1] else instalment - interest
            rows.append(Row(due, part, interest))
            balance -= part
    return rows


def pay(rows: Sequence[Row], amounts: Iterable[int]) -> int:
    """Put payments on rows, oldest first; return what is left of them."""
    number = left = 0
    for amount in amounts:
        left += amount
        while left and number < len(rows):
            row = rows[number]
            part = min(left, row.principal + row.interest - row.paid)
            row.paid += part
            left -= part
            number += row.paid == row.principal + row.interest
    return left
