"""随借随还 on stored loans: a limit, draws and repayments at will, interest by the day."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.commands import disbursement as cd
from domain.errors import Rejected
from domain.events import disbursement as ed
from domain.events.ending import LoanReopened, LoanSettled
from domain.events.servicing import AllocationsRestated, ScheduleChanged
from domain.loan.booking import standing_on
from domain.loan.headroom import Headroom, headroom
from domain.loan.state import LoanStatus
from domain.loan.terms import Recalculation, RepaymentMethod, ScheduleDayCount
from domain.servicing.facts import Paid
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    START,
    Life,
    accepted,
    close,
    days_after,
    folded_again,
    month,
    pay,
    product_refused,
    reverse,
    ties_to_the_ledger,
)

LINE = replace(
    CONDITIONS,
    method=RepaymentMethod.REVOLVING,
    day_count=ScheduleDayCount.ACT_360,
    payouts_max=1_000,
    four_eyes_from_minor=10**9,
)
LIMIT = 5_000_000


def draw(amount: int, on: date, name: str | None = None) -> cd.DisburseLoan:
    return cd.DisburseLoan(
        loan_id=LOAN,
        effective_on=on,
        disbursement_id=name or f"d-{on}-{amount}",
        amount_minor=amount,
    )


def drawn(amount: int = 1_000_000, instalments: int = 12, **product: int) -> Life:
    """A line of 50,000.00 at 36 % a year whose first draw was on START."""
    life = accepted(LIMIT, instalments, "0.36", conditions=replace(LINE, **product))
    return life.when(draw(amount, START)).then(ed.LoanDisbursed)


def room(life: Life, on: date) -> Headroom:
    return headroom(life.state, on)


def test_a_statement_asks_for_interest_and_maturity_for_what_is_drawn() -> None:
    """10,000.00 at 36 % a year on 360 days is 10.00 a day."""
    rows = drawn(instalments=3).state.rows
    assert [row.principal_minor for row in rows] == [0, 0, 1_000_000]
    assert [row.interest_minor for row in rows] == [31_000, 28_000, 31_000]


def test_each_day_earns_on_what_is_drawn_that_day() -> None:
    life = drawn(instalments=3).when(draw(2_000_000, days_after(START, 10)))
    life.then(ed.TrancheDisbursed, ScheduleChanged)
    assert life.state.rows[0].interest_minor == 10 * 1_000 + 21 * 3_000
    life.when(pay(10_000 + 5 * 3_000 + 500_000, days_after(START, 15), "p-1"))
    first = life.state.rows[0]
    assert first.interest_minor == 10 * 1_000 + 5 * 3_000 + 16 * 2_500
    assert life.state.balances.principal_minor == 2_500_000
    ties_to_the_ledger(life)
    folded_again(life)


def test_a_draw_stays_within_the_limit_and_repayment_makes_room() -> None:
    """循环额度: what may be drawn is the limit less what is owed (TRM-4)."""
    life = drawn()
    on = days_after(START, 10)
    assert room(life, on) == Headroom(
        on=on,
        limit_minor=LIMIT,
        drawn_minor=1_000_000,
        outstanding_minor=1_000_000,
        available_minor=4_000_000,
        payouts_left=999,
    )
    no = life.refused(draw(4_000_001, on))
    assert (no.code, no.field) == ("limit_exceeded", "amount")
    life.when(draw(4_000_000, on))
    assert room(life, on).available_minor == 0
    assert life.refused(draw(1, on)).code == "limit_exceeded"
    interest = 10 * 1_000 + 10 * 5_000
    life.when(pay(interest + 700_000, days_after(START, 20), "p-1"))
    assert room(life, days_after(START, 20)).available_minor == 700_000
    assert room(life, days_after(START, 19)).available_minor == 0, "it was repaid later"
    life.when(draw(700_000, days_after(START, 20)))


def test_a_draw_dated_back_fits_on_every_day_since() -> None:
    life = drawn().when(draw(3_500_000, days_after(START, 20)))
    no = life.refused(draw(500_001, days_after(START, 5)))
    assert no.code == "limit_exceeded"
    life.when(draw(500_000, days_after(START, 5))).then(ed.TrancheDisbursed, ScheduleChanged)
    assert life.state.rows[0].interest_minor == 5 * 1_000 + 15 * 1_500 + 11 * 5_000
    ties_to_the_ledger(life)


def test_credit_of_a_later_day_is_no_room_on_an_earlier_one() -> None:
    paid_on = days_after(START, 20)
    life = drawn().when(pay(1_000_000 + 20 * 1_000 + 300, paid_on, "p-1"))
    assert life.state.balances.overpaid_minor == 300
    assert room(life, paid_on).available_minor == LIMIT + 300
    no = life.refused(draw(LIMIT - 1_000_000 + 1, days_after(START, 15)))
    assert (no.code, no.field) == ("limit_exceeded", "amount")


def test_a_line_repaid_whole_is_settled_until_it_is_drawn_again() -> None:
    life = drawn()
    on = days_after(START, 10)
    life.when(pay(life.payoff(on), on, "p-1"))
    assert isinstance(life.last[-1], LoanSettled)
    assert room(life, on).available_minor == LIMIT
    life.when(draw(2_000_000, month(2)))
    life.then(ed.TrancheDisbursed, ScheduleChanged, LoanReopened)
    assert life.state.status is LoanStatus.ACTIVE
    assert life.state.rows[2].interest_minor == 31 * 2_000
    ties_to_the_ledger(life)
    folded_again(life)


def test_a_payment_that_bounces_may_leave_the_line_over_its_limit_and_nothing_to_draw() -> None:
    life = drawn(LIMIT)
    on = days_after(START, 10)
    life.when(pay(10 * 5_000 + 1_000_000, on, "p-1")).when(draw(1_000_000, on, "d-2"))
    life.when(reverse("p-1", days_after(on, 1)))
    assert life.state.balances.principal_minor == LIMIT + 1_000_000
    assert room(life, days_after(on, 1)).available_minor == 0
    assert life.refused(draw(1, days_after(on, 1))).code == "limit_exceeded"
    ties_to_the_ledger(life)


def test_a_draw_comes_back_and_leaves_no_trace_in_the_figures() -> None:
    life = drawn()
    before = life.state
    life.when(draw(500_000, month(1), "d-2"))
    back = cd.ReturnDisbursement(
        loan_id=LOAN, effective_on=month(1), disbursement_id="d-2", cause="account closed"
    )
    life.when(back).then(ed.TrancheReturned, AllocationsRestated)
    assert (life.state.rows, life.state.balances) == (before.rows, before.balances)
    assert room(life, month(1)).available_minor == LIMIT - 1_000_000


def test_nothing_is_drawn_once_the_line_has_matured() -> None:
    life = drawn(instalments=3)
    life.now = month(4)
    assert life.refused(draw(1, month(3))).code == "after_maturity"
    assert room(life, month(3)).available_minor == 0
    life.when(draw(1, days_after(month(3), -1)))


def test_a_cap_below_the_limit_holds_too() -> None:
    life = drawn(outstanding_max_minor=1_500_000)
    assert room(life, START).available_minor == 500_000
    assert life.refused(draw(500_001, START, "d-2")).code == "above_outstanding_max"
    life.when(draw(500_000, START, "d-2"))


def test_a_statement_that_is_not_paid_is_past_due() -> None:
    life = drawn(instalments=3).when(close(days_after(month(1), 5)))
    assert life.state.in_arrears
    assert life.state.missed == {1}


@pytest.mark.parametrize(
    ("product", "code", "field"),
    [
        ({"recalculation": Recalculation.NONE}, "recalculation_missing", "recalculation"),
        ({"payouts_max": 1}, "bad_bounds", "payouts_max"),
    ],
)
def test_a_revolving_product_earns_by_the_day_and_is_drawn_more_than_once(
    product: dict[str, Any], code: str, field: str
) -> None:
    no = product_refused(replace(LINE, **product))
    assert (no.code, no.field) == (code, field)


moves = st.lists(
    st.tuples(
        st.sampled_from(["draw", "draw all", "pay", "pay off", "reverse", "return"]),
        st.integers(min_value=0, max_value=25),  # days that go by
        st.one_of(st.just(0), st.integers(min_value=0, max_value=30)),  # how far it is dated back
        st.integers(min_value=1, max_value=LIMIT // 2),
    ),
    max_size=14,
)


def moved(life: Life, what: str, on: date, amount: int, name: str) -> None:
    """Do one thing; all of it may be refused."""
    if what in {"draw", "draw all"}:
        available = room(life, on).available_minor
        life.when(draw(available if what == "draw all" else amount, on, name))
    elif what in {"pay", "pay off"}:
        life.when(pay(life.payoff(on) if what == "pay off" else amount, on, name))
    elif what == "reverse":
        assert life.state.timeline is not None
        paid = [fact.id for fact in life.state.timeline.facts if isinstance(fact, Paid)]
        life.when(reverse(paid[amount % len(paid)] if paid else "none", life.now))
    else:
        more = life.state.tranches_out
        last = more[-1].disbursement_id if more else "none"
        back = cd.ReturnDisbursement(
            loan_id=LOAN, effective_on=life.now, disbursement_id=last, cause="x"
        )
        life.when(back)


@given(moves)
def test_no_draw_passes_the_limit_and_no_money_is_lost(
    made: list[tuple[str, int, int, int]],
) -> None:
    """Drawn less repaid is owed; a draw never leaves more than the limit outstanding."""
    life = drawn()
    for number, (what, days, back, amount) in enumerate(made):
        life.now += timedelta(days=days)
        on = max(START, life.now - timedelta(days=back))
        owed_before = life.state.balances.principal_minor
        try:
            moved(life, what, on, amount, f"{what}-{number}")
        except Rejected:
            continue
        state = life.state
        assert state.timeline is not None
        shown = room(life, on)
        assert 0 <= shown.available_minor <= LIMIT + state.balances.overpaid_minor
        if what.startswith("draw"):
            assert state.balances.principal_minor <= max(LIMIT, owed_before)
            assert shown.outstanding_minor <= LIMIT
        paid = sum(row.principal_paid_minor for row in state.rows)
        assert state.paid_out_minor - paid == state.balances.principal_minor
        ties_to_the_ledger(life)
        stood = standing_on(state.timeline, life.now).balances
        assert stood.principal_minor == state.balances.principal_minor
    folded_again(life)
