"""Properties that hold for any life of a loan, by Hypothesis."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.decisions.agreeing import GIVEN
from domain.errors import Rejected
from domain.loan.booking import standing, standing_on
from domain.loan.quote import planned
from domain.loan.terms import (
    Conditions,
    RepaymentMethod,
    Rounding,
    ScheduleDayCount,
    Terms,
)
from tests.support.lives import CONDITIONS, METHODS, START, disbursed, folded_again, pay, reverse

amounts = st.integers(min_value=1, max_value=60_000)
days = st.integers(min_value=0, max_value=170)
payments = st.lists(st.tuples(amounts, days), max_size=12)
# Large enough to prepay, to settle the loan and to overpay it.
any_payments = st.lists(
    st.tuples(st.one_of(amounts, st.integers(min_value=60_001, max_value=1_500_000)), days),
    max_size=12,
)

products = st.sampled_from(
    [
        replace(CONDITIONS, method=method, recalculation=recalculation)
        for method, recalculation in METHODS
    ]
)
conventions = st.builds(
    Conditions,
    currency=st.just("USD"),
    amount_max_minor=st.just(10**9),
    rate_annual_max=st.just(Decimal(1)),
    instalments_max=st.just(120),
    method=st.sampled_from([method for method in RepaymentMethod if method not in GIVEN]),
    day_count=st.sampled_from(ScheduleDayCount),
    interest_rounding=st.sampled_from([Rounding.HALF_UP, Rounding.HALF_EVEN]),
    instalment_rounding=st.sampled_from(Rounding),
)
terms = st.builds(
    Terms,
    currency=st.just("USD"),
    principal_minor=st.integers(min_value=100, max_value=10**9),
    rate_annual=st.decimals(min_value=0, max_value=Decimal("0.6"), places=4),
    instalments=st.integers(min_value=1, max_value=120),
)


@given(conventions, terms, st.dates(min_value=START, max_value=START + timedelta(days=1500)))
def test_a_plan_repays_exactly_what_was_lent(
    conditions: Conditions, agreed: Terms, on: date
) -> None:
    rows = planned(conditions, agreed, from_on=on)
    assert sum(row.principal_minor for row in rows) == agreed.principal_minor
    assert all(row.principal_minor >= 0 and row.interest_minor >= 0 for row in rows)
    assert [row.due_on for row in rows] == sorted({row.due_on for row in rows})


@given(products, any_payments)
def test_money_is_conserved(conditions: Conditions, paid: list[tuple[int, int]]) -> None:
    life, taken = disbursed(conditions=conditions), 0
    for number, (amount, day) in enumerate(paid):
        try:
            life.when(pay(amount, START + timedelta(days=day), f"p{number}"))
        except Rejected:
            continue
        taken += amount
    rows = life.state.rows
    assert sum(row.paid_minor for row in rows) + life.state.balances.overpaid_minor == taken
    assert sum(row.principal_minor for row in rows) == 1_000_000
    for row in rows:
        assert row.unpaid_minor >= 0
        assert (row.met_on is not None) == (row.unpaid_minor == 0)
        assert min(row.principal_left_minor, row.interest_left_minor, row.penalty_left_minor) >= 0


@given(products, payments.flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))))
def test_the_order_of_recording_does_not_matter(
    conditions: Conditions,
    both: tuple[list[tuple[int, int]], list[tuple[int, int]]],
) -> None:
    made, shuffled = both
    if sum(amount for amount, _ in made) > 500_000:
        return  # a settled loan refuses what comes later, so order may then matter
    one, other = disbursed(conditions=conditions), disbursed(conditions=conditions)
    for life, order in ((one, made), (other, shuffled)):
        life.now = START + timedelta(days=170)
        for amount, day in order:
            on = START + timedelta(days=day)
            life.when(pay(amount, on, f"{amount}-{day}-{len(life.events)}"))
    assert one.state.balances == other.state.balances
    assert [row.due_on for row in one.state.rows if row.met_on] == [
        row.due_on for row in other.state.rows if row.met_on
    ]


@given(products, payments, amounts, days)
def test_a_payment_and_its_reversal_leave_no_trace_in_the_balances(
    conditions: Conditions, paid: list[tuple[int, int]], amount: int, day: int
) -> None:
    without = disbursed(conditions=conditions)
    end = START + timedelta(days=170)
    without.now = end
    for number, (each, on) in enumerate(paid):
        without.when(pay(each, START + timedelta(days=on), f"p{number}"))
    life = replace(without, events=list(without.events))
    try:
        life.when(pay(amount, START + timedelta(days=day), "extra"))
    except Rejected:
        return
    life.when(reverse("extra", end))
    assert without.state.timeline is not None
    untouched = standing_on(without.state.timeline, end)  # overdue interest runs to the reversal
    assert life.state.rows == untouched.rows
    assert life.state.balances == untouched.balances


@given(products, payments)
def test_folding_the_events_again_gives_the_same_loan(
    conditions: Conditions, paid: list[tuple[int, int]]
) -> None:
    life = disbursed(conditions=conditions)
    life.now = START + timedelta(days=170)
    for number, (amount, day) in enumerate(paid):
        life.when(pay(amount, START + timedelta(days=day), f"p{number}"))
    loan = folded_again(life)
    assert loan.timeline is not None
    told = loan.timeline.read(lambda ledger: standing(ledger, START))
    assert told.rows == loan.rows, "the engine disagrees with what was published"
    assert told.balances == loan.balances
