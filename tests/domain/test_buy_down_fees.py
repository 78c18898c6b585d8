"""Buy-down fees: paid by somebody else, earned evenly, and nothing of the borrower's."""

from dataclasses import replace

import pytest

from domain.commands import ending as ce
from domain.events import ending as ee
from domain.events import income as e
from domain.loan.terms import BuyDownFee, Component, Conditions
from domain.postings import Account
from domain.servicing.values import DeferredKind
from tests.support.incomes import (
    CAPITALISING,
    adjust_fee,
    buy_down,
    capitalise,
    deferral_of,
    deferral_ties,
    earned,
    lent,
    take_adjustment_back,
    take_fee_back,
)
from tests.support.lives import (
    LOAN,
    START,
    accepted,
    booked,
    days_after,
    disbursed,
    folded_again,
    month,
    pay,
    product_refused,
    ties_to_the_ledger,
)

FEE = DeferredKind.BUY_DOWN_FEE
MATURITY = month(36)
DAYS = (MATURITY - month(1)).days
LENDERS = replace(CAPITALISING, buy_down_fee=BuyDownFee(merchant_paid=False))


def test_the_borrower_owes_nothing_of_a_buy_down_fee() -> None:
    """Source: domain rules, 9.9 S-28."""
    life = lent()
    before = life.state
    life.when(buy_down(36_500, month(1))).then(e.BuyDownFeeRecorded)
    assert (life.state.rows, life.state.balances) == (before.rows, before.balances)
    told = life.last[0]
    assert isinstance(told, e.BuyDownFeeRecorded)
    assert (told.income, told.merchant_paid) == (Component.INTEREST, True)
    ties_to_the_ledger(life)
    folded_again(life)


def test_it_is_money_of_the_merchants_or_an_expense_of_the_lenders() -> None:
    """Source: domain rules, P-73, G-07."""
    merchants, lenders = (
        booked(lent(conditions).when(buy_down(36_500, month(1))).events)
        for conditions in (CAPITALISING, LENDERS)
    )
    assert merchants[Account.FUND_SOURCE] == 36_500 - 1_000_000
    assert merchants[Account.BUY_DOWN_EXPENSE] == 0
    assert lenders[Account.FUND_SOURCE] == -1_000_000
    assert lenders[Account.BUY_DOWN_EXPENSE] == 36_500
    for stands in (merchants, lenders):
        assert stands[Account.DEFERRED_BUY_DOWN_FEES] == -36_500


def test_it_is_earned_evenly_until_maturity_and_the_rest_when_the_loan_is_paid_off() -> None:
    life = lent().when(buy_down(DAYS * 10, month(1)))
    assert [earned(life, days_after(month(1), k), FEE) for k in (-1, 0, 1, 30)] == [0, 10, 20, 310]
    assert earned(life, days_after(MATURITY, -1), FEE) == earned(life, MATURITY, FEE) == DAYS * 10
    life.when(pay(life.payoff(month(2)), month(2)))
    assert earned(life, month(2), FEE) == DAYS * 10


def test_both_kinds_of_income_are_earned_each_for_itself() -> None:
    life = lent().when(buy_down(DAYS * 10, month(1))).when(capitalise(DAYS * 20, month(1)))
    assert earned(life, month(1), FEE) == 10
    assert earned(life, month(1)) == 20
    deferral_ties(life)


@pytest.mark.parametrize("conditions", [CAPITALISING, LENDERS], ids=["merchant", "lender"])
def test_what_is_given_back_of_a_fee_is_not_earned(conditions: Conditions) -> None:
    life = lent(conditions).when(buy_down(36_500, month(1)))
    balances = life.state.balances
    life.when(adjust_fee(6_500, month(2)), reason="returned").then(e.BuyDownFeeAdjusted)
    assert life.state.balances == balances
    assert earned(life, MATURITY, FEE) == 30_000
    source = Account.FUND_SOURCE if conditions is CAPITALISING else Account.BUY_DOWN_EXPENSE
    stands = booked(life.events)
    assert stands[Account.DEFERRED_BUY_DOWN_FEES] == -30_000
    assert stands[source] == 30_000 - (1_000_000 if conditions is CAPITALISING else 0)
    folded_again(life)


