"""Terms changed on the way: another rate, a pause of interest, more instalments."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.commands import changes as c
from domain.commands import ending as ce
from domain.commands.registry import Command
from domain.events import changes as e
from domain.events import servicing as es
from domain.events.ending import RestructureKind
from domain.loan.booking import standing_on
from domain.loan.quote import planned
from domain.loan.terms import Component, Conditions, RepaymentMethod
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    Life,
    charge,
    close,
    days_after,
    disbursed,
    month,
    pay,
    reverse,
    ties_to_the_ledger,
)

LEVEL = 33_214


def rate(to: str, on: date, change_id: str = "r-1") -> c.ChangeRate:
    return c.ChangeRate(loan_id=LOAN, effective_on=on, change_id=change_id, rate_annual=Decimal(to))


def pause(on: date, until: date) -> c.PauseInterest:
    return c.PauseInterest(loan_id=LOAN, effective_on=on, change_id="s-1", until_on=until)


def extend(by: int, on: date) -> c.ExtendTerm:
    return c.ExtendTerm(loan_id=LOAN, effective_on=on, change_id="x-1", instalments=by)


def move(number: int, to: date, on: date) -> c.MoveDueDate:
    return c.MoveDueDate(
        loan_id=LOAN, effective_on=on, change_id="d-2", instalment=number, due_on=to
    )


def defer(months: int, on: date) -> c.DeferPayments:
    return c.DeferPayments(loan_id=LOAN, effective_on=on, change_id="y-1", months=months)


def paid_up_to(number: int, life: Life | None = None) -> Life:
    life = life or disbursed()
    for k in range(1, number + 1):
        life.when(pay(life.state.rows[k - 1].unpaid_minor, month(k), f"p-{k}"))
    return life


def conserved(life: Life) -> bool:
    return sum(row.principal_minor for row in life.state.rows) == life.state.amount_minor


def test_a_new_rate_solves_the_open_instalments_and_leaves_the_paid_ones() -> None:
    """Source: domain rules, 9.9 S-02: what is left, at the new rate, over what is left of terms."""
    life = paid_up_to(12)
    before = life.state.rows
    life.when(rate("0.06", month(12)), reason="lpr").then(e.RateChanged, es.ScheduleChanged)
    assert life.state.rows[:12] == before[:12]
    assert life.state.rate_annual == Decimal("0.06")
    assert conserved(life)
    terms = life.state.terms
    assert terms is not None
    left = sum(row.principal_minor for row in before[12:])
    alone = planned(
        life.state.conditions,
        type(terms)(
            currency="USD", principal_minor=left, rate_annual=Decimal("0.06"), instalments=24
        ),
        from_on=month(12),
    )
    assert [row.due_minor for row in life.state.rows[12:]] == [row.due_minor for row in alone]


def test_a_rate_that_is_dated_back_restates_the_payments_since() -> None:
    """Source: architecture, section 3: differences, recorded today, true since the value date."""
    life = paid_up_to(3)
    life.when(rate("0.24", days_after(month(1), 1)), reason="error")
    told, result = life.last
    assert isinstance(told, e.RateChanged)
    assert told.rate_annual_before == Decimal("0.12")
    assert isinstance(result, es.AllocationsRestated)
    assert {change.payment_id for change in result.changes} == {"p-2", "p-3"}
    assert conserved(life)


def test_paused_days_earn_nothing() -> None:
    """Source: domain rules, 9.9 S-04."""
    life = disbursed()
    paid = life.state.rows[1].interest_minor
    life.when(pay(LEVEL, month(1)))
    on = month(1) + timedelta(days=1)
    life.when(pause(on, month(2) - timedelta(days=1)), reason="hardship")
    life.then(e.InterestPaused, es.ScheduleChanged)
    assert 0 < life.state.rows[1].interest_minor < paid / 10
    assert conserved(life)


def test_added_instalments_make_the_open_ones_smaller() -> None:
    """Source: domain rules, 9.9 S-07."""
    life = paid_up_to(6).when(extend(12, days_after(month(6), 1)), reason="request")
    life.then(e.TermExtended, es.ScheduleChanged)
    assert len(life.state.rows) == 48
    assert life.state.rows[-1].due_on == month(48)
    assert life.state.rows[6].due_minor < LEVEL
    assert conserved(life)


@pytest.mark.parametrize("conditions", [PLANNED, CONDITIONS], ids=["planned", "continuous"])
def test_a_due_date_moves_and_those_after_it_follow(conditions: Conditions) -> None:
    """Source: domain rules, 9.9 S-02; the level instalment stays, the days earn interest."""
    life = paid_up_to(3, disbursed(conditions=conditions))
    before = life.state.rows
    to = days_after(month(4), 10)
    life.when(move(4, to, days_after(month(3), 2)), reason="payday")
    life.then(e.DueDateMoved, es.ScheduleChanged)
    rows = life.state.rows
    assert rows[:3] == before[:3]
    assert [row.due_on.day for row in rows[3:]] == [25] * 33
    assert (rows[3].due_on, rows[4].from_on) == (to, to)
    assert rows[3].due_minor == LEVEL
    assert rows[3].interest_minor > before[3].interest_minor
    assert conserved(life)
    life.when(close(days_after(month(4), 1)))
    assert not life.state.in_arrears
    life.when(close(days_after(to, 1)))
    assert life.state.in_arrears


@pytest.mark.parametrize("conditions", [PLANNED, CONDITIONS], ids=["planned", "continuous"])
def test_deferred_payments_fall_due_months_later_and_interest_runs_on(
    conditions: Conditions,
) -> None:
    life = paid_up_to(3, disbursed(conditions=conditions))
    before = life.state.rows
    life.when(defer(3, days_after(month(3), 2)), reason="hardship")
    life.then(e.PaymentDeferred, es.ScheduleChanged)
    rows = life.state.rows
    assert [row.due_on for row in rows] == [month(k) for k in (1, 2, 3, *range(7, 40))]
    assert rows[3].interest_minor > 3 * before[3].interest_minor
    assert conserved(life)


def test_what_is_past_due_is_not_deferred() -> None:
    life = paid_up_to(1).when(close(days_after(month(2), 1)))
    life.when(defer(2, days_after(month(2), 5)), reason="hardship")
    assert [row.due_on for row in life.state.rows[1:4]] == [month(2), month(5), month(6)]
    life.when(close(days_after(month(2), 6)))
    assert life.state.in_arrears


@pytest.mark.parametrize("conditions", [PLANNED, CONDITIONS], ids=["planned", "continuous"])
@pytest.mark.parametrize(
    "change",
    [
        rate("0.18", month(2)),
        pause(month(2), month(3)),
        extend(6, month(2)),
        move(3, days_after(month(3), 9), month(2)),
        move(3, days_after(month(3), -9), month(2)),
        move(5, days_after(month(5), 40), month(2)),
        defer(1, month(2)),
        defer(6, month(2)),
    ],
)
def test_a_changed_loan_is_replayed_and_paid_to_the_last_cent(
    change: Command, conditions: Conditions
) -> None:
    life = paid_up_to(2, disbursed(conditions=conditions))
    life.when(change, reason="any")
    assert life.state.timeline is not None
    shown = standing_on(life.state.timeline, life.now)
    assert shown.balances == life.state.balances
    for row in life.state.rows[2:-1]:
        life.when(pay(life.state.rows[row.number - 1].unpaid_minor, row.due_on, f"q-{row.number}"))
    last = life.state.rows[-1].due_on
    life.when(pay(life.payoff(last), last, "last"))
    assert life.state.balances.owed_minor == 0
    assert conserved(life)


def test_a_change_stands_when_a_payment_after_it_is_taken_back() -> None:
    life = paid_up_to(2).when(rate("0.06", month(2)), reason="lpr")
    before = life.state.balances
    life.when(pay(20_000, month(3), "p-3")).when(reverse("p-3", month(3)))
    assert life.state.balances == before


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (rate("0.41", month(1)), "rate_outside_product", "rate_annual"),
        (rate("-0.01", month(1)), "rate_outside_product", "rate_annual"),
        (pause(month(1), days_after(month(1), -1)), "pause_out_of_range", "until_on"),
        (pause(month(1), month(37)), "pause_out_of_range", "until_on"),
        (move(0, month(2), month(1)), "unknown_instalment", "instalment"),
        (move(37, month(2), month(1)), "unknown_instalment", "instalment"),
        (move(1, month(2), days_after(month(1), 1)), "instalment_past_due", "instalment"),
        (move(2, month(1), month(0)), "due_date_out_of_order", "due_on"),
        (move(2, month(1), month(1)), "due_date_out_of_order", "due_on"),
        (move(2, month(2), month(1)), "unchanged", "due_on"),
        (move(2, days_after(month(14), 2), month(1)), "due_date_too_late", "due_on"),
        (defer(0, month(1)), "deferral_out_of_range", "months"),
        (defer(13, month(1)), "deferral_out_of_range", "months"),
        (defer(1, days_after(month(36), 1)), "after_maturity", "effective_on"),
        (extend(0, month(1)), "too_many_instalments", "instalments"),
        (extend(325, month(1)), "too_many_instalments", "instalments"),
    ],
)
def test_a_change_outside_its_bounds_is_refused(change: Command, code: str, field: str) -> None:
    refusal = disbursed().refused(change, reason="any")
    assert (refusal.code, refusal.field) == (code, field)


def test_a_change_needs_a_reason_and_an_id_of_its_own() -> None:
    life = disbursed()
    assert life.refused(rate("0.1", month(1))).code == "reason_missing"
    life.when(rate("0.1", month(1)), reason="any")
    assert life.refused(rate("0.2", month(2)), reason="any").code == "already_recorded"


def test_interest_that_a_new_plan_capitalised_is_not_lost_when_terms_change() -> None:
    life = disbursed(conditions=PLANNED)
    restructure = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=days_after(month(1), 9),
        restructure_id="n-1",
        kind=RestructureKind.RESCHEDULE,
        first_due_on=month(2),
        instalments=24,
        financial_difficulty=False,
    )
    life.when(restructure, reason="any")
    owed = life.state.balances.principal_minor
    assert owed > 1_000_000
    same_day = rate("0.06", days_after(month(1), 9))
    assert life.refused(same_day, reason="any").code == "before_restructuring"
    life.when(pause(month(2), month(3)), reason="any")
    assert life.state.balances.principal_minor == owed
    ties_to_the_ledger(life)


def test_a_charge_falls_due_with_its_instalment_wherever_that_moves() -> None:
    life = disbursed()
    life.when(charge(1_500, month(0), instalment=2)).when(defer(1, month(0)), reason="any")
    assert life.state.rows[1].fee_minor == 1_500
    assert life.state.timeline is not None
    (stands,) = life.state.timeline.account.charges
    assert stands.due_on == life.state.rows[1].due_on == month(3)
    terminate = ce.TerminateContract(loan_id=LOAN, effective_on=month(1), cause="breach")
    life.when(terminate, reason="any")
    assert life.state.balances.fee_minor == 1_500
    ties_to_the_ledger(life)


@pytest.mark.parametrize("method", [RepaymentMethod.ANNUITY, RepaymentMethod.BULLET])
def test_a_charge_is_not_dated_before_its_due_date_was_moved(method: RepaymentMethod) -> None:
    life = disbursed(instalments=6, conditions=replace(CONDITIONS, method=method))
    deferred = c.DeferPayments(loan_id=LOAN, effective_on=month(2), change_id="moved-1", months=2)
    life.when(deferred, reason="flood")
    count = len(life.state.rows)
    no = life.refused(charge(500, days_after(month(2), -1), count, Component.PENALTY))
    assert (no.code, no.field) == ("due_dates_changed_since", "effective_on")
    life.when(charge(500, month(2), count, Component.PENALTY))
    assert len(life.state.rows) == count
    assert life.state.rows[-1].penalty_minor == 500
    ties_to_the_ledger(life)


def test_an_overdue_row_stays_overdue_when_the_rate_falls() -> None:
    life = disbursed().when(close(days_after(month(1), 1)))
    life.when(rate("0.06", days_after(month(1), 10)), reason="help")
    life.when(close(days_after(month(1), 11)))
    assert life.state.in_arrears
    assert life.state.rows[0].unpaid_minor == LEVEL
