"""Charges that the products of random lives and random books compute."""

from dataclasses import replace
from decimal import Decimal

from domain.loan.terms import ChargeBasis, ChargeRule, ChargeTime, Component, Unit

INSTALMENT_FEES = (
    ChargeRule(code="LATE", component=Component.FEE, time=ChargeTime.INSTALMENT, amount_minor=130),
    ChargeRule(
        code="NSF",
        component=Component.FEE,
        time=ChargeTime.INSTALMENT,
        basis=ChargeBasis.PERCENT_OF_AMOUNT_AND_INTEREST,
        percent=Decimal("0.7"),
        min_minor=20,
        max_minor=2_000,
        tax_percent=Decimal(6),
    ),
)

YEARLY_FEES = (
    replace(INSTALMENT_FEES[0], time=ChargeTime.YEARLY, month=2, day=29),
    replace(INSTALMENT_FEES[1], time=ChargeTime.YEARLY, basis=ChargeBasis.PERCENT_OF_DISBURSED),
)
AGREED_FEES = (INSTALMENT_FEES, YEARLY_FEES)

CHARGE_RULES = (
    ChargeRule(
        code="LATE",
        component=Component.PENALTY,
        time=ChargeTime.OVERDUE,
        basis=ChargeBasis.PERCENT_OF_AMOUNT_AND_INTEREST,
        percent=Decimal(3),
        min_minor=50,
        wait_days=2,
        every=1,
        every_unit=Unit.WEEKS,
        cap_minor=20_000,
        tax_percent=Decimal(6),
    ),
    ChargeRule(
        code="NSF", component=Component.FEE, time=ChargeTime.SPECIFIED_DUE_DATE, amount_minor=700
    ),
)
OVERDUE = ChargeRule(
    code="OVERDUE",
    component=Component.PENALTY,
    time=ChargeTime.OVERDUE,
    basis=ChargeBasis.PERCENT_OF_AMOUNT_AND_INTEREST,
    percent=Decimal(2),
    wait_days=5,
    every=1,
    every_unit=Unit.MONTHS,
    cap_minor=10_000,
    tax_percent=Decimal(6),
)
