"""Interest that rests with the due dates: a payoff before the rest pays interest to it (P-33)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.servicing import operations as op
from domain.servicing.life import Life
from domain.servicing.performing import perform
from domain.servicing.values import (
    DaysInMonth,
    DaysInYear,
    InterestPeriod,
    Kind,
    PreClose,
    Recalculation,
    RestFrequency,
)
from tests.domain.servicing.plans import START, terms

EVERY_REST = pytest.mark.parametrize("rest", RestFrequency)


def lent(amount: int, **product: Any) -> Life:  # noqa: ANN401 - any field of the terms
    """Pay out a loan whose payoff asks for interest to the end of the running period."""
    given: dict[str, Any] = {
        "rate_annual": Decimal("0.36"),
        "instalments": 4,
        "recalculation": Recalculation.CONTINUOUS,
        "pre_close": PreClose.TILL_REST_FREQUENCY_DATE,
        "interest_period": InterestPeriod.DAILY,
        "days_in_month": DaysInMonth.D30,
        "days_in_year": DaysInYear.D360,
    }
    life = Life(terms(**(given | product)))
    perform(life, op.Disburse(on=START, amount_minor=amount))
    return life


def pays(life: Life, entered_on: date, amount: int, on: date | None = None) -> None:
    """Let a payment be entered on a day, perhaps with an earlier value date."""
    perform(life, op.SetBusinessDate(on=entered_on))
    perform(life, op.Transact(kind=Kind.REPAYMENT, on=on or entered_on, amount_minor=amount))


def pays_off(life: Life, on: date) -> int:
    """Pay what is quoted for a day, and expect nothing to be left, nor too much."""
    perform(life, op.SetBusinessDate(on=on))
    quoted = life.payoff(on)
    perform(life, op.PayOff(on=on))
    assert life.account.obligations_met
    assert life.account.overpaid == 0
    return quoted


@EVERY_REST
def test_a_payoff_asks_for_the_interest_of_the_running_period(rest: RestFrequency) -> None:
    life = lent(600_00, rest=rest)
    assert pays_off(life, date(2024, 2, 1)) == 600_00 + 18_00
    assert [row.paid.principal for row in life.account.instalments][1:] == [161_42, 161_42, 133_74]


@EVERY_REST
def test_it_does_so_though_the_running_instalment_was_paid_in_advance(rest: RestFrequency) -> None:
    """329.00 pay the first instalment and all of the second, which earns 3 % of 289.00 none the
    less."""
    life = lent(600_00, rest=rest)
    pays(life, date(2024, 2, 15), 329_00)
    assert life.account.instalments[1].outstanding == 0
    assert pays_off(life, date(2024, 3, 3)) == 289_00 + 8_67


def test_it_does_so_after_a_payment_that_is_dated_back() -> None:
    life = lent(1_000_00, rate_annual=Decimal("0.24"))
    pays(life, START, 64_00)
    pays(life, date(2024, 2, 20), 164_00, on=date(2024, 2, 11))
    pays(life, date(2024, 2, 21), 300_00)
    pays_off(life, date(2024, 2, 21))


def test_what_is_overdue_earns_to_the_rest_too() -> None:
    """3 % of 600.00 for the first period; the second earns on all of it, as nothing was paid."""
    life = lent(600_00)
    assert pays_off(life, date(2024, 2, 20)) == 600_00 + 18_00 + 18_00


def test_nothing_is_added_on_a_due_date_or_on_the_day_of_the_payout() -> None:
    assert pays_off(lent(600_00), date(2024, 2, 15)) == 600_00 + 18_00
    assert pays_off(lent(600_00), START) == 600_00


def test_a_payment_in_advance_counts_on_the_rest() -> None:
    """With a rest on the due dates a part that is paid early saves no interest until then."""
    early, late = (lent(600_00, rest=RestFrequency.SAME_AS_REPAYMENT) for _ in range(2))
    pays(early, date(2024, 2, 1), 400_00)
    pays(late, date(2024, 2, 15), 400_00)
    assert early.account.outstanding == late.account.outstanding


def test_less_than_the_payoff_counts_on_its_day_if_the_rest_is_daily() -> None:
    life = lent(600_00)
    quoted = life.payoff(date(2024, 2, 1))
    pays(life, date(2024, 2, 1), quoted - 1)
    first = life.account.instalments[0]
    assert first.paid.interest == 9_87  # 17 of 31 days


def test_the_principal_adds_up_whenever_money_comes() -> None:
    """Payments around the rest, one of them dated back before another."""
    life = lent(1_000_00, rest=RestFrequency.SAME_AS_REPAYMENT)
    for entered_on, amount, on in (
        (date(2024, 2, 1), 700_00, None),
        (date(2024, 3, 20), 120_00, date(2024, 3, 10)),
        (date(2024, 3, 21), 90_00, date(2024, 2, 20)),
    ):
        pays(life, entered_on, amount, on)
        assert sum(row.due.principal for row in life.account.instalments) == 1_000_00
        assert min(row.balance_after_minor for row in life.account.instalments) >= 0
