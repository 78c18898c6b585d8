"""Lives in which principal might get lost or doubled: rows ask for what went out and came back."""

from datetime import date
from decimal import Decimal

import pytest

from domain.errors import Rejected
from domain.servicing import operations as op
from domain.servicing.account import Instalment
from domain.servicing.life import Life
from domain.servicing.performing import perform
from domain.servicing.term_parts import CustomInstalment
from domain.servicing.terms import STANDARD_ORDER, AllocationRule, ChargeTerms
from domain.servicing.values import (
    Amortisation,
    ChargeBasis,
    ChargeKind,
    ChargeOffBehaviour,
    ChargeTime,
    Component,
    DaysInMonth,
    DaysInYear,
    DueClass,
    InterestMethod,
    InterestPeriod,
    Kind,
    ReAgeInterest,
    ReAmortiseInterest,
    Recalculation,
    Unit,
)
from tests.domain.servicing.plans import START
from tests.domain.servicing.test_odd_lives import CONTINUOUS, lived

LATEST = op.Reference(last_payment=True)
DAILY = {
    "rate_annual": Decimal("0.24"),
    "interest_period": InterestPeriod.DAILY,
    "days_in_month": DaysInMonth.D30,
    "days_in_year": DaysInYear.D360,
}


def today(on: date) -> op.SetBusinessDate:
    return op.SetBusinessDate(on=on)


def paid(on: date, amount: int) -> list[op.Operation]:
    return [today(on), op.Transact(kind=Kind.REPAYMENT, on=on, amount_minor=amount)]


def charged_back(amount: int) -> op.ChargeBack:
    return op.ChargeBack(target=LATEST, amount_minor=amount)


def rows(life: Life) -> tuple[Instalment, ...]:
    return life.account.instalments


def adds_up(life: Life, amount: int = 1_000_00) -> None:
    """Rows ask for an amount in all; no balance is below zero, and the last one is zero."""
    assert sum(row.due.principal for row in rows(life)) == amount
    assert min(row.balance_after_minor for row in rows(life)) == 0
    assert rows(life)[-1].balance_after_minor == 0
    assert all(row.outstanding >= 0 for row in rows(life))


@pytest.mark.parametrize("interest", ReAgeInterest)
@pytest.mark.parametrize("recalculation", Recalculation)
def test_what_was_charged_back_after_maturity_is_re_aged(
    recalculation: Recalculation, interest: ReAgeInterest
) -> None:
    """Source: domain rules, 9.9 S-09, S-15."""
    life = lived(
        *paid(date(2024, 3, 15), 600_00),
        today(date(2024, 5, 1)),
        charged_back(150_00),
        today(date(2024, 5, 20)),
        op.ReAge(
            start_on=date(2024, 6, 1),
            every=1,
            unit=Unit.MONTHS,
            instalments=3,
            interest=interest,
        ),
        instalments=3,
        recalculation=recalculation,
    )
    principal = [row.due.principal for row in rows(life)]
    assert sum(principal) == 1_150_00
    assert sum(principal[-3:]) == life.account.outstanding.principal
    assert rows(life)[-1].balance_after_minor == 0


def test_what_was_overpaid_pays_a_chargeback_on_the_row_that_asks_for_it() -> None:
    """Source: domain rules, 9.9 S-15; the row was re-aged to its own day, its interest is fixed."""
    on = date(2024, 1, 20)
    life = lived(
        *paid(on, 100_00),
        op.ReAge(
            start_on=on,
            every=1,
            unit=Unit.YEARS,
            instalments=1,
            interest=ReAgeInterest.EQUAL_AMORTISATION_FULL_INTEREST,
        ),
        *paid(on, 930_00),
        charged_back(100_00),
        instalments=1,
        **CONTINUOUS,
        **DAILY,
    )
    assert life.account.overpaid == 0
    adds_up(life, 1_100_00)


def test_a_draw_does_not_ask_for_less_than_was_paid_in_advance() -> None:
    """Source: domain rules, 9.10 "Second disbursement"; the level falls by a cent for the draw."""
    life = lived(
        *paid(date(2024, 3, 8), 950_00),
        today(date(2024, 8, 4)),
        op.Disburse(on=date(2024, 8, 4), amount_minor=1),
        instalments=6,
        repayment_every=2,
        first_due_on=date(2024, 2, 19),
        **CONTINUOUS,
        rate_annual=Decimal("0.24"),
        interest_period=InterestPeriod.DAILY,
        days_in_year=DaysInYear.D364,
    )
    adds_up(life, 1_000_01)


def test_interest_that_is_moved_up_and_partly_paid_takes_no_room_of_principal() -> None:
    """Source: domain rules, 9.10 "Early payment"; nothing is due on the second of two rows."""
    custom = (
        CustomInstalment(due_on=date(2024, 2, 9), instalment_minor=1_500_00),
        CustomInstalment(due_on=date(2024, 3, 5)),
    )
    life = lived(
        *paid(date(2024, 5, 1), 1),
        amortisation=Amortisation.CUSTOM,
        custom=custom,
        instalments=2,
        interest_free_periods=1,
        **CONTINUOUS,
        **DAILY,
    )
    assert life.account.outstanding.interest > 0
    adds_up(life)