def test_no_more_of_a_fee_is_given_back_than_was_paid() -> None:
    life = lent().when(buy_down(36_500, month(1)))
    assert life.refused(adjust_fee(1, month(1), "b-9"), reason="x").code == "unknown_fee"
    assert life.refused(adjust_fee(1, month(1))).code == "reason_missing"
    assert life.refused(adjust_fee(1, days_after(START, 1)), reason="x").code == "before_fee"
    life.when(adjust_fee(36_500, month(1)), reason="x")
    no = life.refused(adjust_fee(1, month(1), adjustment_id="a-2"), reason="x")
    assert (no.code, no.field) == ("more_than_paid", "amount")
    assert earned(life, MATURITY, FEE) == 0


def test_a_fee_or_its_adjustment_that_is_taken_back_never_was() -> None:
    life = lent().when(buy_down(36_500, month(1))).when(adjust_fee(500, month(1)), reason="x")
    assert life.refused(take_fee_back(month(2))).code == "income_adjusted"
    life.when(take_adjustment_back(month(2))).then(e.BuyDownAdjustmentReversed)
    assert earned(life, MATURITY, FEE) == 36_500
    assert life.refused(take_adjustment_back(month(2))).code == "unknown_adjustment"
    assert life.refused(take_fee_back(START)).code == "effective_out_of_range"
    life.when(take_fee_back(month(2))).then(e.BuyDownFeeReversed)
    assert deferral_of(life.state, MATURITY, FEE) is None
    stands = booked(life.events)
    assert stands[Account.DEFERRED_BUY_DOWN_FEES] == 0
    assert stands[Account.FUND_SOURCE] == -1_000_000
    assert life.refused(take_fee_back(month(2))).code == "unknown_fee"
    assert life.refused(buy_down(1, month(2))).code == "already_recorded"
    assert life.refused(adjust_fee(1, month(2)), reason="x").code == "already_recorded"
    folded_again(life)


def test_what_a_charge_off_leaves_of_a_fee_lowers_the_loss() -> None:
    life = lent().when(buy_down(DAYS * 10, month(1)))
    on = days_after(month(1), 99)
    life.when(ce.ChargeOffLoan(loan_id=LOAN, effective_on=on, cause="120_days"))
    told = life.last[0]
    assert isinstance(told, ee.LoanChargedOff)
    assert told.deferred_bought_down_minor == (DAYS - 100) * 10
    deferral_ties(life)
    for no in (adjust_fee(1, on), take_fee_back(on), buy_down(1, on, "b-2")):
        assert life.refused(no, reason="x").code == "wrong_status"
    life.when(ce.ReverseChargeOff(loan_id=LOAN, effective_on=on, cause="error"), reason="error")
    deferral_ties(life)
    assert earned(life, on, FEE) == 1_000


def test_what_may_not_be_recorded_is_refused() -> None:
    on = month(1)
    assert disbursed().refused(buy_down(1, on)).code == "no_buy_down_fee"
    assert accepted(conditions=CAPITALISING).refused(buy_down(1, on)).code == "wrong_status"
    life = lent()
    assert life.refused(buy_down(0, on)).code == "amount_out_of_range"
    assert life.refused(buy_down(1, MATURITY)).code == "after_maturity"
    no = life.refused(buy_down(1_000_001, on))
    assert (no.code, no.field) == ("above_income_max", "amount")
    settled = lent().when(pay(1_100_000, on))
    assert settled.refused(buy_down(1, on)).code == "loan_settled"
    bounded = replace(CAPITALISING, buy_down_fee=BuyDownFee(total_max_minor=100))
    life = lent(bounded).when(buy_down(60, on))
    assert life.refused(buy_down(41, on, "b-2")).code == "above_income_max"
    life.when(buy_down(40, on, "b-2"))


@pytest.mark.parametrize(
    ("fee", "code"),
    [
        (BuyDownFee(total_max_minor=0), "bad_bounds"),
        (BuyDownFee(total_max_minor=5_000_001), "bad_bounds"),
        (BuyDownFee(income=Component.PRINCIPAL), "not_offered"),
    ],
)
def test_a_product_whose_fee_cannot_be_is_refused(fee: BuyDownFee, code: str) -> None:
    no = product_refused(replace(CAPITALISING, buy_down_fee=fee))
    assert (no.code, no.field) == (code, "buy_down_fee")
