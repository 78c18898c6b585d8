"""罚息 and 复利 of stored loans: when they are charged, who pays them, what takes them back.

10,000.00 at 12 % falls due on 15 February with 100.00 of interest. At +50 % a day costs 5.00 on the
principal and 0.05 on the interest; misuse, at +100 %, costs 3.33 1/3 above the contract's rate.
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.commands import disbursement as cd
from domain.commands import ending as ce
from domain.commands import servicing as cs
from domain.events.arrears import (
    ArrearsCured,
    DelinquencyBucketChanged,
    PaymentMissed,
)
from domain.events.disbursement import DisbursementReturned
from domain.events.ending import LoanChargedOff, LoanSettled
from domain.events.servicing import (
    AllocationsRestated,
    ChargeAssessed,
    ChargeWaived,
    PaymentAllocated,
    PaymentReceived,
    PenaltyInterestCharged,
    ScheduleChanged,
    Split,
)
from domain.loan.day import day_figures
from domain.loan.payoff import payoff_quote
from domain.loan.terms import (
    Component,
    Compounding,
    Conditions,
    Recalculation,
    ScheduleDayCount,
)
from domain.postings import Account
from domain.servicing.explain_penalties import decimal_of, explain_penalties
from tests.support.charge_rules import OVERDUE as OVERDUE_RULE
from tests.support.lives import (
    LOAN,
    booked,
    close,
    month,
    pay,
    product_refused,
    reverse,
)
from tests.support.penal import (
    AGREED,
    DUE,
    FOLLOWING,
    MONTH_END,
    OWED,
    PENAL,
    PRINCIPAL_FIRST,
    allocated,
    by_days,
    charged,
    holds,
    penal,
)


@pytest.mark.parametrize("conditions", [PENAL, FOLLOWING], ids=["planned", "following"])
def test_the_close_of_a_month_charges_what_has_run(conditions: Conditions) -> None:
    life = penal(conditions)
    life.when(close(DUE)).then()
    life.when(close(by_days(12))).then(PaymentMissed, DelinquencyBucketChanged)
    life.when(close(MONTH_END)).then(PenaltyInterestCharged)
    assert charged(holds(life)) == [(MONTH_END, 6_500, 65)]
    assert life.state.balances.penalty_minor == 6_565
    life.when(close(MONTH_END)).then()
    life.when(close(date(2018, 3, 31)))
    assert charged(holds(life))[1:] == [(date(2018, 3, 31), 31 * 500, 31 * 5)]


def test_a_leap_day_is_a_day() -> None:
    life = penal()
    life.when(close(date(2020, 1, 31))).when(close(date(2020, 2, 28)))
    before = len(charged(life))
    life.when(close(date(2020, 2, 29))).then(PenaltyInterestCharged)
    assert charged(holds(life))[before:] == [(date(2020, 2, 29), 29 * 500, 29 * 5)]


def test_nothing_runs_on_the_due_date_nor_before() -> None:
    life = penal(instalments=12)
    life.when(close(date(2018, 1, 31))).then()
    life.when(pay(88_849, DUE)).then(PaymentReceived, PaymentAllocated)
    life.when(close(MONTH_END)).then()
    assert charged(holds(life)) == []


def test_a_payment_is_charged_to_its_day_and_pays_penalties_first() -> None:
    life = penal().when(pay(20_000, by_days(20)))
    life.then(PenaltyInterestCharged, PaymentReceived, PaymentAllocated)
    (line,) = allocated(life)
    assert (line.penalty_minor, line.interest_minor, line.principal_minor) == (10_100, 9_900, 0)
    assert charged(holds(life)) == [(by_days(20), 10_000, 100)]
    life.when(close(date(2018, 3, 31)))
    # 24 days more: on the principal as before, and on the 1.00 of interest that is left.
    assert charged(holds(life))[1:] == [(date(2018, 3, 31), 12_000, 1)]


def test_a_product_says_when_penalties_are_paid() -> None:
    life = penal(replace(PENAL, allocation=PRINCIPAL_FIRST)).when(pay(1_000_000, by_days(20)))
    (line,) = allocated(life)
    assert line.principal_minor == 1_000_000
    assert holds(life).state.balances.penalty_minor == 10_100


@pytest.mark.parametrize("conditions", [PENAL, FOLLOWING], ids=["planned", "following"])
def test_a_payoff_is_quoted_with_the_penalties_of_its_day(conditions: Conditions) -> None:
    on = by_days(20)
    quote = payoff_quote(penal(conditions).state, on)
    assert (quote.amount_minor, quote.penalty_minor) == (OWED + 10_100, 10_100)
    assert quote.per_diem_minor == 505
    short = penal(conditions).when(pay(quote.amount_minor - 1, on))
    assert holds(short).state.balances.owed_minor == 1
    life = penal(conditions).when(pay(quote.amount_minor, on))
    life.then(PenaltyInterestCharged, PaymentReceived, PaymentAllocated, LoanSettled)
    assert holds(life).state.balances.owed_minor == 0


def test_cured_in_mid_month_nothing_runs_any_more() -> None:
    life = penal(instalments=2)
    first = life.state.rows[0].unpaid_minor
    life.when(close(by_days(1)))
    life.when(pay(first + 50_000, by_days(5)))
    life.when(close(by_days(6))).then(ArrearsCured, DelinquencyBucketChanged)
    so_far = charged(holds(life))
    assert [on for on, _, _ in so_far] == [by_days(5)]
    life.when(close(MONTH_END)).then()
    assert charged(life) == so_far


@pytest.mark.parametrize("conditions", [PENAL, FOLLOWING], ids=["planned", "following"])
def test_a_payment_that_was_there_in_time_takes_all_penalties_back(conditions: Conditions) -> None:
    life = penal(conditions).when(close(MONTH_END))
    life.now = date(2018, 3, 10)
    life.when(pay(OWED, DUE))
    life.then(PaymentReceived, PaymentAllocated, LoanSettled, PenaltyInterestCharged)
    assert charged(holds(life)) == [(MONTH_END, 6_500, 65), (MONTH_END, -6_500, -65)]
    assert booked(life.events)[Account.PENALTY_INCOME] == 0
    assert life.state.balances.owed_minor == 0


def test_a_backdated_payment_takes_back_what_a_later_one_paid_of_penalties() -> None:
    life = penal().when(pay(20_000, by_days(20))).when(pay(500_000, by_days(8), "early"))
    life.then(PaymentReceived, PaymentAllocated, AllocationsRestated, PenaltyInterestCharged)
    # 8 days on all: 40.40 paid at once, then 100.00 of interest; 12 days on 5,141.... of principal.
    left = 1_000_000 - (500_000 - 4_040 - 10_000)
    after = round(left * 12 * 18 / 36_000)
    assert sum(penalty for _, penalty, _ in charged(life)) == 4_000 + after
    assert sum(compound for _, _, compound in charged(life)) == 40
    assert holds(life).state.balances.principal_minor == left - (20_000 - after)


def test_a_bounced_payment_brings_its_penalties_back() -> None:
    never = penal().when(close(MONTH_END))
    life = penal().when(pay(OWED, DUE, "p-1")).when(reverse("p-1", MONTH_END))
    assert holds(life).state.balances == never.state.balances
    assert sum(penalty for _, penalty, _ in charged(life)) == 6_500


def test_a_charge_of_a_day_closed_late_brings_the_penalties_on_what_it_leaves_unpaid() -> None:
    """A later payment then pays the charge before it pays principal."""
    life = penal(replace(PENAL, charge_rules=(OVERDUE_RULE,), charges=("OVERDUE",)), 2)
    life.when(pay(life.payoff(by_days(10)) - 100_000, by_days(10), "p-1"))
    life.when(pay(1, by_days(40), "p-2"))
    so_far = len(charged(life))
    life.when(close(by_days(6)))
    assert [type(event) for event in life.last][:2] == [ChargeAssessed, AllocationsRestated]
    assert len(charged(life)) == so_far + 1
    holds(life)
    life.when(close(by_days(6))).then()


def test_looking_often_charges_the_same() -> None:
    seldom, monthly = penal().when(close(date(2018, 12, 31))), penal()
    for number in range(2, 13):
        monthly.when(close(month(number - 1).replace(day=1) - timedelta(days=1)))
    monthly.when(close(date(2018, 12, 31)))
    assert len(charged(monthly)) == 11
    assert holds(monthly).state.balances == holds(seldom).state.balances


def test_what_is_refused_charges_nothing() -> None:
    life = penal()
    no = life.refused(pay(0, by_days(20)))
    assert no.code == "amount_out_of_range"
    life.when(cd.DeclareUseOfFunds(loan_id=LOAN, effective_on=by_days(20), use="car"))
    assert charged(life) == []


def test_penalties_can_be_waived_up_to_the_day() -> None:
    waiver = cs.Waive(
        loan_id=LOAN,
        effective_on=by_days(20),
        waiver_id="w",
        component=Component.PENALTY,
        amount_minor=10_100,
        instalment=1,
    )
    life = penal()
    assert life.refused(replace(waiver, amount_minor=10_101), reason="r").code == "more_than_owed"
    life.when(waiver, reason="r").then(PenaltyInterestCharged, ChargeWaived, ScheduleChanged)
    assert holds(life).state.balances.penalty_minor == 0
    assert payoff_quote(life.state, by_days(21)).penalty_minor == 505


def test_a_charged_off_loan_bears_no_more_and_one_taken_back_as_if_it_never_was() -> None:
    life = penal().when(ce.ChargeOffLoan(loan_id=LOAN, effective_on=by_days(20), cause="loss"))
    life.then(PenaltyInterestCharged, LoanChargedOff, ScheduleChanged)
    assert life.last[1].penalty_minor == 10_100  # type: ignore[attr-defined]
    assert booked(life.events)[Account.PENALTY_RECEIVABLE] == 0
    assert payoff_quote(life.state, by_days(30)).penalty_minor == 10_100
    undo = ce.ReverseChargeOff(loan_id=LOAN, effective_on=by_days(30), cause="error")
    life.when(undo, reason="r")
    assert holds(life).state.balances.penalty_minor == 30 * 505
    assert charged(life) == [(by_days(20), 10_000, 100), (by_days(30), 5_000, 50)]


def test_a_payout_that_came_back_bears_nothing() -> None:
    life = penal().when(close(MONTH_END))
    back = cd.ReturnDisbursement(
        loan_id=LOAN, effective_on=date(2018, 3, 2), disbursement_id="d-1", cause="closed account"
    )
    life.when(back).then(PenaltyInterestCharged, DisbursementReturned)
    assert set(booked(life.events).values()) == {0}


def test_a_day_shows_penalties_though_nothing_charged_them_yet() -> None:
    life = penal()
    assert day_figures(life.state, by_days(3)).overdue_penalty_minor == 1_515
    assert life.state.balances.penalty_minor == 0


def test_penalties_explain_themselves_to_the_minor_unit() -> None:
    life = penal().when(pay(20_000, by_days(20))).when(close(date(2018, 3, 31)))
    assert life.state.timeline is not None
    (found,) = explain_penalties(life.state.timeline.account)
    assert (found.penalty_minor, found.compound_minor) == (22_000, 101)
    assert [tuple(stretch)[:5] for stretch in found.stretches] == [
        ("penalty", DUE, date(2018, 3, 31), 1_000_000, Decimal("0.18")),
        ("compound", DUE, by_days(20), 10_000, Decimal("0.18")),
        ("compound", by_days(20), date(2018, 3, 31), 100, Decimal("0.18")),
    ]
    assert [decimal_of(stretch.earned) for stretch in found.stretches] == [
        22_000,
        100,
        Decimal("1.2"),
    ]
    assert explain_penalties(penal().when(pay(OWED, DUE)).state.timeline.account) == ()  # type: ignore[union-attr]


# --- what a product may say


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        (
            {"penalty": replace(AGREED, overdue_markup=Decimal("0.29"))},
            "penalty_rate_outside_band",
            "penalty",
        ),
        (
            {"penalty": replace(AGREED, misuse_markup=Decimal("1.01"))},
            "penalty_rate_outside_band",
            "penalty",
        ),
        (
            {"penalty": replace(AGREED, day_count=ScheduleDayCount.THIRTY_E_360)},
            "not_offered",
            "penalty",
        ),
        (
            {"penalty": replace(AGREED, day_count=ScheduleDayCount.THIRTY_360_PROPORTIONAL)},
            "not_offered",
            "penalty",
        ),
        ({"recalculation": Recalculation.AT_TRIGGER}, "not_offered", "penalty"),
        ({"recalculation": Recalculation.CONTINUOUS}, "rate_given_twice", "overdue_interest"),
        (
            {"non_performing_allocation": (Component.PRINCIPAL,)},
            "bad_allocation",
            "non_performing_allocation",
        ),
    ],
)
def test_what_a_product_cannot_agree_is_refused(
    changes: dict[str, object], code: str, field: str
) -> None:
    no = product_refused(replace(PENAL, **changes))  # type: ignore[arg-type]
    assert (no.code, no.field) == (code, field)


def test_without_compound_interest_only_principal_bears_a_penalty() -> None:
    simple = replace(AGREED, compounds=Compounding.NONE)
    assert charged(penal(replace(PENAL, penalty=simple)).when(close(MONTH_END))) == [
        (MONTH_END, 6_500, 0)
    ]


def test_observed_parts_are_not_taken_where_penalties_run() -> None:
    no = penal().refused(pay(100, DUE, split=Split(principal_minor=100)))
    assert (no.code, no.field) == ("penalties_run", "split")
