"""随借随还: drawn and repaid at will, interest by the day, held to sums that keep no balance."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.daycount import DayCount
from domain.money import parse_amount
from domain.servicing import facts as f
from domain.servicing.terms import AllocationRule, LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import Amortisation, Component, DueClass, Kind, Recalculation
from tests.domain.golden_methods import table
from tests.domain.servicing.plans import terms

PRINCIPAL_FIRST = AllocationRule(
    kind=None,
    order=tuple(
        (due, component)
        for due in DueClass
        for component in (
            Component.PRINCIPAL, Component.INTEREST, Component.FEE, Component.PENALTY,
        )
    ),
)  # fmt: skip
START = date(2024, 1, 5)


def credit_line(**changes: Any) -> LoanTerms:  # noqa: ANN401 - any field of the terms
    given = {
        "principal_minor": 50_000_00,
        "rate_annual": Decimal("0.1825"),
        "instalments": 1,
        "repayment_every": 12,
        "expected_disbursement_on": START,
        "day_count": DayCount.ACT_360,
        "amortisation": Amortisation.REVOLVING,
        "multiple_disbursements": True,
        "recalculation": Recalculation.CONTINUOUS,
        "allocation": (PRINCIPAL_FIRST,),
    }
    return terms(**(given | changes))


def moved(number: int, on: date, amount: int) -> f.Fact:
    if amount > 0:
        return f.Disbursed(id=f"{number:03}", effective_on=on, entered_on=on, amount_minor=amount)
    return f.Paid(
        id=f"{number:03}",
        effective_on=on,
        entered_on=on,
        kind=Kind.REPAYMENT,
        amount_minor=-amount,
    )


def lived(loan: LoanTerms, moves: list[tuple[date, int]]) -> Timeline:
    timeline = Timeline.start(loan)
    for number, (on, amount) in enumerate(moves):
        timeline = timeline.record(moved(number, on, amount))
    return timeline


def signed(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    return sign * parse_amount(text.removeprefix("-"), "CNY")


GOLDEN_MOVES = [
    (date.fromisoformat(row["on"]), signed(row["amount"])) for row in table("revolving_changes.csv")
]


@pytest.mark.parametrize("row", table("revolving_interest.csv"), ids=lambda row: row["until_on"])
def test_a_revolving_loan_earns_by_the_day(row: dict[str, str]) -> None:
    """Source: domain rules, 5.1 (按日计息、随借随还); golden file computed without a balance."""
    until_on = date.fromisoformat(row["until_on"])
    account = lived(credit_line(), [m for m in GOLDEN_MOVES if m[0] < until_on]).account
    assert account.interest_accrued_to(until_on) == parse_amount(row["interest"], "CNY")


def test_the_first_day_counts_and_the_last_does_not() -> None:
    """Source: domain rules, 5.1 (算头不算尾)."""
    line = lived(credit_line(rate_annual=Decimal("0.36")), [(START, 1_000_00)])
    assert line.account.interest_accrued_to(START) == 0
    assert line.account.interest_accrued_to(START + timedelta(days=1)) == 1_00


def test_interest_is_rounded_once_and_never_by_the_day() -> None:
    """Source: domain rules, 5.3: 2,500 at 9 % ACT/365F is 19.11 for 31 days, not 31 x 0.62."""
    loan = credit_line(rate_annual=Decimal("0.09"), day_count=DayCount.ACT_365F)
    line = lived(loan, [(START, 2_500_00)])
    assert line.account.interest_accrued_to(START + timedelta(days=31)) == 19_11


def test_statement_days_ask_for_the_interest_of_their_month_and_maturity_for_principal() -> None:
    """Source: domain rules, 5.1: no schedule except statement or maturity."""
    loan = credit_line(instalments=3, repayment_every=1, rate_annual=Decimal("0.36"))
    draws = [(START, 1_000_00), (START + timedelta(days=10), -410_00)]  # 10.00 is interest
    rows = lived(loan, draws).account.instalments
    assert [row.due.principal for row in rows] == [0, 0, 1_000_00]
    assert [row.due.interest for row in rows] == [10_00 + 21 * 60, 29 * 60, 31 * 60]
    assert [row.paid.principal for row in rows] == [0, 0, 400_00]


@st.composite
def moves(draw: st.DrawFn) -> list[tuple[date, int]]:
    """Draws, and repayments that never exceed what is owed then."""
    on, owed = START, draw(st.integers(min_value=1, max_value=10**7))
    made = [(on, owed)]
    for days in draw(st.lists(st.integers(min_value=0, max_value=40), max_size=8)):
        on += timedelta(days=days)
        amount = draw(st.integers(min_value=1 - owed, max_value=10**7))
        if amount:
            owed += amount
            made.append((on, amount))
    return made


@given(moves())
def test_interest_is_the_sum_over_what_each_move_earns_on_its_own(
    made: list[tuple[date, int]],
) -> None:
    """The oracle keeps no balance: a draw earns to the end, a repayment earns against it."""
    end = START + timedelta(days=350)
    exact = sum(
        (Fraction(amount) * Fraction("0.1825") * (end - on).days / 360 for on, amount in made),
        Fraction(0),
    )
    account = lived(credit_line(), made).account
    half_up = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    assert account.interest_accrued_to(end) == half_up


@given(moves(), st.randoms(use_true_random=False))
def test_the_order_of_recording_does_not_matter(
    made: list[tuple[date, int]], random: Random
) -> None:
    """Source: domain rules, 10 (invariant 3), for moves of different days."""
    apart = list(dict(reversed(made)).items())
    apart = [(on, abs(amount) if on == START else amount) for on, amount in sorted(apart)]
    facts = [moved(number, on, amount) for number, (on, amount) in enumerate(apart)]
    shuffled = list(facts)
    random.shuffle(shuffled)
    balances: list[tuple[int, int]] = []
    for order in (facts, shuffled):
        timeline = Timeline.start(credit_line())
        for fact in order:
            timeline = timeline.record(fact)
        owed = timeline.account.outstanding
        balances.append((owed.principal, owed.interest))
    assert balances[0] == balances[1]
