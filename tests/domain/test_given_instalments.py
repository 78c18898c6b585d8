"""Instalments that are agreed and not solved: one amount, or a schedule of the loan's own."""

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from domain.calendar import BusinessDayRule
from domain.commands import changes as ch
from domain.commands import ending as ce
from domain.commands.application import ChangeApprovedAmount
from domain.events.ending import RestructureKind
from domain.loan.state import LoanStatus
from domain.loan.terms import (
    Conditions,
    CustomInstalment,
    DueDays,
    Recalculation,
    RepaymentMethod,
    ScheduleDayCount,
)
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    Life,
    accepted,
    apply_for,
    approve,
    close,
    folded_again,
    month,
    pay,
    pay_out,
    product_refused,
    ties_to_the_ledger,
)

FIXED = replace(CONDITIONS, method=RepaymentMethod.FIXED_INSTALMENT, four_eyes_from_minor=10**9)
CUSTOM = replace(FIXED, method=RepaymentMethod.CUSTOM)
BOTH_WAYS = [Recalculation.NONE, Recalculation.CONTINUOUS]


def lent(
    conditions: Conditions,
    amount: int = 600_000,
    instalments: int = 12,
    **review: Any,  # noqa: ANN401 - any field
) -> Life:
    return accepted(amount, instalments, conditions=conditions, **review).when(pay_out(amount))


def refused(conditions: Conditions, **review: Any) -> tuple[str, str | None]:  # noqa: ANN401
    life = Life(conditions=conditions).when(apply_for(600_000, 12))
    no = life.refused(replace(approve(), **review))
    return no.code, no.field


def paid_to_the_end(life: Life) -> None:
    """Pay every instalment on its day; the last one settles the loan."""
    for number in range(1, len(life.state.rows) + 1):
        row = life.state.rows[number - 1]
        life.when(close(row.due_on)).then()
        life.when(pay(row.unpaid_minor, row.due_on))
        ties_to_the_ledger(life)
    assert life.state.status is LoanStatus.SETTLED
    folded_again(life)


# --- one amount


def independently(amount: int, each: int, monthly: Decimal) -> list[tuple[int, int]]:
    """Principal and interest of each instalment: a spreadsheet's rows."""
    rows: list[tuple[int, int]] = []
    while amount:
        interest = int((amount * monthly).quantize(Decimal(1), ROUND_HALF_UP))
        principal = min(amount, each - interest)
        rows.append((principal, interest))
        amount -= principal
    return rows


@pytest.mark.parametrize("recalculation", BOTH_WAYS)
@pytest.mark.parametrize("each", [61_234, 100_000, 333_333, 700_000])
def test_the_agreed_amount_repays_and_the_last_instalment_is_what_is_left(
    each: int, recalculation: Recalculation
) -> None:
    """Source: domain rules, 5.1 (fixed payment amount), P-11."""
    life = lent(replace(FIXED, recalculation=recalculation), instalment_minor=each)
    rows = [(row.principal_minor, row.interest_minor) for row in life.state.rows]
    assert rows == independently(600_000, each, Decimal("0.01"))
    assert all(sum(row) == each for row in rows[:-1])
    paid_to_the_end(life)


def test_an_instalment_that_never_repays_is_refused_with_the_approval() -> None:
    """600,000 at 1 % a month over 12 months: 53,309.27 repays, 6,000 only holds the balance."""
    assert refused(FIXED, instalment_minor=53_308) == ("instalment_too_small", "instalment")
    assert refused(FIXED, instalment_minor=6_000) == ("instalment_too_small", "instalment")
    assert lent(FIXED, instalment_minor=53_310).state.status is LoanStatus.ACTIVE
    assert refused(FIXED) == ("field_missing", "instalment")
    assert refused(FIXED, instalment_minor=0) == ("amount_out_of_range", "instalment")
    assert refused(CONDITIONS, instalment_minor=9) == ("not_used", "instalment")


