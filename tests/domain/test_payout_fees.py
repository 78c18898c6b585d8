"""Fees kept back from payouts: fixed or a share, from the first or from each (放款扣费)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.commands import application as ca
from domain.commands import disbursement as cd
from domain.decisions.payout_fees import amount_of
from domain.events import disbursement as ed
from domain.loan.terms import FeeTime, PayoutFee
from domain.postings import Account
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    START,
    Life,
    accepted,
    booked,
    folded_again,
    month,
    product_refused,
    ties_to_the_ledger,
)

OPENING = PayoutFee(code="OPEN", taken=FeeTime.FIRST_PAYOUT, amount_minor=5_000)
SHARE = PayoutFee(code="TRANCHE", percent=Decimal("1.5"), min_minor=1_000, max_minor=8_000)
FEES = replace(
    CONDITIONS,
    charges=("LATE", "OPEN", "TRANCHE"),
    payout_fees=(OPENING, SHARE),
    payouts_max=3,
    four_eyes_from_minor=10**9,
)


def pay_out(amount: int, name: str = "d-1", months: int = 0) -> cd.DisburseLoan:
    on = month(months) if months else START
    return cd.DisburseLoan(loan_id=LOAN, effective_on=on, disbursement_id=name, amount_minor=amount)


def comes_back(name: str, months: int = 0) -> cd.ReturnDisbursement:
    on = month(months) if months else START
    return cd.ReturnDisbursement(
        loan_id=LOAN, effective_on=on, disbursement_id=name, cause="account closed"
    )


def kept(life: Life) -> list[tuple[str, int]]:
    told = life.last[0]
    assert isinstance(
        told, ed.LoanDisbursed | ed.TrancheDisbursed | ed.TrancheReturned | ed.DisbursementReturned
    )
    return [(fee.code, fee.amount_minor) for fee in told.fees]


def cash(life: Life) -> tuple[int, int, int]:
    """What stands on portfolio, fund source and fee income."""
    stands = booked(life.events)
    accounts = (Account.LOAN_PORTFOLIO, Account.FUND_SOURCE, Account.FEE_INCOME)
    return tuple(stands[account] for account in accounts)  # type: ignore[return-value]


def test_fees_are_kept_back_and_the_whole_is_owed() -> None:
    """4,000.00 less 50.00 for opening and 1.5 %, which is 60.00."""
    life = accepted(1_000_000, 6, conditions=FEES).when(pay_out(400_000))
    assert kept(life) == [("OPEN", 5_000), ("TRANCHE", 6_000)]
    assert life.state.balances.principal_minor == 400_000
    assert cash(life) == (400_000, -389_000, -11_000)
    ties_to_the_ledger(life)


def test_a_later_payout_pays_the_fee_of_each_and_not_of_the_first() -> None:
    life = accepted(1_000_000, 6, conditions=FEES).when(pay_out(400_000))
    life.when(pay_out(200_000, "d-2", 1))
    assert kept(life) == [("TRANCHE", 3_000)]
    assert cash(life) == (600_000, -586_000, -14_000)
    ties_to_the_ledger(life)
    folded_again(life)


def test_fees_go_back_with_the_payout_they_were_kept_from() -> None:
    life = accepted(1_000_000, 6, conditions=FEES).when(pay_out(400_000))
    life.when(pay_out(200_000, "d-2", 1)).when(comes_back("d-2", 1))
    assert kept(life) == [("TRANCHE", 3_000)]
    assert cash(life) == (400_000, -389_000, -11_000)
    life.when(comes_back("d-1", 1))
    assert kept(life) == [("OPEN", 5_000), ("TRANCHE", 6_000)]
    assert cash(life) == (0, 0, 0)


@pytest.mark.parametrize(
    ("payout", "fee"),
    [(100_000, 1_500), (100_033, 1_500), (100_034, 1_501), (100, 1_000), (900_000, 8_000)],
)
def test_a_share_is_rounded_half_up_and_kept_within_its_bounds(payout: int, fee: int) -> None:
    assert amount_of(SHARE, payout) == fee


def test_a_fee_that_was_not_disclosed_is_not_taken() -> None:
    life = accepted(1_000_000, 6, conditions=FEES)
    shown = ca.DiscloseCost(
        loan_id=LOAN,
        effective_on=START,
        annual_cost=Decimal("0.13"),
        method="irr",
        charges=("LATE", "OPEN"),
    )
    no = life.when(shown).refused(pay_out(400_000))
    assert (no.code, no.field) == ("charge_not_disclosed", "disbursement_id")


def test_a_payout_is_more_than_its_fees() -> None:
    life = accepted(1_000_000, 6, conditions=FEES)
    no = life.refused(pay_out(6_000))
    assert (no.code, no.field) == ("fees_exceed_payout", "amount")
    life.when(pay_out(6_001))


@pytest.mark.parametrize(
    ("fees", "code"),
    [
        ((replace(OPENING, code="OTHER"),), "unknown_charge"),
        ((OPENING, replace(OPENING, amount_minor=1)), "fee_repeated"),
        ((replace(OPENING, amount_minor=0),), "bad_bounds"),
        ((replace(OPENING, min_minor=1),), "bad_bounds"),
        ((replace(SHARE, amount_minor=1),), "bad_bounds"),
        ((replace(SHARE, percent=Decimal(0)),), "bad_bounds"),
        ((replace(SHARE, percent=Decimal(101)),), "bad_bounds"),
        ((replace(SHARE, min_minor=8_001),), "bad_bounds"),
    ],
)
def test_unsound_fees_are_refused_when_the_product_is_defined(
    fees: tuple[PayoutFee, ...], code: str
) -> None:
    changes: dict[str, Any] = {"payout_fees": fees}
    no = product_refused(replace(FEES, **changes))
    assert (no.code, no.field) == (code, "payout_fees")
