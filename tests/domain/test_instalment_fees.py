"""Fees on every instalment: in the plan from the first day, and with every plan after it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.commands import application as ca
from domain.commands import changes as ch
from domain.commands import disbursement as cd
from domain.commands import ending as ce
from domain.commands import undoing as cu
from domain.events import disbursement as ed
from domain.events import ending as ee
from domain.events import servicing as es
from domain.events.ending import LoanSettled, RestructureKind
from domain.loan.charge_rules import ChargeRule
from domain.loan.quote import planned
from domain.loan.terms import (
    ChargeBasis,
    ChargeOffBehaviour,
    ChargeTime,
    Component,
    DownPaymentConditions,
    Recalculation,
    RepaymentMethod,
)
from domain.postings import Account
from domain.servicing.values import ReAgeInterest
from tests.support.lives import (
    EVEN_PARTS,
    LOAN,
    METHODS,
    START,
    Life,
    accepted,
    booked,
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

FEE = ChargeRule(
    code="SERVICE", component=Component.FEE, time=ChargeTime.INSTALMENT, amount_minor=300
)
SHARE = replace(FEE, basis=ChargeBasis.PERCENT_OF_AMOUNT, amount_minor=0, percent=Decimal(1))
PRODUCT = replace(
    EVEN_PARTS,
    charges=("LATE", "NSF", "SERVICE"),
)


def lent(*rules: ChargeRule, **product: Any) -> Life:  # noqa: ANN401 - any field
    """6,000.00 at 1 % a month in six parts of 1,000.00."""
    conditions = replace(PRODUCT, charge_rules=rules or (FEE,), **product)
    return accepted(1_200_000, 6, conditions=conditions).when(pay_out(600_000))


def fees(life: Life) -> list[int]:
    return [row.fee_minor for row in life.state.rows]


def asked(life: Life, beside: int = 0) -> int:
    """What the events said of the fees; the rows ask for it, and for charges beside them."""
    said = sum(fee.amount_minor for fee in life.state.fees_asked)
    assert said + beside == sum(fees(life))
    ties_to_the_ledger(life)
    folded_again(life)
    return said


def test_a_fee_is_asked_for_with_every_instalment_from_the_payout_on() -> None:
    """Source: domain rules, F-04."""
    life = lent().then(ed.LoanDisbursed, es.InstalmentFeesChanged)
    assert fees(life) == [300] * 6
    assert life.state.balances.fee_minor == 1_800
    assert asked(life) == 1_800
    life.when(close(month(1))).then()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (SHARE, [1_000] * 6),
        (replace(SHARE, basis=ChargeBasis.PERCENT_OF_INTEREST), [60, 50, 40, 30, 20, 10]),
        (
            replace(SHARE, basis=ChargeBasis.PERCENT_OF_AMOUNT_AND_INTEREST),
            [1_060, 1_050, 1_040, 1_030, 1_020, 1_010],
        ),
        (replace(SHARE, basis=ChargeBasis.PERCENT_OF_DISBURSED), [6_000] * 6),
        (
            replace(
                SHARE, basis=ChargeBasis.PERCENT_OF_INTEREST, percent=Decimal(100), max_minor=4_000
            ),
            [4_000, 4_000, 4_000, 3_000, 2_000, 1_000],
        ),
        (
            replace(SHARE, basis=ChargeBasis.PERCENT_OF_INTEREST, min_minor=35),
            [60, 50, 40, 35, 35, 35],
        ),
    ],
    ids=["amount", "interest", "both", "of what was paid out", "at most", "at least"],
)
def test_a_share_is_of_the_instalment_or_of_what_was_paid_out(
    rule: ChargeRule, expected: list[int]
) -> None:
    """Sources: domain rules, F-07 to F-09, F-11; 5.1 按初始本金收费."""
    life = lent(rule)
    assert fees(life) == expected
    asked(life)


def test_it_is_paid_with_the_instalment_and_late_with_it() -> None:
    life = lent().when(pay(106_300, month(1)))
    assert life.state.rows[0].met_on == month(1)
    life.when(pay(105_000, month(2)))
    life.when(close(days_after(month(2), 1)))
    assert life.state.days_past_due == 1
    ties_to_the_ledger(life)


def test_the_plan_that_is_shown_has_it() -> None:
    """Source: domain rules, 5.7: what is shown at signing is what will be asked for."""
    life = lent()
    assert life.state.terms is not None
    terms = replace(life.state.terms, principal_minor=600_000)
    rows = planned(life.conditions, terms, from_on=START)
    assert [row.fee_minor for row in rows] == [300] * 6


def test_a_fee_that_was_not_disclosed_is_not_begun_with() -> None:
    conditions = replace(PRODUCT, charge_rules=(FEE,))
    life = accepted(1_200_000, 6, conditions=conditions)
    shown = ca.DiscloseCost(
        loan_id=LOAN,
        effective_on=START,
        annual_cost=Decimal("0.13"),
        method="irr",
        charges=("LATE",),
    )
    no = life.when(shown).refused(pay_out(600_000))
    assert (no.code, no.field) == ("charge_not_disclosed", "disbursement_id")
    assert "SERVICE" in no.detail


def test_tax_in_it_is_owed_to_the_tax_office() -> None:
    """Source: domain rules, F-20: of 18.00 at 6 % 1.02 are tax."""
    life = lent(replace(FEE, tax_percent=Decimal(6)))
    stands = booked(life.events)
    accounts = (Account.FEE_RECEIVABLE, Account.FEE_INCOME, Account.TAX_PAYABLE)
    assert [stands[account] for account in accounts] == [1_800, -1_698, -102]


def test_a_down_payment_bears_none() -> None:
    life = lent(down_payment=DownPaymentConditions(percent=Decimal(10)))
    assert fees(life) == [0, *[300] * 6]
    asked(life)


# --- other plans


def test_instalments_that_are_added_bear_it_too() -> None:
    for recalculation in (Recalculation.NONE, Recalculation.CONTINUOUS):
        life = lent(recalculation=recalculation).when(pay(106_300, month(1)))
        longer = ch.ExtendTerm(
            loan_id=LOAN, effective_on=days_after(month(1), 3), change_id="x", instalments=2
        )
        life.when(longer, reason="ill")
        assert fees(life) == [300] * 8
        assert isinstance(life.last[-1], es.InstalmentFeesChanged)
        asked(life)


def test_a_share_follows_what_a_further_payout_adds() -> None:
    life = lent(SHARE).when(pay(107_000, month(1)))
    more = replace(pay_out(400_000, month(2)), disbursement_id="d-2")
    life.when(more)
    assert fees(life) == [1_000, 1_000, *[2_000] * 4]
    asked(life)
    back = cd.ReturnDisbursement(
        loan_id=LOAN, effective_on=month(2), disbursement_id="d-2", cause="closed"
    )
    life.when(back)
    assert fees(life) == [1_000] * 6
    asked(life)


def test_it_moves_with_its_due_date() -> None:
    move = ch.MoveDueDate(
        loan_id=LOAN,
        effective_on=START,
        change_id="m",
        instalment=2,
        due_on=days_after(month(2), 10),
    )
    life = lent().when(move, reason="asked")
    assert fees(life) == [300] * 6
    life.when(pay(106_300, month(1)))
    assert fees(life) == [300] * 6
    asked(life)


def test_what_is_to_come_of_it_falls_due_with_the_instalments_of_a_restructuring() -> None:
    """The new plan has more instalments: each bears the fee, as the contract says."""
    life = lent(SHARE).when(restructured(days_after(month(2), 5), 10), reason="ill")
    rows = [row for row in life.state.rows if row.due_on > days_after(month(2), 5)]
    shares = [row.principal_minor // 100 for row in rows]
    assert [row.fee_minor for row in rows] == pytest.approx([shares[0] + 2_000, *shares[1:]], abs=1)
    asked(life)


@pytest.mark.parametrize("interest", list(ReAgeInterest))
@pytest.mark.parametrize("recalculation", [Recalculation.NONE, Recalculation.CONTINUOUS])
def test_what_is_unpaid_of_it_moves_to_the_instalments_of_a_re_ageing(
    interest: ReAgeInterest, recalculation: Recalculation
) -> None:
    """Source: domain rules, 9.9 S-09: all that is unpaid moves, and no more is asked for."""
    life, on = lent(recalculation=recalculation), days_after(month(9), 5)
    for k in range(1, 4):
        life.when(pay(110_000, days_after(month(6 + k), -1)))
    again = ch.ReAgeLoan(
        loan_id=LOAN,
        effective_on=on,
        re_age_id="r",
        first_due_on=days_after(on, 30),
        instalments=4,
        interest=interest,
        willing_and_able=True,
    )
    before = life.state.balances.fee_minor
    life.when(again, reason="willing")
    assert life.state.balances.fee_minor == before
    moved = sum(row.fee_left_minor for row in life.state.rows[-4:])
    assert moved == (before if "equal" in interest else 0), "what is past due may stay"
    assert asked(life) == 1_800


def restructured(on: Any, instalments: int = 4) -> ce.RestructureLoan:  # noqa: ANN401 - a date
    return ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=on,
        restructure_id="r",
        kind=RestructureKind.RESCHEDULE,
        first_due_on=days_after(on, 30),
        instalments=instalments,
        financial_difficulty=False,
    )


def test_the_instalments_of_a_new_plan_bear_their_own_and_what_was_past_due() -> None:
    """Of six instalments one was paid and one is past due: 3.00, beside 3.00 of each new one."""
    for recalculation in (Recalculation.NONE, Recalculation.CONTINUOUS):
        life = lent(recalculation=recalculation).when(pay(106_300, month(1)))
        life.when(restructured(days_after(month(2), 5)), reason="ill")
        assert fees(life) == [300, 600, 300, 300, 300]
        assert asked(life) == 1_800
        life.when(pay(50_000, days_after(month(2), 40)))
        assert sum(fees(life)) == 1_800
        asked(life)


def test_fees_to_come_are_off_when_the_contract_ends() -> None:
    end = ce.TerminateContract(loan_id=LOAN, effective_on=days_after(month(2), 5), cause="breach")
    for recalculation in (Recalculation.NONE, Recalculation.CONTINUOUS):
        life = lent(recalculation=recalculation).when(pay(106_300, month(1)))
        before = life.state
        life.when(end, reason="breach")
        assert life.state.balances.fee_minor == 600  # past due, and of the running instalment
        asked(life)
        undo = cu.ReverseTermination(loan_id=LOAN, effective_on=end.effective_on, cause="error")
        life.when(undo, reason="error")
        assert life.state.balances.fee_minor == before.balances.fee_minor
        assert fees(life) == [300] * 6
        asked(life)


@pytest.mark.parametrize("behaviour", list(ChargeOffBehaviour))
def test_a_charge_off_takes_what_is_owed_of_it_off_the_books(behaviour: ChargeOffBehaviour) -> None:
    life = lent(charge_off=behaviour).when(pay(106_300, month(1)))
    before = life.state.balances
    off = ce.ChargeOffLoan(loan_id=LOAN, effective_on=days_after(month(2), 5), cause="lost")
    life.when(off, reason="lost")
    accelerated = behaviour is ChargeOffBehaviour.ACCELERATE_MATURITY
    told = next(event for event in life.last if isinstance(event, ee.LoanChargedOff))
    assert told.fee_minor == (600 if accelerated else 1_500)
    assert booked(life.events)[Account.FEE_RECEIVABLE] == 0
    on = days_after(month(2), 6)
    life.when(ce.ReverseChargeOff(loan_id=LOAN, effective_on=on, cause="found"), reason="found")
    assert life.state.balances.fee_minor == before.fee_minor
    asked(life)


@pytest.mark.parametrize(
    ("method", "recalculation"),
    [pair for pair in METHODS if pair[0] is not RepaymentMethod.REVOLVING],
)
@pytest.mark.parametrize("rule", [FEE, SHARE], ids=["flat", "share"])
def test_a_payoff_pays_the_fees_of_all_instalments(
    method: RepaymentMethod, recalculation: Recalculation, rule: ChargeRule
) -> None:
    life = lent(rule, method=method, recalculation=recalculation)
    life.when(pay(min(life.state.rows[0].unpaid_minor, 110_000), month(1)))
    life.when(pay(70_001, days_after(month(1), 4)))
    life.when(charge(500, days_after(month(1), 5), instalment=len(life.state.rows)))
    on = days_after(month(1), 10)
    life.when(pay(life.payoff(on) - 1, on, "nearly"))
    asked(life, beside=500)
    assert 1 <= life.state.balances.owed_minor <= 2
    life.when(reverse("nearly", on))
    life.when(pay(life.payoff(on), on, "all"))
    assert any(isinstance(event, LoanSettled) for event in life.last)
    assert life.state.balances.owed_minor == 0
    asked(life, beside=500)


def test_a_payout_that_comes_back_never_asked_for_any() -> None:
    back = cd.ReturnDisbursement(
        loan_id=LOAN, effective_on=days_after(START, 2), disbursement_id="d-1", cause="closed"
    )
    life = lent(replace(FEE, tax_percent=Decimal(6))).when(back)
    life.then(es.InstalmentFeesChanged, ed.DisbursementReturned)
    assert not any(booked(life.events).values())


@pytest.mark.parametrize(
    ("rule", "product", "code"),
    [
        (replace(FEE, component=Component.PENALTY), {}, "not_chargeable"),
        (
            FEE,
            {
                "method": RepaymentMethod.REVOLVING,
                "recalculation": Recalculation.CONTINUOUS,
            },
            "not_offered",
        ),
        (replace(FEE, wait_days=1), {}, "not_used"),
        (replace(FEE, amount_minor=0), {}, "bad_bounds"),
    ],
)
def test_one_that_cannot_be_is_refused_with_the_product(
    rule: ChargeRule, product: dict[str, Any], code: str
) -> None:
    no = product_refused(replace(PRODUCT, charge_rules=(rule,), **product))
    assert (no.code, no.field) == (code, "charge_rules")


def test_a_cap_on_the_cost_a_year_cannot_cut_it() -> None:
    no = product_refused(replace(PRODUCT, charge_rules=(FEE,), rate_cap_annual=Decimal(1)))
    assert (no.code, no.field) == ("not_offered", "rate_cap_annual")
