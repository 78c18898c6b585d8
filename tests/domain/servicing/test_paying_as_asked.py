"""What a payment does not change is not derived again, and what no day reaches is looked at as one.

Each life is folded twice: as it is done, and with everything derived, or looked at, one by one.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import localcontext
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.servicing import allocation, movements, views
from domain.servicing import facts as f
from domain.servicing.fold import apply, evaluate, open_ledger
from domain.servicing.ledger import Ledger
from domain.servicing.period import Period
from domain.servicing.plan import Plan
from domain.servicing.terms import LoanTerms
from domain.servicing.values import Kind, Recalculation
from tests.domain.servicing.properties import ordinary_terms
from tests.domain.servicing.random_lives import DAY, LENT, START


def _following(r: Random) -> LoanTerms:
    """Draw terms of a loan whose plan follows payments."""
    while True:
        terms = replace(ordinary_terms(r), recalculation=Recalculation.CONTINUOUS)
        if terms.recalculates and not terms.validate():
            return terms


def _paid(number: int, on: date, amount: int) -> f.Paid:
    return f.Paid(
        id=f"{number:04}",
        effective_on=on,
        entered_on=on,
        kind=Kind.REPAYMENT,
        amount_minor=amount,
    )


def _life(r: Random, terms: LoanTerms) -> Iterator[tuple[f.Fact, Ledger]]:
    """Pay about what is asked on about its day, now and then something else, or part of it."""
    ledger = open_ledger(terms, START)
    paid_out = f.Disbursed(id="0000", effective_on=START, entered_on=START, amount_minor=LENT)
    apply(ledger, paid_out, list)
    yield paid_out, ledger
    on = START
    for number in range(1, r.randint(2, 12)):
        row = next((row for row in ledger.rows if not row.met), None)
        if row is None:
            return
        on = max(on, row.due_on + DAY * r.choice([0, 0, 0, 0, 0, 1, 20, 45, -3, -9]))
        asked = max(1, row.outstanding)
        more = asked + r.choice([20_00, 20_00, 3 * asked])
        less = 1 + asked // r.choice([2, 2, 99])
        amount = r.choice([asked, asked, asked, asked, less, asked + 1, more])
        fact = _paid(number, on, amount)
        evaluate(ledger, on)
        apply(ledger, fact, list)
        yield fact, ledger


def _looks(ledger: Ledger) -> tuple[Any, ...]:
    """All that later facts and readers see of a state."""
    rows = [
        (row.due_on, *(sorted(part.items()) for part in (row.due, row.paid)), row.met, row.met_on)
        for row in ledger.rows
    ]
    periods = [[getattr(p, name) for name in SEEN] for p in ledger.plan.periods]
    balances = [
        [(sub.from_on, sub.due_on, sub.balance, sub.moved) for sub in period.subs]
        for period in ledger.plan.periods
    ]
    return rows, periods, balances, ledger.overpaid, ledger.entries


SEEN = sorted(set(Period.__slots__) - {"subs"})


def _never(*_: object) -> bool:
    return False


def _looked_at(seed: int) -> list[tuple[f.Fact, tuple[Any, ...]]]:
    terms = _following(Random(seed))  # noqa: S311 - a seeded run
    with localcontext(terms.arithmetic()):
        life = _life(Random(seed), terms)  # noqa: S311 - a seeded run
        return [(fact, _looks(ledger)) for fact, ledger in life]


@pytest.mark.property
@given(st.integers(min_value=0, max_value=2**63))
def test_nothing_else_would_come_of_deriving_all_again(seed: int) -> None:
    """Source: domain rules, 9.10 "Recalculation on": what is due comes off the balance anyway."""
    short = _looked_at(seed)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(movements, "pays_as_asked", _never)
        assert _looked_at(seed) == short


def test_most_payments_on_their_day_are_of_that_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The road that is compared is walked."""
    walked: list[bool] = []
    asked = movements.pays_as_asked

    def seen(*arguments: Any) -> bool:  # noqa: ANN401 - as the rule
        walked.append(asked(*arguments))
        return walked[-1]

    monkeypatch.setattr(movements, "pays_as_asked", seen)
    for seed in range(20):
        _looked_at(seed)
    assert sum(walked) > len(walked) // 5


def test_so_is_interest_in_advance(monkeypatch: pytest.MonkeyPatch) -> None:
    """The road that is compared is walked."""
    walked: list[bool] = []
    pay, asked = allocation.pay_interest, movements.pays_as_asked

    def seen(plan: Plan, period: Period, on: date, amount: int) -> None:
        if on < period.due_on and amount:
            walked.append(asked(plan, period))
        pay(plan, period, on, amount)

    monkeypatch.setattr(allocation, "pay_interest", seen)
    for seed in range(100):
        _looked_at(seed)
    assert sum(walked) > 5


def _no_tail(*_: object) -> None:
    return None


@pytest.mark.property
@given(st.integers(min_value=0, max_value=2**63))
def test_looking_at_each_later_period_apart_would_ask_for_the_same(seed: int) -> None:
    """Source: domain rules, 9.10 "Early payment": what no day reaches asks for principal alone."""
    at_once = _looked_at(seed)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(views, "_tail_behind", _no_tail)
        assert _looked_at(seed) == at_once


def test_many_payments_in_advance_find_later_periods_that_are_looked_at_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The road that is compared is walked."""
    walked: list[bool] = []
    behind = getattr(views, "_tail_behind")  # noqa: B009 - it is private, and watched alone

    def seen(*arguments: Any) -> object:  # noqa: ANN401 - as the rule
        tail = behind(*arguments)
        walked.append(tail is not None)
        return tail

    monkeypatch.setattr(views, "_tail_behind", seen)
    for seed in range(60):
        _looked_at(seed)
    assert sum(walked) > 5
