"""Charges on instalments that share a due date: each is borne by the one it was put on."""

from dataclasses import replace
from decimal import Decimal

from domain.commands import servicing as cs
from domain.events import servicing as es
from domain.loan.charge_rules import ChargeRule
from domain.loan.instalments import Instalment, place_of
from domain.loan.terms import (
    ChargeTime,
    Component,
    DownPaymentConditions,
    Recalculation,
)
from tests.support.lives import (
    EVEN_PARTS,
    LOAN,
    START,
    Life,
    accepted,
    charge,
    close,
    days_after,
    folded_again,
    month,
    pay,
    pay_out,
    ties_to_the_ledger,
)

LATE = ChargeRule(
    code="LATE", component=Component.PENALTY, time=ChargeTime.OVERDUE, amount_minor=500
)
PRODUCT = replace(
    EVEN_PARTS,
    down_payment=DownPaymentConditions(percent=Decimal(25)),
    charge_rules=(LATE,),
)


def twice_on_a_day(recalculation: Recalculation = Recalculation.NONE) -> Life:
    """Instalments 2, and 3: the down payment of the second payout, fall due on 15 February."""
    product = replace(PRODUCT, recalculation=recalculation)
    life = accepted(1_600_000, 6, conditions=product).when(pay_out(800_000))
    life.when(pay(200_000, START, "down"))
    second = replace(pay_out(400_000, month(1)), disbursement_id="d-2")
    return life.when(second)


def fees(life: Life) -> list[int]:
    return [row.fee_minor for row in life.state.rows[:4]]


def asked(number: int, charge_id: str = "c") -> cs.AssessCharge:
    return replace(charge(700, month(1), number, charge_id=charge_id), code="NSF")


def test_the_second_instalment_of_a_day_bears_what_is_asked_of_it() -> None:
    for recalculation in (Recalculation.NONE, Recalculation.CONTINUOUS):
        life = twice_on_a_day(recalculation)
        assert [row.due_on for row in life.state.rows[1:3]] == [month(1)] * 2
        life.when(asked(3))
        told = life.last[0]
        assert isinstance(told, es.ChargeAssessed)
        assert (told.instalment, told.place) == (3, 2)
        assert fees(life) == [0, 0, 700, 0]
        life.when(asked(2, "d"))
        assert fees(life) == [0, 700, 700, 0]
        ties_to_the_ledger(life)
        folded_again(life)


def test_a_down_payment_bears_its_own_charge() -> None:
    life = twice_on_a_day().when(asked(1))
    assert fees(life) == [700, 0, 0, 0]
    assert life.state.rows[0].met_on is None


def test_it_is_paid_and_waived_there() -> None:
    life = twice_on_a_day().when(asked(3))
    waiver = cs.Waive(
        loan_id=LOAN,
        effective_on=month(1),
        waiver_id="w",
        component=Component.FEE,
        amount_minor=200,
        instalment=3,
    )
    life.when(waiver, reason="kind")
    second = life.state.rows[2]
    assert (second.fee_waived_minor, second.fee_left_minor) == (200, 500)
    life.when(pay(life.state.rows[1].unpaid_minor + 500, month(1)))
    assert life.state.rows[2].fee_left_minor == 0
    assert life.state.rows[2].principal_paid_minor == 0
    ties_to_the_ledger(life)


def test_each_overdue_instalment_of_a_day_is_charged() -> None:
    late = days_after(month(1), 1)
    life = twice_on_a_day().when(close(late))
    assert [row.penalty_minor for row in life.state.rows[:4]] == [0, 500, 500, 0]
    life.when(close(late)).then()
    owed = sum(row.unpaid_minor for row in life.state.rows[1:3]) - 1_000
    life.when(pay(owed, month(1), "in time"))
    gone = [event for event in life.last if isinstance(event, es.ChargeReversed)]
    assert [event.instalment for event in gone] == [2, 3]
    assert life.state.balances.penalty_minor == 0
    ties_to_the_ledger(life)


def test_a_place_is_counted_among_the_instalments_of_a_day() -> None:
    days = [START, month(1), month(1), month(2)]
    rows = [Instalment(number, START, on, 0, 0) for number, on in enumerate(days, 1)]
    assert [place_of(rows, row.number) for row in rows] == [1, 1, 2, 1]
