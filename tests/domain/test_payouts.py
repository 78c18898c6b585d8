"""Money out in several payouts: how much, how often, what it changes, and how one comes back."""

from dataclasses import replace
from datetime import date

import pytest

from domain.commands import disbursement as cd
from domain.commands import ending as ce
from domain.commands import servicing as cs
from domain.events import disbursement as ed
from domain.events.ending import LoanReopened, LoanSettled
from domain.events.servicing import AllocationsRestated, ScheduleChanged
from domain.loan.booking import standing_on
from domain.loan.state import LoanStatus
from domain.loan.terms import Conditions, Recalculation, RepaymentMethod
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    START,
    Life,
    accepted,
    actor,
    check,
    days_after,
    folded_again,
    month,
    pay,
    prepare,
    product_refused,
    ties_to_the_ledger,
)

TRANCHES = replace(CONDITIONS, payouts_max=3, four_eyes_from_minor=10**9)
PRINCIPAL = replace(
    TRANCHES, method=RepaymentMethod.EQUAL_PRINCIPAL, recalculation=Recalculation.NONE
)


def pay_out(amount: int, on: date = START, name: str = "d-1") -> cd.DisburseLoan:
    return cd.DisburseLoan(loan_id=LOAN, effective_on=on, disbursement_id=name, amount_minor=amount)


def comes_back(name: str, on: date) -> cd.ReturnDisbursement:
    return cd.ReturnDisbursement(
        loan_id=LOAN, effective_on=on, disbursement_id=name, cause="account closed"
    )


def begun(
    first: int = 600_000,
    *,
    approved: int = 1_200_000,
    instalments: int = 6,
    conditions: Conditions = PRINCIPAL,
) -> Life:
    """A loan whose first part went out on START."""
    life = accepted(approved, instalments, conditions=conditions)
    return life.when(pay_out(first)).then(ed.LoanDisbursed)


def test_a_tranche_is_repaid_with_the_instalments_to_come() -> None:
    """500.00 more on the second due date: four instalments are left for it."""
    life = begun().when(pay(106_000, month(1), "p-1"))
    life.when(pay_out(400_000, month(2), "d-2")).then(ed.TrancheDisbursed, ScheduleChanged)
    rows = life.state.rows
    assert [row.principal_minor for row in rows] == [100_000, 100_000] + [200_000] * 4
    assert [row.interest_minor for row in rows[:3]] == [6_000, 5_000, 8_000]
    assert life.state.balances.principal_minor == 900_000
    ties_to_the_ledger(life)
    folded_again(life)


def test_a_level_instalment_is_solved_anew_for_the_new_balance() -> None:
    life = begun(conditions=replace(TRANCHES, recalculation=Recalculation.NONE))
    before = life.state.rows
    life.when(pay_out(600_000, month(3), "d-2"))
    after = life.state.rows
    assert after[:3] == before[:3]
    level = {row.principal_minor + row.interest_minor for row in after[3:5]}
    assert len(level) == 1
    assert level.pop() > before[3].principal_minor + before[3].interest_minor
    assert sum(row.principal_minor for row in after) == 1_200_000


def test_no_more_goes_out_than_was_approved() -> None:
    life = begun(500_000, approved=900_000).when(pay_out(300_000, month(1), "d-2"))
    no = life.refused(pay_out(100_001, month(2), "d-3"))
    assert (no.code, no.field) == ("above_approved", "amount")
    assert "100000 minor units of 900000" in no.detail
    life.when(pay_out(100_000, month(2), "d-3"))


def test_no_more_payouts_than_the_product_allows() -> None:
    life = begun(100_000).when(pay_out(100_000, month(1), "d-2"))
    life.when(pay_out(100_000, month(1), "d-3"))
    no = life.refused(pay_out(100_000, month(2), "d-4"))
    assert (no.code, no.field) == ("too_many_payouts", "disbursement_id")


def test_a_payout_leaves_no_more_outstanding_than_the_cap() -> None:
    """The cap is on what is owed, so what was repaid makes room (P-13)."""
    life = begun(conditions=replace(PRINCIPAL, outstanding_max_minor=700_000))
    no = life.refused(pay_out(100_001, month(1), "d-2"))
    assert (no.code, no.field) == ("above_outstanding_max", "amount")
    life.when(pay(106_000, month(1), "p-1"))
    no = life.refused(pay_out(100_001, days_after(month(1), -3), "d-2"))
    assert no.code == "above_outstanding_max", "before the payment the old balance stood"
    life.when(pay_out(200_000, month(1), "d-2"))


