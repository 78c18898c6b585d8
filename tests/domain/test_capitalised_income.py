"""Income that becomes principal after the payout, and is earned evenly until maturity."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.commands import application as ca
from domain.commands import ending as ce
from domain.commands.changes import ExtendTerm
from domain.events import ending as ee
from domain.events import income as e
from domain.events import servicing as es
from domain.loan.headroom import room
from domain.loan.terms import CapitalisedIncome, Component, Conditions, PayoutFee
from domain.postings import Account
from tests.support.incomes import (
    AGREED,
    CAPITALISING,
    CODE,
    adjust,
    capitalise,
    deferral_of,
    earned,
    lent,
    reverse_adjustment,
    take_back,
)
from tests.support.lives import (
    LOAN,
    PLANNED,
    START,
    Life,
    accepted,
    actor,
    apply_for,
    approve,
    booked,
    check,
    days_after,
    disbursed,
    folded_again,
    month,
    pay,
    pay_out,
    prepare,
    product_refused,
    reverse,
)
from tests.support.lives import ties_to_the_ledger as ties

BOTH = pytest.mark.parametrize(
    "conditions",
    [CAPITALISING, replace(CAPITALISING, recalculation=PLANNED.recalculation)],
    ids=["continuous", "planned"],
)
MATURITY = month(36)
DAYS = (MATURITY - month(1)).days


def charged_off(on: date) -> ce.ChargeOffLoan:
    return ce.ChargeOffLoan(loan_id=LOAN, effective_on=on, cause="120_days")


# --- added


@BOTH
def test_income_is_added_to_principal_and_instalments_are_solved_anew(
    conditions: Conditions,
) -> None:
    """Source: domain rules, 9.9 S-27."""
    life = lent(conditions)
    before = life.state.rows
    life.when(capitalise(50_000, month(1))).then(e.IncomeCapitalised, es.ScheduleChanged)
    told = life.last[0]
    assert isinstance(told, e.IncomeCapitalised)
    assert (told.code, told.income) == (CODE, Component.FEE)
    assert (told.amount_minor, told.principal_minor, told.overpaid_minor) == (50_000, 50_000, 0)
    rows = life.state.rows
    assert sum(row.principal_minor for row in rows) == 1_050_000
    assert rows[0].due_minor == before[0].due_minor, "due on the day already"
    assert rows[1].due_minor > before[1].due_minor
    ties(life)
    folded_again(life)


def test_the_books_owe_it_to_the_days_to_come() -> None:
    balance = booked(lent().when(capitalise(50_000, month(1))).events)
    assert balance[Account.LOAN_PORTFOLIO] == 1_050_000
    assert balance[Account.FUND_SOURCE] == -1_000_000
    assert balance[Account.DEFERRED_CAPITALISED_INCOME] == -50_000


def test_an_income_that_is_dated_back_is_as_if_it_had_been_there() -> None:
    early = lent().when(capitalise(50_000, month(1))).when(pay(40_000, month(2), "p"))
    late = lent().when(pay(40_000, month(2), "p")).when(capitalise(50_000, month(1)))
    assert late.state.balances == early.state.balances
    assert earned(early, month(3)) == earned(late, month(3))
    ties(late)


# --- within the approved amount


def test_income_fills_the_approved_amount_like_a_payout() -> None:
    life = lent()
    assert room(life.state, month(1)).left_minor == 200_000
    no = life.refused(capitalise(200_001, month(1)))
    assert (no.code, no.field) == ("above_approved", "amount")
    life.when(capitalise(150_000, month(1)))
    assert room(life.state, month(1)).drawn_minor == 1_150_000
    assert life.refused(capitalise(50_001, month(2), "i-2")).code == "above_approved"
    life.when(adjust(30_000, month(2)), reason="agreed")
    life.when(capitalise(80_000, month(2), "i-2"))


def test_a_product_bounds_what_is_capitalised_on_a_loan() -> None:
    agreed = replace(AGREED, total_max_minor=60_000)
    life = lent(replace(CAPITALISING, capitalised_income=agreed))
    life.when(capitalise(50_000, month(1)))
    no = life.refused(capitalise(10_001, month(1), "i-2"))
    assert (no.code, no.field) == ("above_income_max", "amount")
    life.when(capitalise(10_000, month(1), "i-2"))


def test_the_cap_on_what_is_outstanding_holds_for_income_too() -> None:
    conditions = replace(CAPITALISING, payouts_max=3, outstanding_max_minor=1_020_000)
    life = lent(conditions)
    assert life.refused(capitalise(20_001, month(1))).code == "above_outstanding_max"
    life.when(capitalise(20_000, month(1)))


def test_income_counts_in_the_cap_on_what_a_loan_costs_a_year() -> None:
    """24 % a year on 10,000.00 allow 100.00 beside a month's interest of 12 %."""
    life = lent(
        replace(CAPITALISING, rate_annual_max=Decimal("0.24"), rate_cap_annual=Decimal("0.24"))
    )
    no = life.refused(capitalise(30_000, month(1)))
    assert (no.code, no.field) == ("above_rate_cap", "amount")
    life.when(capitalise(9_000, month(1)))
    assert life.refused(capitalise(9_000, month(1), "i-2")).code == "above_rate_cap"


