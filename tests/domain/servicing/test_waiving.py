"""WAIVE_INTEREST when a loan is re-aged or re-amortised: past-due interest is given up, no more."""

from datetime import date
from typing import Any

import pytest

from domain.daycount import DayCount
from domain.servicing import operations as op
from domain.servicing.account import Account
from domain.servicing.simulation import simulate
from domain.servicing.values import (
    Kind,
    OverdueInterest,
    ReAgeInterest,
    ReAmortiseInterest,
    Recalculation,
    Unit,
)
from tests.domain.servicing.plans import START, terms

TODAY = date(2024, 3, 20)
NEXT = date(2024, 4, 15)
FOLLOWED = {
    "recalculation": Recalculation.CONTINUOUS,
    "overdue_interest": OverdueInterest.DOES_NOT_EARN,
}
WAYS: list[dict[str, Any]] = [{}, FOLLOWED]


def lived(way: dict[str, Any], *steps: op.Operation) -> Account:
    """1,000.00 at 12 % in six instalments; two are past due on 20 March, nothing was paid."""
    loan = terms(instalments=6, day_count=DayCount.ACT_365F, **way)
    opened: list[op.Operation] = [
        op.SetBusinessDate(on=START),
        op.Disburse(on=START, amount_minor=1_000_00),
        op.SetBusinessDate(on=TODAY),
    ]
    return simulate(loan, [*opened, *steps]).final.account


def past_due_interest(way: dict[str, Any]) -> int:
    return sum(row.due.interest for row in lived(way).instalments if row.due_on <= TODAY)


@pytest.mark.parametrize("way", WAYS, ids=["planned", "followed"])
def test_re_ageing_may_waive_the_interest_that_is_past_due(way: dict[str, Any]) -> None:
    """Source: domain rules, S-10 (declared there); the rule is ours: of rows due by the day."""
    waives = op.ReAge(
        start_on=NEXT,
        every=1,
        unit=Unit.MONTHS,
        instalments=6,
        interest=ReAgeInterest.WAIVE_INTEREST,
    )
    account = lived(way, waives)
    waived = [t for t in account.transactions if t.kind is Kind.INTEREST_WAIVER]
    assert [t.amount_minor for t in waived] == [past_due_interest(way)]
    assert sum(row.waived.interest for row in account.instalments) == past_due_interest(way)
    assert account.outstanding.principal == 1_000_00
    past = [row for row in account.instalments if row.due_on <= TODAY]
    assert all(row.outstanding == 0 for row in past)
    open_rows = [row for row in account.instalments if row.outstanding]
    assert open_rows[0].due_on == NEXT
    assert len(open_rows) == 6


@pytest.mark.parametrize("way", WAYS, ids=["planned", "followed"])
def test_re_amortising_may_waive_it_too(way: dict[str, Any]) -> None:
    """Source: domain rules, S-13 (declared there)."""
    account = lived(way, op.ReAmortise(interest=ReAmortiseInterest.WAIVE_INTEREST))
    waived = sum(row.waived.interest for row in account.instalments)
    assert waived == past_due_interest(way) > 0
    assert account.outstanding.principal == 1_000_00
    assert all(row.outstanding == 0 for row in account.instalments if row.due_on <= TODAY)


@pytest.mark.parametrize("way", WAYS, ids=["planned", "followed"])
def test_interest_of_the_running_instalment_is_not_waived(way: dict[str, Any]) -> None:
    """The borrower owes what was earned since the last due date, and all that is to come."""
    account = lived(way, op.ReAmortise(interest=ReAmortiseInterest.WAIVE_INTEREST))
    running = next(row for row in account.instalments if row.due_on == NEXT)
    assert running.waived.interest == 0
    assert running.due.interest > 0
