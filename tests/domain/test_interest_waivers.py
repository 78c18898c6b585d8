"""减免: interest that is given up on an instalment is not asked for again, whatever follows."""

from dataclasses import replace

import pytest

from domain.commands import changes as ch
from domain.commands import disbursement as cd
from domain.commands import servicing as cs
from domain.loan.state import LoanStatus
from domain.loan.terms import Component, Recalculation, RepaymentMethod
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    METHODS,
    START,
    Life,
    days_after,
    disbursed,
    folded_again,
    pay,
    ties_to_the_ledger,
)

GIVEN_UP = 583


def lent(method: RepaymentMethod, recalculation: Recalculation) -> Life:
    conditions = replace(
        CONDITIONS,
        method=method,
        recalculation=recalculation,
        payouts_max=9,
        four_eyes_from_minor=10**9,
    )
    return disbursed(instalments=12, conditions=conditions, approved=2_000_000)


def waived(method: RepaymentMethod, recalculation: Recalculation) -> Life:
    """A loan on whose running instalment interest was given up after twenty days."""
    waiver = cs.Waive(
        loan_id=LOAN,
        effective_on=days_after(START, 20),
        waiver_id="w-1",
        component=Component.INTEREST,
        amount_minor=GIVEN_UP,
        instalment=1,
    )
    return lent(method, recalculation).when(waiver, reason="kindness")


def stands(life: Life) -> None:
    first = life.state.rows[0]
    assert first.interest_waived_minor == GIVEN_UP
    assert life.state.balances.overpaid_minor == 0
    ties_to_the_ledger(life)
    folded_again(life)


@pytest.mark.parametrize(("method", "recalculation"), METHODS)
def test_an_instalment_is_met_by_what_was_not_given_up(
    method: RepaymentMethod, recalculation: Recalculation
) -> None:
    life = waived(method, recalculation)
    row = life.state.rows[0]
    life.when(pay(row.unpaid_minor, row.due_on, "p-1"))
    assert life.state.rows[0].met_on == row.due_on
    stands(life)


@pytest.mark.parametrize(("method", "recalculation"), METHODS)
def test_a_payoff_asks_for_no_interest_that_was_given_up(
    method: RepaymentMethod, recalculation: Recalculation
) -> None:
    life = waived(method, recalculation)
    on = days_after(START, 25)
    life.when(pay(life.payoff(on), on, "p-1"))
    assert life.state.status is LoanStatus.SETTLED
    stands(life)


def changed(life: Life) -> list[int]:
    """More is paid out and a due date moves: what the rows ask for as interest then."""
    life.when(
        cd.DisburseLoan(
            loan_id=LOAN,
            effective_on=days_after(START, 22),
            disbursement_id="d-2",
            amount_minor=100_000,
        )
    )
    defer = ch.DeferPayments(
        loan_id=LOAN, effective_on=days_after(START, 23), change_id="c-1", months=1
    )
    life.when(defer, reason="hardship")
    return [row.interest_minor for row in life.state.rows]


@pytest.mark.parametrize(("method", "recalculation"), METHODS)
def test_interest_stays_given_up_when_the_plan_is_solved_anew(
    method: RepaymentMethod, recalculation: Recalculation
) -> None:
    """The rows ask for what they would without the waiver; so much less of it is left to pay."""
    life = waived(method, recalculation)
    assert changed(life) == changed(lent(method, recalculation))
    row = life.state.rows[0]
    life.when(pay(row.unpaid_minor, row.due_on, "p-1"))
    assert life.state.rows[0].met_on == row.due_on
    stands(life)
