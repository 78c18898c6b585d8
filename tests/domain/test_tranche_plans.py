"""Tranches: a plan of payouts from the application on, kept while the loan is served (放款计划)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.commands import application as ca
from domain.commands import changes as ch
from domain.commands import disbursement as cd
from domain.events import application as ea
from domain.events import disbursement as ed
from domain.events.servicing import ScheduleChanged
from domain.loan.terms import PayoutPlan, PlannedTranche, Recalculation, RepaymentMethod
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    START,
    Life,
    accepted,
    actor,
    apply_for,
    approve,
    check,
    days_after,
    folded_again,
    month,
    pay,
    prepare,
    product_refused,
    ties_to_the_ledger,
)

BUILDING = replace(
    CONDITIONS,
    method=RepaymentMethod.EQUAL_PRINCIPAL,
    recalculation=Recalculation.NONE,
    payouts_max=3,
    payout_plan=PayoutPlan.TRANCHES,
    four_eyes_from_minor=10**9,
)


def tranche(name: str, amount: int, on: date = START) -> PlannedTranche:
    return PlannedTranche(tranche_id=name, expected_on=on, amount_minor=amount)


LAND, WALLS = tranche("land", 600_000), tranche("walls", 400_000, month(2))
PLAN = (LAND, WALLS)


def plan(*tranches: PlannedTranche, on: date = START) -> cd.PlanTranches:
    return cd.PlanTranches(loan_id=LOAN, effective_on=on, tranches=tranches)


def pay_out(one: PlannedTranche, on: date | None = None, **changes: Any) -> cd.DisburseLoan:  # noqa: ANN401 - any field
    told = cd.DisburseLoan(
        loan_id=LOAN,
        effective_on=on or one.expected_on,
        disbursement_id=f"d-{one.tranche_id}",
        amount_minor=one.amount_minor,
        tranche_id=one.tranche_id,
    )
    return replace(told, **changes)


def agreed(*tranches: PlannedTranche, approved: int = 1_200_000) -> Life:
    """A loan whose offer was accepted, with a plan made after it."""
    life = accepted(approved, 6, conditions=BUILDING)
    return life.when(plan(*tranches)).then(ed.TranchesPlanned) if tranches else life


def test_a_plan_is_made_with_the_application_and_approved_with_it() -> None:
    life = Life(conditions=BUILDING)
    wish = replace(apply_for(1_200_000, 6), tranches=(WALLS, LAND))
    life.when(wish).then(ea.LoanApplied)
    assert life.state.tranches == PLAN, "by date"
    life.when(approve())
    assert life.state.terms is not None
    assert life.state.terms.tranches == life.state.tranches == PLAN


def test_the_review_may_plan_otherwise() -> None:
    life = Life(conditions=BUILDING)
    life.when(replace(apply_for(1_200_000, 6), tranches=PLAN))
    less = replace(approve(), amount_minor=900_000)
    no = life.refused(less)
    assert (no.code, no.field) == ("above_approved", "tranches")
    life.when(replace(less, tranches=(LAND,)))
    assert life.state.tranches == (LAND,)
    folded_again(life)


def test_each_payout_is_a_tranche_of_the_plan() -> None:
    life = agreed(*PLAN).when(pay_out(LAND)).then(ed.LoanDisbursed)
    assert life.state.tranches == (WALLS,)
    life.when(pay_out(WALLS, days_after(month(2), 5))).then(ed.TrancheDisbursed, ScheduleChanged)
    told = life.last[0]
    assert isinstance(told, ed.TrancheDisbursed)
    assert told.tranche == WALLS, "planned for another day"
    assert life.state.tranches == ()
    ties_to_the_ledger(life)
    folded_again(life)


@pytest.mark.parametrize(
    ("payout", "code", "field"),
    [
        (pay_out(LAND, tranche_id=None), "tranche_missing", "tranche_id"),
        (pay_out(LAND, tranche_id="roof"), "unknown_tranche", "tranche_id"),
        (pay_out(LAND, amount_minor=599_999), "amount_not_planned", "amount"),
    ],
)
def test_a_payout_that_is_not_in_the_plan_is_refused(
    payout: cd.DisburseLoan, code: str, field: str
) -> None:
    no = agreed(*PLAN).refused(payout)
    assert (no.code, no.field) == (code, field)


def test_a_tranche_goes_out_once() -> None:
    life = agreed(*PLAN).when(pay_out(LAND))
    no = life.refused(pay_out(LAND, month(1), disbursement_id="d-2"))
    assert (no.code, no.field) == ("tranche_paid_out", "tranche_id")


def test_a_tranche_whose_payout_came_back_is_expected_again() -> None:
    life = agreed(*PLAN).when(pay_out(LAND)).when(pay_out(WALLS))
    back = cd.ReturnDisbursement(
        loan_id=LOAN, effective_on=month(2), disbursement_id="d-walls", cause="account closed"
    )
    life.when(back)
    assert life.state.tranches == (WALLS,)
    life.when(pay_out(WALLS, disbursement_id="d-3"))
    ties_to_the_ledger(life)


def test_tranches_are_added_changed_and_dropped_while_the_loan_is_served() -> None:
    life = agreed(*PLAN).when(pay_out(LAND)).when(pay(106_000, month(1), "p-1"))
    later, roof = replace(WALLS, expected_on=month(3)), tranche("roof", 200_000, month(4))
    life.when(plan(roof, later, on=month(1))).then(ed.TranchesPlanned)
    told = life.last[0]
    assert isinstance(told, ed.TranchesPlanned)
    assert (told.before, told.tranches) == ((WALLS,), (later, roof))
    life.when(plan(roof, on=month(1)))
    assert life.state.tranches == (roof,)
    assert life.refused(plan(roof, on=month(1))).code == "unchanged"
    life.when(plan(on=month(1)))
    assert life.state.tranches == ()
    folded_again(life)


@pytest.mark.parametrize(
    ("tranches", "code"),
    [
        ((LAND, WALLS, tranche("roof", 200_001, month(4))), "above_approved"),
        ((LAND, tranche("land", 1)), "tranche_repeated"),
        ((tranche("land", 0),), "amount_out_of_range"),
        ((tranche("land", 1, days_after(START, -1)),), "tranche_in_past"),
        (tuple(tranche(f"t{n}", 1) for n in range(4)), "too_many_tranches"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused(
    tranches: tuple[PlannedTranche, ...], code: str
) -> None:
    no = agreed().refused(plan(*tranches))
    assert (no.code, no.field) == (code, "tranches")
    applied = replace(apply_for(1_200_000, 6), tranches=tranches)
    no = Life(conditions=BUILDING).refused(applied)
    assert (no.code, no.field) == (code, "tranches")


def test_what_went_out_counts_in_a_new_plan() -> None:
    life = agreed(*PLAN).when(pay_out(LAND))
    no = life.refused(plan(tranche("a", 600_001)))
    assert no.code == "above_approved"
    no = life.refused(plan(tranche("a", 1), tranche("b", 1), tranche("c", 1)))
    assert no.code == "too_many_tranches"
    assert life.refused(plan(replace(LAND, amount_minor=1))).code == "tranche_paid_out"


def test_a_product_without_a_plan_knows_no_tranches() -> None:
    free = replace(BUILDING, payout_plan=PayoutPlan.NONE)
    life = accepted(1_200_000, 6, conditions=free)
    for told, field in ((plan(LAND), "tranches"), (pay_out(LAND), "tranche_id")):
        no = life.refused(told)
        assert (no.code, no.field) == ("tranches_not_planned", field)
    applied = replace(apply_for(1_200_000, 6), tranches=PLAN)
    assert Life(conditions=free).refused(applied).code == "tranches_not_planned"


def test_the_tranche_that_was_checked_is_the_one_that_goes_out() -> None:
    conditions = replace(BUILDING, four_eyes_from_minor=0)
    life = accepted(1_200_000, 6, conditions=conditions)
    twin = replace(LAND, tranche_id="twin")
    life.when(plan(LAND, twin))
    prepared = replace(prepare(600_000), disbursement_id="d-land", tranche_id="land")
    life.when(prepared, actor("maker"))
    assert life.state.preparation is not None
    seen = check(life.state.preparation.payload_hash)
    assert isinstance(seen, cd.CheckDisbursement)
    life.when(replace(seen, disbursement_id="d-land"), actor("second"))
    no = life.refused(pay_out(twin, disbursement_id="d-land"))
    assert (no.code, no.field) == ("payload_changed", "tranche_id")
    life.when(pay_out(LAND)).then(ed.LoanDisbursed)


def test_an_ended_application_has_no_plan() -> None:
    life = Life(conditions=BUILDING).when(apply_for(1_200_000, 6))
    assert life.refused(plan(LAND)).code == "wrong_status"
    life.when(ca.WithdrawApplication(loan_id=LOAN, effective_on=START))
    assert life.refused(plan(LAND)).code == "wrong_status"


FULL_TERM = replace(
    CONDITIONS,
    recalculation=Recalculation.NONE,
    payouts_max=3,
    full_term_tranches=True,
    four_eyes_from_minor=10**9,
)


def test_a_full_term_tranche_is_repaid_over_a_term_of_its_own() -> None:
    """6,000.00 in January and 3,000.00 in March, six instalments each: eight in all."""
    first, second = tranche("a", 600_000), tranche("b", 300_000, month(2))
    life = accepted(900_000, 6, conditions=FULL_TERM)
    life.when(pay_out(first, tranche_id=None))
    alone = [row.principal_minor + row.interest_minor for row in life.state.rows]
    life.when(pay_out(second, tranche_id=None)).then(ed.TrancheDisbursed, ScheduleChanged)
    rows = life.state.rows
    assert [row.due_on for row in rows] == [month(n) for n in range(1, 9)]
    assert [row.principal_minor + row.interest_minor for row in rows[:2]] == alone[:2]
    both = rows[2].principal_minor + rows[2].interest_minor
    last = rows[7].principal_minor + rows[7].interest_minor
    assert abs(both - alone[2] * 3 // 2) <= 1
    assert abs(last - alone[2] // 2) <= 4, "the second tranche is left"
    assert sum(row.principal_minor for row in rows) == 900_000
    ties_to_the_ledger(life)
    folded_again(life)
    back = cd.ReturnDisbursement(
        loan_id=LOAN, effective_on=month(2), disbursement_id="d-b", cause="account closed"
    )
    life.when(back)
    assert [row.principal_minor + row.interest_minor for row in life.state.rows] == alone


def test_a_loan_whose_due_dates_were_moved_takes_no_full_term_tranche_any_more() -> None:
    life = accepted(900_000, 6, conditions=FULL_TERM).when(pay_out(LAND, tranche_id=None))
    life.when(
        ch.DeferPayments(loan_id=LOAN, effective_on=START, change_id="x", months=1), reason="a"
    )
    more = tranche("b", 300_000, month(2))
    assert life.refused(pay_out(more, tranche_id=None)).code == "due_dates_changed_since"


def test_the_due_dates_of_full_term_tranches_are_their_own() -> None:
    life = accepted(900_000, 6, conditions=FULL_TERM)
    told = pay_out(LAND, tranche_id=None, first_due_on=month(2))
    no = life.refused(told)
    assert (no.code, no.field) == ("not_offered", "first_due_on")


@pytest.mark.parametrize(
    ("product", "code", "field"),
    [
        ({"payouts_max": 1}, "not_used", "payout_plan"),
        (
            {"method": RepaymentMethod.REVOLVING, "recalculation": Recalculation.CONTINUOUS},
            "not_used",
            "payout_plan",
        ),
        ({"payouts_max": 1, "full_term_tranches": True}, "not_used", "full_term_tranches"),
        ({"full_term_tranches": True}, "needs_level_instalments", "full_term_tranches"),
    ],
)
def test_a_product_plans_what_it_pays_out_in_parts(
    product: dict[str, Any], code: str, field: str
) -> None:
    no = product_refused(replace(BUILDING, **product))
    assert (no.code, no.field) == (code, field)
