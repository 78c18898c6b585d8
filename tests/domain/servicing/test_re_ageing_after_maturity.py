"""A matured loan that is re-aged: new instalments earn on what was owed, day by day.

Source: domain rules, 9.9 S-09, S-10, S-15; that each day bears what was owed on it is ours. The
plan's balances are held against sums of the loan's own transactions.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.daycount import DayCount
from domain.servicing import operations as op
from domain.servicing.account import Amounts
from domain.servicing.life import Life
from domain.servicing.performing import perform
from domain.servicing.period import Period
from domain.servicing.principal_owed import RAISES_BALANCE
from domain.servicing.values import (
    Amortisation,
    InterestPeriod,
    Kind,
    OverdueInterest,
    PreClose,
    ReAgeInterest,
    ReAmortiseInterest,
    Recalculation,
    RestFrequency,
    Unit,
)
from tests.domain.servicing.plans import START, terms
from tests.domain.servicing.test_principal_adds_up import LATEST, charged_back, paid, today

DAY = timedelta(days=1)
PRINCIPAL = 6_000_00
MATURITY = date(2024, 7, 15)
RE_AGED_ON = date(2024, 10, 20)
FIRST_DUE = date(2024, 11, 20)
SOLVED = (ReAgeInterest.DEFAULT, ReAgeInterest.WAIVE_INTEREST)
EVEN = (
    ReAgeInterest.EQUAL_AMORTISATION_PAYABLE_INTEREST,
    ReAgeInterest.EQUAL_AMORTISATION_FULL_INTEREST,
)
Steps = list[op.Operation]

THRICE: Steps = [
    *paid(date(2024, 8, 14), 1_100_00),
    *paid(date(2024, 9, 14), 1_100_00),
    *paid(date(2024, 10, 14), 1_100_00),
]
LIVES: dict[str, Steps] = {
    "nothing paid": [],
    "paid thrice": THRICE,
    "paid on the day": paid(RE_AGED_ON, 1_100_00),
    "paid the day after maturity": paid(MATURITY + DAY, 1_100_00),
    "paid on maturity and later": [*paid(MATURITY, 500_00), *THRICE],
    "paid in time, then late": [*paid(date(2024, 2, 15), 1_035_29), *THRICE],
    "paid late in the term and after it": [*paid(date(2024, 4, 1), 1_500_00), *THRICE],
    "all but the interest": [*paid(date(2024, 8, 1), 5_800_00), *paid(date(2024, 9, 1), 500_00)],
    "charged back after maturity": [*THRICE, charged_back(400_00)],
    "charged back and paid again": [
        *paid(date(2024, 8, 14), 1_100_00),
        today(date(2024, 8, 30)),
        charged_back(1_000_00),
        *paid(date(2024, 9, 14), 5_500_00),
    ],
    "charged back of a loan that was paid": [
        *paid(date(2024, 7, 20), 6_400_00),
        today(date(2024, 8, 30)),
        charged_back(1_000_00),
        *paid(date(2024, 9, 14), 100_00),
    ],
    "a payment reversed": [*THRICE, op.Undo(target=LATEST)],
    "an earlier payment reversed": [
        *THRICE,
        op.Undo(target=op.Reference(kind=Kind.REPAYMENT, on=date(2024, 8, 14))),
    ],
    "a payment dated back": [
        *THRICE,
        op.Transact(kind=Kind.REPAYMENT, on=date(2024, 7, 25), amount_minor=200_00),
    ],
}


def born(*steps: op.Operation, **product: Any) -> Life:  # noqa: ANN401 - any field of the terms
    """6,000.00 in six months at 12 % by the day, paid out, and what came then."""
    given = {
        "principal_minor": PRINCIPAL,
        "instalments": 6,
        "day_count": DayCount.ACT_360,
        "recalculation": Recalculation.CONTINUOUS,
    }
    life = Life(terms(**(given | product)))
    for step in (today(START), op.Disburse(on=START, amount_minor=PRINCIPAL), *steps):
        perform(life, step)
    return life


def re_aged(
    life: Life, interest: ReAgeInterest, on: date = RE_AGED_ON, start_on: date = FIRST_DUE
) -> Life:
    perform(life, today(on))
    fact = op.ReAge(start_on=start_on, every=1, unit=Unit.MONTHS, instalments=3, interest=interest)
    perform(life, fact)
    return life


def owed_after(life: Life, on: date) -> int:
    """Principal owed at the end of a day, by the transactions."""
    owed = 0
    for entry in life.account.transactions:
        if entry.on <= on and not entry.reversed:
            if entry.kind in RAISES_BALANCE:
                owed += entry.amount_minor
            elif entry.kind is Kind.CHARGEBACK:
                owed += entry.split.principal - entry.overpayment_minor
            elif entry.kind is Kind.REPAYMENT:
                owed -= entry.split.principal
    return owed


def new_periods(life: Life) -> list[Period]:
    return life.timeline.read(lambda ledger: ledger.plan.periods[-3:])


def balances(period: Period) -> dict[date, int]:
    """What a period earns on, by day."""
    return {sub.from_on + n * DAY: sub.balance for sub in period.subs for n in range(sub.days)}


def bears_what_was_owed(life: Life, until: date) -> None:
    """Every day of the plan, from the payout on, earns on what was owed on it."""
    borne: dict[date, int] = {}
    for period in life.timeline.read(lambda ledger: ledger.plan.periods):
        borne |= balances(period)
    days = [START + n * DAY for n in range((until - START).days)]
    assert {day: borne[day] for day in days} == {day: owed_after(life, day) for day in days}


def earned(owed: list[int]) -> int:
    return int((sum(map(Decimal, owed)) * Decimal("0.12") / 360).to_integral_value())


@pytest.mark.parametrize("interest", SOLVED)
@pytest.mark.parametrize(
    "amortisation", [Amortisation.EQUAL_INSTALMENTS, Amortisation.EQUAL_PRINCIPAL]
)
@pytest.mark.parametrize("name", LIVES)
def test_a_matured_loan_that_is_re_aged_earns_on_what_was_owed_on_each_day(
    name: str, amortisation: Amortisation, interest: ReAgeInterest
) -> None:
    life = born(*LIVES[name], amortisation=amortisation)
    principal = owed_after(life, RE_AGED_ON)
    unpaid = life.payoff(RE_AGED_ON) - principal if interest is ReAgeInterest.DEFAULT else 0
    assert life.account.outstanding.principal == principal
    re_aged(life, interest)

    first, *others = new_periods(life)
    bears_what_was_owed(life, until=FIRST_DUE)
    days = balances(first)
    assert list(days) == [MATURITY + n * DAY for n in range((FIRST_DUE - MATURITY).days)]
    assert first.interest == unpaid + earned(list(days.values()))
    asked = first.due_interest
    for before, period in zip([first, *others], others, strict=False):
        balance = before.closing_balance()
        assert set(balances(period).values()) <= {balance}
        days_long = (period.due_on - period.from_on).days
        assert period.interest == before.carried + earned([balance] * days_long)
        asked += period.due_interest
    assert [row.due.principal for row in life.account.instalments[-3:]] == [
        period.due_principal for period in (first, *others)
    ]
    assert life.account.outstanding == Amounts(principal=principal, interest=asked)
    assert others[-1].closing_balance() == 0


PAYOFF_DAYS = (
    RE_AGED_ON,
    RE_AGED_ON + DAY,
    date(2024, 11, 1),
    FIRST_DUE,
    date(2024, 12, 1),
    date(2025, 1, 20),
    date(2025, 3, 3),
)


@pytest.mark.parametrize("interest", ReAgeInterest)
@pytest.mark.parametrize(
    "amortisation", [Amortisation.EQUAL_INSTALMENTS, Amortisation.EQUAL_PRINCIPAL]
)
@pytest.mark.parametrize("name", LIVES)
def test_a_payoff_closes_a_matured_loan_that_was_re_aged(
    name: str, amortisation: Amortisation, interest: ReAgeInterest
) -> None:
    for on in PAYOFF_DAYS:
        life = re_aged(born(*LIVES[name], amortisation=amortisation), interest)
        put_back = sum(
            t.split.principal for t in life.account.transactions if t.kind is Kind.CHARGEBACK
        )
        perform(life, today(on))
        perform(life, op.PayOff(on=on))
        closes(life, PRINCIPAL + put_back, on)


def closes(life: Life, principal: int, on: date) -> None:
    account = life.account
    assert account.outstanding == Amounts(), on
    assert account.overpaid == 0, on
    assert life.payoff(on) == 0
    assert sum(row.due.principal for row in account.instalments) == principal
    assert account.instalments[-1].balance_after_minor == 0


@pytest.mark.parametrize("interest", SOLVED)
@pytest.mark.parametrize(
    ("second_on", "second_due"),
    [
        (date(2024, 11, 5), date(2024, 12, 5)),  # within the first new period
        (date(2024, 12, 10), date(2025, 1, 10)),
        (date(2025, 4, 25), date(2025, 5, 25)),  # after the new maturity, and late payments
    ],
)
def test_it_may_be_re_aged_again(
    second_on: date, second_due: date, interest: ReAgeInterest
) -> None:
    life = re_aged(born(*THRICE), ReAgeInterest.DEFAULT)
    later = [second_on - 20 * DAY, second_on - 5 * DAY] if second_on.year > 2024 else [second_on]
    for on in later:
        for step in paid(on, 900_00):
            perform(life, step)
    principal = owed_after(life, second_on)
    re_aged(life, interest, second_on, second_due)
    first = new_periods(life)[0]
    bears_what_was_owed(life, until=second_due)
    assert balances(first)[second_on] == life.account.outstanding.principal == principal
    for on in (second_on, second_due - DAY, second_due, second_due + 90 * DAY):
        perform(life, today(on))
        quote = life.payoff(on)
        assert quote >= principal
    perform(life, op.PayOff(on=on))
    closes(life, PRINCIPAL, on)


@pytest.mark.parametrize("interest", ReAgeInterest)
def test_a_late_payment_that_is_reversed_afterwards_never_was(interest: ReAgeInterest) -> None:
    never = re_aged(born(*THRICE[:4]), interest)
    life = re_aged(born(*THRICE), interest)
    perform(life, op.Undo(target=LATEST))
    assert life.account.instalments == never.account.instalments
    assert life.account.outstanding == never.account.outstanding
    assert balances(new_periods(life)[0]) == balances(new_periods(never)[0])


@pytest.mark.parametrize(
    "amortisation", [Amortisation.EQUAL_INSTALMENTS, Amortisation.EQUAL_PRINCIPAL]
)
@pytest.mark.parametrize("late", [date(2024, 3, 1), date(2024, 4, 14), date(2024, 5, 20)])
def test_what_was_paid_late_within_the_term_counts_on_its_day_too(
    late: date, amortisation: Amortisation
) -> None:
    on, due = date(2024, 5, 20), date(2024, 6, 20)
    life = born(*paid(late, 1_500_00), today(on), amortisation=amortisation)
    principal = owed_after(life, on)
    unpaid = life.payoff(on) - principal
    re_aged(life, ReAgeInterest.DEFAULT, on, due)
    bears_what_was_owed(life, until=due)
    assert new_periods(life)[0].interest == unpaid + earned([principal] * (due - on).days)
    assert life.payoff(on) == principal + unpaid
    perform(life, op.PayOff(on=on))
    closes(life, PRINCIPAL, on)


@pytest.mark.parametrize("interest", ReAgeInterest)
@pytest.mark.parametrize(
    "product",
    [
        {"rest": RestFrequency.SAME_AS_REPAYMENT, "pre_close": PreClose.TILL_REST_FREQUENCY_DATE},
        {"overdue_interest": OverdueInterest.DOES_NOT_EARN},
        {"interest_period": InterestPeriod.SAME_AS_REPAYMENT_PERIOD, "day_count": None},
    ],
)
@pytest.mark.parametrize(
    "name", ["paid late in the term and after it", "charged back after maturity"]
)
def test_a_payoff_closes_it_whatever_the_product_says_of_overdue_principal(
    name: str, product: dict[str, Any], interest: ReAgeInterest
) -> None:
    for on in PAYOFF_DAYS:
        life = re_aged(born(*LIVES[name], **product), interest)
        put_back = 400_00 if "charged" in name else 0
        principal = owed_after(life, RE_AGED_ON)
        assert life.account.outstanding.principal == principal
        perform(life, today(on))
        perform(life, op.PayOff(on=on))
        closes(life, PRINCIPAL + put_back, on)


@pytest.mark.parametrize(
    "interest", [ReAmortiseInterest.DEFAULT, ReAmortiseInterest.EQUAL_AMORTISATION_INTEREST_SPLIT]
)
@pytest.mark.parametrize("late", [date(2024, 3, 1), date(2024, 4, 14), date(2024, 5, 16)])
def test_re_amortising_forgets_no_interest_of_what_was_paid_late(
    late: date, interest: ReAmortiseInterest
) -> None:
    """Source: domain rules, 9.9 S-12, S-13."""
    on = date(2024, 5, 20)
    life = born(*paid(late, 1_500_00), today(on))
    owed = life.payoff(on)
    perform(life, op.ReAmortise(interest=interest))
    assert life.payoff(on) == owed
    perform(life, op.PayOff(on=on))
    closes(life, PRINCIPAL, on)
