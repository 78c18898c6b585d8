"""Every repayment method lived through: draws, payments early, late and partial, the payoff."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.daycount import DayCount
from domain.servicing import facts as f
from domain.servicing.account import Account, Amounts
from domain.servicing.terms import CustomInstalment, LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import Amortisation, Kind, Recalculation
from tests.domain.servicing.plans import START, terms

DAY = timedelta(days=1)
CUSTOM = tuple(
    CustomInstalment(due_on=START + DAY * days, principal_minor=amount)
    for days, amount in ((20, 100_00), (45, 0), (100, 350_00), (190, None))
)
CUSTOM_WHOLE = tuple(
    CustomInstalment(due_on=row.due_on, instalment_minor=None if row is CUSTOM[-1] else 150_00)
    for row in CUSTOM
)
METHODS: dict[str, dict[str, Any]] = {
    "annuity": {},
    "equal_principal": {"amortisation": Amortisation.EQUAL_PRINCIPAL},
    "interest_only": {"amortisation": Amortisation.INTEREST_ONLY},
    "bullet": {"amortisation": Amortisation.BULLET},
    "equal_amortisation": {"amortisation": Amortisation.EQUAL_AMORTISATION},
    "fixed": {"amortisation": Amortisation.FIXED_INSTALMENT, "instalment_minor": 250_00},
    "custom": {"amortisation": Amortisation.CUSTOM, "custom": CUSTOM, "instalments": 4},
    "custom_whole": {"amortisation": Amortisation.CUSTOM, "custom": CUSTOM_WHOLE, "instalments": 4},
    "revolving": {"amortisation": Amortisation.REVOLVING},
    "principal_grace": {"amortisation": Amortisation.EQUAL_PRINCIPAL, "grace_on_principal": 2},
    "interest_grace": {"amortisation": Amortisation.EQUAL_PRINCIPAL, "grace_on_interest": 2},
    "interest_free": {"interest_free_periods": 3},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Some days later money moves: out if negative."""

    days: int
    amount: int


def product(method: str, recalculation: Recalculation) -> LoanTerms:
    given: dict[str, Any] = {
        "day_count": DayCount.ACT_365F,
        "instalments": 6,
        "multiple_disbursements": True,
        "recalculation": recalculation,
    }
    return terms(**(given | METHODS[method]))


def live(loan: LoanTerms, steps: list[Step]) -> tuple[Timeline, date]:
    on = START
    timeline = Timeline.start(loan).record(
        f.Disbursed(id="0", effective_on=on, entered_on=on, amount_minor=600_00)
    )
    for number, step in enumerate(steps, 1):
        on += DAY * step.days
        timeline = timeline.record(fact(str(number), on, step.amount))
    return timeline, on


def fact(fact_id: str, on: date, amount: int) -> f.Fact:
    if amount < 0:
        return f.Disbursed(id=fact_id, effective_on=on, entered_on=on, amount_minor=-amount)
    return f.Paid(
        id=fact_id, effective_on=on, entered_on=on, kind=Kind.REPAYMENT, amount_minor=amount
    )


def nothing_is_negative(account: Account) -> bool:
    parts: list[Amounts] = []
    for row in account.instalments:
        parts += [row.due, row.paid, row.waived]
        assert row.outstanding >= 0
        assert row.balance_after_minor >= 0
    return all(min(p.principal, p.interest, p.fees, p.penalties) >= 0 for p in parts)


METHOD = st.sampled_from(sorted(METHODS))
RECALCULATION = st.sampled_from([Recalculation.NONE, Recalculation.CONTINUOUS])
STEPS = st.lists(
    st.builds(
        Step,
        days=st.integers(min_value=0, max_value=50),
        amount=st.one_of(
            st.integers(min_value=1, max_value=300_00), st.just(-100_00), st.just(105_00)
        ),
    ),
    max_size=8,
)


