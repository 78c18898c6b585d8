"""What a charge-off does to the schedule, as a product says, and how it is taken back."""

from dataclasses import replace
from datetime import date

import pytest

from domain.commands import ending as ce
from domain.events import ending as ee
from domain.events import servicing as es
from domain.loan.booking import standing_on
from domain.loan.instalments import Instalment
from domain.loan.terms import ChargeOffBehaviour, Conditions, Recalculation, RepaymentMethod
from domain.postings import Account
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    Life,
    booked,
    charge,
    days_after,
    disbursed,
    month,
    pay,
    reverse,
    ties_to_the_ledger,
)

REGULAR = ChargeOffBehaviour.REGULAR
ZERO = ChargeOffBehaviour.ZERO_INTEREST
AT_ONCE = ChargeOffBehaviour.ACCELERATE_MATURITY
ON = days_after(month(2), 10)  # 25 March 2018: ten of the 31 days of the third instalment


def lent(behaviour: ChargeOffBehaviour, **product: Recalculation) -> Life:
    """6,000.00 at 1 % a month in six parts of 1,000.00; the first instalment was paid."""
    conditions = replace(PLANNED, method=RepaymentMethod.EQUAL_PRINCIPAL, charge_off=behaviour)
    life = disbursed(600_000, 6, conditions=replace(conditions, **product))
    return life.when(pay(106_000, month(1), "first"))


def charge_off(on: date = ON) -> ce.ChargeOffLoan:
    return ce.ChargeOffLoan(loan_id=LOAN, effective_on=on, cause="120_days")


def undo(on: date = ON) -> ce.ReverseChargeOff:
    return ce.ReverseChargeOff(loan_id=LOAN, effective_on=on, cause="found")


def asked(rows: tuple[Instalment, ...]) -> list[tuple[int, int]]:
    return [(row.principal_minor, row.interest_minor) for row in rows[1:]]


def told(life: Life) -> ee.LoanChargedOff:
    event = life.last[0]
    assert isinstance(event, ee.LoanChargedOff)
    return event


# Planned: 4,000.00 earn 40.00 in the third period, of which 10/31 are 12.90.
SCHEDULES = [
    (REGULAR, [(100_000, 5_000 - 1_000 * k) for k in range(5)]),
    (ZERO, [(100_000, 5_000), (100_000, 1_290), *[(100_000, 0)] * 3]),
    (AT_ONCE, [(100_000, 5_000), (400_000, 1_290)]),
]


@pytest.mark.parametrize(("behaviour", "schedule"), SCHEDULES, ids=[x[0] for x in SCHEDULES])
def test_a_charge_off_does_to_the_schedule_what_the_product_says(
    behaviour: ChargeOffBehaviour, schedule: list[tuple[int, int]]
) -> None:
    """Source: domain rules, P-67, S-21."""
    life = lent(behaviour).when(charge_off()).then(ee.LoanChargedOff, es.ScheduleChanged)
    assert asked(life.state.rows) == schedule
    off = told(life)
    assert (off.principal_minor, off.interest_minor) == (500_000, 6_290)
    assert life.state.balances.interest_minor == sum(interest for _, interest in schedule)
    assert booked(life.events)[Account.LOAN_PORTFOLIO] == 0


def test_where_interest_follows_payments_it_is_earned_on_what_is_overdue_too() -> None:
    """5,000.00 earn 50.00 in the third period, of which 10/31 are 16.13."""
    product = {"recalculation": CONDITIONS.recalculation}
    for behaviour, last in ((ZERO, (100_000, 1_613)), (AT_ONCE, (400_000, 1_613))):
        life = lent(behaviour, **product).when(charge_off())
        assert asked(life.state.rows)[:2] == [(100_000, 5_000), last]
        assert told(life).interest_minor == 6_613


