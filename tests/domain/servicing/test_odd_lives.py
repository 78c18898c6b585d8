"""Lives that the fuzz found: what ends, is drawn or changes on days when one least expects it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.servicing import facts as f
from domain.servicing import operations as op
from domain.servicing.account import Amounts, Instalment
from domain.servicing.life import Life
from domain.servicing.performing import perform
from domain.servicing.terms import STANDARD_ORDER, AllocationRule, ChargeTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import (
    Amortisation,
    ChargeBasis,
    ChargeKind,
    ChargeOffBehaviour,
    ChargeTime,
    Component,
    DaysInMonth,
    DaysInYear,
    Direction,
    DueClass,
    FutureRule,
    InterestPeriod,
    Kind,
    ReAgeInterest,
    ReAmortiseInterest,
    Recalculation,
    Unit,
)
from tests.domain.servicing.plans import START, terms

DAY = timedelta(days=1)
CONTINUOUS = {"recalculation": Recalculation.CONTINUOUS}


def lived(*steps: op.Operation, **product: Any) -> Life:  # noqa: ANN401 - any field of the terms
    """Pay out 1,000.00 and perform the steps, each on its own day or the day set before."""
    life = Life(terms(**({"multiple_disbursements": True} | product)))
    for step in (_today(START), op.Disburse(on=START, amount_minor=1_000_00), *steps):
        perform(life, step)
    return life


def _today(on: date) -> op.SetBusinessDate:
    return op.SetBusinessDate(on=on)


def _paid(on: date, amount: int) -> list[op.Operation]:
    return [_today(on), op.Transact(kind=Kind.REPAYMENT, on=on, amount_minor=amount)]


def _rows(life: Life) -> tuple[Instalment, ...]:
    return life.account.instalments


def _asks_no_less_than_paid(row: Instalment) -> bool:
    return all(due >= paid for due, paid in zip(row.due, row.paid, strict=True))


def test_a_draw_leaves_what_was_paid_in_advance_asked_for() -> None:
    """Source: domain rules, 9.10 "Second disbursement"; without recalculation."""
    life = lived(
        *_paid(date(2024, 2, 20), 500_00),
        op.Disburse(on=date(2024, 2, 20), amount_minor=1),
        amortisation=Amortisation.EQUAL_AMORTISATION,
    )
    assert all(map(_asks_no_less_than_paid, _rows(life)))
    assert sum(row.due.principal for row in _rows(life)) == 1_000_01


def test_an_instalment_fee_does_not_fall_below_what_was_paid_of_it() -> None:
    """Source: domain rules, F-22: the fee follows the row, and the row a lower rate."""
    fee = ChargeTerms(
        code="fee",
        kind=ChargeKind.FEE,
        time=ChargeTime.INSTALMENT,
        basis=ChargeBasis.PERCENT_OF_INTEREST,
        percent=Decimal(10),
    )
    life = lived(
        op.AddCharge(charge=fee, due_on=None),
        *_paid(date(2024, 1, 20), 300_00),
        op.ChangeRate(on=date(2024, 1, 25), rate_annual=Decimal("0.01")),
        op.Disburse(on=date(2024, 1, 26), amount_minor=1_00),
    )
    assert any(row.paid.fees for row in _rows(life))
    assert all(map(_asks_no_less_than_paid, _rows(life)))


def test_a_pause_changes_nothing_once_interest_has_stopped() -> None:
    """Source: domain rules, 9.9 S-17: after a charge-off without interest nothing is earned."""
    off = date(2024, 3, 1)
    life = lived(
        _today(off),
        op.ChargeOff(on=off),
        charge_off=ChargeOffBehaviour.ZERO_INTEREST,
        **CONTINUOUS,
    )
    before = _rows(life)
    perform(life, op.PauseInterest(start=off + DAY * 20, end=off + DAY * 40))
    assert _rows(life) == before


def test_a_charge_off_in_an_interest_grace_asks_for_what_was_earned() -> None:
    """Source: domain rules, 9.9 S-17; the graced row asked for nothing and was not paid."""
    off = date(2024, 1, 30)
    life = lived(
        _today(off),
        op.ChargeOff(on=off),
        charge_off=ChargeOffBehaviour.ZERO_INTEREST,
        amortisation=Amortisation.INTEREST_ONLY,
        grace_on_interest=1,
        **CONTINUOUS,
    )
    first, *others = _rows(life)
    assert first.due == Amounts(interest=4_84)
    assert first.outstanding == 4_84
    assert sum(row.due.principal for row in others) == 1_000_00


def test_rows_that_end_on_one_day_are_recognised_together() -> None:
    """Source: domain rules, 9.11 G-05; a re-ageing to its own day leaves a row without days."""
    on = date(2024, 2, 6)
    life = lived(
        *_paid(on, 50_00),
        op.ReAge(
            start_on=on,
            every=1,
            unit=terms().repayment_unit,
            instalments=2,
            interest=ReAgeInterest.EQUAL_AMORTISATION_PAYABLE_INTEREST,
        ),
        _today(date(2024, 3, 17)),
        op.CloseDays(),
        _today(date(2024, 4, 3)),
        op.CloseDays(),
        op.CloseDays(),
        accrual_activity=True,
        **CONTINUOUS,
    )
    recognised = [
        fact
        for fact in life.timeline.facts
        if isinstance(fact, f.Posted) and fact.kind is Kind.ACCRUAL_ACTIVITY
    ]
    days = [fact.effective_on for fact in recognised]
    asked = {day: sum(row.due.interest for row in _rows(life) if row.due_on == day) for day in days}
    assert on in days
    assert {fact.effective_on: fact.interest_minor for fact in recognised} == asked
    assert len(days) == len(set(days))


def test_a_fee_after_maturity_does_not_move_money_drawn_on_it() -> None:
    """The balance after the last instalment counts what was drawn on its day."""
    matures = date(2025, 1, 15)
    late = ChargeTerms(
        code="late",
        kind=ChargeKind.FEE,
        time=ChargeTime.SPECIFIED_DUE_DATE,
        basis=ChargeBasis.FLAT,
        amount_minor=5_00,
    )
    life = lived(
        _today(matures),
        op.Disburse(on=matures, amount_minor=100_00),
        _today(matures + DAY * 40),
        op.AddCharge(charge=late, due_on=matures + DAY * 30),
        **CONTINUOUS,
    )
    assert _rows(life)[-1].additional
    assert min(row.balance_after_minor for row in _rows(life)) == 0


def test_a_new_rate_of_a_fixed_instalment_makes_rows_for_its_term() -> None:
    """Source: domain rules, 5.1: with one amount the number of instalments follows."""
    loan = terms(
        amortisation=Amortisation.FIXED_INSTALMENT,
        instalment_minor=250_00,
        instalments=12,
        **CONTINUOUS,
    )
    timeline = Timeline.start(loan).record(
        f.Disbursed(id="0", effective_on=START, entered_on=START, amount_minor=1_000_00)
    )
    short = len(timeline.account.instalments)
    for number, rate in enumerate(("2", "0.01"), 1):
        on = START + DAY * number
        timeline = timeline.record(
            f.RateChanged(id=str(number), effective_on=on, entered_on=on, rate_annual=Decimal(rate))
        )
        rows = timeline.account.instalments
        assert sum(row.due.principal for row in rows) == 1_000_00
        assert len(rows) == len(timeline.account.ledger.plan.periods)
    assert short == 5


def test_a_loan_that_is_written_off_is_not_spread_anew() -> None:
    """The write-off is dated before a re-amortisation that was recorded first."""
    life = lived(
        _today(date(2024, 4, 7)),
        op.ReAmortise(interest=ReAmortiseInterest.DEFAULT),
        op.WriteOff(on=date(2024, 2, 28)),
        amortisation=Amortisation.INTEREST_ONLY,
        **CONTINUOUS,
    )
    assert all(row.outstanding == 0 for row in _rows(life))


def test_payments_are_paid_again_into_the_rows_that_an_acceleration_leaves() -> None:
    """Source: domain rules, 9.9 S-21; the payment lay on the last row, the first is overdue."""
    off = date(2024, 3, 1)
    last = AllocationRule(kind=None, order=STANDARD_ORDER, future=FutureRule.LAST_INSTALMENT)
    life = lived(
        *_paid(date(2024, 1, 20), 200_00),
        *_paid(date(2024, 2, 20), 1),
        _today(off),
        op.ChargeOff(on=off),
        *_paid(off + DAY, 1),
        charge_off=ChargeOffBehaviour.ACCELERATE_MATURITY,
        allocation=(last,),
        **CONTINUOUS,
    )
    assert len(_rows(life)) == 2
    paid = sum(row.paid.total for row in _rows(life))
    assert paid + life.account.overpaid == 200_02


def test_a_day_is_looked_at_although_later_payments_settled_the_rows_after_it() -> None:
    """The close of 1 to 14 February looks at days before two payments that were entered early."""
    life = lived(
        _today(date(2024, 2, 15)),
        op.Transact(kind=Kind.REPAYMENT, on=date(2024, 2, 17), amount_minor=900_00),
        op.Transact(kind=Kind.REPAYMENT, on=date(2024, 4, 20), amount_minor=1),
        instalments=4,
        amortisation=Amortisation.EQUAL_PRINCIPAL,
        **CONTINUOUS,
    )
    assert life.account.ledger.plan.settled == 3
    perform(life, op.CloseDays())
    accrued = sum(fact.interest_minor for fact in life.timeline.facts if isinstance(fact, f.Posted))
    assert accrued == life.account.interest_accrued_to(date(2024, 2, 14))
    assert accrued == 9_68  # a month of 1,000.00 at 1 %, less a day: 30 of 31 days


def test_a_tranche_paid_out_after_maturity_has_its_own_term() -> None:
    """Source: domain rules, P-55; what fell due before keeps its principal."""
    life = lived(
        _today(date(2024, 5, 16)),
        op.Disburse(on=date(2024, 5, 16), amount_minor=400_00),
        instalments=2,
        repayment_every=2,
        full_term_tranches=True,
        rate_annual=Decimal(0),
    )
    assert [row.due.principal for row in _rows(life)] == [500_00, 500_00, 200_00, 200_00]
    assert [row.due_on for row in _rows(life)][-1] == date(2024, 9, 15)


ACROSS = AllocationRule(kind=None, order=STANDARD_ORDER, direction=Direction.VERTICAL)
DAILY = {
    "rate_annual": Decimal("0.36"),
    "interest_period": InterestPeriod.DAILY,
    "days_in_month": DaysInMonth.D30,
    "days_in_year": DaysInYear.D360,
}


def test_a_row_that_a_charge_off_parted_anew_is_met_and_takes_nothing_more() -> None:
    """Source: domain rules, 9.9 S-21, 9.7 A-09; it was paid in advance, with principal only."""
    off = date(2024, 3, 16)
    life = lived(
        *_paid(date(2024, 2, 23), 900_00),
        _today(off),
        op.ChargeOff(on=off),
        *_paid(date(2024, 7, 10), 5_00),
        instalments=4,
        charge_off=ChargeOffBehaviour.ZERO_INTEREST,
        allocation=(ACROSS,),
        **CONTINUOUS,
        **DAILY,
    )
    assert all(row.outstanding >= 0 for row in _rows(life))
    assert _rows(life)[2].outstanding == 0
    assert _rows(life)[3].paid.principal == life.account.transactions[-1].split.principal + 92_91


@pytest.mark.parametrize(
    "behaviour", [ChargeOffBehaviour.ZERO_INTEREST, ChargeOffBehaviour.ACCELERATE_MATURITY]
)
def test_a_refund_after_interest_stopped_is_asked_for_beside_what_the_rows_ask(
    behaviour: ChargeOffBehaviour,
) -> None:
    """Source: domain rules, 9.9 S-18, S-21; on its day nothing was overpaid yet."""
    life = lived(
        _today(date(2024, 1, 29)),
        op.ChargeOff(on=date(2024, 1, 29)),
        *_paid(date(2024, 2, 29), 10_00),
        op.PayOff(on=date(2024, 2, 25)),
        op.RefundCredit(on=date(2024, 2, 25), amount_minor=1_00),
        instalments=2,
        repayment_every=2,
        charge_off=behaviour,
        **CONTINUOUS,
        **DAILY,
    )
    assert all(map(_asks_no_less_than_paid, _rows(life)))
    assert sum(row.due.principal for row in _rows(life)) == 1_001_00


def test_interest_in_advance_is_paid_on_row_and_plan_alike() -> None:
    """Source: domain rules, 9.7 A-09; the table begins with principal that is not due yet."""
    first = (
        (DueClass.IN_ADVANCE, Component.PRINCIPAL),
        (DueClass.PAST_DUE, Component.INTEREST),
        (DueClass.IN_ADVANCE, Component.INTEREST),
    )
    rest = tuple(bucket for bucket in STANDARD_ORDER if bucket not in first)
    rule = AllocationRule(kind=None, order=(*first, *rest))
    life = lived(
        *_paid(date(2024, 2, 25), 100_00),
        instalments=3,
        repayment_every=15,
        repayment_unit=Unit.DAYS,
        amortisation=Amortisation.FIXED_INSTALMENT,
        instalment_minor=500_00,
        allocation=(rule,),
        direction=Direction.VERTICAL,
        **CONTINUOUS,
        **(DAILY | {"rate_annual": Decimal("0.24")}),
    )
    assert all(map(_asks_no_less_than_paid, _rows(life)))
    assert min(life.account.outstanding) >= 0


def test_only_the_last_unpaid_row_collects_interest_for_those_paid_in_advance() -> None:
    """Source: domain rules, 9.10 "Early payment"; principal of all rows is paid before interest."""
    first = (
        (DueClass.IN_ADVANCE, Component.PRINCIPAL),
        (DueClass.IN_ADVANCE, Component.INTEREST),
    )
    rest = tuple(bucket for bucket in STANDARD_ORDER if bucket not in first)
    evenly = AllocationRule(
        kind=None, order=(*first, *rest), future=FutureRule.REAMORTISATION, name="evenly"
    )
    life = lived(
        *_paid(date(2024, 3, 8), 1),
        _today(date(2024, 3, 9)),
        op.PayOff(on=date(2024, 3, 9)),
        instalments=4,
        repayment_every=2,
        allocation=(evenly,),
        direction=Direction.VERTICAL,
        **CONTINUOUS,
        **DAILY,
    )
    assert sum(row.due.principal for row in _rows(life)) == 1_000_00
    assert min(row.balance_after_minor for row in _rows(life)) == 0