def test_the_approved_amount_is_not_lowered_below_what_was_lent_and_capitalised() -> None:
    life = lent(replace(CAPITALISING, payouts_max=2)).when(capitalise(50_000, month(1)))
    lower = ca.ChangeApprovedAmount(loan_id=LOAN, effective_on=month(1), amount_minor=1_049_999)
    assert life.refused(lower, reason="x").code == "below_paid_out"
    life.when(replace(lower, amount_minor=1_050_000), reason="x")
    assert life.refused(capitalise(1, month(1), "i-2")).code == "above_approved"


def test_a_single_payout_may_leave_room_for_income_and_no_other_product_may() -> None:
    assert lent().state.paid_out_minor == 1_000_000
    assert accepted(1_200_000).refused(prepare(1_000_000)).code == "amount_not_approved"
    life = accepted(1_200_000, conditions=CAPITALISING)
    assert life.refused(prepare(1_200_001)).code == "amount_not_approved"


# --- refused


def test_what_may_not_be_capitalised_is_refused() -> None:
    on = month(1)
    assert disbursed().refused(capitalise(1, on)).code == "income_not_capitalised"
    assert accepted(conditions=CAPITALISING).refused(capitalise(1, on)).code == "wrong_status"
    life = lent()
    assert life.refused(capitalise(0, on)).code == "amount_out_of_range"
    assert life.refused(capitalise(1, START - timedelta(days=1))).code == "before_disbursement"
    assert life.refused(capitalise(1, MATURITY)).code == "after_maturity"
    life.when(capitalise(1, on))
    assert life.refused(capitalise(1, on)).code == "already_recorded"
    strict = lent(replace(CAPITALISING, backdating_days_max=10))
    strict.now = month(2)
    assert strict.refused(capitalise(1, on)).code == "backdated_too_far"


def test_income_that_was_not_disclosed_is_refused() -> None:
    """Source: domain rules, 5.7 (综合融资成本明示表)."""
    shown = ca.DiscloseCost(
        loan_id=LOAN,
        effective_on=START,
        annual_cost=Decimal("0.13"),
        method="irr",
        charges=("LATE",),
    )
    life = Life(conditions=CAPITALISING).when(apply_for(1_200_000)).when(approve()).when(shown)
    life.when(ca.AcceptOffer(loan_id=LOAN, effective_on=START)).when(prepare(), actor("maker"))
    assert life.state.preparation is not None
    life.when(check(life.state.preparation.payload_hash), actor("checker", "checker"))
    life.when(pay_out())
    assert life.refused(capitalise(1, month(1))).code == "charge_not_disclosed"


