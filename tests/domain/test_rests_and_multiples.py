"""Instalments in multiples, rests, payoffs that pay to a rest, and the fewest instalments."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.commands import changes as ch
from domain.commands import ending as ce
from domain.commands.product import DefineProductVersion
from domain.commands.registry import Command
from domain.errors import Rejected
from domain.events.ending import LoanSettled, RestructureKind
from domain.loan.payoff import payoff_quote
from domain.loan.terms import Conditions, PreClose, Recalculation, RestFrequency, Rounding
from domain.product import decide
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    START,
    Life,
    context,
    days_after,
    disbursed,
    folded_again,
    month,
    pay,
    ties_to_the_ledger,
)

AT_REST = replace(
    CONDITIONS,
    rest=RestFrequency.SAME_AS_REPAYMENT,
    pre_close=PreClose.TILL_REST_FREQUENCY_DATE,
)


def what_is_left(level: int) -> int:
    """Count by hand what eleven months of a level instalment at 1 % a month leave for the last."""
    balance = 1_000_000
    for _ in range(11):
        balance -= level - (balance + 50) // 100
    return balance + (balance + 50) // 100


@pytest.mark.parametrize(
    ("multiple", "rounding", "level"),
    [
        (None, Rounding.HALF_UP, 88_849),
        (100, Rounding.HALF_UP, 88_800),
        (1_000, Rounding.HALF_UP, 89_000),
        (1_000, Rounding.DOWN, 88_000),
        (5_000, Rounding.UP, 90_000),
    ],
)
def test_instalments_are_multiples_and_the_last_takes_the_rest(
    multiple: int | None, rounding: Rounding, level: int
) -> None:
    """Source: domain rules, 5.3, P-48."""
    conditions = replace(
        CONDITIONS, instalment_multiple_minor=multiple, instalment_rounding=rounding
    )
    life = disbursed(instalments=12, conditions=conditions)
    assert {row.due_minor for row in life.state.rows[:-1]} == {level}
    assert life.state.rows[-1].due_minor == what_is_left(level)
    assert sum(row.principal_minor for row in life.state.rows) == 1_000_000
    for row in life.state.rows:
        life.when(pay(life.state.rows[row.number - 1].unpaid_minor, row.due_on))
    assert isinstance(life.last[-1], LoanSettled)
    ties_to_the_ledger(life)


def part_paid(conditions: Conditions) -> Life:
    """A quarter of the principal comes back in the middle of the first period."""
    life = disbursed(instalments=12, conditions=conditions)
    return life.when(pay(250_000, days_after(START, 10), "early"))


def test_a_payment_in_advance_lowers_interest_from_its_day_or_from_the_next_rest() -> None:
    """Source: domain rules, P-31, P-33."""
    daily, at_rest = part_paid(CONDITIONS), part_paid(AT_REST)
    assert daily.state.rows[0].interest_minor < at_rest.state.rows[0].interest_minor
    whole = disbursed(instalments=12).state.rows[0].interest_minor
    assert at_rest.state.rows[0].interest_minor == whole == 10_000


def test_a_payoff_pays_interest_to_its_day_or_to_the_next_rest_and_settles() -> None:
    """Source: domain rules, P-33."""
    on = days_after(month(1), 10)
    for conditions, interest in ((CONDITIONS, 3_290), (AT_REST, 9_212)):
        life = disbursed(instalments=12, conditions=conditions)
        life.when(pay(88_849, month(1), "first"))
        quote = payoff_quote(life.state, on)
        assert quote.principal_minor == 921_151
        assert quote.interest_minor == interest
        assert life.refused(pay(0, on)).code == "amount_out_of_range"
        life.when(pay(quote.amount_minor - 1, on, "short"))
        assert not any(isinstance(event, LoanSettled) for event in life.last)
        life.when(pay(payoff_quote(life.state, on).amount_minor, on, "rest"))
        assert isinstance(life.last[-1], LoanSettled)
        ties_to_the_ledger(life)
        folded_again(life)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rest": RestFrequency.SAME_AS_REPAYMENT}, "rest"),
        ({"pre_close": PreClose.TILL_REST_FREQUENCY_DATE}, "pre_close"),
    ],
)
def test_where_interest_is_planned_there_is_no_rest(change: dict[str, Any], field: str) -> None:
    planned = replace(CONDITIONS, recalculation=Recalculation.NONE, **change)
    with pytest.raises(Rejected) as refused:
        decide(None, define(planned), context(START))
    assert (refused.value.code, refused.value.field) == ("interest_is_planned", field)


def define(conditions: Conditions) -> DefineProductVersion:
    return DefineProductVersion(effective_on=START, code="P", name="n", conditions=conditions)


def test_a_multiple_of_nothing_is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        decide(None, define(replace(CONDITIONS, instalment_multiple_minor=0)), context(START))
    assert (refused.value.code, refused.value.field) == (
        "amount_out_of_range",
        "instalment_multiple",
    )


ON = date(2018, 5, 1)
NEW_PLANS: list[Command] = [
    ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=ON,
        restructure_id="r-1",
        kind=RestructureKind.RESCHEDULE,
        first_due_on=date(2018, 5, 15),
        instalments=5,
        financial_difficulty=True,
    ),
    ch.ReAgeLoan(
        loan_id=LOAN,
        effective_on=ON,
        re_age_id="a-1",
        first_due_on=date(2018, 5, 15),
        instalments=5,
        willing_and_able=True,
    ),
]


@pytest.mark.parametrize("command", NEW_PLANS, ids=["restructuring", "re-ageing"])
def test_a_new_plan_has_as_many_instalments_as_the_product_asks_for(command: Command) -> None:
    life = disbursed(instalments=12, conditions=replace(CONDITIONS, instalments_min=6))
    no = life.refused(command, reason="hardship")
    assert (no.code, no.field) == ("instalments_outside_product", "instalments")
    assert "6..360" in no.detail
