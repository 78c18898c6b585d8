"""Charges that the products of random lives and random books compute."""

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
