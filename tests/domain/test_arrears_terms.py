"""What a product tolerates before its loans are overdue, and what counts as unpaid.

10,000.00 at 12 % in twelve instalments of 888.49: 100.00 of interest and 788.49 of principal fall
due on 15 February. 80.00 of it stays unpaid, and 9,291.51 of principal is outstanding.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.events.arrears import ArrearsCured, DelinquencyBucketChanged, PaymentMissed
from domain.events.servicing import ChargeAssessed
from domain.loan.arrears import overdue
from domain.loan.day import day_figures
from domain.loan.instalments import Instalment
from domain.loan.terms import ArrearsConditions, Recalculation, UnpaidParts
from tests.domain.test_charge_rules import LATE
from tests.support.lives import (
    CONDITIONS,
    START,
    Life,
    close,
    days_after,
    disbursed,
    month,
    pay,
    product_refused,
)
from tests.support.penal import OWED, PENAL, PRINCIPAL_FIRST, by_days, charged, penal

LEVEL = 88_849
SHORT = 8_000
FEB = month(1)
Tolerated = dict[str, Any]

# What is tolerated, and days past due by the days since 15 February.
TABLE: list[tuple[str, int, Tolerated | None, dict[int, int]]] = [
    ("nothing", 0, None, {0: 0, 1: 1, 30: 30}),
    ("less than is short", SHORT - 1, None, {1: 1, 12: 12}),
    ("just what is short", SHORT, None, {1: 0, 27: 0}),
    ("0.86 %: 79.90", 0, {"tolerance_percent": Decimal("0.86")}, {1: 1, 12: 12}),
    ("0.87 %: 80.83", 0, {"tolerance_percent": Decimal("0.87")}, {1: 0, 27: 0}),
    ("the larger of both", SHORT, {"tolerance_percent": Decimal("0.1")}, {1: 0, 27: 0}),
    ("ten days", 0, {"tolerance_days": 10}, {1: 0, 10: 0, 11: 11, 12: 12}),
    ("the 20th", 0, {"tolerance_day": 20}, {5: 0, 6: 6, 7: 7}),
    ("the 15th itself", 0, {"tolerance_day": 15}, {0: 0, 1: 1}),
    ("the 31st: the last of a month", 0, {"tolerance_day": 31}, {13: 0, 14: 14}),
    ("the 10th: of the next month", 0, {"tolerance_day": 10}, {23: 0, 24: 24}),
    ("two days, then the 16th", 0, {"tolerance_days": 2, "tolerance_day": 16}, {27: 0}),
]


def short_of(tolerance: int, more: Tolerated | None, recalculation: Recalculation) -> Life:
    """A loan whose first instalment is paid on its day but for 80.00."""
    conditions = replace(
        CONDITIONS,
        recalculation=recalculation,
        arrears_tolerance_minor=tolerance,
        arrears=None if more is None else ArrearsConditions(**more),
    )
    return disbursed(instalments=12, conditions=conditions).when(pay(LEVEL - SHORT, FEB))


@pytest.mark.parametrize("recalculation", [Recalculation.NONE, Recalculation.CONTINUOUS])
@pytest.mark.parametrize(
    ("tolerance", "more", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_loan_is_overdue_beyond_what_its_product_tolerates(
    tolerance: int,
    more: Tolerated | None,
    expected: dict[int, int],
    recalculation: Recalculation,
) -> None:
    """Source: domain rules, 2.1: amount, percentage, days, monthly tolerance day."""
    life = short_of(tolerance, more, recalculation)
    for days, late in expected.items():
        figures = day_figures(life.state, days_after(FEB, days))
        assert figures.days_past_due == late
        assert (figures.overdue_principal_minor > 0) is (late > 0)


def test_the_close_publishes_what_is_beyond_the_tolerance_and_counts_from_the_due_date() -> None:
    life = short_of(0, {"tolerance_days": 10}, Recalculation.CONTINUOUS)
    life.when(close(days_after(FEB, 1))).then()
    life.when(close(days_after(FEB, 10))).then()
    life.when(close(days_after(FEB, 11))).then(PaymentMissed, DelinquencyBucketChanged)
    assert life.state.days_past_due == 11
    life.when(pay(SHORT, days_after(FEB, 12))).when(close(days_after(FEB, 12)))
    life.then(ArrearsCured, DelinquencyBucketChanged)


@pytest.mark.parametrize(("principal", "tolerated"), [(919_541, True), (919_540, False)])
def test_a_percentage_tolerates_less_as_principal_comes_back(
    principal: int, *, tolerated: bool
) -> None:
    """80.00 of interest is 0.87 % of 9,195.40; principal that was paid counts no more."""
    conditions = replace(CONDITIONS, arrears=ArrearsConditions(tolerance_percent=Decimal("0.87")))
    short = Instalment(1, START, FEB, 0, SHORT)
    paid = Instalment(2, FEB, month(2), 50_000, 0, principal_paid_minor=50_000, met_on=FEB)
    to_come = Instalment(3, month(2), month(3), principal, 0)
    late = overdue([short, paid, to_come], days_after(FEB, 1), conditions)
    assert late == ([] if tolerated else [short])


def test_an_instalment_within_the_tolerance_is_charged_nothing() -> None:
    product = replace(
        CONDITIONS, charge_rules=(LATE,), arrears=ArrearsConditions(tolerance_days=10)
    )
    life = disbursed(instalments=12, conditions=product)
    life.when(close(days_after(FEB, 1))).then()
    life.when(close(days_after(FEB, 10))).then()
    life.when(close(days_after(FEB, 11)))
    assert [e.effective_on for e in life.events if isinstance(e, ChargeAssessed)] == [life.now]


def test_interest_on_arrears_runs_from_the_due_date_whatever_is_tolerated() -> None:
    tolerant = penal(replace(PENAL, arrears=ArrearsConditions(tolerance_days=30)))
    assert day_figures(tolerant.state, by_days(12)).days_past_due == 0
    assert charged(tolerant.when(close(date(2018, 2, 28)))) == [(date(2018, 2, 28), 6_500, 65)]


@pytest.mark.parametrize(
    ("counted", "days"), [(UnpaidParts.ALL, 25), (UnpaidParts.WITHOUT_PENALTY, 0)]
)
def test_a_penalty_alone_keeps_a_loan_overdue_or_not(counted: UnpaidParts, days: int) -> None:
    """Source: domain rules, 2.1: paid in full twenty days late, but for the penalties of it."""
    product = replace(PENAL, allocation=PRINCIPAL_FIRST, arrears=ArrearsConditions(counted=counted))
    life = penal(product).when(pay(OWED, by_days(20)))
    assert life.state.balances.penalty_minor == life.state.balances.owed_minor == 10_100
    assert day_figures(life.state, by_days(25)).days_past_due == days


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"arrears_tolerance_minor": -1}, "arrears_tolerance"),
        ({"arrears": ArrearsConditions(tolerance_percent=Decimal(-1))}, "arrears"),
        ({"arrears": ArrearsConditions(tolerance_percent=Decimal(100))}, "arrears"),
        ({"arrears": ArrearsConditions(tolerance_percent=Decimal("0.12345678901"))}, "arrears"),
        ({"arrears": ArrearsConditions(tolerance_percent=Decimal("NaN"))}, "arrears"),
        ({"arrears": ArrearsConditions(tolerance_days=-1)}, "arrears"),
        ({"arrears": ArrearsConditions(tolerance_days=367)}, "arrears"),
        ({"arrears": ArrearsConditions(tolerance_day=0)}, "arrears"),
        ({"arrears": ArrearsConditions(tolerance_day=32)}, "arrears"),
    ],
)
def test_a_tolerance_that_cannot_be_is_refused(change: dict[str, Any], field: str) -> None:
    no = product_refused(replace(CONDITIONS, **change))
    assert (no.code, no.field) == ("bad_bounds", field)
