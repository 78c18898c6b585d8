"""The products of a random book: one plain, and others made of it. They open no loan."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from domain.loan.terms import (
    BuyDownFee,
    CapitalisedIncome,
    ChargeBasis,
    ChargeOffBehaviour,
    ChargeRule,
    ChargeTime,
    Component,
    Conditions,
    DownPaymentConditions,
    OverdueInterest,
    PayoutFee,
    PayoutPlan,
    PenaltyConditions,
    Recalculation,
    RepaymentMethod,
    ScheduleDayCount,
)
from tests.support.charge_rules import OVERDUE

CODES = ("LATE", "OVERDUE", "SERVICE", "SETUP")
"""What the cost tables of their loans list."""
PRINCIPAL_FIRST = (Component.PRINCIPAL, Component.INTEREST, Component.FEE, Component.PENALTY)


SERVICE = ChargeRule(
    code="SERVICE",
    component=Component.FEE,
    time=ChargeTime.INSTALMENT,
    basis=ChargeBasis.PERCENT_OF_AMOUNT,
    percent=Decimal("0.5"),
    max_minor=400,
    tax_percent=Decimal(6),
)
"""What each instalment of a product with penalties bears."""


def conditions(
    tolerance_minor: int = 0,
    recalculation: Recalculation = Recalculation.NONE,
    **product: Any,  # noqa: ANN401 - any field
) -> Conditions:
    plain = Conditions(
        currency="USD",
        method=RepaymentMethod.ANNUITY,
        day_count=ScheduleDayCount.THIRTY_360_PROPORTIONAL,
        recalculation=recalculation,
        amount_max_minor=5_000_000,
        rate_annual_max=Decimal("0.40"),
        instalments_max=60,
        backdating_days_max=400,
        arrears_tolerance_minor=tolerance_minor,
        charges=CODES,
        charge_rules=(OVERDUE,),
        capitalised_income=CapitalisedIncome(code="SETUP"),
        buy_down_fee=BuyDownFee(merchant_paid=False),
        payouts_max=4,
    )
    return replace(plain, **product)


def line(plain: Conditions) -> Conditions:
    """Draws and repayments at will, interest by the day."""
    return replace(
        plain,
        method=RepaymentMethod.REVOLVING,
        recalculation=Recalculation.CONTINUOUS,
        payouts_max=1_000,
        charge_off=ChargeOffBehaviour.ZERO_INTEREST,
    )


def penal(plain: Conditions) -> Conditions:
    """What is overdue costs more, who does not perform pays principal first; a fee on each row."""
    return replace(
        plain,
        overdue_interest=OverdueInterest.DOES_NOT_EARN,
        penalty=PenaltyConditions(overdue_markup=Decimal("0.5"), misuse_markup=Decimal(1)),
        non_performing_allocation=PRINCIPAL_FIRST,
        non_accrual=True,
        charge_rules=(*plain.charge_rules, SERVICE),
    )


def planned(plain: Conditions) -> Conditions:
    """Paid out by a plan, less a fee."""
    return replace(
        plain,
        payout_plan=PayoutPlan.TRANCHES,
        payout_fees=(PayoutFee(code="LATE", percent=Decimal(1), tax_percent=Decimal(6)),),
        charge_off=ChargeOffBehaviour.ACCELERATE_MATURITY,
        down_payment=DownPaymentConditions(percent=Decimal(20), automatic=True),
    )