def test_the_first_payout_is_held_to_the_cap_too() -> None:
    life = accepted(900_000, conditions=replace(PRINCIPAL, outstanding_max_minor=700_000))
    assert life.refused(pay_out(700_001)).code == "above_outstanding_max"
    life.when(pay_out(700_000))


def test_a_loan_in_one_payout_takes_no_second_one() -> None:
    life = begun(1_200_000, conditions=replace(PRINCIPAL, payouts_max=1))
    assert life.refused(pay_out(1, month(1), "d-2")).code == "wrong_status"


@pytest.mark.parametrize(
    ("on", "name", "code", "field"),
    [
        (days_after(START, -1), "d-2", "before_disbursement", "effective_on"),
        (month(1), "d-1", "already_recorded", "disbursement_id"),
        (month(6), "d-2", "after_maturity", "effective_on"),
    ],
)
def test_a_payout_has_its_place_in_the_life_of_a_loan(
    on: date, name: str, code: str, field: str
) -> None:
    life = begun()
    life.now = month(6)
    no = life.refused(pay_out(1_000, on, name))
    assert (no.code, no.field) == (code, field)


def test_only_the_first_payout_sets_the_due_dates() -> None:
    told = replace(pay_out(1_000, month(1), "d-2"), first_due_on=month(2))
    no = begun().refused(told)
    assert (no.code, no.field) == ("due_dates_known", "first_due_on")


def test_nothing_goes_out_on_a_loan_that_was_lost_or_ended() -> None:
    lost = begun().when(ce.ChargeOffLoan(loan_id=LOAN, effective_on=month(1), cause="loss"))
    assert lost.refused(pay_out(1_000, month(1), "d-2")).code == "wrong_status"
    ended = begun().when(
        ce.TerminateContract(loan_id=LOAN, effective_on=month(1), cause="x"), reason="any"
    )
    assert ended.refused(pay_out(1_000, month(1), "d-2")).code == "contract_terminated"


def test_each_payout_is_checked_by_a_second_person_for_exactly_its_amount() -> None:
    life = begun(1, conditions=replace(PRINCIPAL, four_eyes_from_minor=600_001))
    later = replace(prepare(600_001), effective_on=month(1), disbursement_id="d-2")
    large = pay_out(600_001, month(1), "d-2")
    assert life.refused(large).code == "not_prepared"
    life.when(later, actor("maker")).then(ed.DisbursementPrepared)
    assert life.refused(large).code == "not_checked"
    preparation = life.state.preparation
    assert preparation is not None
    seen = check(preparation.payload_hash)
    assert isinstance(seen, cd.CheckDisbursement)
    life.when(replace(seen, effective_on=month(1), disbursement_id="d-2"), actor("second"))
    no = life.refused(replace(large, amount_minor=600_002))
    assert (no.code, no.field) == ("payload_changed", "amount")
    life.when(large).then(ed.TrancheDisbursed, ScheduleChanged)


def test_a_settled_loan_is_reopened_by_the_next_payout() -> None:
    life = begun()
    life.when(pay(life.payoff(month(1)), month(1), "p-1"))
    assert isinstance(life.last[-1], LoanSettled)
    life.when(pay_out(400_000, month(2), "d-2"))
    life.then(ed.TrancheDisbursed, ScheduleChanged, LoanReopened)
    assert life.state.status is LoanStatus.ACTIVE
    assert life.state.balances.principal_minor == 400_000
    ties_to_the_ledger(life)
    folded_again(life)


@pytest.mark.parametrize("recalculation", [Recalculation.NONE, Recalculation.CONTINUOUS])
def test_credit_of_the_borrowers_pays_what_goes_out_first(recalculation: Recalculation) -> None:
    life = begun(conditions=replace(PRINCIPAL, recalculation=recalculation))
    life.when(pay(life.payoff(month(1)) + 50_000, month(1), "p-1"))
    life.when(pay_out(400_000, month(2), "d-2"))
    told = life.last[0]
    assert isinstance(told, ed.TrancheDisbursed)
    assert (told.amount_minor, told.overpaid_minor) == (400_000, 50_000)
    assert told.principal_minor + told.interest_minor == 350_000
    assert life.state.balances.overpaid_minor == 0
    ties_to_the_ledger(life)
    no = life.refused(
        cs.ReversePayment(loan_id=LOAN, effective_on=month(2), payment_id="p-1", cause="bounced")
    )
    assert no.code == "credit_already_refunded"
    life.when(comes_back("d-2", month(2)))
    life.then(ed.TrancheReturned, AllocationsRestated, LoanSettled)
    assert life.state.balances.overpaid_minor == 50_000
    ties_to_the_ledger(life)
    folded_again(life)