@pytest.mark.parametrize("behaviour", list(ChargeOffBehaviour))
def test_nothing_is_earned_after_it_and_the_debt_is_recovered_whole(
    behaviour: ChargeOffBehaviour,
) -> None:
    life = lent(behaviour).when(charge_off())
    owed = life.state.balances.owed_minor
    assert owed == {REGULAR: 515_000}.get(behaviour, 506_290)
    recovery = ce.RecordRecovery(
        loan_id=LOAN, effective_on=month(9), recovery_id="r", amount_minor=owed
    )
    life.when(recovery).then(ee.RecoveryReceived, es.PaymentAllocated, ee.LoanSettled)
    assert life.state.balances.overpaid_minor == 0
    assert booked(life.events)[Account.RECOVERY_INCOME] == -owed


def test_what_was_paid_into_instalments_that_go_pays_what_is_due_at_once() -> None:
    """Two instalments paid ahead, and a fee on the first of them that is open.

    Interest not earned by then becomes principal. The restatement and the charge-off clear the
    books together.
    """
    life = lent(AT_ONCE).when(pay(105_000 + 104_000 + 103_000, month(2), "ahead"))
    life.when(charge(700, month(2), instalment=3))
    assert life.state.balances.principal_minor == 200_000
    life.when(charge_off()).then(ee.LoanChargedOff, es.AllocationsRestated)
    # 3,120.00 pay 1,000.00 + 50.00, the fee, 12.90 of interest, and 2,050.10 of principal.
    left = 600_000 - 100_000 - 100_000 - 205_010
    off = told(life)
    assert (off.principal_minor, off.interest_minor, off.fee_minor) == (left, 0, 0)
    assert life.state.balances.owed_minor == left
    stands = booked(life.events)
    assert (stands[Account.LOAN_PORTFOLIO], stands[Account.CHARGE_OFF_EXPENSE]) == (0, left)
    assert stands[Account.RECOVERY_INCOME] == 0
    life.when(undo(), reason="found").then(ee.ChargeOffReversed, es.AllocationsRestated)
    assert life.state.balances.principal_minor == 200_000
    assert booked(life.events)[Account.CHARGE_OFF_EXPENSE] == 0
    ties_to_the_ledger(life)


def test_open_fees_and_penalties_are_taken_off_the_books_too() -> None:
    life = lent(AT_ONCE).when(charge(700, month(1), instalment=5)).when(charge_off())
    assert told(life).fee_minor == 700
    assert life.state.rows[-1].due_on == month(5)  # a charge is due when it was
    assert booked(life.events)[Account.FEE_RECEIVABLE] == 0


@pytest.mark.parametrize("behaviour", list(ChargeOffBehaviour))
@pytest.mark.parametrize("conditions", [PLANNED, CONDITIONS], ids=["planned", "continuous"])
def test_it_is_taken_back_as_if_it_had_never_been(
    conditions: Conditions, behaviour: ChargeOffBehaviour
) -> None:
    product = {"recalculation": conditions.recalculation}
    never = lent(behaviour, **product)
    life = lent(behaviour, **product).when(charge_off()).when(undo(month(3)), reason="found")
    assert never.state.timeline is not None
    assert life.state.rows == standing_on(never.state.timeline, month(3)).rows
    stands = booked(life.events)
    assert stands[Account.CHARGE_OFF_EXPENSE] == 0
    ties_to_the_ledger(life)
    life.when(charge_off(month(4)))
    assert booked(life.events)[Account.LOAN_PORTFOLIO] == 0


def test_a_payment_that_bounces_after_it_is_owed_at_once_again() -> None:
    """Domain rules, 2.8: reversing an earlier payment replays the charge-off."""
    life = lent(AT_ONCE).when(pay(105_000, month(2), "second")).when(charge_off())
    assert life.state.balances.owed_minor == 401_290
    life.when(reverse("second", ON))
    assert life.state.balances.owed_minor == 506_290
    assert booked(life.events)[Account.LOAN_PORTFOLIO] == 0