def test_flat_interest_that_is_in_grace_is_asked_for_with_the_first_instalment_after_it() -> None:
    """Source: domain rules, P-27, P-28; 9.10 "Flat"."""
    life = lived(
        interest_method=InterestMethod.FLAT,
        instalments=3,
        grace_on_principal=1,
        grace_on_interest=1,
    )
    assert [row.due.principal for row in rows(life)] == [0, 495_00, 505_00]
    assert [row.due.interest for row in rows(life)] == [0, 20_00, 10_00]
    adds_up(life)


def test_a_charge_off_without_interest_leaves_what_was_charged_back_after_maturity_alone() -> None:
    """Source: domain rules, 9.9 S-15, S-21."""
    off = date(2024, 4, 21)
    life = lived(
        *paid(date(2024, 2, 10), 10_00),
        today(date(2024, 2, 20)),
        charged_back(1),
        today(off),
        op.ChargeOff(on=off),
        instalments=1,
        charge_off=ChargeOffBehaviour.ZERO_INTEREST,
        **CONTINUOUS,
        **DAILY,
    )
    assert rows(life)[-1].additional
    adds_up(life, 1_000_01)


def test_what_is_charged_back_on_the_day_of_a_termination_is_due_with_the_rest() -> None:
    """Source: domain rules, 9.9 S-15, S-24."""
    life = lived(
        *paid(date(2024, 3, 21), 1_460_00),
        today(date(2024, 4, 30)),
        charged_back(1_350_00),
        op.Terminate(),
        instalments=5,
        **CONTINUOUS,
        **DAILY,
    )
    adds_up(life, 2_350_00)


@pytest.mark.parametrize(
    "change",
    [
        op.Reschedule(from_on=date(2024, 3, 11), extra_instalments=2),
        op.ChangeRate(on=date(2024, 3, 11), rate_annual=Decimal("0.05")),
        op.PauseInterest(start=date(2024, 3, 11), end=date(2024, 3, 20)),
    ],
)
def test_a_terminated_contract_has_no_terms_to_change(change: op.Operation) -> None:
    """Source: domain rules, 9.9 S-24."""
    life = lived(today(date(2024, 3, 1)), op.Terminate(), **CONTINUOUS)
    with pytest.raises(Rejected) as refused:
        perform(life, change)
    assert refused.value.code == "contract_terminated"


def test_a_term_that_was_to_grow_after_the_termination_does_not() -> None:
    """The extension counts from a later day than the termination, which was recorded after it."""
    life = lived(
        today(date(2024, 3, 1)),
        op.Reschedule(from_on=date(2024, 3, 11), extra_instalments=2),
        op.Terminate(),
        **CONTINUOUS,
    )
    adds_up(life)
    assert rows(life)[-1].due_on == date(2024, 3, 1)


@pytest.mark.parametrize("interest", ReAmortiseInterest)
def test_the_last_instalment_takes_what_came_back_after_all_were_paid(
    interest: ReAmortiseInterest,
) -> None:
    """Source: domain rules, 9.9 S-12, S-15; the unpaid part of the first row is spread."""
    life = lived(
        op.PayOff(on=START),
        charged_back(10_00),
        today(date(2024, 2, 15)),
        op.ReAmortise(interest=interest),
        instalments=2,
        **CONTINUOUS,
        **DAILY,
    )
    assert rows(life)[-1].outstanding >= 10_00
    adds_up(life, 1_010_00)


def test_a_planned_row_that_asked_for_nothing_follows_a_new_rate() -> None:
    """Source: domain rules, 9.9 S-05; a cent to lend, a grain of rounding in every row."""
    life = Life(lived(instalments=4, **DAILY).terms)
    for step in (
        today(START),
        op.Disburse(on=START, amount_minor=1),
        today(date(2024, 4, 14)),
        op.ChangeRate(on=date(2024, 4, 14), rate_annual=Decimal("0.05")),
    ):
        perform(life, step)
    adds_up(life, 1)


def test_income_that_is_capitalised_after_a_new_rate_is_asked_for() -> None:
    """Source: domain rules, 9.9 S-05, S-27; the last row was paid before the rate changed."""
    life = Life(lived(instalments=4, **DAILY).terms)
    for step in (
        op.Disburse(on=START, amount_minor=1),
        *paid(date(2024, 1, 18), 1),
        today(date(2024, 4, 23)),
        op.Transact(kind=Kind.CAPITALISED_INCOME, on=date(2024, 4, 23), amount_minor=1),
        op.ChangeRate(on=date(2024, 4, 14), rate_annual=Decimal("0.05")),
    ):
        perform(life, step)
    adds_up(life, 2)


