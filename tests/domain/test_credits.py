"""Credits that are no payment: goodwill, refunds with their interest, charges given back."""

from dataclasses import replace

import pytest

from domain.commands import crediting as c
from domain.commands import servicing as cs
from domain.commands.registry import Command
from domain.events import crediting as e
from domain.events import ending as ee
from domain.events import servicing as es
from domain.loan.booking import standing_on
from domain.loan.state import LoanStatus
from domain.loan.terms import RefundKind
from domain.postings import Account
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    booked,
    charge,
    days_after,
    disbursed,
    month,
    pay,
    reverse,
)
from tests.support.lives import ties_to_the_ledger as ties

LEVEL = 33_214
REFUNDING = replace(CONDITIONS, interest_refunded_with=(RefundKind.PAYOUT, RefundKind.MERCHANT))


def goodwill(amount: int, day: int = 15, credit_id: str = "g-1") -> c.CreditGoodwill:
    on = days_after(month(0), day)
    return c.CreditGoodwill(loan_id=LOAN, effective_on=on, credit_id=credit_id, amount_minor=amount)


def refund(
    amount: int, day: int = 15, refund_id: str = "f-1", *, interest: bool = True
) -> c.ReceiveRefund:
    return c.ReceiveRefund(
        loan_id=LOAN,
        effective_on=days_after(month(0), day),
        refund_id=refund_id,
        kind=RefundKind.MERCHANT,
        amount_minor=amount,
        refund_interest=interest,
    )


