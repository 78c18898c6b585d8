"""Rates that are known from the start: 3 % for six months, then 12 %."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from domain.commands import changes as ch
from domain.commands import ending as ce
from domain.events.changes import RateChanged
from domain.events.ending import LoanRestructured, RestructureKind
from domain.loan.state import LoanStatus
from domain.loan.terms import (
    Conditions,
    FloatingConditions,
    RateStep,
    Recalculation,
    RepaymentMethod,
)
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    Life,
    apply_for,
    approve,
    close,
    disbursed,
    folded_again,
    month,
    pay,
    product_refused,
    ties_to_the_ledger,
)

STEPPED = replace(CONDITIONS, rate_steps_max=3)
TWELVE = (RateStep(after_instalments=6, rate_annual=Decimal("0.12")),)
BOTH_WAYS = [Recalculation.NONE, Recalculation.CONTINUOUS]


def lent(
    conditions: Conditions = STEPPED,
    rate: str = "0.03",
    steps: tuple[RateStep, ...] = TWELVE,
) -> Life:
    return disbursed(1_200_000, 12, rate, conditions, rate_steps=steps)


def annuity(amount: int, monthly: Decimal, count: int) -> int:
    """The textbook's level instalment."""
    if not monthly:
        return int((Decimal(amount) / count).quantize(Decimal(1), ROUND_HALF_UP))
    exact = amount * monthly / (1 - (1 + monthly) ** -count)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def stepped(amount: int, rates: list[Decimal]) -> list[tuple[int, int]]:
    """Solve as if the rate stayed, and again from every step on; the last takes the rest."""
    rows: list[tuple[int, int]] = []
    each = 0
    for number, rate in enumerate(rates):
        monthly = rate / 12
        if not number or rate != rates[number - 1]:
            each = annuity(amount, monthly, len(rates) - number)
        interest = int((amount * monthly).quantize(Decimal(1), ROUND_HALF_UP))
        principal = amount if number == len(rates) - 1 else each - interest
        rows.append((principal, interest))
        amount -= principal
    return rows


@pytest.mark.parametrize("recalculation", BOTH_WAYS)
@pytest.mark.parametrize("first", ["0.03", "0"])
def test_instalments_are_solved_at_the_first_rate_and_again_at_each_step(
    first: str, recalculation: Recalculation
) -> None:
    """Source: domain rules, P-18; a period without interest is the commonest first step."""
    life = lent(replace(STEPPED, recalculation=recalculation), first)
    rows = [(row.principal_minor, row.interest_minor) for row in life.state.rows]
    assert rows == stepped(1_200_000, [Decimal(first)] * 6 + [Decimal("0.12")] * 6)
    for number in range(1, 13):
        row = life.state.rows[number - 1]
        life.when(close(row.due_on)).then()
        life.when(pay(row.unpaid_minor, row.due_on))
        ties_to_the_ledger(life)
    assert life.state.status is LoanStatus.SETTLED
    folded_again(life)


def test_interest_follows_payments_also_where_the_first_rate_is_nothing() -> None:
    life = lent(rate="0")
    life.when(pay(900_000, month(3)))
    later = [row.interest_minor for row in life.state.rows[6:]]
    assert later[0] < stepped(1_200_000, [Decimal(0)] * 6 + [Decimal("0.12")] * 6)[6][1]
    assert life.payoff(month(7)) > life.payoff(month(6))


@pytest.mark.parametrize("method", [RepaymentMethod.EQUAL_PRINCIPAL, RepaymentMethod.INTEREST_ONLY])
def test_each_period_earns_at_the_rate_of_its_step(method: RepaymentMethod) -> None:
    life = lent(replace(STEPPED, method=method))
    left, interest = 1_200_000, list[int]()
    for number, row in enumerate(life.state.rows):
        interest.append(left * (3 if number < 6 else 12) // 1_200)
        left -= row.principal_minor
    assert [row.interest_minor for row in life.state.rows] == interest


def test_a_new_rate_says_which_rate_was_in_force_and_a_plan_keeps_it() -> None:
    life = lent()
    change = ch.ChangeRate(
        loan_id=LOAN, effective_on=month(7), change_id="r-1", rate_annual=Decimal("0.10")
    )
    told = life.when(change, reason="relief").last[0]
    assert isinstance(told, RateChanged)
    assert told.rate_annual_before == Decimal("0.12")
    plan = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=month(7),
        restructure_id="s-1",
        kind=RestructureKind.EXTENSION,
        first_due_on=month(8),
        instalments=6,
        financial_difficulty=True,
    )
    life = lent().when(plan, reason="hardship")
    made = life.last[0]
    assert isinstance(made, LoanRestructured)
    assert made.rate_annual == Decimal("0.12")
    folded_again(life)


def test_a_plan_made_before_a_step_goes_on_at_its_own_rate() -> None:
    plan = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=month(2),
        restructure_id="s-1",
        kind=RestructureKind.EXTENSION,
        first_due_on=month(3),
        instalments=6,
        financial_difficulty=True,
        rate_annual=Decimal("0.06"),
    )
    life = lent().when(plan, reason="hardship")
    fresh = [row for row in life.state.rows if row.met_on is None]
    owed = sum(row.principal_minor for row in fresh)
    assert [row.interest_minor for row in fresh] == [
        interest for _, interest in stepped(owed, [Decimal("0.06")] * 6)
    ]
    ties_to_the_ledger(life)


def step(after: int, rate: str) -> RateStep:
    return RateStep(after_instalments=after, rate_annual=Decimal(rate))


@pytest.mark.parametrize(
    ("conditions", "steps", "code"),
    [
        (CONDITIONS, TWELVE, "too_many_rate_steps"),
        (STEPPED, tuple(step(n, "0.1") for n in range(1, 5)), "too_many_rate_steps"),
        (STEPPED, (step(6, "0.41"),), "rate_outside_product"),
        (STEPPED, (step(6, "-0.01"),), "rate_outside_product"),
        (STEPPED, (step(6, "0.1"), step(6, "0.2")), "count_out_of_range"),
        (STEPPED, (step(0, "0.1"),), "count_out_of_range"),
        (STEPPED, (step(36, "0.1"),), "count_out_of_range"),
    ],
)
def test_steps_that_the_product_or_the_term_does_not_allow_are_refused(
    conditions: Conditions, steps: tuple[RateStep, ...], code: str
) -> None:
    life = Life(conditions=conditions).when(apply_for())
    no = life.refused(replace(approve(), rate_steps=steps))
    assert (no.code, no.field) == (code, "rate_steps")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"rate_steps_max": -1}, "bad_bounds", "rate_steps_max"),
        ({"rate_steps_max": 25}, "bad_bounds", "rate_steps_max"),
        ({"floating": FloatingConditions(reference="LPR")}, "rate_given_twice", "rate_steps_max"),
        ({"method": RepaymentMethod.BULLET}, "not_offered", "rate_steps_max"),
        ({"instalments_max": 1}, "not_offered", "rate_steps_max"),
    ],
)
def test_steps_that_no_loan_can_have_are_refused_when_the_product_is_defined(
    change: dict[str, Any], code: str, field: str
) -> None:
    no = product_refused(replace(STEPPED, **change))
    assert (no.code, no.field) == (code, field)
