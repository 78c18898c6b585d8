"""Down payments 首付: due on the payout's own day, paid or taken with it, given back with it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.commands import changes as ch
from domain.commands import crediting as cr
from domain.commands import disbursement as cd
from domain.commands import servicing as cs
from domain.errors import Rejected
from domain.events import arrears as ea
from domain.events import changes as ec
from domain.events import disbursement as ed
from domain.events.ending import LoanSettled
from domain.events.servicing import (
    AllocationsRestated,
    PaymentAllocated,
    PaymentKind,
    PaymentReceived,
    PaymentReversed,
    ScheduleChanged,
)
from domain.loan.down_payment import down_payments_in
from domain.loan.state import LoanStatus
from domain.loan.terms import (
    Component,
    CustomInstalment,
    DownPaymentConditions,
    Recalculation,
    RepaymentMethod,
)
from tests.support.lives import (
    EVEN_PARTS,
    LOAN,
    METHODS,
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
    product_refused,
    reverse,
    ties_to_the_ledger,
)

QUARTER = DownPaymentConditions(percent=Decimal(25))
TAKEN = replace(QUARTER, automatic=True)
PRODUCT = replace(
    EVEN_PARTS,
    down_payment=QUARTER,
)
FIRST = 800_000  # a quarter is due at once, the rest at 1 % a month in six parts


def begun(first: int = FIRST, approved: int = 1_600_000, **product: Any) -> Life:  # noqa: ANN401 - any field
    return accepted(approved, 6, conditions=replace(PRODUCT, **product)).when(pay_out(first))


def more(amount: int, on: date, name: str = "d-2") -> cd.DisburseLoan:
    return replace(pay_out(amount, on), disbursement_id=name)


def down(amount: int, on: date = START, name: str = "down") -> cs.ReceivePayment:
    return replace(pay(amount, on, name), kind=PaymentKind.DOWN_PAYMENT)


def comes_back(name: str, on: date) -> cd.ReturnDisbursement:
    return cd.ReturnDisbursement(
        loan_id=LOAN, effective_on=on, disbursement_id=name, cause="account closed"
    )


def test_a_share_of_the_payout_is_due_on_its_own_day() -> None:
    """Source: domain rules, P-51: an extra instalment of no days; the rest is repaid as agreed."""
    life = begun().then(ed.LoanDisbursed)
    first, *rows = life.state.rows
    assert (first.number, first.from_on, first.due_on) == (1, START, START)
    assert (first.principal_minor, first.interest_minor, first.met_on) == (200_000, 0, None)
    assert [row.due_on for row in rows] == [month(k) for k in range(1, 7)]
    assert [row.principal_minor for row in rows] == [100_000] * 6
    assert [row.interest_minor for row in rows] == [6_000, 5_000, 4_000, 3_000, 2_000, 1_000]
    told = life.last[0]
    assert isinstance(told, ed.LoanDisbursed)
    assert told.down_payment_minor == 200_000
    assert life.state.balances.principal_minor == FIRST
    ties_to_the_ledger(life)
    folded_again(life)


def test_it_is_rounded_as_an_instalment_is() -> None:
    """25 % of 8,010.00 are 2,002.50; the product's multiple is 10.00 (P-48)."""
    assert begun(801_000).state.rows[0].principal_minor == 200_250
    level: dict[str, Any] = {"method": RepaymentMethod.ANNUITY, "instalment_multiple_minor": 1_000}
    assert begun(801_000, **level).state.rows[0].principal_minor == 200_000


def test_it_may_be_taken_with_the_payout() -> None:
    life = begun(down_payment=TAKEN).then(ed.LoanDisbursed, PaymentReceived, PaymentAllocated)
    taken = life.last[1]
    assert isinstance(taken, PaymentReceived)
    assert (taken.kind, taken.amount_minor) == (PaymentKind.DOWN_PAYMENT, 200_000)
    assert taken.payment_id == "d-1:down_payment"
    assert life.state.rows[0].met_on == START
    assert life.state.balances.principal_minor == 600_000
    ties_to_the_ledger(life)
    folded_again(life)


def test_else_it_is_paid() -> None:
    life = begun().when(down(150_000)).then(PaymentReceived, PaymentAllocated)
    no = life.refused(down(50_001, name="again"))
    assert (no.code, no.field) == ("more_than_owed", "amount")
    life.when(down(50_000, name="again"))
    assert life.state.rows[0].met_on == START
    no = life.refused(down(1, name="once more"))
    assert (no.code, no.field) == ("no_down_payment_due", "kind")
    ties_to_the_ledger(life)


def test_any_payment_pays_it_when_it_is_due() -> None:
    life = begun().when(pay(200_000, START))
    assert life.state.rows[0].met_on == START