def adjust(amount: int, adjustment_id: str = "a-1", **more: object) -> c.AdjustCharge:
    plain = c.AdjustCharge(
        loan_id=LOAN,
        effective_on=month(1),
        adjustment_id=adjustment_id,
        charge_id="c-1",
        amount_minor=amount,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def test_goodwill_lowers_the_debt_as_a_payment_does_and_the_lender_bears_it() -> None:
    """Source: domain rules, 9.5 T-21; G-07."""
    life = disbursed().when(goodwill(LEVEL, 31), reason="complaint")
    life.then(e.GoodwillCredited, es.PaymentAllocated)
    told = life.last[1]
    assert isinstance(told, es.PaymentAllocated)
    assert told.kind is es.CreditKind.GOODWILL
    assert life.state.rows == disbursed().when(pay(LEVEL, month(1))).state.rows
    stands = booked(life.events)
    assert stands[Account.GOODWILL_EXPENSE] == LEVEL
    assert stands[Account.FUND_SOURCE] == -1_000_000
    ties(life)


def test_goodwill_needs_a_reason_and_never_gives_more_than_is_owed() -> None:
    life = disbursed()
    assert life.refused(goodwill(100)).code == "reason_missing"
    owed = life.payoff(days_after(month(0), 15))
    refused = life.refused(goodwill(owed + 1), reason="complaint")
    assert (refused.code, refused.field) == ("more_than_owed", "amount")
    life.when(goodwill(owed), reason="complaint")
    assert life.last[-1] == ee.LoanSettled(effective_on=days_after(month(0), 15), how="credited")
    assert life.refused(goodwill(1, 16, "g-2"), reason="complaint").code == "loan_settled"


def test_a_refund_makes_the_interest_on_it_undue() -> None:
    """Half a month of 31 days at 1 % on 2,000.00: the interest never was owed (9.9 S-16)."""
    life = disbursed(conditions=REFUNDING).when(refund(200_000))
    life.then(e.RefundReceived, es.PaymentAllocated, e.InterestRefunded, es.PaymentAllocated)
    told = life.last[2]
    assert isinstance(told, e.InterestRefunded)
    assert told.amount_minor == 968  # 200,000 x 0.01 x 15 / 31 = 967.74
    ties(life)
    stands = booked(life.events)
    assert stands[Account.INTEREST_INCOME] == 968
    assert stands[Account.FUND_SOURCE] == 200_000 - 1_000_000


def test_the_interest_refund_can_be_switched_off_for_a_refund() -> None:
    life = disbursed(conditions=REFUNDING).when(refund(200_000, interest=False))
    life.then(e.RefundReceived, es.PaymentAllocated)


@pytest.mark.parametrize("conditions", [CONDITIONS, PLANNED])
def test_a_product_that_refunds_no_interest_takes_the_refund_alone(conditions: object) -> None:
    life = disbursed(conditions=conditions).when(refund(200_000))  # type: ignore[arg-type]
    life.then(e.RefundReceived, es.PaymentAllocated)
    ties(life)


def test_the_whole_loan_refunded_at_once_costs_nothing() -> None:
    life = disbursed(conditions=REFUNDING).when(refund(1_000_000))
    assert life.state.status is LoanStatus.SETTLED
    assert life.state.balances.owed_minor == 0
    ties(life)


def test_a_refund_on_a_settled_loan_is_credit_of_the_borrowers() -> None:
    life = disbursed()
    life.when(pay(life.payoff(month(1)), month(1)))
    life.when(refund(5_000, 40)).then(e.RefundReceived, es.PaymentAllocated)
    assert life.state.status is LoanStatus.SETTLED
    assert life.state.balances.overpaid_minor == 5_000
    back = cs.RefundCreditBalance(
        loan_id=LOAN, effective_on=days_after(month(0), 40), refund_id="b-1", amount_minor=5_000
    )
    life.when(back)
    ties(life)


def test_no_more_is_given_back_than_was_paid_out() -> None:
    life = disbursed().when(refund(600_000))
    refused = life.refused(refund(400_001, 20, "f-2"))
    assert (refused.code, refused.field) == ("more_than_paid_out", "amount")
    life.when(refund(400_000, 20, "f-2"))


def test_a_refund_is_taken_back_with_its_interest() -> None:
    life, plain = disbursed(conditions=REFUNDING), disbursed(conditions=REFUNDING)
    life.when(refund(200_000)).when(reverse("f-1", days_after(month(0), 15)))
    life.then(
        es.PaymentReversed, es.AllocationsRestated, es.PaymentReversed, es.AllocationsRestated
    )
    assert life.state.balances == plain.state.balances
    moved = booked(life.events)
    moved.subtract(booked(plain.events))
    assert not any(moved.values())


def test_goodwill_is_taken_back_to_the_last_line_of_the_ledger() -> None:
    life = disbursed().when(pay(LEVEL, month(1), "later"))
    life.when(goodwill(10_000), reason="complaint")
    assert isinstance(life.last[-1], es.AllocationsRestated)  # the payment after it is split anew
    ties(life)
    life.when(reverse("g-1", month(1)))
    ties(life)
    assert booked(life.events)[Account.GOODWILL_EXPENSE] == 0
    assert life.state.rows == disbursed().when(pay(LEVEL, month(1))).state.rows


def test_a_charge_is_given_back_though_it_was_paid() -> None:
    """Source: domain rules, 9.5 T-16."""
    life = disbursed().when(charge(1_500, month(1))).when(pay(LEVEL + 1_500, month(1)))
    life.when(adjust(1_000), reason="error").then(e.ChargeAdjusted, es.PaymentAllocated)
    assert booked(life.events)[Account.CHARGES_GIVEN_BACK] == 1_000
    ties(life)
    refused = life.refused(adjust(501, "a-2"), reason="error")
    assert (refused.code, refused.field) == ("more_than_charged", "amount")
    life.when(adjust(500, "a-3"), reason="error")
    life.when(reverse("a-1", month(1))).when(adjust(1_000, "a-4"), reason="error")
    ties(life)


@pytest.mark.parametrize("conditions", [CONDITIONS, PLANNED, REFUNDING])
def test_a_loan_with_every_credit_is_replayed_and_paid_to_the_last_cent(
    conditions: object,
) -> None:
    life = disbursed(conditions=conditions).when(charge(1_500, month(1)))  # type: ignore[arg-type]
    life.when(refund(120_000, 12)).when(goodwill(3_333, 20), reason="complaint")
    life.when(pay(LEVEL, month(1))).when(adjust(700), reason="error")
    assert life.state.timeline is not None
    assert standing_on(life.state.timeline, life.now).balances == life.state.balances
    life.when(pay(life.payoff(month(2)), month(2), "last"))
    assert life.state.status is LoanStatus.SETTLED
    ties(life)


@pytest.mark.parametrize(
    ("command", "code", "field"),
    [
        (refund(0), "amount_out_of_range", "amount"),
        (refund(-5), "amount_out_of_range", "amount"),
        (refund(5, -1), "before_disbursement", "effective_on"),
        (replace(refund(5), currency="EUR"), "currency_mismatch", "currency"),
        (refund(5, refund_id="d-1"), "already_recorded", "refund_id"),
        (goodwill(0), "amount_out_of_range", "amount"),
        (adjust(1, charge_id="nothing"), "unknown_charge", "charge_id"),
        (adjust(1, charge_id="d-1"), "unknown_charge", "charge_id"),
        (adjust(1, effective_on=month(0)), "before_charge", "effective_on"),
        (adjust(0), "amount_out_of_range", "amount"),
    ],
)
def test_a_credit_that_cannot_be_is_refused(command: Command, code: str, field: str) -> None:
    refused = disbursed().when(charge(1_500, month(1))).refused(command, reason="any")
    assert (refused.code, refused.field) == (code, field)


def test_credit_that_was_paid_out_cannot_be_taken_back() -> None:
    """The money is gone: reverse the refund's cause only with the money in hand."""
    life = disbursed()
    life.when(pay(life.payoff(month(1)) + 700, month(1), "p-1"))
    back = cs.RefundCreditBalance(
        loan_id=LOAN, effective_on=month(1), refund_id="b-1", amount_minor=700
    )
    life.when(back)
    assert life.refused(reverse("p-1", month(1))).code == "credit_already_refunded"
