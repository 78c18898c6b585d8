"""利率上限: a cap on all that a loan costs a year cuts charges, and says so.

10,000.00 at 12 % ACT/365F, interest each month, paid out on 15 January 2018; the cap is 24 %.
Until 15 February it earns 101.92, and the cap allows 203.83: there is room for 101.91.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.commands import servicing as cs
from domain.events import servicing as es
from domain.events.registry import Event
from domain.loan.terms import (
    Component,
    FeeTime,
    FloatingConditions,
    OverdueInterest,
    PayoutFee,
    PenaltyConditions,
    RepaymentMethod,
    ScheduleDayCount,
)
from domain.postings import Account
from tests.domain.test_charge_rules import LATE
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    Life,
    booked,
    charge,
    close,
    days_after,
    disbursed,
    folded_again,
    month,
    pay,
    product_refused,
    ties_to_the_ledger,
)

FEB = month(1)
ROOM = 10_191
PRODUCT = replace(
    CONDITIONS,
    method=RepaymentMethod.INTEREST_ONLY,
    day_count=ScheduleDayCount.ACT_365F,
    rate_annual_max=Decimal("0.24"),
    rate_cap_annual=Decimal("0.24"),
)


def lent(**product: Any) -> Life:  # noqa: ANN401 - any field
    return disbursed(instalments=6, conditions=replace(PRODUCT, **product))


def cuts(life: Life) -> list[tuple[date, int, int]]:
    """When which amount was cut to what."""
    return [
        (event.effective_on, event.uncapped_minor, event.capped_minor)
        for event in life.events
        if isinstance(event, es.ChargeCapped)
    ]


def kinds(life: Life) -> list[type[Event]]:
    return [type(event) for event in life.last]


def test_a_charge_within_the_cap_is_put_as_it_is() -> None:
    life = lent().when(charge(ROOM, FEB))
    assert kinds(life) == [es.ChargeAssessed, es.ScheduleChanged]
    assert life.state.balances.fee_minor == ROOM
    assert cuts(life) == []


def test_a_charge_beyond_the_cap_is_cut_to_what_it_allows() -> None:
    """Source: domain rules, 5.4: `ChargeCapped{uncapped, capped}`."""
    life = lent().when(charge(ROOM + 1, FEB))
    life.then(es.ChargeCapped, es.ChargeAssessed, es.ScheduleChanged)
    assert cuts(life) == [(FEB, ROOM + 1, ROOM)]
    assert life.state.balances.fee_minor == ROOM
    assert booked(life.events)[Account.FEE_INCOME] == -ROOM
    ties_to_the_ledger(life)
    folded_again(life)


def test_where_the_cap_leaves_no_room_nothing_is_charged() -> None:
    life = lent().when(charge(ROOM, FEB))
    life.when(charge(500, FEB, component=Component.PENALTY, charge_id="c-2")).then(es.ChargeCapped)
    assert cuts(life) == [(FEB, 500, 0)]
    assert life.state.balances.penalty_minor == 0
    folded_again(life)


def test_days_make_room_as_principal_is_used() -> None:
    """A day more earns 3.29 and allows 6.58; principal that came back allows nothing."""
    life = lent().when(charge(ROOM, FEB)).when(charge(1_000, days_after(FEB, 1), charge_id="c-2"))
    assert cuts(life) == [(days_after(FEB, 1), 1_000, 329)]
    repaid = lent().when(pay(10_192 + 500_000, FEB)).when(charge(50_000, month(2)))
    # 203.83 and, on the half of it for 28 days, 92.05; 101.92 and 46.03 were earned.
    assert cuts(repaid) == [(month(2), 50_000, 29_589 - 10_192 - 4_603)]


def test_what_was_waived_or_kept_back_counts_as_it_was_borne() -> None:
    waived = lent().when(charge(ROOM, FEB))
    waived.when(
        cs.Waive(
            loan_id=LOAN,
            effective_on=FEB,
            waiver_id="w-1",
            component=Component.FEE,
            amount_minor=2_000,
            instalment=1,
        ),
        reason="goodwill",
    )
    waived.when(charge(2_500, FEB, charge_id="c-2"))
    assert cuts(waived) == [(FEB, 2_500, 2_000)]
    fee = PayoutFee(code="NSF", taken=FeeTime.FIRST_PAYOUT, amount_minor=10_000)
    kept_back = lent(payout_fees=(fee,)).when(charge(500, FEB))
    assert cuts(kept_back) == [(FEB, 500, 191)]


def test_tax_is_that_of_what_is_charged() -> None:
    rule = replace(LATE, code="LATE", amount_minor=20_000, tax_percent=Decimal(6))
    life = lent(charge_rules=(rule,)).when(close(days_after(FEB, 1)))
    (put,) = [event for event in life.events if isinstance(event, es.ChargeAssessed)]
    (cut,) = cuts(life)
    assert put.amount_minor == cut[2] < 20_000
    assert put.tax_minor == round(put.amount_minor * 6 / 106)


def test_the_close_decides_each_turn_once() -> None:
    """Where the cap leaves nothing the turn has passed: the next close does not ask again."""
    rule = replace(LATE, amount_minor=500, wait_days=0)
    life = lent(charge_rules=(rule,)).when(charge(50_000, FEB))
    overdue = days_after(FEB, 1)
    life.when(charge(50_000, overdue, charge_id="c-2")).when(close(overdue))
    assert cuts(life)[-1] == (overdue, 500, 0)
    count = len(life.events)
    life.when(close(overdue)).then()
    life.when(close(days_after(overdue, 5))).then()
    assert len(life.events) == count
    assert folded_again(life).capped == life.state.capped


def test_penalties_that_ran_take_of_the_room_before_a_charge_does() -> None:
    agreed = PenaltyConditions(overdue_markup=Decimal("0.5"), misuse_markup=Decimal(1))
    product = replace(
        PLANNED,
        rate_annual_max=Decimal("0.12"),
        rate_cap_annual=Decimal("0.24"),
        overdue_interest=OverdueInterest.DOES_NOT_EARN,
        penalty=agreed,
    )
    life = disbursed(instalments=1, conditions=product)
    life.when(charge(1_000_000, days_after(FEB, 20)))
    (cut,) = cuts(life)
    # 51 days allow 335.34; 100.00 of interest and 100.00 and 1.00 of penalties ran.
    assert cut[2] == 33_534 - 10_000 - 10_000 - 100
    ties_to_the_ledger(life)


PENAL = {
    "overdue_interest": OverdueInterest.DOES_NOT_EARN,
    "penalty": PenaltyConditions(overdue_markup=Decimal("0.5"), misuse_markup=Decimal(1)),
}
FLOATING = FloatingConditions(reference="LPR-1Y")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"rate_cap_annual": Decimal(0)}, "bad_bounds", "rate_cap_annual"),
        ({"rate_cap_annual": Decimal("NaN")}, "bad_bounds", "rate_cap_annual"),
        ({"rate_annual_max": Decimal("0.25")}, "rate_above_cap", "rate_annual_max"),
        ({"floating": FLOATING}, "rate_above_cap", "floating"),
        (
            {"floating": replace(FLOATING, cap_annual=Decimal("0.25"))},
            "rate_above_cap",
            "floating",
        ),
        ({**PENAL, "rate_annual_max": Decimal("0.1201")}, "rate_above_cap", "penalty"),
    ],
)
def test_rates_that_exceed_the_cap_by_themselves_are_refused(
    change: dict[str, Any], code: str, field: str
) -> None:
    no = product_refused(replace(PRODUCT, **change))
    assert (no.code, no.field) == (code, field)
