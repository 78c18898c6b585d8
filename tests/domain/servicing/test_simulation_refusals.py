"""What makes no sense for a simulated loan is refused with a stable code, and nothing else happens.

A seeded fuzz lets random terms meet random operations: refusals are the only trouble it allows.
"""

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from domain.daycount import DayCount
from domain.errors import Rejected
from domain.servicing import operations as op
from domain.servicing.account import Account
from domain.servicing.life import Life
from domain.servicing.performing import perform
from domain.servicing.simulation import simulate
from domain.servicing.terms import ChargeTerms, LoanTerms
from domain.servicing.values import (
    ChargeBasis,
    ChargeKind,
    ChargeTime,
    Kind,
    PreClose,
    Recalculation,
    Status,
    Unit,
)
from tests.domain.servicing.plans import START, terms
from tests.domain.servicing.random_lives import operations, sound_terms

FUZZ_SEEDS = 150
FEB, MARCH, APRIL = date(2024, 2, 15), date(2024, 3, 15), date(2024, 4, 15)
LAST = op.Reference(last_payment=True)


def loan(**changes: Any) -> LoanTerms:  # noqa: ANN401 - any field of the terms
    given = {
        "day_count": DayCount.ACT_365F,
        "recalculation": Recalculation.CONTINUOUS,
        "instalments": 3,
    }
    return terms(**(given | changes))


def today(on: date) -> op.Operation:
    return op.SetBusinessDate(on=on)


def paid(amount: int, on: date = FEB) -> op.Operation:
    return op.Transact(kind=Kind.REPAYMENT, on=on, amount_minor=amount)


def charge(time: ChargeTime, amount: int = 5_00) -> ChargeTerms:
    return ChargeTerms(
        code="fee", kind=ChargeKind.FEE, time=time, basis=ChargeBasis.FLAT, amount_minor=amount
    )


DATED = charge(ChargeTime.SPECIFIED_DUE_DATE)
OPENED: list[op.Operation] = [today(START), op.Disburse(on=START, amount_minor=1_000_00)]
ON_FEB = [*OPENED, today(FEB)]
PAID = [*ON_FEB, paid(340_00)]
CHARGED = [*ON_FEB, op.AddCharge(charge=DATED, due_on=FEB)]

