"""What an approved loan costs a year if it is paid out on a day and repaid as planned.

Everything that the plan asks for is in it: interest, fees of its instalments, fees kept back from
the payout. It records nothing. Source: domain rules, 5.7 (综合融资成本).
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from domain.decisions.payout_fees import amount_of
from domain.disclosure.china import CostMethod, Repayment, all_in_cost
from domain.disclosure.flows import CashFlow
from domain.loan.charge_rules import agreed_fees
from domain.loan.quote import planned
from domain.loan.terms import Conditions, Terms

PLACES = Decimal("0.000001")  # of a fraction a year: a hundredth of a basis point


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQuote:
    """A plan's cost. Amounts in minor units of the loan's currency, rates as fractions a year."""

    on: date  # of the payout; due dates are as if every day was worked
    principal_minor: int
    received_minor: int  # by the borrower: less the fees kept back
    interest_minor: int  # of all instalments
    fee_minor: int  # of all instalments
    kept_back_minor: int  # from the payout, as if all went out at once
    irr_annual: Decimal  # 内部收益率法, days / 365
    simple_annual: Decimal  # 单利法, days / 365
    charges: tuple[str, ...]  # that the plan asks for: the cost table must list them


def cost_quote(conditions: Conditions, terms: Terms, on: date) -> CostQuote:
    """Quote the all-in cost of what was approved. Raises Rejected as `all_in_cost` does."""
    rows = planned(conditions, terms, from_on=on, first_due_on=terms.first_due_on)
    kept = {fee.code: amount_of(fee, terms.principal_minor) for fee in conditions.payout_fees}
    received = terms.principal_minor - sum(kept.values())
    advances = [CashFlow(on=on, amount_minor=received)]
    repayments = [
        Repayment(
            on=row.due_on,
            principal_minor=row.principal_minor,
            cost_minor=row.interest_minor + row.fee_minor,
        )
        for row in rows
    ]
    irr, simple = (
        all_in_cost(advances, repayments, method).rate_annual.quantize(PLACES, ROUND_HALF_UP)
        for method in (CostMethod.IRR_COMPOUND, CostMethod.SIMPLE)
    )
    asked = [rule.code for rule in agreed_fees(conditions.charge_rules)]
    return CostQuote(
        on=on,
        principal_minor=terms.principal_minor,
        received_minor=received,
        interest_minor=sum(row.interest_minor for row in rows),
        fee_minor=sum(row.fee_minor for row in rows),
        kept_back_minor=sum(kept.values()),
        irr_annual=irr,
        simple_annual=simple,
        charges=tuple(sorted({*asked, *(code for code, amount in kept.items() if amount)})),
    )
