"""What is unpaid is planned anew: re-ageing under its guard, and re-amortising."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.commands import changes as c
from domain.commands.registry import Command
from domain.events import changes as e
from domain.events import servicing as es
from domain.loan.booking import standing_on
from domain.loan.state import LoanStatus
from domain.loan.terms import Conditions, Unit
from domain.postings import Account
from domain.servicing.re_ageing_guard import Programme
from domain.servicing.values import ReAgeInterest, ReAmortiseInterest
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    START,
    Life,
    booked,
    charge,
    close,
    days_after,
    disbursed,
    month,
    pay,
    reverse,
)
from tests.support.lives import ties_to_the_ledger as ties

LEVEL = 33_214
ON = days_after(month(12), 10)
BOTH = pytest.mark.parametrize("conditions", [PLANNED, CONDITIONS], ids=["planned", "continuous"])


def re_age(**more: object) -> c.ReAgeLoan:
    plain = c.ReAgeLoan(
        loan_id=LOAN,
        effective_on=ON,
        re_age_id="a-1",
        first_due_on=month(13),
        instalments=24,
        willing_and_able=True,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def re_amortise(**more: object) -> c.ReAmortiseLoan:
    plain = c.ReAmortiseLoan(loan_id=LOAN, effective_on=ON, re_amortisation_id="m-1")
    return replace(plain, **more)  # type: ignore[arg-type]


def late(conditions: Conditions = CONDITIONS) -> Life:
    """Paid for seven months, nothing for three, then three whole instalments: two are missing."""
    life = disbursed(conditions=replace(conditions, backdating_days_max=400))
    for k in (1, 2, 3, 4, 5, 6, 7, 10, 11, 12):
        life.when(pay(LEVEL, days_after(month(k), 1 if k > 7 else 0), f"p-{k}"))
    life.when(close(ON))
    assert life.state.in_arrears
    assert life.state.days_past_due > 30
    return life


@BOTH
@pytest.mark.parametrize("interest", ReAgeInterest)
def test_all_that_is_unpaid_moves_to_the_new_instalments(
    conditions: Conditions, interest: ReAgeInterest
) -> None:
    """Source: domain rules, 9.9 S-09, S-10."""
    life = late(conditions)
    owed = life.state.balances
    life.when(re_age(interest=interest), reason="hardship over")
    life.then(e.LoanReaged, es.ScheduleChanged)
    told = life.last[0]
    assert isinstance(told, e.LoanReaged)
    assert told.principal_minor == owed.principal_minor == life.state.balances.principal_minor
    assert (told.waived_interest_minor > 0) is (interest is ReAgeInterest.WAIVE_INTEREST)
    assert (told.before.days_past_due > 30, told.after.days_past_due) == (True, 0)
    open_rows = [row for row in life.state.rows if row.met_on is None]
    assert [row.due_on for row in open_rows] == [month(13 + k) for k in range(24)]
    ties(life)
    stands = booked(life.events)
    assert stands[Account.INTEREST_INCOME] == told.waived_interest_minor
    life.when(close(days_after(ON, 1)))
    assert not life.state.in_arrears


@BOTH
@pytest.mark.parametrize("interest", ReAgeInterest)
def test_a_re_aged_loan_is_replayed_and_paid_to_the_last_cent(
    conditions: Conditions, interest: ReAgeInterest
) -> None:
    life = late(conditions).when(re_age(interest=interest), reason="any")
    assert life.state.timeline is not None
    assert standing_on(life.state.timeline, life.now).balances == life.state.balances
    for row in [row for row in life.state.rows if row.met_on is None][:-1]:
        unpaid = life.state.rows[row.number - 1].unpaid_minor
        life.when(pay(unpaid, row.due_on, f"q-{row.number}"))
    last = life.state.rows[-1].due_on
    life.when(pay(life.payoff(last), last, "last"))
    assert life.state.status is LoanStatus.SETTLED
    ties(life)


def test_a_fee_moves_with_the_rest() -> None:
    life = late().when(charge(2_500, ON, instalment=12)).when(re_age(), reason="any")
    told = life.last[0]
    assert isinstance(told, e.LoanReaged)
    assert life.state.balances.fee_minor == 2_500
    ties(life)


def test_the_guard_counts_what_the_borrower_paid_since_it_was_last_current() -> None:
    """Source: domain rules, 2.7: three consecutive minimum payments, or as much in all."""
    life = disbursed(conditions=replace(CONDITIONS, backdating_days_max=400))
    for k in range(1, 8):
        life.when(pay(LEVEL, month(k), f"p-{k}"))
    refused = life.refused(re_age(), reason="any")
    assert (refused.code, refused.field) == ("too_few_payments", None)
    life.when(pay(LEVEL, days_after(month(10), 1), "p-8"))
    life.when(pay(LEVEL, days_after(month(11), 1), "p-9"))
    assert life.refused(re_age(), reason="any").code == "too_few_payments"
    life.when(pay(LEVEL, days_after(month(12), 1), "p-10"))
    life.when(re_age(), reason="any").then(e.LoanReaged, es.ScheduleChanged)


def test_as_much_in_all_will_do_and_money_of_an_earlier_spell_does_not_count() -> None:
    life = disbursed(conditions=replace(CONDITIONS, backdating_days_max=400))
    for k in range(1, 8):
        life.when(pay(LEVEL, month(k), f"p-{k}"))
    life.when(pay(LEVEL * 2 + 1_000, days_after(month(9), 3), "cured"))
    life.when(pay(LEVEL, days_after(month(12), 2), "p-10"))
    assert life.refused(re_age(), reason="any").code == "too_few_payments"
    slow = disbursed(conditions=replace(CONDITIONS, backdating_days_max=400))
    for k in range(1, 8):
        slow.when(pay(LEVEL, month(k), f"p-{k}"))
    slow.when(pay(LEVEL * 3, days_after(month(12), 2), "all"))
    slow.when(re_age(), reason="any").then(e.LoanReaged, es.ScheduleChanged)


def test_a_young_loan_and_an_unwilling_borrower_are_not_re_aged() -> None:
    life = disbursed()
    life.when(pay(LEVEL, month(1), "p-1"))
    on = days_after(month(5), 1)
    young = re_age(effective_on=on, first_due_on=month(6), willing_and_able=False)
    refused = life.refused(young, reason="any")
    assert (refused.code, refused.field) == ("willingness_not_shown", "willing_and_able")
    assert "younger than 9 months" in refused.detail
    assert "3 consecutive minimum payments" in refused.detail


def test_a_loan_is_re_aged_once_in_a_year_and_once_more_in_a_workout() -> None:
    life = late().when(re_age(), reason="any")
    rows = [row for row in life.state.rows if row.met_on is None]
    for row in rows[2:5]:  # two are missed again, three paid
        life.when(pay(row.unpaid_minor, row.due_on, f"again-{row.number}"))
    on = days_after(rows[4].due_on, 3)
    again = re_age(effective_on=on, re_age_id="a-2", first_due_on=days_after(on, 20))
    refused = life.refused(again, reason="any")
    assert refused.code == "re_aged_too_often"
    assert "1 in 12 months" in refused.detail
    life.when(replace(again, programme=Programme.WORKOUT), reason="workout")
    ties(life)
    assert [made.programme for made in life.state.re_ageings] == ["ordinary", "workout"]


def test_nothing_is_dated_before_a_re_ageing_and_no_payment_before_it_is_reversed() -> None:
    life = late().when(re_age(), reason="any")
    before = days_after(ON, -1)
    assert life.refused(pay(1, before, "late")).code == "before_restructuring"
    assert life.refused(reverse("p-1", ON)).code == "before_restructuring"


@BOTH
@pytest.mark.parametrize("interest", ReAmortiseInterest)
def test_what_is_past_due_is_spread_and_no_date_changes(
    conditions: Conditions, interest: ReAmortiseInterest
) -> None:
    """Source: domain rules, 9.9 S-12 to S-14."""
    life = late(conditions)
    dates = [row.due_on for row in life.state.rows]
    unpaid = sum(row.principal_left_minor for row in life.state.rows if row.due_on <= ON)
    life.when(re_amortise(interest=interest), reason="hardship")
    life.then(e.LoanReamortized, es.ScheduleChanged)
    told = life.last[0]
    assert isinstance(told, e.LoanReamortized)
    assert told.principal_minor == unpaid
    waives = interest is ReAmortiseInterest.WAIVE_INTEREST
    assert (told.waived_interest_minor > 0) is waives
    assert [row.due_on for row in life.state.rows] == dates
    assert life.state.rows[20].principal_minor > late(conditions).state.rows[20].principal_minor
    ties(life)
    life.when(pay(life.payoff(month(14)), month(14), "last"))
    assert life.state.status is LoanStatus.SETTLED
    ties(life)


@pytest.mark.parametrize(
    ("conditions", "command"),
    [
        (PLANNED, re_amortise()),
        (CONDITIONS, re_age(interest=ReAgeInterest.EQUAL_AMORTISATION_FULL_INTEREST)),
    ],
    ids=["planned", "split"],
)
def test_interest_that_was_fixed_follows_no_new_rate(
    conditions: Conditions, command: Command
) -> None:
    life = late(conditions).when(command, reason="any")
    on = days_after(ON, 1)
    rate = c.ChangeRate(
        loan_id=LOAN, effective_on=on, change_id="r-1", rate_annual=CONDITIONS.rate_annual_max
    )
    assert life.refused(rate, reason="any").code == "interest_is_fixed"
    pause = c.PauseInterest(loan_id=LOAN, effective_on=on, change_id="s-1", until_on=month(14))
    assert life.refused(pause, reason="any").code == "interest_is_fixed"


def split() -> Life:
    """What is past due was spread, its interest on top of the instalments to come."""
    interest = ReAmortiseInterest.EQUAL_AMORTISATION_INTEREST_SPLIT
    return late().when(re_amortise(interest=interest), reason="any")


def test_interest_that_was_split_stays_on_top_at_any_rate() -> None:
    """Source: domain rules, 9.9 S-05, S-13; without a rate nothing else is asked for."""
    life = split()
    told = life.last[0]
    assert isinstance(told, e.LoanReamortized)
    free = c.ChangeRate(
        loan_id=LOAN, effective_on=month(13), change_id="r-1", rate_annual=Decimal(0)
    )
    life.when(free, reason="any")
    later = life.state.rows[13:]
    share = round(told.interest_minor / 24)
    assert [row.interest_minor for row in later] == [share] * len(later)
    level = {row.principal_minor for row in later[:-1]}
    assert len(level) == 1
    assert sum(row.principal_minor for row in life.state.rows) == 1_000_000
    ties(life)
    life.when(pay(life.payoff(month(14)), month(14), "last"))
    assert life.state.status is LoanStatus.SETTLED


def test_a_pause_takes_nothing_of_the_interest_that_was_split() -> None:
    """Source: domain rules, 9.9 S-07, S-13."""
    life = split()
    told = life.last[0]
    assert isinstance(told, e.LoanReamortized)
    pause = c.PauseInterest(
        loan_id=LOAN, effective_on=month(14), change_id="s-1", until_on=days_after(month(15), -1)
    )
    life.when(pause, reason="any")
    assert life.state.rows[14].interest_minor == round(told.interest_minor / 24)
    assert sum(row.principal_minor for row in life.state.rows) == 1_000_000
    ties(life)


def test_a_large_payment_after_a_split_takes_its_principal_off_the_last_rows() -> None:
    """The last one keeps the interest that was split; what it cannot give up, the one before does.

    Source: domain rules, 9.10 "Early payment"; a product of quarters.
    """
    quarters = replace(CONDITIONS, repayment_unit=Unit.QUARTERS, backdating_days_max=400)
    life = disbursed(conditions=quarters)
    on = days_after(START, 105)
    interest = ReAmortiseInterest.EQUAL_AMORTISATION_INTEREST_SPLIT
    life.when(re_amortise(effective_on=on, interest=interest), reason="any")
    share = life.state.rows[-1].interest_minor - 1_356  # 3 % of the last 452.03
    life.when(pay(187_405, days_after(on, 24)))
    last = life.state.rows[-1]
    assert (last.principal_minor, last.interest_minor) == (0, share)
    assert sum(row.principal_minor for row in life.state.rows) == 1_000_000
    ties(life)


@pytest.mark.parametrize(
    ("command", "code", "field"),
    [
        (re_age(first_due_on=ON), "first_due_too_early", "first_due_on"),
        (re_age(first_due_on=month(26)), "first_due_too_late", "first_due_on"),
        (re_age(instalments=0), "instalments_outside_product", "instalments"),
        (re_age(instalments=361), "instalments_outside_product", "instalments"),
        (re_age(re_age_id="p-1"), "already_recorded", "re_age_id"),
        (re_age(effective_on=month(11)), "before_last_fact", "effective_on"),
        (re_age(effective_on=month(1)), "before_last_fact", "effective_on"),
        (re_amortise(re_amortisation_id="p-1"), "already_recorded", "re_amortisation_id"),
        (re_amortise(effective_on=month(11)), "before_last_fact", "effective_on"),
        (re_amortise(effective_on=month(36)), "after_maturity", "effective_on"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(command: Command, code: str, field: str) -> None:
    refused = late().refused(command, reason="any")
    assert (refused.code, refused.field) == (code, field)


def test_a_loan_that_is_current_needs_no_new_plan() -> None:
    life = disbursed().when(pay(LEVEL, month(1), "p-1"))
    on = days_after(month(1), 3)
    for command in (
        re_age(effective_on=on, first_due_on=month(2)),
        re_amortise(effective_on=on),
    ):
        assert life.refused(command).code == "reason_missing"
        assert life.refused(command, reason="any").code == "nothing_past_due"