REFUSED: list[tuple[str, str | None, list[op.Operation]]] = [
    # undone or given up twice, or with nothing there
    ("transaction_reversed", "target", [*PAID, op.Undo(target=LAST), op.Undo(target=LAST)]),
    ("transaction_not_found", "target", [*ON_FEB, op.Undo(target=LAST)]),
    (
        "transaction_not_reversible",
        "target",
        [*ON_FEB, op.Undo(target=op.Reference(kind=Kind.DISBURSEMENT))],
    ),
    ("nothing_to_undo", "kind", [*ON_FEB, op.UndoWaiveCharge()]),
    ("nothing_to_undo", "kind", [*ON_FEB, op.UndoLatest(kind=Kind.RE_AGE)]),
    ("nothing_to_undo", "kind", [*ON_FEB, op.UndoLatest(kind=Kind.REPAYMENT)]),
    ("loan_not_disbursed", None, [op.UndoDisbursal()]),
    ("charge_not_found", None, [*ON_FEB, op.WaiveCharge()]),
    ("nothing_to_waive", None, [*CHARGED, op.WaiveCharge(), op.WaiveCharge()]),
    (
        "nothing_to_undo",
        "kind",
        [*CHARGED, op.WaiveCharge(), op.UndoWaiveCharge(), op.UndoWaiveCharge()],
    ),
    # amounts that are none
    ("amount_out_of_range", "amount_minor", [*ON_FEB, paid(0)]),
    ("amount_out_of_range", "amount_minor", [*ON_FEB, paid(-1)]),
    ("amount_out_of_range", "amount_minor", [op.Disburse(on=START, amount_minor=0)]),
    ("amount_out_of_range", "amount_minor", [op.ExpectTranche(on=START, amount_minor=0)]),
    ("amount_out_of_range", "amount_minor", [op.Approve(amount_minor=0)]),
    ("amount_out_of_range", "amount_minor", [*ON_FEB, op.RefundCredit(on=FEB, amount_minor=0)]),
    ("amount_out_of_range", "amount_minor", [*PAID, op.ChargeBack(target=LAST, amount_minor=0)]),
    (
        "amount_out_of_range",
        "amount_minor",
        [*PAID, op.RefundInterest(target=LAST, amount_minor=0)],
    ),
    (
        "amount_out_of_range",
        "amount_minor",
        [*CHARGED, op.AdjustCharge(code="fee", due_on=FEB, amount_minor=0)],
    ),
    (
        "amount_out_of_range",
        "charge",
        [*ON_FEB, op.AddCharge(charge=charge(ChargeTime.INSTALMENT, 0))],
    ),
    # more than there is
    (
        "amount_out_of_range",
        "amount_minor",
        [*PAID, op.ChargeBack(target=LAST, amount_minor=340_01)],
    ),
    ("amount_out_of_range", "amount_minor", [*PAID, op.RefundCredit(on=FEB, amount_minor=1)]),
    (
        "amount_out_of_range",
        "amount_minor",
        [*CHARGED, op.AdjustCharge(code="fee", due_on=FEB, amount_minor=5_01)],
    ),
    # money, charges and dates that are not there
    ("loan_not_disbursed", None, [paid(1_00)]),
    ("date_before_disbursement", "on", [*ON_FEB, paid(1_00, on=date(2024, 1, 14))]),
    ("nothing_owed", "on", [*ON_FEB, op.PayOff(on=FEB), op.PayOff(on=FEB)]),
    (
        "payment_in_future",
        "target",
        [*ON_FEB, paid(5_00, on=MARCH), op.ChargeBack(target=LAST, amount_minor=1_00)],
    ),
    (
        "payment_charged_back",
        "target",
        [*PAID, op.ChargeBack(target=LAST, amount_minor=1_00), op.Undo(target=LAST)],
    ),
    (
        "transaction_not_a_payment",
        "target",
        [
            *ON_FEB,
            op.ChargeBack(target=op.Reference(kind=Kind.DISBURSEMENT), amount_minor=1_00),
        ],
    ),
    ("due_date_missing", "due_on", [*ON_FEB, op.AddCharge(charge=DATED)]),
    ("not_offered", "charge", [*ON_FEB, op.AddCharge(charge=charge(ChargeTime.YEARLY))]),
    (
        "instalment_not_found",
        "due_on",
        [*ON_FEB, op.AddCharge(charge=charge(ChargeTime.OVERDUE), due_on=START)],
    ),
    (
        "charge_not_found",
        "code",
        [*CHARGED, op.AdjustCharge(code="fee", due_on=MARCH, amount_minor=1_00)],
    ),
    (
        "transaction_unknown",
        "kind",
        [*ON_FEB, op.Transact(kind=Kind.ACCRUAL, on=FEB, amount_minor=1_00)],
    ),
    # changes
    ("loan_disbursed", None, [*ON_FEB, op.Approve(amount_minor=500_00)]),
    ("loan_disbursed", None, [*ON_FEB, op.UndoApproval()]),
    ("rate_out_of_range", "rate_annual", [op.ChangeRate(on=FEB, rate_annual=Decimal(-1))]),
    ("dates_out_of_order", "end", [op.PauseInterest(start=MARCH, end=FEB)]),
    (
        "pauses_overlap",
        "start",
        [*ON_FEB, *[op.PauseInterest(start=FEB, end=MARCH)] * 2],
    ),
    (
        "grace_not_offered",
        "grace_on_interest",
        [*ON_FEB, op.Reschedule(from_on=MARCH, grace_on_interest=1)],
    ),
    ("instalment_not_found", "from_on", [*ON_FEB, op.Reschedule(from_on=START, new_due_on=MARCH)]),
    (
        "count_out_of_range",
        "instalments",
        [*ON_FEB, op.ReAge(start_on=MARCH, every=1, unit=Unit.MONTHS, instalments=0)],
    ),
    ("nothing_past_due", None, [*OPENED, op.ReAmortise()]),
    ("loan_matured", None, [*OPENED, today(APRIL), op.ReAmortise()]),
]


@pytest.mark.parametrize(
    ("code", "field", "life"), REFUSED, ids=[f"{n}-{x[0]}" for n, x in enumerate(REFUSED)]
)
def test_what_makes_no_sense_is_refused_with_a_code(
    code: str, field: str | None, life: list[op.Operation]
) -> None:
    """Source: domain rules, 9.18: nothing throws at run time."""
    with pytest.raises(Rejected) as refusal:
        simulate(loan(), life)
    assert (refusal.value.code, refusal.value.field) == (code, field)


