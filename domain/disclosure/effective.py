"""Effective annual rates: the APR of the EU and the UK, the effective interest rate of IFRS 9."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from math import lcm

from domain.calendar import add_months
from domain.disclosure.flows import CashFlow, net_flows
from domain.disclosure.roots import rate_root
from domain.money import WIDE_CONTEXT


class YearRule(StrEnum):
    """How the time to a flow becomes years (`eu_apr_time`; domain rules, 0.4 and 5.7)."""

    DAYS_365 = "days/365"
    MONTHS_12 = "months/12"  # whole months are twelfths, the days before them parts of their year
    WEEKS_52 = "weeks/52"


def effective_apr(
    advances: Sequence[CashFlow],
    payments: Sequence[CashFlow],
    rule: YearRule = YearRule.DAYS_365,
) -> Decimal:
    """Return X of sum advances / (1+X)^t = sum payments / (1+X)^t, a fraction per year, unrounded.

    Source: Directive 2008/48/EC, annex I, part I; UK FCA MCOB 10 and CONC App 1.2.
    Raises Rejected as `net_flows` and `rate_root` do.
    """
    net = net_flows(advances, payments)
    start = net[0][0]
    times = [years_between(start, on, rule) for on, _ in net]
    ticks_per_year = lcm(*(time.denominator for time in times))
    ticks = [int(time * ticks_per_year) for time in times]  # exact: it divides

    def value(rate: Decimal) -> Decimal:
        discount = (-(1 + rate).ln() / ticks_per_year).exp()
        return sum(
            (amount * discount**tick for (_, amount), tick in zip(net, ticks, strict=True)),
            Decimal(0),
        )

    with localcontext(WIDE_CONTEXT):
        return rate_root(value)


def effective_interest_rate(
    advances: Sequence[CashFlow],
    payments: Sequence[CashFlow],
    transaction_costs: Sequence[CashFlow] = (),
) -> Decimal:
    """Return the rate that discounts a loan's payments to its carrying amount, a fraction per year.

    Fees of the borrower are payments; what the lender spends to make the loan raises the carrying
    amount and lowers the rate (IFRS 9, appendix A and B5.4.1 to B5.4.3). Days / 365.
    Raises Rejected as `effective_apr` does.
    """
    return effective_apr((*advances, *transaction_costs), payments, YearRule.DAYS_365)


def years_between(start: date, end: date, rule: YearRule) -> Fraction:
    """Return the time between two dates in years.

    Under MONTHS_12 the whole months are counted back from the later date; the days left over are
    parts of the year that ends where they end, 365 or 366 days (Directive 2011/90/EU).
    """
    days = (end - start).days
    match rule:
        case YearRule.DAYS_365:
            return Fraction(days, 365)
        case YearRule.WEEKS_52:
            return Fraction(days, 364)
        case YearRule.MONTHS_12:
            return _months_and_days(start, end)


def _months_and_days(start: date, end: date) -> Fraction:
    months = 12 * (end.year - start.year) + end.month - start.month
    if add_months(start, months) == end:  # also from a month's end to a shorter month's end
        return Fraction(months, 12)
    if add_months(end, -months) < start:
        months -= 1
    broken_to = add_months(end, -months)
    year = (broken_to - add_months(broken_to, -12)).days
    return Fraction(months, 12) + Fraction((broken_to - start).days, year)


def percent(rate: Decimal, places: int, mode: str = ROUND_HALF_UP) -> Decimal:
    """Return a fraction as a percentage with so many decimals, as it is printed.

    The EU and the UK print one at least, rounding half up (Directive 2008/48/EC, annex I (d)).
    """
    with localcontext(WIDE_CONTEXT):
        return (rate * 100).quantize(Decimal(1).scaleb(-places), rounding=mode)