def test_a_product_without_one_takes_no_such_payment() -> None:
    no = begun(down_payment=None).refused(down(1))
    assert (no.code, no.field) == ("down_payment_not_agreed", "kind")


def test_it_is_late_the_day_after() -> None:
    life = begun().when(close(START)).then()
    life.when(close(days_after(START, 1)))
    life.then(ea.PaymentMissed, ea.DelinquencyBucketChanged)
    missed = life.last[0]
    assert isinstance(missed, ea.PaymentMissed)
    assert (missed.instalment, missed.unpaid_minor) == (1, 200_000)


def test_each_payout_asks_for_its_own() -> None:
    """4,000.00 more on the second due date: 1,000.00 at once, 3,000.00 over the four to come."""
    life = begun(down_payment=TAKEN).when(pay(106_000, month(1))).when(pay(105_000, month(2)))
    life.when(more(400_000, month(2)))
    life.then(ed.TrancheDisbursed, ScheduleChanged, PaymentReceived, PaymentAllocated)
    rows = life.state.rows
    assert [row.number for row in rows if row.due_on == month(2)] == [3, 4]
    assert (rows[3].principal_minor, rows[3].met_on) == (100_000, month(2))
    assert [row.principal_minor for row in rows[4:]] == [175_000] * 4
    assert down_payments_in(life.state.timeline) == {1, 4}
    ties_to_the_ledger(life)
    folded_again(life)


def test_what_is_due_on_its_day_comes_before_what_is_past_due() -> None:
    """Source: domain rules, T-24: it is the payment of the down payment, and of nothing older."""
    life = begun(down_payment=TAKEN).when(more(400_000, days_after(month(1), 5)))
    assert life.state.rows[1].paid_minor == 0
    assert life.state.rows[2].met_on == days_after(month(1), 5)


def test_credit_of_the_borrowers_pays_part_of_it() -> None:
    life = begun(down_payment=TAKEN).when(pay(621_000 + 30_000, month(1)))
    assert life.state.balances.overpaid_minor == 30_000
    life.when(more(400_000, month(2)))
    taken = next(event for event in life.last if isinstance(event, PaymentReceived))
    assert taken.amount_minor == 70_000
    assert life.state.balances.principal_minor == 300_000
    ties_to_the_ledger(life)


def test_one_that_is_dated_back_splits_later_payments_anew() -> None:
    life = begun(down_payment=TAKEN).when(pay(106_000, month(1))).when(pay(105_000, month(2)))
    life.when(more(400_000, days_after(month(1), 3)))
    assert any(isinstance(event, AllocationsRestated) for event in life.last)
    assert sum(row.principal_minor for row in life.state.rows) == 1_200_000
    ties_to_the_ledger(life)
    folded_again(life)


@pytest.mark.parametrize("agreed", [TAKEN, QUARTER], ids=["taken", "paid"])
def test_a_payout_that_comes_back_takes_along_what_was_taken_with_it(
    agreed: DownPaymentConditions,
) -> None:
    life = begun(down_payment=agreed).when(comes_back("d-1", days_after(START, 2)))
    back = [PaymentReversed, AllocationsRestated] if agreed.automatic else []
    life.then(*back, ed.DisbursementReturned)
    told = life.last[-1]
    assert isinstance(told, ed.DisbursementReturned)
    assert told.amount_minor == FIRST
    assert life.state.status is LoanStatus.RETURNED


def test_so_does_a_tranche() -> None:
    life = begun(down_payment=TAKEN).when(pay(106_000, month(1)))
    before = life.state
    life.when(more(400_000, month(2))).when(comes_back("d-2", days_after(month(2), 1)))
    life.then(PaymentReversed, AllocationsRestated, ed.TrancheReturned, AllocationsRestated)
    assert (life.state.rows, life.state.balances) == (before.rows, before.balances)
    ties_to_the_ledger(life)
    folded_again(life)


def test_a_payout_stays_once_something_else_followed() -> None:
    life = begun(down_payment=TAKEN).when(pay(1_000, month(1)))
    assert life.refused(comes_back("d-1", month(1))).code == "already_serviced"
    life.when(more(400_000, month(2))).when(pay(1_000, month(2)))
    assert life.refused(comes_back("d-2", month(2))).code == "already_serviced"
    paid = begun().when(down(200_000))
    assert paid.refused(comes_back("d-1", START)).code == "already_serviced"


def test_one_that_bounced_is_owed() -> None:
    life = begun(down_payment=TAKEN).when(reverse("d-1:down_payment", days_after(START, 3)))
    assert life.state.rows[0].met_on is None
    assert life.state.balances.principal_minor == FIRST
    ties_to_the_ledger(life)