def test_a_loan_that_ended_takes_no_income() -> None:
    on = month(1)
    settled = lent().when(pay(1_100_000, on))
    assert settled.refused(capitalise(1, on)).code == "loan_settled"
    assert lent().when(charged_off(on)).refused(capitalise(1, on)).code == "wrong_status"
    terminated = lent().when(
        ce.TerminateContract(loan_id=LOAN, effective_on=on, cause="breach"), reason="breach"
    )
    assert terminated.refused(capitalise(1, on)).code == "contract_terminated"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"capitalised_income": CapitalisedIncome(code="NONE")}, "unknown_charge"),
        ({"capitalised_income": replace(AGREED, total_max_minor=0)}, "bad_bounds"),
        ({"capitalised_income": replace(AGREED, total_max_minor=5_000_001)}, "bad_bounds"),
        ({"capitalised_income": replace(AGREED, income=Component.PENALTY)}, "not_offered"),
        ({"payout_fees": (PayoutFee(code=CODE, amount_minor=1),)}, "charge_repeated"),
    ],
)
def test_a_product_that_could_not_disclose_or_bound_it_is_refused(
    changed: dict[str, Any], code: str
) -> None:
    no = product_refused(replace(CAPITALISING, **changed))
    assert (no.code, no.field) == (code, "capitalised_income")


# --- earned by the day


def test_income_is_earned_evenly_until_maturity_and_all_of_it() -> None:
    """Source: domain rules, 9.9 S-29: its first day counts, the day of maturity does not."""
    life = lent().when(capitalise(50_000, month(1)))
    by_day = [earned(life, days_after(month(1), k)) for k in range(DAYS + 2)]
    assert by_day[0] == round(50_000 / DAYS)
    assert [max(0, after - before) for before, after in pairwise(by_day)][: DAYS - 2]
    assert all(46 <= after - before <= 47 for before, after in pairwise(by_day[: DAYS - 1]))
    assert by_day[DAYS - 2] < by_day[DAYS - 1] == by_day[DAYS] == 50_000
    assert earned(life, days_after(month(1), -1)) == 0


def test_what_is_left_is_earned_when_the_loan_is_paid_off() -> None:
    life = lent().when(capitalise(50_000, month(1)))
    on = month(5)
    assert earned(life, on) < 50_000
    life.when(pay(life.payoff(on), on, "off"))
    assert earned(life, on) == 50_000
    life.when(reverse("off", on))
    assert earned(life, on) < 50_000, "it is as if it had not been paid"


def test_a_later_maturity_stretches_what_is_not_earned() -> None:
    life = lent().when(capitalise(50_000, month(1)))
    before = earned(life, month(5))
    life.when(
        ExtendTerm(loan_id=LOAN, effective_on=month(2), change_id="c", instalments=6), reason="x"
    )
    deferral = deferral_of(life.state, month(5))
    assert deferral is not None
    assert deferral.maturity == month(42)
    assert deferral.recognised_minor < before


# --- given back


