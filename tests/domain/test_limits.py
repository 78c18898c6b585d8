"""How much is approved: above what was applied for, and changed afterwards (调额)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.commands import application as ca
from domain.commands import disbursement as cd
from domain.events import application as ea
from domain.loan.headroom import headroom
from domain.loan.terms import Conditions, PayoutPlan, PlannedTranche, RepaymentMethod
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    START,
    Life,
    accepted,
    actor,
    apply_for,
    approve,
    disbursed,
    folded_again,
    product_refused,
)

PARTS = replace(CONDITIONS, payouts_max=3, four_eyes_from_minor=10**9)
LINE = replace(PARTS, method=RepaymentMethod.REVOLVING, payouts_max=100)


def pay_out(amount: int, name: str = "d-1", tranche_id: str | None = None) -> cd.DisburseLoan:
    return cd.DisburseLoan(
        loan_id=LOAN,
        effective_on=START,
        disbursement_id=name,
        amount_minor=amount,
        tranche_id=tranche_id,
    )


def approves(amount: int) -> ca.ChangeApprovedAmount:
    return ca.ChangeApprovedAmount(loan_id=LOAN, effective_on=START, amount_minor=amount)


def refused(life: Life, amount: int) -> tuple[str, str | None]:
    no = life.refused(approves(amount), reason="any")
    return no.code, no.field


def test_more_room_is_approved_and_drawn() -> None:
    life = accepted(1_000_000, conditions=LINE).when(pay_out(1_000_000))
    assert life.refused(pay_out(1, "d-2")).code == "limit_exceeded"
    life.when(approves(1_500_000), reason="good_customer").then(ea.ApprovedAmountChanged)
    assert headroom(life.state, START).available_minor == 500_000
    life.when(pay_out(500_000, "d-2"))
    folded_again(life)


def test_a_limit_may_fall_below_what_is_drawn_and_then_nothing_is_drawn() -> None:
    life = accepted(1_000_000, conditions=LINE).when(pay_out(800_000))
    life.when(approves(500_000), reason="risk")
    shown = headroom(life.state, START)
    assert (shown.limit_minor, shown.drawn_minor, shown.available_minor) == (500_000, 800_000, 0)
    assert life.refused(pay_out(1, "d-2")).code == "limit_exceeded"


def test_of_a_loan_in_parts_no_less_is_approved_than_goes_out() -> None:
    conditions = replace(PARTS, payout_plan=PayoutPlan.TRANCHES)
    life = accepted(1_000_000, conditions=conditions)
    tranches = tuple(
        PlannedTranche(tranche_id=name, expected_on=START, amount_minor=400_000) for name in "ab"
    )
    life.when(cd.PlanTranches(loan_id=LOAN, effective_on=START, tranches=tranches))
    life.when(pay_out(400_000, tranche_id="a"))
    assert refused(life, 399_999) == ("below_paid_out", "amount")
    assert refused(life, 799_999) == ("below_planned", "amount")
    assert refused(life, 1_000_001) == ("above_applied", "amount")
    assert refused(life, 1_000_000) == ("unchanged", "amount")
    life.when(approves(800_000), reason="any")
    assert headroom(life.state, START).available_minor == 400_000


def test_another_amount_needs_a_reason_and_an_open_loan() -> None:
    life = accepted(1_000_000)
    no = life.refused(approves(900_000))
    assert (no.code, no.field) == ("reason_missing", "reason_code")
    assert refused(life, 5_000_001) == ("amount_outside_product", "amount")
    assert refused(disbursed(), 900_000) == ("wrong_status", None)
    assert refused(Life().when(apply_for()), 900_000) == ("wrong_status", None)
    life.when(approves(900_000), actor("ann"), reason="any")
    assert life.state.terms is not None
    assert life.state.terms.principal_minor == 900_000


@pytest.mark.parametrize(
    ("allowed", "most"),
    [
        ({}, 1_000_000),
        ({"over_applied_percent": Decimal(10)}, 1_100_000),
        ({"over_applied_minor": 50_000}, 1_050_000),
    ],
)
def test_more_than_was_applied_for_is_approved_as_the_product_allows(
    allowed: dict[str, int], most: int
) -> None:
    life = Life(conditions=replace(CONDITIONS, **allowed)).when(apply_for(1_000_000))
    no = life.refused(replace(approve(), amount_minor=most + 1))
    assert (no.code, no.field) == ("above_applied", "amount")
    life.when(replace(approve(), amount_minor=most)).then(ea.LoanReviewed)


@pytest.mark.parametrize(
    ("conditions", "code", "field"),
    [
        (replace(CONDITIONS, over_applied_minor=-1), "bad_bounds", "over_applied"),
        (
            replace(CONDITIONS, over_applied_percent=Decimal(-1)),
            "bad_bounds",
            "over_applied_percent",
        ),
        (
            replace(CONDITIONS, over_applied_minor=1, over_applied_percent=Decimal(1)),
            "not_used",
            "over_applied_percent",
        ),
    ],
)
def test_an_allowance_is_an_amount_or_a_share(
    conditions: Conditions, code: str, field: str
) -> None:
    no = product_refused(conditions)
    assert (no.code, no.field) == (code, field)