def test_a_payout_that_credit_pays_whole_leaves_the_loan_settled() -> None:
    life = begun(conditions=replace(PRINCIPAL, recalculation=Recalculation.CONTINUOUS))
    life.when(pay(life.payoff(month(1)) + 50_000, month(1), "p-1"))
    life.when(pay_out(30_000, month(1), "d-2")).then(ed.TrancheDisbursed, ScheduleChanged)
    assert life.state.status is LoanStatus.SETTLED
    assert life.state.balances.overpaid_minor == 20_000
    ties_to_the_ledger(life)


def test_the_last_payout_comes_back_as_if_it_had_never_been() -> None:
    life = begun().when(pay(106_000, month(1), "p-1"))
    before = life.state
    life.when(pay_out(400_000, month(2), "d-2")).when(comes_back("d-2", days_after(month(2), 3)))
    life.then(ed.TrancheReturned, AllocationsRestated)
    restated = life.last[1]
    assert isinstance(restated, AllocationsRestated)
    assert (restated.since_on, restated.changes) == (month(2), ())
    assert (life.state.rows, life.state.balances) == (before.rows, before.balances)
    assert (life.state.payouts, life.state.paid_out_minor) == (1, 600_000)
    ties_to_the_ledger(life)
    no = life.refused(pay_out(1_000, days_after(month(2), 3), "d-2"))
    assert (no.code, no.field) == ("already_recorded", "disbursement_id")
    folded_again(life)


def test_payouts_come_back_last_first_and_only_while_nothing_followed() -> None:
    life = begun(100_000).when(pay_out(100_000, month(1), "d-2"))
    life.when(pay_out(100_000, month(1), "d-3"))
    no = life.refused(comes_back("d-2", month(1)))
    assert (no.code, no.field) == ("not_last_payout", "disbursement_id")
    no = life.refused(comes_back("d-9", month(1)))
    assert (no.code, no.field) == ("unknown_disbursement", "disbursement_id")
    no = life.refused(comes_back("d-3", days_after(month(1), -1)))
    assert (no.code, no.field) == ("before_disbursement", "effective_on")
    for name in ("d-3", "d-2"):
        life.when(comes_back(name, month(1))).then(ed.TrancheReturned, AllocationsRestated)
    life.when(comes_back("d-1", month(1))).then(ed.DisbursementReturned)
    assert life.state.status is LoanStatus.RETURNED
    paid = begun(100_000).when(pay_out(100_000, month(1), "d-2")).when(pay(1, month(1), "p-1"))
    assert paid.refused(comes_back("d-2", month(1))).code == "already_serviced"


def test_a_payout_dated_back_restates_the_payments_after_it() -> None:
    life = begun(conditions=replace(PRINCIPAL, recalculation=Recalculation.CONTINUOUS))
    life.when(pay(106_000, month(1), "p-1"))
    life.when(pay_out(300_000, days_after(month(1), -10), "d-2"))
    life.then(ed.TrancheDisbursed, AllocationsRestated)
    assert life.state.balances.principal_minor > 800_000, "more interest was due, so less principal"
    assert life.state.timeline is not None
    shown = standing_on(life.state.timeline, life.now)
    assert shown.balances.principal_minor == life.state.balances.principal_minor
    ties_to_the_ledger(life)
    folded_again(life)


BAD_PRODUCTS = [
    ({"payouts_max": 0}, "bad_bounds", "payouts_max"),
    ({"payouts_max": 1_001}, "bad_bounds", "payouts_max"),
    ({"payouts_max": 1, "outstanding_max_minor": 5}, "not_used", "outstanding_max"),
    ({"payouts_max": 2, "outstanding_max_minor": 0}, "bad_bounds", "outstanding_max"),
    ({"payouts_max": 2, "outstanding_max_minor": 10**9}, "bad_bounds", "outstanding_max"),
]


@pytest.mark.parametrize(("product", "code", "field"), BAD_PRODUCTS)
def test_a_product_says_how_often_and_how_much(
    product: dict[str, int], code: str, field: str
) -> None:
    no = product_refused(replace(CONDITIONS, **product))
    assert (no.code, no.field) == (code, field)