@BOTH
def test_what_is_given_back_pays_the_loan_and_is_not_earned(conditions: Conditions) -> None:
    """Source: domain rules, 9.5 T-32."""
    life = lent(conditions).when(capitalise(50_000, month(1)))
    owed = life.state.balances.owed_minor
    life.when(adjust(20_000, month(1)), reason="agreed")
    life.then(e.CapitalisedIncomeAdjusted, es.PaymentAllocated)
    told = life.last[1]
    assert isinstance(told, es.PaymentAllocated)
    assert told.kind is es.CreditKind.CAPITALISED_INCOME_ADJUSTMENT
    assert life.state.balances.owed_minor < owed
    assert earned(life, days_after(month(1), DAYS // 2)) in range(14_900, 15_100)
    assert earned(life, MATURITY) == 30_000
    assert booked(life.events)[Account.DEFERRED_CAPITALISED_INCOME] == -30_000
    ties(life)
    folded_again(life)


def test_no_more_is_given_back_than_was_capitalised() -> None:
    life = lent().when(capitalise(50_000, month(1)))
    assert life.refused(adjust(1, month(1), "i-9"), reason="x").code == "unknown_income"
    assert life.refused(adjust(1, month(1))).code == "reason_missing"
    assert life.refused(adjust(1, days_after(START, 1)), reason="x").code == "before_income"
    life.when(adjust(20_000, month(2)), reason="x")
    no = life.refused(adjust(30_001, month(2), adjustment_id="a-2"), reason="x")
    assert (no.code, no.field) == ("more_than_capitalised", "amount")
    life.when(adjust(30_000, month(2), adjustment_id="a-2"), reason="x")
    assert earned(life, MATURITY) == 0


def test_an_adjustment_that_is_reversed_never_was() -> None:
    life = lent().when(capitalise(50_000, month(1)))
    before = life.state.balances
    life.when(adjust(20_000, month(1)), reason="x").when(reverse_adjustment(month(1)))
    assert life.state.balances == before
    assert earned(life, MATURITY) == 50_000
    ties(life)


# --- taken back


@BOTH
def test_an_income_that_is_taken_back_never_was(conditions: Conditions) -> None:
    life = lent(conditions).when(pay(40_000, month(1), "p"))
    before = life.state
    life.when(capitalise(50_000, days_after(month(1), 5))).when(take_back(month(2)))
    assert [type(event) for event in life.last][:1] == [e.CapitalisedIncomeReversed]
    assert life.state.balances == before.balances
    assert [row._replace(met_on=None) for row in life.state.rows] == [
        row._replace(met_on=None) for row in before.rows
    ]
    assert deferral_of(life.state, MATURITY) is None
    assert booked(life.events)[Account.DEFERRED_CAPITALISED_INCOME] == 0
    ties(life)
    assert life.refused(take_back(month(2))).code == "unknown_income"
    assert life.refused(capitalise(1, month(2))).code == "already_recorded"
    folded_again(life)


def test_an_income_of_which_something_was_given_back_is_not_taken_back_first() -> None:
    life = lent().when(capitalise(50_000, month(1))).when(adjust(1, month(1)), reason="x")
    assert life.refused(take_back(month(1))).code == "income_adjusted"
    life.when(reverse_adjustment(month(1))).when(take_back(month(1)))
    assert (
        life.refused(adjust(1, month(1), adjustment_id="a-2"), reason="x").code == "unknown_income"
    )


# --- taken to loss


def test_a_charge_off_loses_less_by_what_was_never_earned() -> None:
    """Source: domain rules, 9.9 S-27: recognition stops at charge-off."""
    life = lent().when(capitalise(50_000, month(1)))
    on = month(4)
    left = 50_000 - earned(life, on)
    life.when(charged_off(on))
    told = life.last[0]
    assert isinstance(told, ee.LoanChargedOff)
    assert told.deferred_capitalised_minor == left
    stands = booked(life.events)
    assert stands[Account.CHARGE_OFF_EXPENSE] == 1_050_000 - left
    assert stands[Account.DEFERRED_CAPITALISED_INCOME] == left - 50_000
    deferral = deferral_of(life.state, month(9))
    assert deferral is not None
    assert deferral.deferred_minor == 0
    for no in (take_back(on), adjust(1, on)):
        assert life.refused(no, reason="x").code == "wrong_status"


def test_a_charge_off_that_is_reversed_defers_it_again() -> None:
    life = lent().when(capitalise(50_000, month(1))).when(charged_off(month(4)))
    life.when(
        ce.ReverseChargeOff(loan_id=LOAN, effective_on=month(5), cause="error"), reason="error"
    )
    stands = booked(life.events)
    assert stands[Account.DEFERRED_CAPITALISED_INCOME] == -50_000
    assert stands[Account.CHARGE_OFF_EXPENSE] == 0
    deferral = deferral_of(life.state, month(5))
    assert deferral is not None
    assert deferral.deferred_minor > 0


def test_an_adjustment_of_a_loan_off_the_books_is_not_reversed() -> None:
    life = lent().when(capitalise(50_000, month(1))).when(adjust(9_000, month(2)), reason="x")
    life.when(charged_off(month(4)))
    assert life.refused(reverse_adjustment(month(4))).code == "loan_charged_off"


# --- properties


@given(st.integers(min_value=1, max_value=200_000), st.lists(st.integers(0, 900), max_size=6))
def test_what_is_posted_day_by_day_sums_to_the_income(amount: int, days: list[int]) -> None:
    life = lent().when(capitalise(amount, month(1)))
    posted = 0
    for day in sorted(days):
        total = earned(life, days_after(month(1), day))
        assert total >= posted
        posted += total - posted
    posted += earned(life, MATURITY) - posted
    assert posted == amount