def test_periods_that_a_day_count_cannot_measure_are_refused_when_re_ageing() -> None:
    weeks = op.ReAge(start_on=MARCH, every=1, unit=Unit.WEEKS, instalments=3)
    with pytest.raises(Rejected) as refusal:
        simulate(loan(day_count=DayCount.ACT_ACT_ICMA), [*ON_FEB, weeks])
    assert refusal.value.code == "needs_regular_periods"


def test_an_approval_that_makes_the_terms_unsound_is_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        simulate(
            loan(first_due_on=FEB),
            [op.Approve(amount_minor=1_00, expected_disbursement_on=MARCH)],
        )
    assert refusal.value.code == "due_dates_out_of_order"


# --- what looks odd and is none: it must be followed to the cent


@pytest.mark.parametrize("recalculation", [Recalculation.NONE, Recalculation.CONTINUOUS])
def test_a_payoff_closes_a_loan_whose_rate_was_to_change_later(
    recalculation: Recalculation,
) -> None:
    raised = op.ChangeRate(on=date(2024, 3, 1), rate_annual=Decimal("0.3"))
    life = [*OPENED, raised, today(date(2024, 2, 1)), op.PayOff(on=date(2024, 2, 1))]
    account = simulate(loan(recalculation=recalculation), life).final.account
    assert account.status is Status.CLOSED_OBLIGATIONS_MET


def test_money_paid_out_in_a_pause_earns_when_the_pause_is_over() -> None:
    """17 days on 600.00 before the pause, 4 days on 1,000.00 after it: domain rules, S-07."""
    life = [
        today(START),
        op.Disburse(on=START, amount_minor=600_00),
        op.PauseInterest(start=date(2024, 2, 1), end=date(2024, 2, 10)),
        today(date(2024, 2, 5)),
        op.Disburse(on=date(2024, 2, 5), amount_minor=400_00),
    ]
    first = simulate(loan(recalculation=Recalculation.NONE), life).final.account.instalments[0]
    assert first.due.interest == round((600_00 * 17 + 1_000_00 * 4) * 0.12 / 365)


def test_a_payoff_that_pays_to_the_rest_date_pays_overdue_interest_to_it_too() -> None:
    """Two instalments overdue, interest to the end of the period: domain rules, 9.10."""
    whole = loan(pre_close=PreClose.TILL_REST_FREQUENCY_DATE)
    today_is = date(2024, 3, 20)
    account = simulate(whole, [*OPENED, today(today_is), op.PayOff(on=today_is)]).final.account
    assert account.status is Status.CLOSED_OBLIGATIONS_MET


@pytest.mark.parametrize("recalculation", [Recalculation.NONE, Recalculation.CONTINUOUS])
def test_a_chargeback_on_an_overpaid_loan_uses_what_was_overpaid(
    recalculation: Recalculation,
) -> None:
    """Source: domain rules, S-15, S-18: new debt is first met by the credit balance."""
    before: list[op.Operation] = [*ON_FEB, op.PayOff(on=FEB), paid(50_00)]
    back = op.ChargeBack(target=LAST, amount_minor=30_00)
    account = simulate(loan(recalculation=recalculation), [*before, back]).final.account
    assert (account.overpaid, account.outstanding.total) == (20_00, 0)


# --- fuzz


def seen(life: Life) -> tuple[Any, ...]:
    account: Account = life.account
    state = life.state()
    return account.instalments, state.transactions, account.charges, account.overpaid, life.stage


def performed_or_refused(life: Life, operation: op.Operation) -> bool:
    before = seen(life)
    try:
        perform(life, operation)
    except Rejected:
        assert seen(life) == before, "a refusal left a trace"
        return False
    return True


@pytest.mark.parametrize("tens", range(FUZZ_SEEDS // 10))
def test_random_operations_on_random_terms_are_performed_or_refused(tens: int) -> None:
    performed = 0
    for seed in range(10 * tens, 10 * tens + 10):
        r = Random(seed)  # noqa: S311 - a seeded run
        life = Life(sound_terms(r))
        for operation in operations(r, r.randint(1, 14)):
            performed += performed_or_refused(life, operation)
            assert life.account.payoff(life.today) >= 0, f"seed {seed}"
    assert performed > 10
