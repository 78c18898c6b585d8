"""Chargebacks: part of a payment is owed again, or is not after all."""

from dataclasses import replace

import pytest

from domain.commands import crediting as c
from domain.commands import servicing as cs
from domain.commands.changes import PauseInterest
from domain.commands.ending import RestructureLoan
from domain.commands.registry import Command
from domain.events import crediting as e
from domain.events import ending as ee
from domain.events import servicing as es
from domain.loan.booking import standing_on
from domain.loan.state import LoanStatus
from domain.loan.terms import Conditions
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    Life,
    close,
    days_after,
    disbursed,
    month,
    pay,
    reverse,
)
from tests.support.lives import ties_to_the_ledger as ties

LEVEL = 33_214
BOTH = pytest.mark.parametrize("conditions", [PLANNED, CONDITIONS], ids=["planned", "continuous"])


def back(
    amount: int, on: int = 2, payment_id: str = "p-1", chargeback_id: str = "b-1"
) -> c.ChargeBack:
    return c.ChargeBack(
        loan_id=LOAN,
        effective_on=month(on),
        chargeback_id=chargeback_id,
        payment_id=payment_id,
        amount_minor=amount,
    )


def won(chargeback_id: str = "b-1", on: int = 2) -> c.ReverseChargeback:
    return c.ReverseChargeback(
        loan_id=LOAN, effective_on=month(on), chargeback_id=chargeback_id, cause="paid_after_all"
    )


def paid_once(conditions: Conditions = CONDITIONS) -> Life:
    return disbursed(conditions=conditions).when(pay(LEVEL, month(1), "p-1"))


def paid_off(conditions: Conditions) -> Life:
    life = paid_once(conditions)
    return life.when(pay(life.payoff(month(2)), month(2), "p-2"))


@BOTH
def test_what_is_charged_back_is_owed_again_on_the_row_of_the_day(conditions: Conditions) -> None:
    """Source: domain rules, 9.9 S-15; without an order of its own it is principal (A-11)."""
    life = paid_once(conditions)
    before = life.state.balances
    life.when(back(5_000)).then(e.ChargedBack, es.ScheduleChanged)
    told = life.last[0]
    assert isinstance(told, e.ChargedBack)
    assert (told.amount_minor, told.principal_minor, told.overpaid_minor) == (5_000, 5_000, 0)
    assert life.state.balances.principal_minor == before.principal_minor + 5_000
    assert life.state.rows[0].met_on == month(1)
    ties(life)


@BOTH
def test_a_settled_loan_is_reopened_and_paid_again(conditions: Conditions) -> None:
    life = paid_off(conditions)
    life.when(back(LEVEL, 3)).then(e.ChargedBack, es.ScheduleChanged, ee.LoanReopened)
    assert life.state.status is LoanStatus.ACTIVE
    ties(life)
    assert life.state.timeline is not None
    assert standing_on(life.state.timeline, life.now).balances == life.state.balances
    life.when(pay(life.payoff(month(4)), month(4), "p-3"))
    assert life.state.status is LoanStatus.SETTLED
    ties(life)


@BOTH
def test_credit_of_the_borrowers_covers_it_first(conditions: Conditions) -> None:
    life = paid_once(conditions)
    life.when(pay(life.payoff(month(2)) + 2_000, month(2), "p-2"))
    life.when(back(3_000))
    told = life.last[0]
    assert isinstance(told, e.ChargedBack)
    assert (told.principal_minor, told.overpaid_minor) == (1_000, 2_000)
    assert life.state.balances.overpaid_minor == 0
    assert life.state.balances.principal_minor == 1_000
    ties(life)


@BOTH
def test_a_chargeback_that_is_taken_back_never_was(conditions: Conditions) -> None:
    life = paid_off(conditions)
    before = life.state.balances
    life.when(back(9_000, 3)).when(won(on=3))
    life.then(e.ChargebackReversed, es.ScheduleChanged, ee.LoanSettled)
    assert life.state.balances == before
    ties(life)
    assert life.refused(won(on=3)).code == "unknown_chargeback"
    assert life.refused(back(1, 3)).code == "already_recorded"
    life.when(back(9_000, 3, chargeback_id="b-2"))
    ties(life)


