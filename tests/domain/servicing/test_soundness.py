"""Terms that make no sense are refused when the product is defined: field, code, reason."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.calendar import BusinessDayRule
from domain.daycount import DayCount
from domain.errors import Rejected
from domain.servicing import operations as op
from domain.servicing.conventions import Factors, Residue
from domain.servicing.floating import FloatingRate, ResetRule
from domain.servicing.simulation import simulate
from domain.servicing.term_parts import CustomInstalment, RateStep, Unsound
from domain.servicing.terms import ChargeTerms, DownPayment, LoanTerms, Tranche
from domain.servicing.values import (
    Amortisation,
    ChargeBasis,
    ChargeKind,
    ChargeTime,
    Component,
    InterestMethod,
    InterestPeriod,
    Kind,
    Recalculation,
    ScheduleType,
    Unit,
)
from tests.domain.servicing.plans import START, terms

BY_PRINCIPAL = [
    {"amortisation": Amortisation.EQUAL_PRINCIPAL},
    {"amortisation": Amortisation.INTEREST_ONLY},
    {"amortisation": Amortisation.BULLET},
    {"amortisation": Amortisation.EQUAL_AMORTISATION},
    {"amortisation": Amortisation.REVOLVING, "recalculation": Recalculation.CONTINUOUS},
    {"amortisation": Amortisation.FIXED_INSTALMENT, "instalment_minor": 100_00},
]
CUMULATIVE = {"schedule_type": ScheduleType.CUMULATIVE}
FOLLOWED = {"recalculation": Recalculation.CONTINUOUS}


def days(*after: int) -> list[date]:
    return [START + timedelta(days=n) for n in after]


def custom(*rows: CustomInstalment, instalments: int | None = None) -> dict[str, Any]:
    return {
        "amortisation": Amortisation.CUSTOM,
        "instalments": len(rows) if instalments is None else instalments,
        "custom": rows,
    }


def agreed(on: date, principal: int | None = None, whole: int | None = None) -> CustomInstalment:
    return CustomInstalment(due_on=on, principal_minor=principal, instalment_minor=whole)


def floating(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of the rate
    given: dict[str, Any] = {
        "reference": "LPR-1Y",
        "spread_bps": 50,
        "reset": ResetRule.NEW_YEAR,
    }
    return {"floating": FloatingRate(**(given | changes))}


def steps(*after: int) -> dict[str, Any]:
    return {
        "rate_steps": tuple(
            RateStep(after_instalments=n, rate_annual=Decimal("0.10")) for n in after
        )
    }


def fee(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of the charge
    given: dict[str, Any] = {
        "code": "fee",
        "kind": ChargeKind.FEE,
        "time": ChargeTime.INSTALMENT,
        "basis": ChargeBasis.FLAT,
        "amount_minor": 1_00,
    }
    return {"product_charges": (ChargeTerms(**(given | changes)),)}


D20, D40 = days(20, 40)
NARROW = floating(floor_annual=Decimal("0.06"), cap_annual=Decimal("0.05"))

UNSOUND: list[tuple[str, str, dict[str, Any]]] = [
    # amounts and counts
    ("principal_minor", "amount_out_of_range", {"principal_minor": 0}),
    ("precision", "precision_out_of_range", {"precision": 8}),
    ("instalment_multiple_minor", "amount_out_of_range", {"instalment_multiple_minor": 0}),
    ("down_payment", "percent_out_of_range", {"down_payment": DownPayment(percent=Decimal(100))}),
    (
        "expected_tranches",
        "amount_out_of_range",
        {"expected_tranches": (Tranche(expected_on=START, amount_minor=0),)},
    ),
    ("instalments", "count_out_of_range", {"instalments": 1_201}),
    ("repayment_every", "count_out_of_range", {"repayment_every": 0}),
    ("repayment_every", "count_out_of_range", {"repayment_every": 10**9}),
    ("grace_on_principal", "grace_too_long", {"grace_on_principal": 12}),
    ("grace_on_interest", "grace_too_long", {"grace_on_interest": 12}),
    ("grace_on_interest", "count_out_of_range", {"grace_on_interest": -1}),
    ("interest_free_periods", "grace_too_long", {"interest_free_periods": 13}),
    # payments and charges
    ("allocation", "default_rule_missing", {"allocation": ()}),
    (
        "chargeback_order",
        "bucket_repeated",
        {"chargeback_order": (Component.PRINCIPAL, Component.PRINCIPAL)},
    ),
    ("product_charges", "amount_out_of_range", fee(amount_minor=-1)),
    ("product_charges", "percent_out_of_range", fee(basis=ChargeBasis.PERCENT_OF_AMOUNT)),
    ("product_charges", "not_offered", fee(time=ChargeTime.YEARLY)),
    # dates
    ("due_day", "due_day_needs_months", {"due_day": 5, "repayment_unit": Unit.WEEKS}),
    ("due_day", "count_out_of_range", {"due_day": 32}),
    ("due_day", "dates_given_twice", {"due_day": 5, "first_due_on": date(2024, 2, 5)}),
    ("matures_on", "dates_given_twice", {"matures_on": date(2025, 2, 5), "fixed_length": 13}),
    ("fixed_length", "count_out_of_range", {"fixed_length": 0}),
    ("calendar", "calendar_missing", {"business_days": BusinessDayRule.FOLLOWING}),
    ("matures_on", "not_offered", {"matures_on": date(2025, 2, 5)} | CUMULATIVE),
    ("instalments", "due_dates_out_of_order", {"first_due_on": date(2023, 12, 1)}),
    ("instalments", "date_out_of_range", {"instalments": 1_200, "repayment_every": 100}),
    (
        "instalments",
        "date_out_of_range",
        {"instalments": 1_200, "repayment_every": 1_200, "repayment_unit": Unit.WEEKS},
    ),
    # methods
    *(
        (field, "needs_level_instalments", method | changes)
        for method in BY_PRINCIPAL
        for field, changes in (
            ("residue", {"residue": Residue.SMOOTHED}),
            ("full_term_tranches", {"full_term_tranches": True}),
        )
    ),
    (
        "interest_method",
        "needs_level_instalments",
        {"amortisation": Amortisation.BULLET, "interest_method": InterestMethod.FLAT},
    ),
    ("recalculation", "not_offered", {"interest_method": InterestMethod.FLAT} | FOLLOWED),
    (
        "recalculation",
        "not_offered",
        {"amortisation": Amortisation.EQUAL_AMORTISATION} | FOLLOWED,
    ),
    ("grace_on_interest", "not_offered", {"grace_on_interest": 1} | FOLLOWED),
    ("recalculation", "recalculation_missing", {"amortisation": Amortisation.REVOLVING}),
    ("amortisation", "not_offered", {"amortisation": Amortisation.BULLET} | CUMULATIVE),
    ("instalment_minor", "field_missing", {"amortisation": Amortisation.FIXED_INSTALMENT}),
    (
        "instalment_minor",
        "amount_out_of_range",
        {"amortisation": Amortisation.FIXED_INSTALMENT, "instalment_minor": 0},
    ),
    ("instalment_minor", "not_used", {"instalment_minor": 90_00}),
    *(
        (
            "instalment_minor",
            "instalment_too_small",
            {"amortisation": Amortisation.FIXED_INSTALMENT, "instalment_minor": amount},
        )
        for amount in (9_99, 10_00, 88_00)  # less than the interest, the interest, too long
    ),
    # a list of the loan's own
    ("custom", "not_used", {"custom": (agreed(D20),)}),
    ("custom", "custom_inconsistent", custom(instalments=2)),
    ("custom", "custom_inconsistent", custom(agreed(D20, 1_00), agreed(D40), instalments=3)),
    ("custom", "custom_inconsistent", custom(agreed(D20, 1_00), agreed(D40, 9_00))),
    ("custom", "custom_inconsistent", custom(agreed(D20), agreed(D40))),
    ("custom", "custom_inconsistent", custom(agreed(D20, 1_00, 2_00), agreed(D40))),
    ("custom", "custom_inconsistent", custom(agreed(D20, 1_000_01), agreed(D40))),
    ("custom", "amount_out_of_range", custom(agreed(D20, -1), agreed(D40))),
    ("custom", "due_dates_out_of_order", custom(agreed(D40, 1_00), agreed(D20))),
    ("custom", "due_dates_out_of_order", custom(agreed(START))),
    ("due_day", "dates_given_twice", custom(agreed(D20)) | {"due_day": 5}),
    # rates
    ("rate_annual", "rate_out_of_range", {"rate_annual": Decimal("100.01")}),
    ("rate_annual", "rate_out_of_range", {"rate_annual": Decimal("NaN")}),
    ("rate_steps", "not_offered", steps(3) | CUMULATIVE),
    ("rate_steps", "rate_given_twice", steps(3) | floating()),
    ("rate_steps", "count_out_of_range", steps(3, 3)),
    ("rate_steps", "count_out_of_range", steps(12)),
    ("rate_steps", "count_out_of_range", steps(1) | {"amortisation": Amortisation.BULLET}),
    ("floating", "not_offered", floating() | CUMULATIVE),
    ("floating", "field_missing", floating(reference=" ")),
    ("floating", "floor_above_cap", NARROW),
    ("floating", "rate_out_of_range", floating(cap_annual=Decimal(-1))),
    ("rate_annual", "rate_out_of_range", floating() | {"rate_annual": Decimal(0)}),
    # day counts
    (
        "day_count",
        "needs_regular_periods",
        {"day_count": DayCount.ACT_ACT_ICMA, "repayment_unit": Unit.WEEKS},
    ),
    (
        "day_count",
        "needs_regular_periods",
        {"day_count": DayCount.ACT_ACT_ICMA, "repayment_every": 5},
    ),
    (
        "day_count",
        "needs_regular_periods",
        {"day_count": DayCount.ACT_ACT_ICMA} | custom(agreed(D20)),
    ),
    ("day_count", "not_offered", {"day_count": DayCount.ACT_360, "factors": Factors.ROUNDED}),
    (
        "day_count",
        "not_offered",
        {
            "day_count": DayCount.ACT_360,
            "interest_period": InterestPeriod.SAME_AS_REPAYMENT_PERIOD,
        },
    ),
]


@pytest.mark.parametrize(
    ("field", "code", "changes"), UNSOUND, ids=[f"{n}-{x[0]}-{x[1]}" for n, x in enumerate(UNSOUND)]
)
def test_unsound_terms_are_refused_with_field_and_code(
    field: str, code: str, changes: dict[str, Any]
) -> None:
    """Source: domain rules, 9.17, 9.18: what a product cannot be is said when it is defined."""
    refused = terms(**changes).validate()
    assert (field, code) in {(refusal.field, refusal.code) for refusal in refused}
    assert all(refusal.reason for refusal in refused)
    assert {refusal.code for refusal in refused} <= set(Unsound)


SOUND: list[dict[str, Any]] = [
    {},
    *BY_PRINCIPAL,
    {"amortisation": Amortisation.FIXED_INSTALMENT, "instalment_minor": 88_85},
    custom(agreed(D20, 400_00), agreed(D40)),
    custom(agreed(D20, None, 400_00), agreed(D40)),
    custom(agreed(D40)),
    {"due_day": 31},
    steps(3, 6),
    floating(cap_annual=Decimal("0.05"), floor_annual=Decimal("0.05")),
    {"day_count": DayCount.ACT_ACT_ICMA},
    {"residue": Residue.SMOOTHED, "full_term_tranches": True},
    {"interest_method": InterestMethod.FLAT},
    {"interest_method": InterestMethod.FLAT} | CUMULATIVE,
    fee(),
]


@pytest.mark.parametrize("changes", SOUND)
def test_sound_terms_are_accepted(changes: dict[str, Any]) -> None:
    assert terms(**changes).validate() == ()


def test_every_reason_is_given_and_not_the_first_alone() -> None:
    refused = terms(principal_minor=0, precision=1, due_day=0).validate()
    assert [refusal.field for refusal in refused] == ["principal_minor", "precision", "due_day"]


# --- the limit of a revolving loan


def credit_line() -> LoanTerms:
    return terms(
        amortisation=Amortisation.REVOLVING,
        day_count=DayCount.ACT_360,
        multiple_disbursements=True,
        recalculation=Recalculation.CONTINUOUS,
    )


def draw(on: date, amount: int) -> list[op.Operation]:
    return [op.SetBusinessDate(on=on), op.Disburse(on=on, amount_minor=amount)]


def repay(on: date, amount: int) -> list[op.Operation]:
    paid = op.Transact(kind=Kind.REPAYMENT, on=on, amount_minor=amount)
    return [op.SetBusinessDate(on=on), paid]


def test_a_draw_beyond_the_limit_is_refused() -> None:
    """Source: domain rules, 5.1 (随借随还): what is repaid may be drawn again, and no more."""
    first, later, last = days(0, 10, 20)
    life = [*draw(first, 600_00), *draw(later, 400_00)]
    assert simulate(credit_line(), life).final.account.outstanding.principal == 1_000_00
    with pytest.raises(Rejected) as refusal:
        simulate(credit_line(), [*life, *draw(last, 1)])
    assert (refusal.value.code, refusal.value.field) == ("limit_exceeded", "amount_minor")


def test_what_was_repaid_may_be_drawn_again() -> None:
    first, later, last = days(0, 10, 20)
    life = [*draw(first, 1_000_00), *repay(later, 503_33)]  # 3.33 of it is interest
    final = simulate(credit_line(), [*life, *draw(last, 500_00)]).final
    assert final.account.outstanding.principal == 1_000_00


def test_a_draw_dated_back_stays_within_the_limit_on_every_day_since() -> None:
    first, between, later, last = days(0, 5, 10, 20)
    life = [*draw(first, 600_00), *draw(later, 400_00), *repay(last, 500_00)]
    backdated = op.Disburse(on=between, amount_minor=1_00)
    with pytest.raises(Rejected) as refusal:
        simulate(credit_line(), [*life, backdated])
    assert refusal.value.code == "limit_exceeded"