def test_an_amount_that_the_instalment_no_longer_repays_is_refused() -> None:
    life = accepted(600_000, 12, conditions=FIXED, instalment_minor=53_310)
    more = ChangeApprovedAmount(loan_id=LOAN, effective_on=month(0), amount_minor=599_999)
    life.when(more, reason="request")
    above = replace(FIXED, over_applied_minor=10)
    life = accepted(600_000, 12, conditions=above, instalment_minor=53_310)
    no = life.refused(replace(more, amount_minor=600_010), reason="request")
    assert (no.code, no.field) == ("instalment_too_small", "instalment")


def test_a_first_period_that_is_too_long_for_the_instalment_is_refused_with_the_payout() -> None:
    life = accepted(600_000, 12, conditions=FIXED, instalment_minor=53_310)
    no = life.refused(replace(pay_out(600_000), first_due_on=date(2018, 6, 15)))
    assert (no.code, no.field) == ("instalment_too_small", "instalment")
    life.when(pay_out(600_000))


@pytest.mark.parametrize("conditions", [FIXED, CUSTOM])
def test_given_instalments_are_not_extended_and_have_no_grace(conditions: Conditions) -> None:
    life = lent(conditions)
    extend = ch.ExtendTerm(loan_id=LOAN, effective_on=month(1), change_id="x-1", instalments=2)
    no = life.refused(extend, reason="request")
    assert (no.code, no.field) == ("instalments_given", "instalments")
    grace = ch.GrantGrace(
        loan_id=LOAN, effective_on=month(1), change_id="g-1", principal=1, interest=0
    )
    assert life.refused(grace, reason="request").code == "grace_not_offered"


@pytest.mark.parametrize("conditions", [FIXED, CUSTOM])
def test_a_restructured_loan_has_level_instalments(conditions: Conditions) -> None:
    plan = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=month(3),
        restructure_id="s-1",
        kind=RestructureKind.EXTENSION,
        first_due_on=month(4),
        instalments=6,
        financial_difficulty=True,
    )
    life = lent(conditions).when(plan, reason="hardship")
    fresh = [row for row in life.state.rows if row.met_on is None]
    asked = [row.principal_minor + row.interest_minor for row in fresh]
    assert len(fresh) == 6
    assert max(asked) - min(asked) < 6
    ties_to_the_ledger(life)
    folded_again(life)


def test_a_higher_rate_leaves_the_agreed_amount_and_more_for_the_last() -> None:
    life = lent(FIXED, instalment_minor=100_000)
    assert len(life.state.rows) == 7
    higher = ch.ChangeRate(
        loan_id=LOAN, effective_on=month(1), change_id="r-1", rate_annual=Decimal("0.40")
    )
    life.when(higher, reason="review")
    asked = [row.principal_minor + row.interest_minor for row in life.state.rows]
    # 506,000 are left; at 40 % a year it takes five more and 61,684 with 2,056 of interest.
    assert asked == [100_000] * 6 + [63_740]
    ties_to_the_ledger(life)
    folded_again(life)


# --- a schedule of the loan's own

SEASONS = (
    CustomInstalment(due_on=date(2018, 3, 1), principal_minor=0),
    CustomInstalment(due_on=date(2018, 9, 30), principal_minor=450_000),
    CustomInstalment(due_on=date(2020, 2, 29), principal_minor=150_000),
)


@pytest.mark.parametrize("recalculation", BOTH_WAYS)
def test_a_schedule_of_the_loans_own_is_due_as_agreed_and_interest_comes_on_top(
    recalculation: Recalculation,
) -> None:
    """Source: domain rules, P-50. Interest by ACT/365F on what is left, to a leap day."""
    exact = replace(CUSTOM, day_count=ScheduleDayCount.ACT_365F, recalculation=recalculation)
    life = lent(exact, custom=SEASONS)
    rows = life.state.rows
    assert [(row.due_on, row.principal_minor) for row in rows] == [
        (one.due_on, one.principal_minor) for one in SEASONS
    ]
    left, start = 600_000, month(0)
    for row in rows:
        exactly = Decimal(left) * Decimal("0.12") * (row.due_on - start).days / 365
        assert row.interest_minor == int(exactly.quantize(Decimal(1), ROUND_HALF_UP))
        left, start = left - row.principal_minor, row.due_on
    paid_to_the_end(life)