@BOTH
def test_credit_that_covered_it_is_there_again_when_it_is_taken_back(
    conditions: Conditions,
) -> None:
    life = paid_once(conditions)
    life.when(pay(life.payoff(month(2)) + 2_000, month(2), "p-2"))
    before = life.state.balances
    life.when(back(1_500)).when(won())
    life.then(e.ChargebackReversed, es.ScheduleChanged)
    assert life.state.balances == before
    ties(life)


@BOTH
def test_it_stays_owed_when_a_restructuring_takes_its_row_away(conditions: Conditions) -> None:
    life = paid_once(conditions)
    charged_back = replace(back(2_808), effective_on=days_after(month(1), 5))
    life.when(charged_back)
    new_plan = RestructureLoan(
        loan_id=LOAN,
        effective_on=days_after(month(1), 9),
        restructure_id="r-1",
        kind=ee.RestructureKind.RESCHEDULE,
        first_due_on=month(3),
        instalments=24,
        financial_difficulty=False,
    )
    life.when(new_plan, reason="hardship")
    owed = life.state.balances.principal_minor
    pause = PauseInterest(loan_id=LOAN, effective_on=month(4), change_id="c-1", until_on=month(5))
    life.when(pause, reason="flood")
    assert life.state.balances.principal_minor == owed
    ties(life)


@BOTH
def test_after_maturity_there_is_a_row_for_it(conditions: Conditions) -> None:
    life = paid_once(conditions)
    for row in life.state.rows[1:]:
        life.when(pay(life.state.rows[row.number - 1].unpaid_minor, row.due_on, f"q-{row.number}"))
    assert life.state.status is LoanStatus.SETTLED
    life.when(back(4_000, 37, "q-36"))
    assert len(life.state.rows) == 37
    assert life.state.rows[-1].principal_left_minor == 4_000
    ties(life)
    life.when(close(days_after(month(37), 1)))
    life.when(pay(life.payoff(days_after(month(37), 2)), days_after(month(37), 2), "end"))
    assert life.state.status is LoanStatus.SETTLED
    ties(life)


def test_its_payment_is_reversed_only_without_it() -> None:
    life = paid_once().when(back(1_000))
    assert life.refused(reverse("p-1", month(2))).code == "payment_charged_back"
    life.when(won()).when(reverse("p-1", month(2)))
    ties(life)


def test_credit_that_covered_it_cannot_be_taken_away() -> None:
    life = paid_once()
    life.when(pay(life.payoff(month(2)) + 2_000, month(2), "p-2")).when(back(1_500))
    assert life.refused(reverse("p-2", month(2))).code == "credit_already_refunded"


@pytest.mark.parametrize(
    ("command", "code", "field"),
    [
        (back(0), "amount_out_of_range", "amount"),
        (back(LEVEL + 1), "more_than_paid", "amount"),
        (back(LEVEL - 999, chargeback_id="b-2"), "more_than_paid", "amount"),
        (back(1, 0), "before_payment", "effective_on"),
        (back(1, payment_id="d-1"), "unknown_payment", "payment_id"),
        (back(1, payment_id="nothing"), "unknown_payment", "payment_id"),
        (back(1, chargeback_id="p-1"), "already_recorded", "chargeback_id"),
        (won("p-1"), "unknown_chargeback", "chargeback_id"),
        (won(on=1), "effective_out_of_range", "effective_on"),
        (replace(back(1), currency="CNY"), "currency_mismatch", "currency"),
    ],
)
def test_a_chargeback_that_cannot_be_is_refused(command: Command, code: str, field: str) -> None:
    life = paid_once().when(back(1_000))
    if isinstance(command, c.ChargeBack) and command.chargeback_id == "b-1":
        command = replace(command, chargeback_id="b-3")
    refused = life.refused(command)
    assert (refused.code, refused.field) == (code, field)


def test_a_credit_balance_is_refunded_before_and_not_after_a_chargeback_took_it() -> None:
    life = paid_once()
    life.when(pay(life.payoff(month(2)) + 2_000, month(2), "p-2")).when(back(2_000))
    refund = cs.RefundCreditBalance(
        loan_id=LOAN, effective_on=month(2), refund_id="r-1", amount_minor=1
    )
    assert life.refused(refund).code == "more_than_credit"