@given(METHOD, RECALCULATION, STEPS)
def test_principal_is_conserved_and_nothing_is_negative(
    method: str, recalculation: Recalculation, steps: list[Step]
) -> None:
    """Source: domain rules, 10 (invariants 1 and 12)."""
    timeline, _ = live(product(method, recalculation), steps)
    account = timeline.account
    drawn = sum(amount for _, amount in account.disbursements)
    assert sum(row.due.principal for row in account.instalments) == drawn
    assert nothing_is_negative(account)
    for entry in account.transactions:
        if entry.kind is Kind.REPAYMENT:
            assert entry.split.total + entry.overpayment_minor == entry.amount_minor


@given(METHOD, RECALCULATION, STEPS, st.integers(min_value=0, max_value=90))
def test_the_payoff_closes_the_loan_to_the_cent(
    method: str, recalculation: Recalculation, steps: list[Step], days: int
) -> None:
    """Source: domain rules, 5.6 (payoff quote); 一分一毫地还清."""
    timeline, on = live(product(method, recalculation), steps)
    on += DAY * days
    owed = timeline.account_as_of(on).payoff(on)
    if not owed:
        return
    account = timeline.record(fact("payoff", on, owed)).account
    assert account.obligations_met
    assert account.overpaid == timeline.account.overpaid


@pytest.mark.parametrize("method", ["equal_principal", "interest_only", "revolving"])
def test_principal_paid_early_saves_its_interest_from_that_day(method: str) -> None:
    """Source: domain rules, 5.1 (按日计息); 9.10 "Early payment"."""
    loan = product(method, Recalculation.CONTINUOUS)
    late = Timeline.start(loan).record(fact("0", START, -600_00))
    early = late.record(fact("1", START + DAY * 15, 200_00))
    interest = [
        sum(row.due.interest for row in timeline.account.instalments) for timeline in (late, early)
    ]
    assert interest[0] > interest[1]


def test_balances_after_each_row_run_down_to_nothing() -> None:
    timeline, _ = live(product("equal_principal", Recalculation.CONTINUOUS), [])
    rows = timeline.account.instalments
    left = list(accumulate((row.due.principal for row in rows), lambda a, b: a - b, initial=600_00))
    assert [row.balance_after_minor for row in rows] == left[1:]
    assert left[-1] == 0


def test_a_new_rate_keeps_principal_that_was_paid_ahead_into_a_principal_grace() -> None:
    """Source: domain rules, 9.10, P-27: what a graced instalment collected stays collected."""
    loan = terms(
        instalments=5,
        day_count=DayCount.ACT_365F,
        grace_on_principal=1,
        recalculation=Recalculation.CONTINUOUS,
    )
    timeline = Timeline.start(loan).record(fact("0", START, -600_00))
    timeline = timeline.record(fact("1", START, 300_00))
    later = START + DAY * 6
    change = f.RateChanged(
        id="2", effective_on=later, entered_on=later, rate_annual=Decimal("0.05")
    )
    rows = timeline.record(change).account.instalments
    assert sum(row.due.principal for row in rows) == 600_00
    assert rows[-1].balance_after_minor == 0


def test_a_new_rate_may_ask_again_of_an_instalment_that_was_met_early() -> None:
    """Source: domain rules, 9.10: the containing and later periods are solved anew."""
    loan = terms(instalments=7, day_count=DayCount.ACT_360, recalculation=Recalculation.CONTINUOUS)
    timeline = Timeline.start(loan).record(fact("0", START, -600_00))
    timeline = timeline.record(fact("1", START, 250_00))
    later = START + DAY * 20
    change = f.RateChanged(id="2", effective_on=later, entered_on=later, rate_annual=Decimal("0.9"))
    rows = timeline.record(change).account.instalments
    assert sum(row.due.principal for row in rows) == 600_00


def test_what_is_drawn_on_the_last_due_date_falls_due_after_it() -> None:
    """Source: domain rules, 9.10: money on a due date affects the next instalment; 5.1, one amount.

    The term had been shortened to three instalments of the six that the product allows.
    """
    steps = [Step(days=0, amount=-100_00), Step(days=91, amount=-100_00)]
    timeline, _ = live(product("fixed", Recalculation.NONE), steps)
    rows = timeline.account.instalments
    assert [row.due.principal for row in rows] == [242_87, 245_64, 211_49, 100_00]
    assert [row.balance_after_minor for row in rows] == [457_13, 211_49, 0, 0]