def test_it_is_charged_back_like_any_payment_of_the_borrower() -> None:
    life = begun(down_payment=TAKEN).when(
        cr.ChargeBack(
            loan_id=LOAN,
            effective_on=days_after(START, 3),
            chargeback_id="cb",
            payment_id="d-1:down_payment",
            amount_minor=50_000,
        )
    )
    assert life.state.balances.principal_minor == 650_000
    ties_to_the_ledger(life)


def test_the_id_of_one_that_is_taken_is_kept_free() -> None:
    life = begun(down_payment=TAKEN).when(pay(1, month(1), "d-2:down_payment"))
    no = life.refused(more(400_000, month(2)))
    assert (no.code, no.field) == ("already_recorded", "disbursement_id")


def test_it_is_not_moved() -> None:
    move = ch.MoveDueDate(
        loan_id=LOAN, effective_on=START, change_id="m", instalment=1, due_on=month(1)
    )
    no = begun().refused(move, reason="asked")
    assert (no.code, no.field) == ("is_down_payment", "instalment")
    defer = ch.DeferPayments(loan_id=LOAN, effective_on=START, change_id="m", months=1)
    told = begun().when(defer, reason="ill").last[0]
    assert isinstance(told, ec.PaymentDeferred)
    assert (told.instalment, told.due_on) == (2, month(2))


def test_it_is_none_of_the_instalments_that_the_product_allows() -> None:
    life = begun(instalments_max=8)
    extend = ch.ExtendTerm(loan_id=LOAN, effective_on=START, change_id="x", instalments=3)
    assert life.refused(extend, reason="asked").code == "too_many_instalments"
    life.when(replace(extend, instalments=2), reason="asked")
    assert len(life.state.rows) == 9


def test_a_payout_that_would_be_due_at_once_as_a_whole_is_refused() -> None:
    most = replace(QUARTER, percent=Decimal(60))
    life = begun(down_payment=most, instalment_multiple_minor=100_000)
    no = life.refused(more(100_000, month(1)))
    assert (no.code, no.field) == ("down_payment_takes_all", "amount")


def test_no_payout_numbers_rows_anew_that_were_waived_on_since() -> None:
    life = begun()
    waiver = cs.Waive(
        loan_id=LOAN,
        effective_on=month(2),
        waiver_id="w",
        component=Component.INTEREST,
        amount_minor=1_000,
        instalment=3,
    )
    life.when(waiver, reason="kind")
    no = life.refused(more(400_000, month(1)))
    assert (no.code, no.field) == ("waived_since", "effective_on")
    life.when(more(400_000, days_after(month(2), 1)))


def test_a_schedule_of_the_loans_own_adds_up_to_the_rest() -> None:
    rows = tuple(CustomInstalment(due_on=month(k), principal_minor=100_000) for k in range(1, 7))
    product = replace(PRODUCT, method=RepaymentMethod.CUSTOM, payouts_max=1)
    life = accepted(FIRST, 6, conditions=product, custom=rows).when(pay_out(FIRST))
    assert [row.principal_minor for row in life.state.rows] == [200_000, *[100_000] * 6]
    with pytest.raises(Rejected, match="custom_inconsistent"):
        accepted(FIRST, 6, conditions=product, custom=rows[1:])


@pytest.mark.parametrize(
    ("method", "recalculation"),
    [pair for pair in METHODS if pair[0] is not RepaymentMethod.REVOLVING],
)
def test_a_loan_of_any_method_is_paid_off_with_it(
    method: RepaymentMethod, recalculation: Recalculation
) -> None:
    life = begun(1_600_000, method=method, recalculation=recalculation, payouts_max=1)
    assert sum(row.principal_minor for row in life.state.rows) == 1_600_000
    on = days_after(month(1), 10)
    life.when(charge(500, days_after(START, 2), instalment=2))
    life.when(pay(life.payoff(on), on))
    assert isinstance(life.last[-1], LoanSettled)
    ties_to_the_ledger(life)


@pytest.mark.parametrize(
    ("product", "code"),
    [
        ({"down_payment": replace(QUARTER, percent=Decimal(0))}, "percent_out_of_range"),
        ({"down_payment": replace(QUARTER, percent=Decimal(100))}, "percent_out_of_range"),
        (
            {
                "method": RepaymentMethod.REVOLVING,
                "recalculation": Recalculation.CONTINUOUS,
            },
            "not_offered",
        ),
    ],
)
def test_one_that_cannot_be_is_refused_with_the_product(product: dict[str, Any], code: str) -> None:
    no = product_refused(replace(PRODUCT, **product))
    assert (no.code, no.field) == (code, "down_payment")
