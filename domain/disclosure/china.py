"""China's annualised all-in cost of a loan (综合融资成本, 贷款年化利率), and what flat fees hide.

Source: PBC announcement 2021 No. 3: every cost over the principal actually occupied, annualised,
by compound interest (IRR) or simple interest, and whoever uses simple interest says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from enum import StrEnum

from domain.disclosure.effective import YearRule, effective_apr
from domain.disclosure.flows import CashFlow, net_flows
from domain.disclosure.regulation_z import TimedFlow, unit_period_rate
from domain.disclosure.unit_periods import UnitTime
from domain.errors import Rejected
from domain.money import WIDE_CONTEXT


class CostMethod(StrEnum):
    """How a cost was annualised; a figure without it may not be shown."""

    IRR_COMPOUND = "irr"  # 内部收益率法, effective, days / 365
    SIMPLE = "simple"  # 单利法, days / 365


class DailyYear(StrEnum):
    """What a daily rate (日息) is multiplied by; the disclosure says which (domain rules, 5.7)."""

    X_365 = "x365"
    X_360 = "x360"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnualisedCost:
    """A cost a year as a fraction, and how it was found."""

    rate_annual: Decimal
    method: CostMethod | DailyYear


@dataclass(frozen=True, slots=True, kw_only=True)
class Repayment:
    """What the borrower pays on a day, in minor units: principal, and every cost together.

    Raises Rejected `amount_out_of_range` for a negative part.
    """

    on: date
    principal_minor: int
    cost_minor: int

    def __post_init__(self) -> None:
        if self.principal_minor < 0 or self.cost_minor < 0:
            raise Rejected("amount_out_of_range", "a repayment has no negative part")


def all_in_cost(
    advances: Sequence[CashFlow], repayments: Sequence[Repayment], method: CostMethod
) -> AnnualisedCost:
    """Return the annualised cost of a loan that is repaid as agreed.

    `advances` are the money that reached the borrower: what was withheld from it was never
    occupied (砍头息; Civil Code, article 670). Raises Rejected as `net_flows` and `rate_root` do.
    """
    payments = [
        CashFlow(on=part.on, amount_minor=part.principal_minor + part.cost_minor)
        for part in repayments
    ]
    if method is CostMethod.IRR_COMPOUND:
        rate = effective_apr(advances, payments, YearRule.DAYS_365)
    else:
        rate = _simple_cost(advances, repayments, payments)
    return AnnualisedCost(rate_annual=rate, method=method)


def _simple_cost(
    advances: Sequence[CashFlow], repayments: Sequence[Repayment], payments: Sequence[CashFlow]
) -> Decimal:
    """Divide the whole cost by the sum of occupied principal x days, times 365."""
    net_flows(advances, payments)  # for its checks: the sum below would hide a missing payment
    changes = [(flow.on, flow.amount_minor) for flow in advances]
    changes += [(part.on, -part.principal_minor) for part in repayments]
    changes.sort()
    occupied = balance = 0
    for k, (on, amount) in enumerate(changes):
        balance += amount
        until = changes[k + 1][0] if k + 1 < len(changes) else on
        occupied += max(balance, 0) * (until - on).days
    received = sum(flow.amount_minor for flow in advances)
    cost = sum(flow.amount_minor for flow in payments) - received
    with localcontext(WIDE_CONTEXT):
        return Decimal(cost * 365) / occupied


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatFeeCost:
    """What a fee on the first principal is called and what it is, fractions per year."""

    quoted_annual: Decimal  # 12 x the monthly fee: forbidden as a disclosure (rules, 5.1)
    nominal_annual: Decimal  # 12 x the monthly IRR
    effective_annual: Decimal  # (1 + monthly IRR)^12 - 1


def flat_fee_cost(
    lent_minor: int, payments_minor: Sequence[int], fee_rate: Decimal, periods_per_year: int
) -> FlatFeeCost:
    """Return the true cost of a plan with a fee on the first principal beside the quoted one.

    Raises Rejected as `rate_root` does (domain rules, 5.1).
    """
    rate = periodic_irr(lent_minor, payments_minor)
    with localcontext(WIDE_CONTEXT):
        return FlatFeeCost(
            quoted_annual=fee_rate * periods_per_year,
            nominal_annual=rate * periods_per_year,
            effective_annual=(1 + rate) ** periods_per_year - 1,
        )


def periodic_irr(lent_minor: int, payments_minor: Sequence[int]) -> Decimal:
    """Return the internal rate of return a period, a fraction; one payment ends each period.

    Raises Rejected as `rate_root` does.
    """
    flows = [TimedFlow(amount_minor=-lent_minor, time=UnitTime(whole=0))]
    flows += [
        TimedFlow(amount_minor=amount, time=UnitTime(whole=number))
        for number, amount in enumerate(payments_minor, 1)
    ]
    return unit_period_rate(flows)


def annualised_daily_rate(rate_daily: Decimal, year: DailyYear) -> AnnualisedCost:
    """Return a daily rate times 365 or 360, and which of them (domain rules, 5.7)."""
    days = {DailyYear.X_365: 365, DailyYear.X_360: 360}[year]
    with localcontext(WIDE_CONTEXT):
        return AnnualisedCost(rate_annual=rate_daily * days, method=year)