def test_the_last_row_may_be_open_and_takes_the_rest() -> None:
    rows = (
        CustomInstalment(due_on=month(1), instalment_minor=206_000),
        CustomInstalment(due_on=month(2)),
    )
    life = lent(CUSTOM, custom=rows)
    told = [(row.principal_minor, row.interest_minor) for row in life.state.rows]
    assert told == [(200_000, 6_000), (400_000, 4_000)]
    paid_to_the_end(life)


def row(day: int, **amount: int) -> CustomInstalment:
    return CustomInstalment(due_on=month(day), **amount)


@pytest.mark.parametrize(
    ("custom", "code"),
    [
        ((), "custom_inconsistent"),
        ((row(1, principal_minor=1), row(2, principal_minor=599_998)), "custom_inconsistent"),
        ((row(1, principal_minor=600_001), row(2)), "custom_inconsistent"),
        ((row(1), row(2)), "custom_inconsistent"),
        ((row(1, principal_minor=1), row(2, instalment_minor=2), row(3)), "custom_inconsistent"),
        ((row(1, principal_minor=-1), row(2)), "amount_out_of_range"),
        ((row(2, principal_minor=1), row(1)), "due_dates_out_of_order"),
        ((row(0, principal_minor=1), row(1)), "due_dates_out_of_order"),
    ],
)
def test_a_schedule_that_does_not_add_up_is_refused_with_the_approval(
    custom: tuple[CustomInstalment, ...], code: str
) -> None:
    assert refused(CUSTOM, custom=custom) == (code, "custom")


def test_a_schedule_is_refused_where_instalments_are_solved() -> None:
    assert refused(CONDITIONS, custom=(row(1),)) == ("not_used", "custom")
    rows = (row(1, principal_minor=1), row(2))
    both = {"custom": rows, "first_due_on": month(1)}
    assert refused(CUSTOM, **both) == ("dates_given_twice", "first_due_on")
    assert refused(CUSTOM, custom=rows, instalments=3) == ("custom_inconsistent", "custom")


def test_a_payout_after_the_first_agreed_date_is_refused() -> None:
    life = accepted(600_000, 12, conditions=CUSTOM, custom=SEASONS)
    no = life.refused(pay_out(600_000, on=date(2018, 3, 1)))
    assert (no.code, no.field) == ("due_dates_out_of_order", "custom")
    life.when(pay_out(600_000, on=date(2018, 2, 28)))


def test_the_amount_of_an_agreed_schedule_stays() -> None:
    life = accepted(600_000, 12, conditions=CUSTOM, custom=SEASONS)
    less = ChangeApprovedAmount(loan_id=LOAN, effective_on=month(0), amount_minor=500_000)
    no = life.refused(less, reason="request")
    assert (no.code, no.field) == ("custom_inconsistent", "amount")


@pytest.mark.parametrize(
    ("conditions", "change", "code", "field"),
    [
        (FIXED, {"grace_on_principal": 1}, "not_offered", "grace_on_principal"),
        (FIXED, {"payouts_max": 2, "full_term_tranches": True},
         "needs_level_instalments", "full_term_tranches"),
        (CUSTOM, {"grace_on_principal": 1}, "not_offered", "grace_on_principal"),
        (CUSTOM, {"due_days": DueDays()}, "dates_given_twice", "due_days"),
        (CUSTOM, {"day_count": ScheduleDayCount.ACT_ACT_ICMA},
         "needs_regular_periods", "day_count"),
        (CUSTOM, {"calendar": "CN", "business_days": BusinessDayRule.FOLLOWING},
         "dates_given_twice", "business_days"),
    ],
)  # fmt: skip
def test_what_given_instalments_do_not_go_with_is_refused_when_the_product_is_defined(
    conditions: Conditions, change: dict[str, Any], code: str, field: str
) -> None:
    no = product_refused(replace(conditions, instalments_min=2, **change))
    assert (no.code, no.field) == (code, field)
