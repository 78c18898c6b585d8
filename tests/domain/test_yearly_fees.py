"""Yearly fees 年费: borne by the instalments whose periods hold their day, in every plan."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.commands import changes as ch
from domain.commands import ending as ce
from domain.events import disbursement as ed
from domain.events import servicing as es
from domain.events.ending import RestructureKind
from domain.loan.charge_rules import ChargeRule
from domain.loan.terms import ChargeBasis, ChargeTime, Component, Recalculation, RepaymentMethod
from domain.servicing.instalment_fees import times_in
from domain.servicing.ledger import Charge
from domain.servicing.values import ChargeKind
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    Life,
    accepted,
    folded_again,
    month,
    pay,
    pay_out,
    product_refused,
    ties_to_the_ledger,
)

JULY = ChargeRule(
    code="YEAR",
    component=Component.FEE,
    time=ChargeTime.YEARLY,
    amount_minor=5_000,
    month=7,
    day=1,
)
ANNIVERSARY = replace(JULY, month=None, day=None)
PRODUCT = replace(
    CONDITIONS,
    recalculation=Recalculation.NONE,
    four_eyes_from_minor=10**9,
    charges=("LATE", "NSF", "YEAR"),
)


def lent(rule: ChargeRule = JULY, **product: Any) -> Life:  # noqa: ANN401 - any field
    """2,400.00 in two years from 15 January 2018."""
    conditions = replace(PRODUCT, charge_rules=(rule,), **product)
    return accepted(240_000, 24, conditions=conditions).when(pay_out(240_000))


def bearing(life: Life) -> list[tuple[date, int]]:
    """Due dates of the instalments that bear it, and how much."""
    said = sum(fee.amount_minor for fee in life.state.fees_asked)
    assert said == sum(row.fee_minor for row in life.state.rows)
    ties_to_the_ledger(life)
    folded_again(life)
    return [(row.due_on, row.fee_minor) for row in life.state.rows if row.fee_minor]


def test_the_instalment_whose_period_holds_the_day_bears_it() -> None:
    """Source: domain rules, F-03: from < its day <= due; in the plan from the payout on."""
    life = lent().then(ed.LoanDisbursed, es.InstalmentFeesChanged)
    assert bearing(life) == [(month(6), 5_000), (month(18), 5_000)]


def test_without_a_day_it_falls_on_the_anniversaries_of_the_payout() -> None:
    assert bearing(lent(ANNIVERSARY)) == [(month(12), 5_000), (month(24), 5_000)]


def test_it_may_be_a_share_of_what_was_paid_out() -> None:
    share = replace(
        JULY, basis=ChargeBasis.PERCENT_OF_DISBURSED, amount_minor=0, percent=Decimal("0.5")
    )
    assert bearing(lent(share)) == [(month(6), 1_200), (month(18), 1_200)]


def test_a_bullet_bears_it_once_for_each_year() -> None:
    life = lent(method=RepaymentMethod.BULLET)
    assert bearing(life) == [(month(24), 10_000)]


def test_a_longer_term_holds_more_of_its_days() -> None:
    longer = ch.ExtendTerm(loan_id=LOAN, effective_on=month(3), change_id="x", instalments=6)
    life = lent().when(longer, reason="ill")
    assert bearing(life) == [(month(6), 5_000), (month(18), 5_000), (month(30), 5_000)]


def test_a_restructuring_keeps_what_was_due_and_asks_again_on_days_to_come() -> None:
    """On 10 July the first one is owed, though its instalment would fall due on the 15th."""
    new = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=date(2018, 7, 10),
        restructure_id="r",
        kind=RestructureKind.RESCHEDULE,
        first_due_on=date(2018, 8, 10),
        instalments=12,
        financial_difficulty=False,
    )
    for recalculation in (Recalculation.NONE, Recalculation.CONTINUOUS):
        life = lent(recalculation=recalculation)
        for k in range(1, 6):
            life.when(pay(life.state.rows[k - 1].unpaid_minor, month(k)))
        life.when(new, reason="ill")
        assert bearing(life) == [(date(2018, 8, 10), 5_000), (date(2019, 7, 10), 5_000)]


def test_days_to_come_are_off_when_the_contract_ends() -> None:
    life = lent().when(pay(lent().state.rows[0].unpaid_minor, month(1)))
    end = ce.TerminateContract(loan_id=LOAN, effective_on=month(7), cause="breach")
    life.when(end, reason="breach")
    assert bearing(life) == [(month(6), 5_000)]


@pytest.mark.parametrize(
    ("after", "until", "times"),
    [
        (date(2019, 2, 27), date(2019, 2, 28), 1),
        (date(2019, 2, 28), date(2020, 2, 28), 0),
        (date(2020, 2, 28), date(2020, 2, 29), 1),
        (date(2020, 2, 29), date(2023, 3, 1), 3),
    ],
)
def test_a_day_that_a_month_does_not_have_is_its_last(after: date, until: date, times: int) -> None:
    leap = Charge(
        id="y",
        code="YEAR",
        kind=ChargeKind.FEE,
        time=ChargeTime.INSTALMENT,
        basis=ChargeBasis.FLAT,
        submitted_on=after,
        yearly=(2, 29),
    )
    assert times_in(leap, after, until) == times


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"month": 13}, "bad_bounds"),
        ({"day": 32}, "bad_bounds"),
        ({"day": None}, "bad_bounds"),
        ({"time": ChargeTime.INSTALMENT}, "not_used"),
        ({"component": Component.PENALTY}, "not_chargeable"),
        (
            {
                "basis": ChargeBasis.PERCENT_OF_AMOUNT,
                "amount_minor": 0,
                "percent": Decimal(1),
            },
            "not_offered",
        ),
        ({"every": 1}, "not_used"),
    ],
)
def test_one_that_cannot_be_is_refused_with_the_product(change: dict[str, Any], code: str) -> None:
    no = product_refused(replace(PRODUCT, charge_rules=(replace(JULY, **change),)))
    assert (no.code, no.field) == (code, "charge_rules")
