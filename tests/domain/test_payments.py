"""Payments: allocation, prepayment, payoff, overpayment, backdating, reversal, observed splits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.commands import servicing as cs
from domain.events import ending as ee
from domain.events import servicing as es
from domain.events.servicing import Split
from domain.loan.state import LoanStatus
from domain.loan.terms import Component
from tests.support.lives import (
    LOAN,
    PLANNED,
    START,
    Life,
    accepted,
    charge,
    disbursed,
    month,
    pay,
    reverse,
)

LEVEL = 33_214  # 10,000.00 over 36 months at 12 %: 332.14


def _allocated(life: Life) -> es.PaymentAllocated:
    return next(event for event in life.last if isinstance(event, es.PaymentAllocated))


def test_the_first_instalment_of_an_annuity() -> None:
    first = disbursed().state.rows[0]
    assert (first.principal_minor, first.interest_minor) == (23_214, 10_000)
    assert first.due_on == month(1)


def test_an_instalment_paid_on_its_day_is_met() -> None:
    life = disbursed().when(pay(LEVEL, month(1))).then(es.PaymentReceived, es.PaymentAllocated)
    assert life.state.rows[0].met_on == month(1)
    (line,) = _allocated(life).lines
    assert (line.instalment, line.interest_minor, line.principal_minor) == (1, 10_000, 23_214)


def test_interest_is_paid_before_principal() -> None:
    life = disbursed().when(pay(10_001, month(1)))
    (line,) = _allocated(life).lines
    assert (line.interest_minor, line.principal_minor) == (10_000, 1)
    assert life.state.rows[0].met_on is None


def test_only_changed_rows_are_published() -> None:
    life = disbursed().when(pay(LEVEL, month(1)))
    assert [row.number for row in _allocated(life).rows] == [1]


def test_money_above_the_instalment_goes_to_the_next_one() -> None:
    life = disbursed().when(pay(LEVEL + 500, month(1)))
    assert [line.instalment for line in _allocated(life).lines] == [1, 2]


def test_paying_the_payoff_settles_the_loan_and_later_interest_falls_away() -> None:
    life = disbursed().when(pay(LEVEL, month(1)))
    middle = month(1) + timedelta(days=14)  # half of a month of 28 days
    payoff = life.payoff(middle)
    interest_half = 4_884  # half of 97.68: 9,767.86 at 1 % a month
    assert payoff == life.state.balances.principal_minor + interest_half
    life.when(pay(payoff, middle)).then(es.PaymentReceived, es.PaymentAllocated, ee.LoanSettled)
    assert life.state.balances.owed_minor == 0
    assert life.state.status is LoanStatus.SETTLED


def test_one_cent_less_than_the_payoff_does_not_settle() -> None:
    life = disbursed().when(pay(LEVEL, month(1)))
    life.when(pay(life.payoff(month(2)) - 1, month(2)))
    assert life.state.status is LoanStatus.ACTIVE


def test_what_is_above_the_payoff_is_overpayment_and_can_be_refunded() -> None:
    life = disbursed()
    payoff = life.payoff(month(1))
    life.when(pay(payoff + 700, month(1)))
    assert life.state.balances.overpaid_minor == 700
    refund = cs.RefundCreditBalance(
        loan_id=LOAN, effective_on=month(1), refund_id="r", amount_minor=701
    )
    assert life.refused(refund).code == "more_than_credit"
    life.when(replace(refund, amount_minor=700)).then(es.CreditBalanceRefunded, es.ScheduleChanged)
    assert life.state.balances.overpaid_minor == 0


def test_credit_is_refunded_once_it_is_there() -> None:
    life = disbursed()
    life.when(pay(life.payoff(month(1)) + 700, month(1)))
    early = cs.RefundCreditBalance(
        loan_id=LOAN, effective_on=month(0), refund_id="r", amount_minor=700
    )
    assert life.refused(early).code == "more_than_credit"
    life.when(replace(early, effective_on=month(1)))


def test_a_settled_loan_takes_no_payments() -> None:
    life = disbursed()
    life.when(pay(life.payoff(month(1)), month(1)))
    assert life.refused(pay(1, month(1), "late")).code == "loan_settled"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (pay(0, month(1)), "amount_out_of_range"),
        (pay(-1, month(1)), "amount_out_of_range"),
        (replace(pay(1, month(1)), currency="EUR"), "currency_mismatch"),
        (pay(1, START - timedelta(days=1)), "before_disbursement"),
        (pay(10, month(1), split=Split(principal_minor=9)), "split_mismatch"),
        (pay(9, month(1), split=Split(principal_minor=9)), "split_needs_planned_interest"),
        (pay(10, month(1), split=Split(principal_minor=11, fee_minor=-1)), "split_mismatch"),
    ],
)
def test_a_payment_that_cannot_be_is_refused(command: cs.ReceivePayment, code: str) -> None:
    assert disbursed().refused(command).code == code


def test_a_payment_before_the_payout_is_refused() -> None:
    assert accepted().refused(pay(1, START)).code == "wrong_status"


def test_one_payment_is_recorded_once() -> None:
    life = disbursed().when(pay(LEVEL, month(1), "p"))
    assert life.refused(pay(LEVEL, month(2), "p")).code == "already_recorded"


def test_the_product_limits_backdating() -> None:
    life = disbursed()
    life.now = START + timedelta(days=200)
    assert life.refused(pay(1, START + timedelta(days=19))).code == "backdated_too_far"


def test_a_backdated_payment_restates_the_later_ones() -> None:
    life = disbursed()
    life.when(pay(LEVEL, month(2), "second"))
    life.when(pay(LEVEL, month(1), "first")).then(
        es.PaymentReceived, es.PaymentAllocated, es.AllocationsRestated
    )
    restated = life.last[2]
    assert isinstance(restated, es.AllocationsRestated)
    (change,) = restated.changes
    assert change.payment_id == "second"
    assert [line.instalment for line in change.before] == [1]
    assert [line.instalment for line in change.after] == [2]
    assert life.state.rows[0].met_on == month(1)


def test_a_reversed_payment_never_was_for_the_balances() -> None:
    untouched = disbursed().when(pay(LEVEL, month(1), "kept"))
    life = disbursed().when(pay(LEVEL, month(1), "kept")).when(pay(9_000, month(2), "bad"))
    life.when(reverse("bad", month(2))).then(es.PaymentReversed, es.AllocationsRestated)
    assert life.state.rows == untouched.state.rows
    assert life.state.balances == untouched.state.balances
    assert sum(isinstance(event, es.PaymentReceived) for event in life.events) == 2


def test_reversing_the_payment_that_settled_reopens_the_loan() -> None:
    life = disbursed()
    life.when(pay(life.payoff(month(1)), month(1), "all"))
    life.when(reverse("all", month(2))).then(
        es.PaymentReversed, es.AllocationsRestated, ee.LoanReopened
    )
    assert life.state.status is LoanStatus.ACTIVE
    assert life.state.balances.principal_minor == 1_000_000


def test_a_payment_can_be_reversed_once() -> None:
    life = disbursed().when(pay(LEVEL, month(1), "p")).when(reverse("p", month(1)))
    assert life.refused(reverse("p", month(2))).code == "unknown_payment"


def test_an_id_is_never_used_again_though_its_payment_was_taken_back() -> None:
    """The first one stays visible under it."""
    life = disbursed().when(pay(LEVEL, month(1), "p")).when(reverse("p", month(1)))
    assert life.refused(pay(LEVEL, month(2), "p")).code == "already_recorded"


def test_an_observed_split_is_a_fact_and_the_row_keeps_its_total() -> None:
    observed = Split(principal_minor=23_213, interest_minor=10_001)
    life = disbursed(conditions=PLANNED).when(pay(LEVEL, month(1), split=observed))
    first = life.state.rows[0]
    assert first.met_on == month(1)
    assert (first.principal_paid_minor, first.interest_paid_minor) == (23_213, 10_001)
    assert _allocated(life).source is es.AllocationSource.UPSTREAM
    assert sum(row.principal_minor for row in life.state.rows) == 1_000_000


def test_observed_principal_above_the_plan_comes_off_the_end_of_the_schedule() -> None:
    observed = Split(principal_minor=100_000, interest_minor=10_000)
    life = disbursed(conditions=PLANNED).when(pay(110_000, month(1), split=observed))
    (line,) = _allocated(life).lines
    assert (line.instalment, line.principal_minor, line.interest_minor) == (1, 100_000, 10_000)
    rows = life.state.rows
    assert rows[1].due_minor == LEVEL  # the next instalment falls due as planned
    assert [row.principal_minor for row in rows[-2:]] == [0, 0]
    assert [row.met_on for row in rows[-2:]] == [month(1), month(1)]
    assert min(row.principal_minor for row in rows) == 0
    assert life.state.balances.principal_minor == 900_000


def test_observed_interest_below_the_plan_still_meets_the_instalment() -> None:
    observed = Split(principal_minor=23_214, interest_minor=9_300)
    life = disbursed(conditions=PLANNED).when(pay(32_514, month(1), split=observed))
    assert life.state.rows[0].met_on == month(1)
    assert life.state.rows[0].interest_minor == 9_300


@pytest.mark.parametrize(("principal", "met"), [(19_893, True), (19_892, False)])
def test_nine_tenths_of_an_instalment_count_as_the_whole(principal: int, met: bool) -> None:  # noqa: FBT001
    observed = Split(principal_minor=principal, interest_minor=10_000)
    life = disbursed(conditions=PLANNED).when(pay(observed.total_minor, month(1), split=observed))
    assert (life.state.rows[0].met_on is not None) is met
    assert life.state.balances.principal_minor == 1_000_000 - principal


def test_an_observed_payment_meets_every_instalment_that_is_due() -> None:
    life = disbursed(conditions=PLANNED).when(pay(LEVEL // 2, month(1)))
    observed = Split(principal_minor=23_214 + 23_446 - 6_607, interest_minor=9_768)
    life.when(pay(observed.total_minor, month(2), split=observed))
    assert [row.met_on for row in life.state.rows[:3]] == [month(2), month(2), None]
    assert sum(row.principal_minor for row in life.state.rows) == 1_000_000


def test_an_observed_split_that_repays_the_principal_ends_the_loan() -> None:
    life = disbursed(conditions=PLANNED)
    observed = Split(principal_minor=1_000_000, interest_minor=1_234)
    life.when(pay(1_001_234, month(1), split=observed)).then(
        es.PaymentReceived, es.PaymentAllocated, ee.LoanSettled
    )
    assert life.state.balances.owed_minor == 0


def test_a_charge_must_be_on_the_disclosed_cost_table() -> None:
    life = disbursed()
    listed = charge(1_500, month(1), component=Component.PENALTY)
    surprise = replace(listed, code="SURPRISE", component=Component.FEE)
    assert life.refused(surprise).code == "charge_not_disclosed"
    life.when(listed).then(es.ChargeAssessed, es.ScheduleChanged)
    assert life.state.balances.penalty_minor == 1_500


def test_penalties_are_paid_first_and_can_be_waived_with_a_reason() -> None:
    life = disbursed()
    penalty = charge(1_500, month(1), component=Component.PENALTY)
    life.when(penalty).when(pay(500, month(1)))
    assert _allocated(life).lines[0].penalty_minor == 500
    waiver = cs.Waive(
        loan_id=LOAN,
        effective_on=month(1),
        waiver_id="w",
        component=Component.PENALTY,
        amount_minor=1_001,
        instalment=1,
    )
    assert life.refused(waiver).code == "reason_missing"
    assert life.refused(waiver, reason="goodwill").code == "more_than_owed"
    life.when(replace(waiver, amount_minor=1_000), reason="goodwill").then(
        es.ChargeWaived, es.ScheduleChanged
    )
    assert life.state.balances.penalty_minor == 0


def test_what_was_waived_is_not_paid_from_behind() -> None:
    """A payment dated before the waiver would leave nothing to waive: the waiver was posted."""
    life = disbursed(conditions=PLANNED)
    waiver = cs.Waive(
        loan_id=LOAN,
        effective_on=month(1),
        waiver_id="w",
        component=Component.INTEREST,
        amount_minor=10_000,
        instalment=1,
    )
    life.when(waiver, reason="goodwill")
    assert life.refused(pay(LEVEL, month(0), "early")).code == "waived_since"
    assert life.refused(pay(5_000, month(0), "part")).code == "waived_since"
    life.when(pay(LEVEL, month(1), "today"))


def test_principal_is_never_waived() -> None:
    waiver = cs.Waive(
        loan_id=LOAN,
        effective_on=month(1),
        waiver_id="w",
        component=Component.PRINCIPAL,
        amount_minor=1,
        instalment=1,
    )
    assert disbursed().refused(waiver, reason="goodwill").code == "not_waivable"
