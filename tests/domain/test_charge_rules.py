"""Charges that a product computes: put when asked for, or by the close of day while overdue."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.commands import crediting as cr
from domain.commands import servicing as cs
from domain.events import arrears as ea
from domain.events import ending as ee
from domain.events import servicing as es
from domain.loan.charge_rules import ChargeRule, UndueCharge, last_turn
from domain.loan.state import LoanStatus
from domain.loan.terms import (
    ChargeBasis,
    ChargeTime,
    Component,
    FeeTime,
    PayoutFee,
    RepaymentMethod,
    Unit,
)
from domain.postings import Account
from tests.support.lives import (
    LOAN,
    PLANNED,
    Life,
    booked,
    close,
    days_after,
    disbursed,
    month,
    pay,
    product_refused,
    reverse,
    ties_to_the_ledger,
)

LATE = ChargeRule(
    code="LATE", component=Component.PENALTY, time=ChargeTime.OVERDUE, amount_minor=500
)
SHARE = replace(
    LATE, basis=ChargeBasis.PERCENT_OF_AMOUNT_AND_INTEREST, amount_minor=0, percent=Decimal(5)
)
ON_REQUEST = ChargeRule(
    code="NSF", component=Component.FEE, time=ChargeTime.SPECIFIED_DUE_DATE, amount_minor=700
)
PRINCIPAL_FIRST = (Component.PRINCIPAL, Component.INTEREST, Component.FEE, Component.PENALTY)
FIRST = 106_000  # 6,000.00 at 1 % a month in six parts: 1,000.00 and 60.00 are due on 15 February


def lent(rule: ChargeRule, **product: Any) -> Life:  # noqa: ANN401 - any field
    plain = replace(PLANNED, method=RepaymentMethod.EQUAL_PRINCIPAL, charge_rules=(rule,))
    return disbursed(600_000, 6, conditions=replace(plain, **product))


def late(days: int) -> date:
    return days_after(month(1), days)


def closed(life: Life, first: int, last: int) -> Life:
    """Close the days from one number of days after the first due date to another."""
    for days in range(first, last + 1):
        life.when(close(late(days)))
    return life


def charges(life: Life) -> list[tuple[int, int]]:
    """Days after the first due date, and amounts, of the charges that were put."""
    put = [event for event in life.events if isinstance(event, es.ChargeAssessed)]
    return [((event.effective_on - month(1)).days, event.amount_minor) for event in put]


def test_an_overdue_instalment_is_charged_once_after_the_days_of_waiting() -> None:
    """Source: domain rules, F-05: three days to wait, charged on the fourth."""
    life = closed(lent(replace(LATE, wait_days=3)), 0, 3)
    assert charges(life) == []
    life.when(close(late(4))).then(es.ChargeAssessed, es.ScheduleChanged)
    assert life.state.balances.penalty_minor == 500
    assert life.state.rows[0].penalty_minor == 500
    closed(life, 4, 20)
    assert charges(life) == [(4, 500)]
    assert booked(life.events)[Account.PENALTY_INCOME] == -500
    ties_to_the_ledger(life)


def test_it_is_said_with_what_else_the_close_says() -> None:
    life = lent(LATE).when(close(late(1)))
    life.then(es.ChargeAssessed, es.ScheduleChanged, ea.PaymentMissed, ea.DelinquencyBucketChanged)
    missed = life.last[2]
    assert isinstance(missed, ea.PaymentMissed)
    assert missed.unpaid_minor == FIRST + 500


@pytest.mark.parametrize(
    ("rule", "amount"),
    [
        (SHARE, 5_300),
        (replace(SHARE, basis=ChargeBasis.PERCENT_OF_AMOUNT), 5_000),
        (replace(SHARE, basis=ChargeBasis.PERCENT_OF_INTEREST), 300),
        (replace(SHARE, basis=ChargeBasis.PERCENT_OF_INTEREST, min_minor=400), 400),
        (replace(SHARE, max_minor=4_000), 4_000),
    ],
    ids=["both", "amount", "interest", "at least", "at most"],
)
def test_a_share_is_of_what_is_overdue(rule: ChargeRule, amount: int) -> None:
    assert charges(lent(rule).when(close(late(1)))) == [(1, amount)]


def test_a_share_of_what_was_paid_in_part_is_of_the_rest() -> None:
    """600.00 were paid: 60.00 of interest and 540.00; 5 % of the 460.00 that are left."""
    life = lent(SHARE).when(pay(60_000, month(1))).when(close(late(1)))
    assert charges(life) == [(1, 2_300)]


def test_it_is_put_again_while_overdue_up_to_its_cap() -> None:
    """Every week: 5.00, 5.00 and what is left of 12.00."""
    life = closed(lent(replace(LATE, every=7, cap_minor=1_200)), 1, 27)
    assert charges(life) == [(1, 500), (8, 500), (15, 200)]


def test_it_is_put_no_more_once_paid() -> None:
    life = closed(lent(replace(LATE, every=7)), 1, 9)
    life.when(pay(FIRST + 1_000, late(9)))
    closed(life, 10, 27)
    assert charges(life) == [(1, 500), (8, 500)]


def test_each_overdue_instalment_is_charged_for_itself() -> None:
    life = closed(lent(LATE), 1, 31)
    on = (month(2) - month(1)).days + 1
    assert charges(life) == [(1, 500), (on, 500)]
    assert [row.penalty_minor for row in life.state.rows[:2]] == [500, 500]


def test_turns_of_months_do_not_drift() -> None:
    rule = replace(LATE, every=1, every_unit=Unit.MONTHS)
    due = date(2018, 1, 30)
    assert last_turn(rule, due, date(2018, 1, 30)) is None
    assert last_turn(rule, due, date(2018, 2, 27)) == date(2018, 1, 31)
    assert last_turn(rule, due, date(2018, 2, 28)) == date(2018, 2, 28)
    assert last_turn(rule, due, date(2018, 4, 1)) == date(2018, 3, 31)


def test_asking_twice_is_asking_once() -> None:
    life = lent(replace(LATE, every=1)).when(close(late(1)))
    life.when(close(late(1))).then()
    life.when(close(late(2))).then(es.ChargeAssessed, es.ScheduleChanged)
    life.when(close(late(1))).then()
    life.when(close(late(2))).then()


def test_what_charges_leave_open_bears_no_further_charge() -> None:
    life = lent(replace(LATE, every=1), allocation=PRINCIPAL_FIRST).when(close(late(1)))
    life.when(pay(FIRST, late(1)))
    closed(life, 2, 5)
    assert charges(life) == [(1, 500)]
    assert life.state.in_arrears  # the penalty itself is late


def test_a_charge_that_is_not_on_the_cost_table_is_not_put() -> None:
    """Source: domain rules, 5.7."""
    life = lent(LATE)
    life.loan = replace(life.state, disclosed_charges=("NSF",))
    life.when(close(late(1))).then(ea.PaymentMissed, ea.DelinquencyBucketChanged)


# --- a payment that is dated back


def test_money_dated_back_takes_back_what_was_charged_for_no_delay() -> None:
    life = lent(LATE).when(close(late(1)))
    life.when(pay(FIRST, month(1), "p"))
    life.then(es.PaymentReceived, es.PaymentAllocated, es.ChargeReversed, es.ScheduleChanged)
    assert life.state.balances.penalty_minor == 0
    assert life.state.rows[0].met_on == month(1)
    assert booked(life.events)[Account.PENALTY_INCOME] == 0
    ties_to_the_ledger(life)
    life.when(close(late(2))).then(ea.ArrearsCured, ea.DelinquencyBucketChanged)


def test_later_payments_are_split_anew_then() -> None:
    life = lent(LATE).when(close(late(1))).when(pay(500, late(3), "fine"))
    life.when(pay(FIRST, month(1), "p"))
    assert isinstance(life.last[-1], es.AllocationsRestated)
    assert life.state.balances.penalty_minor == 0
    assert life.state.rows[1].paid_minor == 500
    ties_to_the_ledger(life)


@pytest.mark.parametrize(
    ("rule", "amount", "on"),
    [
        (replace(LATE, undue=UndueCharge.KEPT), FIRST, month(1)),
        (LATE, FIRST - 1, month(1)),
        (LATE, FIRST, late(2)),
    ],
    ids=["the product keeps it", "not all was paid", "not by its day"],
)
def test_a_charge_stays_where_something_was_overdue_or_the_product_keeps_it(
    rule: ChargeRule, amount: int, on: date
) -> None:
    life = lent(rule).when(close(late(1))).when(close(late(5)))
    life.when(pay(amount, on, "p"))
    assert not any(isinstance(event, es.ChargeReversed) for event in life.last)
    assert life.state.rows[0].penalty_minor == 500


def test_only_the_turns_since_the_payment_are_taken_back() -> None:
    life = closed(lent(replace(LATE, every=7)), 1, 20)
    life.when(pay(FIRST + 500, late(3), "p"))
    gone = [event for event in life.last if isinstance(event, es.ChargeReversed)]
    assert [event.effective_on for event in gone] == [late(8), late(15)]
    assert life.state.rows[0].penalty_minor == 500
    ties_to_the_ledger(life)


def test_what_was_given_back_or_waived_of_a_charge_stays() -> None:
    waived = lent(LATE).when(close(late(1)))
    waiver = cs.Waive(
        loan_id=LOAN,
        effective_on=late(2),
        waiver_id="w",
        component=Component.PENALTY,
        amount_minor=100,
        instalment=1,
    )
    waived.when(waiver, reason="kind").when(pay(FIRST, month(1), "p"))
    assert waived.state.balances.penalty_minor == 400
    ties_to_the_ledger(waived)
    given = lent(LATE).when(close(late(1)))
    back = cr.AdjustCharge(
        loan_id=LOAN,
        effective_on=late(2),
        adjustment_id="a",
        charge_id=f"LATE:{month(1)}:{late(1)}",
        amount_minor=500,
    )
    given.when(back, reason="kind").when(pay(FIRST, month(1), "p"))
    assert not any(isinstance(event, es.ChargeReversed) for event in given.last)
    ties_to_the_ledger(given)


def test_the_last_payment_dated_back_settles_the_loan_without_the_charge() -> None:
    life = lent(LATE).when(pay(600_000 + 15_000, month(1), "most"))
    last = month(6)
    life.when(close(days_after(last, 1)))
    assert life.state.rows[-1].penalty_minor == 500
    life.when(pay(life.state.balances.owed_minor - 500, last, "rest"))
    assert isinstance(life.last[-1], ee.LoanSettled)
    assert life.state.status is LoanStatus.SETTLED
    ties_to_the_ledger(life)


def test_it_is_put_when_the_payment_bounced_after_all() -> None:
    life = lent(LATE).when(close(late(1))).when(pay(FIRST, month(1), "p"))
    life.when(reverse("p", late(3))).when(close(late(3)))
    assert charges(life) == [(1, 500), (3, 500)]
    assert life.state.balances.penalty_minor == 500
    ties_to_the_ledger(life)


# --- asked for


def nsf(**change: Any) -> cs.AssessCharge:  # noqa: ANN401 - any field
    command = cs.AssessCharge(
        loan_id=LOAN,
        effective_on=month(1),
        charge_id="c",
        code="NSF",
        component=Component.FEE,
        instalment=1,
    )
    return replace(command, **change)


def test_a_charge_that_is_asked_for_comes_to_what_the_product_computes() -> None:
    """Shares are of the whole loan: 6,000.00 of principal and 210.00 of interest (F-07 to F-09)."""
    both = replace(
        ON_REQUEST,
        basis=ChargeBasis.PERCENT_OF_AMOUNT_AND_INTEREST,
        amount_minor=0,
        percent=Decimal(1),
    )
    for rule, amount in (
        (ON_REQUEST, 700),
        (both, 6_210),
        (replace(both, basis=ChargeBasis.PERCENT_OF_AMOUNT), 6_000),
        (replace(both, basis=ChargeBasis.PERCENT_OF_INTEREST), 210),
    ):
        life = lent(rule).when(nsf()).then(es.ChargeAssessed, es.ScheduleChanged)
        assert life.state.balances.fee_minor == amount
        ties_to_the_ledger(life)


def test_another_amount_than_agreed_is_refused() -> None:
    life = lent(ON_REQUEST).when(nsf(amount_minor=700))
    again = nsf(charge_id="d")
    no = life.refused(replace(again, amount_minor=701))
    assert (no.code, no.field) == ("not_as_agreed", "amount")
    no = life.refused(replace(again, component=Component.PENALTY))
    assert (no.code, no.field) == ("not_as_agreed", "component")
    no = life.refused(replace(again, code="LATE"))
    assert (no.code, no.field) == ("amount_missing", "amount")


# --- tax


def test_tax_inside_a_charge_is_owed_to_the_tax_office_and_no_income() -> None:
    """Source: domain rules, F-20: of 7.00 at 6 % 0.396 are tax, 0.40 in whole cents."""
    life = lent(replace(ON_REQUEST, tax_percent=Decimal(6))).when(nsf())
    told = life.last[0]
    assert isinstance(told, es.ChargeAssessed)
    assert (told.amount_minor, told.tax_minor) == (700, 40)
    stands = booked(life.events)
    accounts = (Account.FEE_RECEIVABLE, Account.FEE_INCOME, Account.TAX_PAYABLE)
    assert [stands[account] for account in accounts] == [700, -660, -40]
    ties_to_the_ledger(life)


def test_tax_goes_with_the_charge_that_is_taken_back() -> None:
    life = lent(replace(LATE, tax_percent=Decimal(6))).when(close(late(1)))
    assert booked(life.events)[Account.TAX_PAYABLE] == -28  # of 5.00
    life.when(pay(FIRST, month(1), "p"))
    stands = booked(life.events)
    assert (stands[Account.TAX_PAYABLE], stands[Account.PENALTY_INCOME]) == (0, 0)


def test_a_fee_kept_back_from_a_payout_may_hold_tax() -> None:
    """1 % of 6,000.00 is 60.00, of which 3.40 are tax."""
    fee = PayoutFee(code="LATE", percent=Decimal(1), tax_percent=Decimal(6))
    life = lent(ON_REQUEST, payout_fees=(fee,))
    stands = booked(life.events)
    accounts = (Account.FUND_SOURCE, Account.FEE_INCOME, Account.TAX_PAYABLE)
    assert [stands[account] for account in accounts] == [6_000 - 600_000, -5_660, -340]


PERCENT = {"basis": ChargeBasis.PERCENT_OF_AMOUNT, "amount_minor": 0, "percent": Decimal(1)}


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (replace(LATE, code="X"), "unknown_charge"),
        (replace(LATE, code="OUT"), "charge_repeated"),
        (replace(LATE, component=Component.INTEREST), "not_chargeable"),
        (replace(LATE, time=ChargeTime.DISBURSEMENT), "not_offered"),
        (replace(LATE, **PERCENT | {"basis": ChargeBasis.PERCENT_OF_DISBURSED}), "not_offered"),
        (replace(LATE, amount_minor=0), "bad_bounds"),
        (replace(LATE, percent=Decimal(1)), "bad_bounds"),
        (replace(LATE, min_minor=1), "bad_bounds"),
        (replace(LATE, **PERCENT | {"percent": Decimal(101)}), "bad_bounds"),
        (replace(LATE, **PERCENT | {"min_minor": 2, "max_minor": 1}), "bad_bounds"),
        (replace(LATE, tax_percent=Decimal(0)), "bad_bounds"),
        (replace(LATE, tax_percent=Decimal(101)), "bad_bounds"),
        (replace(LATE, wait_days=-1), "bad_bounds"),
        (replace(LATE, every=0), "bad_bounds"),
        (replace(LATE, every_unit=Unit.YEARS), "not_offered"),
        (replace(LATE, cap_minor=0), "bad_bounds"),
        (replace(ON_REQUEST, wait_days=1), "not_used"),
        (replace(ON_REQUEST, every=1), "not_used"),
        (replace(ON_REQUEST, cap_minor=1), "not_used"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_when_the_product_is_defined(
    rule: ChargeRule, code: str
) -> None:
    fee = PayoutFee(code="OUT", taken=FeeTime.FIRST_PAYOUT, amount_minor=1)
    conditions = replace(
        PLANNED, charges=("LATE", "NSF", "OUT"), payout_fees=(fee,), charge_rules=(rule,)
    )
    no = product_refused(conditions)
    assert (no.code, no.field) == (code, "charge_rules")
