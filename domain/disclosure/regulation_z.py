"""The annual percentage rate of Regulation Z by the actuarial method, closed-end credit (US).

Source: 12 CFR 1026, appendix J, (b). The rate is nominal: unit-period rate x unit-periods a year.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import Enum
from fractions import Fraction

from domain.disclosure.flows import CashFlow, net_flows
from domain.disclosure.roots import rate_root
from domain.disclosure.unit_periods import UnitPeriod, UnitTime, unit_period_of, unit_time
from domain.money import WIDE_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedFlow:
    """An amount in minor units, so many unit-periods after the beginning of the transaction.

    Positive is paid to the lender, negative advanced by it.
    """

    amount_minor: int
    time: UnitTime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulationZRate:
    """A rate and the unit-period it was found with, which the disclosure's file must show."""

    rate_annual: Decimal  # nominal, fraction per year
    unit_period: UnitPeriod


class Tolerance(Enum):
    """How far a disclosed rate may lie from the exact one, as a fraction (1026.22(a)(2), (3))."""

    REGULAR = Decimal("0.00125")  # 1/8 of a percentage point
    IRREGULAR = Decimal("0.0025")  # 1/4: several advances, irregular periods or amounts


def unit_period_rate(flows: Sequence[TimedFlow]) -> Decimal:
    """Return i of sum of amount / ((1 + f i)(1 + i)^t) = 0, appendix J (b)(8).

    The caller's flows have one rate (`domain.disclosure.flows`). Raises Rejected as `rate_root`.
    """
    terms = [
        (
            Decimal(flow.amount_minor),
            flow.time.whole,
            Decimal(flow.time.fraction.numerator),
            Decimal(flow.time.fraction.denominator),
        )
        for flow in flows
    ]

    def value(rate: Decimal) -> Decimal:
        total = Decimal(0)
        for amount, whole, odd, unit in terms:
            total += amount / ((1 + odd / unit * rate) * (1 + rate) ** whole)
        return total

    with localcontext(WIDE_CONTEXT):
        return rate_root(value)


def annual_percentage_rate(flows: Sequence[TimedFlow], unit_periods_per_year: Fraction) -> Decimal:
    """Return the nominal rate a year, a fraction: i x w, appendix J (b)(1).

    Raises Rejected as `unit_period_rate` does.
    """
    rate = unit_period_rate(flows)
    with localcontext(WIDE_CONTEXT):
        return rate * unit_periods_per_year.numerator / unit_periods_per_year.denominator


def annual_percentage_rate_by_date(
    advances: Sequence[CashFlow],
    payments: Sequence[CashFlow],
    unit_period: UnitPeriod | None = None,
) -> RegulationZRate:
    """Return the rate of dated flows. `unit_period` None: found from the dates by (b)(4).

    A prepaid finance charge is left out of the advance: it is the amount financed that counts.
    Raises Rejected as `net_flows` and `rate_root` do.
    """
    net = net_flows(advances, payments)
    start = net[0][0]
    given = sorted({flow.on for flow in advances})
    returned = sorted({flow.on for flow in payments})
    unit = unit_period or unit_period_of(given, returned)
    due_day = max(day.day for day in returned)
    flows = [
        TimedFlow(amount_minor=amount, time=unit_time(start, on, unit, due_day))
        for on, amount in net
    ]
    return RegulationZRate(
        rate_annual=annual_percentage_rate(flows, unit.per_year), unit_period=unit
    )


def within_tolerance(disclosed: Decimal, exact: Decimal, tolerance: Tolerance) -> bool:
    """Tell whether a disclosed rate counts as accurate; both are fractions per year."""
    return abs(disclosed - exact) <= tolerance.value