def test_a_draw_after_rows_were_moved_is_spread_in_multiples_and_no_row_gives_any_back() -> None:
    """Source: domain rules, 5.3, 9.9 S-14."""
    life = lived(
        today(date(2024, 3, 1)),
        op.ReAmortise(interest=ReAmortiseInterest.DEFAULT),
        instalment_multiple_minor=50_00,
        instalments=12,
    )
    before = [row.due.principal for row in rows(life)]
    perform(life, op.Disburse(on=date(2024, 3, 2), amount_minor=30_00))
    assert all(row.due.principal >= was for row, was in zip(rows(life), before, strict=True))
    adds_up(life, 1_030_00)


def test_what_is_paid_again_after_a_termination_leaves_rows_that_were_waived_alone() -> None:
    """Fees of all rows are paid, the rest goes to principal; nothing twice, nothing below zero.

    Source: domain rules, 9.9 S-13, S-24. The refund counts from a day before the waiver.
    """
    fee = ChargeTerms(
        code="fee",
        kind=ChargeKind.FEE,
        time=ChargeTime.INSTALMENT,
        basis=ChargeBasis.FLAT,
        amount_minor=60_00,
    )
    life = lived(
        *paid(date(2024, 3, 31), 1),
        today(date(2024, 7, 1)),
        op.ReAmortise(interest=ReAmortiseInterest.WAIVE_INTEREST),
        op.AddCharge(charge=fee),
        op.Terminate(),
        op.RefundInterest(target=LATEST, amount_minor=970_00),
        instalments=7,
        **CONTINUOUS,
        **DAILY,
    )
    adds_up(life)
    assert life.account.outstanding.principal == 1_000_00 - (970_00 - 6 * 60_00)
    assert all(min(row.paid) >= 0 for row in rows(life))


def test_no_credit_is_refunded_before_the_money_was_paid_out() -> None:
    """Source: domain rules, 9.9 S-18."""
    life = lived(op.Transact(kind=Kind.REPAYMENT, on=START, amount_minor=1_100_00), instalments=1)
    with pytest.raises(Rejected) as refused:
        perform(life, op.RefundCredit(on=date(2024, 1, 12), amount_minor=1_00))
    assert (refused.value.code, refused.value.field) == ("date_before_disbursement", "on")


def re_aged(start_on: date, **more: object) -> op.ReAge:
    given: dict[str, object] = {
        "start_on": start_on,
        "every": 1,
        "unit": Unit.MONTHS,
        "instalments": 6,
    }
    return op.ReAge(**(given | more))  # type: ignore[arg-type]


def test_the_last_new_instalment_asks_for_no_less_than_its_interest() -> None:
    """Source: domain rules, 9.9 S-09, 9.10 "Flat"; years of flat interest are above the level."""
    life = lived(
        *paid(date(2024, 2, 14), 400_00),
        *paid(date(2024, 3, 17), 280_00),
        today(date(2024, 5, 22)),
        re_aged(date(2024, 5, 28), unit=Unit.YEARS, instalments=3),
        instalments=6,
        interest_method=InterestMethod.FLAT,
        **(DAILY | {"rate_annual": Decimal("0.36")}),
    )
    adds_up(life)
    last, before = rows(life)[-1], rows(life)[-2]
    assert (last.due.principal, last.due.interest) == (0, before.due.interest)


@pytest.mark.parametrize("interest", ReAgeInterest)
def test_a_fixed_instalment_is_one_no_more_when_it_was_re_aged(interest: ReAgeInterest) -> None:
    """Source: domain rules, 5.1, 9.9 S-09; a draw afterwards makes the new instalments level."""
    life = lived(
        today(date(2024, 3, 10)),
        re_aged(date(2024, 3, 14), interest=interest),
        today(date(2024, 4, 24)),
        op.Disburse(on=date(2024, 4, 24), amount_minor=100_00),
        instalments=2,
        amortisation=Amortisation.FIXED_INSTALMENT,
        instalment_minor=700_00,
        **CONTINUOUS,
        **DAILY,
    )
    adds_up(life, 1_100_00)
    assert len({row.due.total for row in rows(life)[-4:-1]}) == 1


def test_what_is_drawn_on_the_day_of_a_re_ageing_counts_before_the_row_that_is_cut() -> None:
    """No balance below zero is shown: more than the first loan was paid in advance."""
    on = date(2024, 3, 17)
    life = lived(
        *paid(date(2024, 2, 18), 1_000_01),
        today(on),
        op.Disburse(on=on, amount_minor=10_00),
        re_aged(on),
        instalments=2,
        repayment_every=2,
        rate_annual=Decimal(0),
    )
    adds_up(life, 1_010_00)


def test_a_method_that_fixes_principal_ends_with_all_of_it() -> None:
    """Source: domain rules, 9.9 S-24; the payment was made into the row that goes."""
    ahead = (DueClass.IN_ADVANCE, Component.PRINCIPAL)
    order = (ahead, *(bucket for bucket in STANDARD_ORDER if bucket != ahead))
    life = lived(
        *paid(date(2024, 2, 2), 720_00),
        today(date(2024, 2, 3)),
        op.Terminate(),
        instalments=2,
        amortisation=Amortisation.INTEREST_ONLY,
        allocation=(AllocationRule(kind=None, order=order),),
        **CONTINUOUS,
    )
    adds_up(life)
    assert life.account.outstanding.principal == 280_00
