"""What an approved loan costs a year: all that its plan asks for is in it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.disclosure.china import periodic_irr
from domain.loan.charge_rules import ChargeRule
from domain.loan.cost import CostQuote, cost_quote
from domain.loan.terms import (
    ChargeTime,
    Component,
    Conditions,
    DownPaymentConditions,
    PayoutFee,
    Recalculation,
    RepaymentMethod,
)
from tests.support.lives import CONDITIONS, START, accepted

PLAIN = replace(
    CONDITIONS,
    method=RepaymentMethod.EQUAL_PRINCIPAL,
    recalculation=Recalculation.NONE,
    charges=("LATE", "NSF", "OUT"),
)
FEE = ChargeRule(code="NSF", component=Component.FEE, time=ChargeTime.INSTALMENT, amount_minor=300)
OUT = PayoutFee(code="OUT", percent=Decimal(1))


def quoted(conditions: Conditions) -> CostQuote:
    terms = accepted(600_000, 6, conditions=conditions).state.terms
    assert terms is not None
    return cost_quote(conditions, terms, START)


def test_a_loan_without_fees_costs_its_rate() -> None:
    """1 % a month: simply 12 %, by months and days / 365; 12.68 % a year compounded."""
    quote = quoted(PLAIN)
    assert (quote.interest_minor, quote.fee_minor, quote.charges) == (21_000, 0, ())
    assert quote.simple_annual == pytest.approx(Decimal("0.12"), abs=Decimal("0.002"))
    assert quote.irr_annual == pytest.approx(Decimal("0.1268"), abs=Decimal("0.002"))


def test_fees_of_instalments_and_of_the_payout_are_in_it() -> None:
    quote = quoted(replace(PLAIN, charge_rules=(FEE,), payout_fees=(OUT,)))
    assert (quote.fee_minor, quote.kept_back_minor, quote.received_minor) == (1_800, 6_000, 594_000)
    assert quote.charges == ("NSF", "OUT")
    asked = [100_000 + 6_000 - 1_000 * k + 300 for k in range(6)]
    monthly = periodic_irr(594_000, asked)
    assert quote.irr_annual == pytest.approx((1 + monthly) ** 12 - 1, abs=Decimal("0.003"))


def test_money_that_is_due_on_the_payouts_own_day_was_never_lent() -> None:
    plain = quoted(replace(PLAIN, charge_rules=(FEE,)))
    down = DownPaymentConditions(percent=Decimal(20))
    dearer = quoted(replace(PLAIN, charge_rules=(FEE,), down_payment=down))
    assert dearer.interest_minor < plain.interest_minor
    assert dearer.irr_annual > plain.irr_annual, "the same fees on less money"
