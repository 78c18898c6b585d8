"""Grace granted in mid-term: instalments that ask for no principal, or for no interest."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.commands import changes as c
from domain.events.changes import GraceGranted
from domain.events.ending import LoanSettled
from domain.events.servicing import ScheduleChanged
from domain.loan.day import day_figures
from domain.loan.terms import Conditions, Recalculation, RepaymentMethod
from domain.servicing import operations as op
from domain.servicing.simulation import simulate
from domain.servicing.values import Kind, ReAgeInterest
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    START,
    Life,
    close,
    days_after,
    disbursed,
    folded_again,
    month,
    pay,
    ties_to_the_ledger,
)

ANNUITY = RepaymentMethod.ANNUITY
EQUAL_PRINCIPAL = RepaymentMethod.EQUAL_PRINCIPAL
INTEREST_ONLY = RepaymentMethod.INTEREST_ONLY


SOON = days_after(month(1), 5)


def grace(
    on: date = SOON, *, principal: int = 0, interest: int = 0, name: str = "g-1"
) -> c.GrantGrace:
    return c.GrantGrace(
        loan_id=LOAN, effective_on=on, change_id=name, principal=principal, interest=interest
    )


def one_paid(method: RepaymentMethod = ANNUITY, **product: Any) -> Life:  # noqa: ANN401
    """6,000.00 at 12 % over six months, its first instalment paid."""
    life = disbursed(600_000, 6, conditions=replace(CONDITIONS, method=method, **product))
    return life.when(pay(life.state.rows[0].unpaid_minor, month(1), "p-1"))


def parts(life: Life) -> list[tuple[int, int]]:
    return [(row.principal_minor, row.interest_minor) for row in life.state.rows[1:]]


def pay_all(life: Life) -> None:
    """Pay every instalment on its day; the last one settles the loan."""
    for row in life.state.rows:
        due = life.state.rows[row.number - 1]
        if due.met_on is None:
            life.when(pay(due.unpaid_minor, due.due_on))
    assert isinstance(life.last[-1], LoanSettled)
    ties_to_the_ledger(life)
    folded_again(life)


@pytest.mark.parametrize("recalculation", [Recalculation.NONE, Recalculation.CONTINUOUS])
@pytest.mark.parametrize(
    ("method", "after"),
    [
        (
            ANNUITY,
            [
                (0, 5_025),
                (0, 5_025),
                (98_504, 5_025),
                (99_489, 4_040),
                (100_484, 3_045),
                (101_489, 2_040),
                (102_505, 1_025),
            ],
        ),
        (
            EQUAL_PRINCIPAL,
            [(0, 5_000), (0, 5_000), *((100_000, 1_000 * k) for k in (5, 4, 3, 2, 1))],
        ),
        (INTEREST_ONLY, [*[(0, 6_000)] * 6, (600_000, 6_000)]),
    ],
)
def test_the_next_instalments_ask_for_no_principal_and_as_many_are_added(
    recalculation: Recalculation, method: RepaymentMethod, after: list[tuple[int, int]]
) -> None:
    """Source: domain rules, 9.9 S-03; 6,000.00 at 1 % a month."""
    life = one_paid(method, recalculation=recalculation)
    life.when(grace(principal=2), reason="harvest").then(GraceGranted, ScheduleChanged)
    told = life.last[0]
    assert isinstance(told, GraceGranted)
    assert (told.instalment, told.due_on) == (2, month(2))
    assert parts(life) == after
    assert [row.due_on for row in life.state.rows] == [month(k) for k in range(1, 9)]
    pay_all(life)


@pytest.mark.parametrize(
    ("method", "after"),
    [
        (
            EQUAL_PRINCIPAL,
            [(100_000, 0), (100_000, 0), (100_000, 12_000), (100_000, 2_000), (100_000, 1_000)],
        ),
        (INTEREST_ONLY, [(0, 0), (0, 0), (0, 18_000), (0, 6_000), (600_000, 6_000)]),
    ],
)
def test_interest_under_a_grace_is_earned_and_asked_for_after_it(
    method: RepaymentMethod, after: list[tuple[int, int]]
) -> None:
    """Source: domain rules, 9.9 S-03, P-27."""
    life = one_paid(method)
    life.when(grace(interest=2), reason="harvest")
    assert parts(life) == after
    assert day_figures(life.state, month(2)).accrued_interest_minor == after[2][1] // 3 + (
        1_000 if method is EQUAL_PRINCIPAL else 0
    )
    pay_all(life)


def test_principal_and_interest_may_both_wait() -> None:
    life = one_paid(EQUAL_PRINCIPAL).when(grace(principal=2, interest=2), reason="flood")
    assert parts(life) == [
        (0, 0),
        (0, 0),
        (100_000, 15_000),
        *((100_000, 1_000 * k) for k in (4, 3, 2, 1)),
    ]
    life.when(close(days_after(month(3), 5)))
    assert life.state.in_arrears is False
    pay_all(life)


def test_a_grace_begins_with_the_first_instalment_that_is_open_and_not_past_due() -> None:
    """What is past due stays so, what is met is done with."""
    life = one_paid()
    life.when(pay(life.state.rows[1].unpaid_minor, days_after(month(1), 3), "early"))
    told = life.when(grace(principal=1), reason="harvest").last[0]
    assert isinstance(told, GraceGranted)
    assert told.instalment == 3
    late = one_paid()
    told = late.when(grace(days_after(month(2), 5), principal=1), reason="harvest").last[0]
    assert isinstance(told, GraceGranted)
    assert told.instalment == 3
    assert late.state.rows[1].principal_minor > 0
    pay_all(life)


def test_a_second_grace_follows_the_first() -> None:
    life = one_paid(EQUAL_PRINCIPAL).when(grace(principal=1), reason="harvest")
    life.when(pay(life.state.rows[1].unpaid_minor, month(2), "p-2"))
    life.when(grace(days_after(month(2), 5), principal=1, name="g-2"), reason="harvest")
    assert [row.principal_minor for row in life.state.rows] == [100_000, 0, 0, *[100_000] * 5]
    pay_all(life)


def test_a_new_rate_keeps_a_grace_that_was_granted() -> None:
    life = one_paid().when(grace(principal=3), reason="harvest")
    rate = c.ChangeRate(
        loan_id=LOAN, effective_on=month(2), change_id="r-1", rate_annual=Decimal("0.06")
    )
    life.when(rate, reason="relief")
    assert [row.principal_minor for row in life.state.rows[1:4]] == [0, 0, 0]
    assert life.state.rows[3].interest_minor == 2_512
    pay_all(life)


@pytest.mark.parametrize(
    ("method", "conditions", "given", "code", "field"),
    [
        (ANNUITY, CONDITIONS, {}, "no_grace", "principal"),
        (ANNUITY, CONDITIONS, {"principal": -1, "interest": 1}, "grace_not_offered", "interest"),
        (EQUAL_PRINCIPAL, CONDITIONS, {"principal": -1, "interest": 2}, "no_grace", "principal"),
        (ANNUITY, CONDITIONS, {"principal": 355}, "too_many_instalments", "principal"),
        (ANNUITY, CONDITIONS, {"interest": 1}, "grace_not_offered", "interest"),
        (INTEREST_ONLY, PLANNED, {"interest": 1}, "interest_is_planned", "interest"),
        (INTEREST_ONLY, CONDITIONS, {"interest": 5}, "grace_too_long", "interest"),
        (RepaymentMethod.BULLET, CONDITIONS, {"principal": 1}, "grace_not_offered", "principal"),
    ],
)
def test_a_grace_that_cannot_be_is_refused(
    method: RepaymentMethod, conditions: Conditions, given: dict[str, Any], code: str, field: str
) -> None:
    life = disbursed(600_000, 6, conditions=replace(conditions, method=method))
    if method is not RepaymentMethod.BULLET:
        life.when(pay(life.state.rows[0].unpaid_minor, month(1), "p-1"))
    no = life.refused(grace(**given), reason="harvest")
    assert (no.code, no.field) == (code, field)


def test_a_grace_needs_a_reason_an_open_instalment_and_a_loan_whose_interest_runs() -> None:
    life = one_paid()
    assert life.refused(grace(principal=1)).code == "reason_missing"
    after = grace(days_after(month(6), 1), principal=1)
    assert life.refused(after, reason="harvest").code == "after_maturity"
    late = disbursed(conditions=replace(CONDITIONS, backdating_days_max=400))
    for k in (1, 2, 3, 4, 5, 6, 7, 10, 11, 12):
        late.when(pay(33_214, days_after(month(k), 1 if k > 7 else 0), f"p-{k}"))
    re_age = c.ReAgeLoan(
        loan_id=LOAN,
        effective_on=days_after(month(12), 10),
        re_age_id="a-1",
        first_due_on=month(13),
        instalments=24,
        interest=ReAgeInterest.EQUAL_AMORTISATION_FULL_INTEREST,
        willing_and_able=True,
    )
    late.when(re_age, reason="hardship over")
    fixed = late.refused(grace(days_after(month(12), 20), principal=1), reason="harvest")
    assert fixed.code == "interest_is_fixed"


def test_a_simulation_grants_the_same_grace() -> None:
    """One engine: what a stored loan is told, a simulated one is asked for (ADR 0012)."""
    life = one_paid().when(grace(principal=2), reason="harvest")
    assert life.state.timeline is not None
    simulated = simulate(
        replace(life.state.timeline.terms, expected_disbursement_on=START),
        [
            op.SetBusinessDate(on=START),
            op.Apply(),
            op.Approve(amount_minor=600_000),
            op.Disburse(on=START, amount_minor=600_000),
            op.SetBusinessDate(on=month(1)),
            op.Transact(
                kind=Kind.REPAYMENT, on=month(1), amount_minor=life.state.rows[0].paid_minor
            ),
            op.SetBusinessDate(on=SOON),
            op.Reschedule(from_on=SOON, grace_on_principal=2),
        ],
    )
    rows = simulated.final.account.instalments
    assert [(row.due.principal, row.due.interest) for row in rows[1:]] == parts(life)
