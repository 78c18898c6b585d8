"""Plans and terminations that are taken back while nothing followed on them."""

from dataclasses import replace
from datetime import date

import pytest

from domain.commands import changes as c
from domain.commands import ending as ce
from domain.commands import undoing as u
from domain.commands.registry import Command
from domain.events.servicing import AllocationsRestated, ScheduleChanged
from domain.events.undoing import ReagingReversed, ReamortizationReversed, TerminationReversed
from domain.loan.booking import standing_on
from domain.loan.day import day_figures
from domain.loan.state import Loan
from domain.loan.terms import Conditions
from domain.postings import Account
from domain.servicing.values import ReAgeInterest, ReAmortiseInterest
from tests.domain.test_replanning import BOTH, ON, late, re_age, re_amortise
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    Life,
    booked,
    close,
    days_after,
    disbursed,
    folded_again,
    month,
    pay,
    ties_to_the_ledger,
)

LATER = days_after(ON, 3)


def un_age(on: date = LATER, name: str = "a-1") -> u.ReverseReAgeing:
    return u.ReverseReAgeing(loan_id=LOAN, effective_on=on, re_age_id=name, cause="wrong_loan")


def un_amortise(on: date = LATER, name: str = "m-1") -> u.ReverseReAmortisation:
    return u.ReverseReAmortisation(
        loan_id=LOAN, effective_on=on, re_amortisation_id=name, cause="wrong_loan"
    )


def un_terminate(on: date = LATER) -> u.ReverseTermination:
    return u.ReverseTermination(loan_id=LOAN, effective_on=on, cause="wrong_loan")


def terminate(on: date = ON) -> ce.TerminateContract:
    return ce.TerminateContract(loan_id=LOAN, effective_on=on, cause="breach")


def stands(loan: Loan, on: date) -> object:
    """All that a decision sees of a loan, as its time line says on a day."""
    assert loan.timeline is not None
    fold = standing_on(loan.timeline, on)
    return fold, day_figures(loan, on), loan.replanned_on, loan.re_ageings, loan.terminated_on


def never(life: Life, before: object, conditions: Conditions) -> None:
    """The loan stands as one to which it was never done, now and at its end."""
    assert stands(life.state, LATER) == before
    ties_to_the_ledger(life)
    folded_again(life)
    end = days_after(month(20), 2)
    other = late(conditions)
    for one in (life, other):
        one.when(pay(50_000, end, "p-end"))
        one.when(close(end))
    assert stands(life.state, end) == stands(other.state, end)
    assert life.state.balances == other.state.balances


@BOTH
@pytest.mark.parametrize("interest", ReAgeInterest)
def test_a_re_ageing_that_is_taken_back_never_was(
    conditions: Conditions, interest: ReAgeInterest
) -> None:
    """Source: domain rules, 9.9 S-09."""
    life = late(conditions)
    before = stands(life.state, LATER)
    life.when(re_age(interest=interest), reason="hardship over")
    life.when(un_age(), reason="our_error").then(ReagingReversed, ScheduleChanged)
    never(life, before, conditions)


@BOTH
@pytest.mark.parametrize("interest", ReAmortiseInterest)
def test_a_re_amortisation_that_is_taken_back_never_was(
    conditions: Conditions, interest: ReAmortiseInterest
) -> None:
    """Source: domain rules, 9.9 S-12."""
    life = late(conditions)
    before = stands(life.state, LATER)
    life.when(re_amortise(interest=interest), reason="hardship over")
    life.when(un_amortise(), reason="our_error").then(ReamortizationReversed, ScheduleChanged)
    never(life, before, conditions)


@BOTH
def test_a_termination_that_is_taken_back_never_was(conditions: Conditions) -> None:
    """Source: domain rules, 9.9 S-24."""
    life = late(conditions)
    before = stands(life.state, LATER)
    life.when(terminate(), reason="breach")
    assert len(life.state.rows) < 36
    life.when(un_terminate(), reason="our_error").then(TerminationReversed, ScheduleChanged)
    never(life, before, conditions)


def test_interest_that_a_plan_gave_up_is_owed_again_on_the_ledger_too() -> None:
    life = late()
    receivable = booked(life.events)[Account.INTEREST_RECEIVABLE]
    life.when(re_age(interest=ReAgeInterest.WAIVE_INTEREST), reason="hardship over")
    assert booked(life.events)[Account.INTEREST_RECEIVABLE] < receivable
    told = life.when(un_age(), reason="our_error").last[0]
    assert isinstance(told, ReagingReversed)
    assert told.waived_interest_minor > 0
    assert booked(life.events)[Account.INTEREST_RECEIVABLE] == receivable


def test_a_re_ageing_that_is_taken_back_counts_for_no_guard() -> None:
    life = late().when(re_age(), reason="hardship over")
    life.when(un_age(), reason="our_error")
    life.when(re_age(re_age_id="a-2", effective_on=LATER), reason="hardship over")
    assert len(life.state.re_ageings) == 1
    again = re_age(re_age_id="a-1", effective_on=LATER)
    life.when(un_age(LATER, "a-2"), reason="our_error")
    assert life.refused(again, reason="hardship over").code == "already_recorded"


def test_instalments_are_missed_again_after_a_plan_was_taken_back() -> None:
    life = late().when(re_age(), reason="hardship over")
    life.when(close(ON))
    assert life.state.in_arrears is False
    life.when(un_age(), reason="our_error").when(close(LATER))
    assert life.state.in_arrears is True
    assert life.state.days_past_due > 30


def test_payments_that_a_termination_had_moved_go_back_to_their_instalments() -> None:
    life = disbursed(instalments=12, conditions=replace(CONDITIONS, backdating_days_max=400))
    life.when(pay(88_849, month(1), "p-1"))
    life.when(pay(300_000, days_after(month(1), 3), "early"))
    before = life.state.rows
    life.when(terminate(days_after(month(1), 10)), reason="breach")
    life.when(un_terminate(days_after(month(1), 12)), reason="our_error")
    assert isinstance(life.last[1], AllocationsRestated | ScheduleChanged)
    assert life.state.rows == before
    ties_to_the_ledger(life)
    folded_again(life)


UNDOING: list[tuple[Command, Command]] = [
    (re_age(), un_age()),
    (re_amortise(), un_amortise()),
    (terminate(), un_terminate()),
]
EACH = pytest.mark.parametrize(("done", "undone"), UNDOING, ids=["re-age", "re-amortise", "end"])


@EACH
def test_only_the_latest_transaction_is_taken_back(done: Command, undone: Command) -> None:
    """Source: domain rules, 9.9 S-09, S-12, S-24."""
    life = late(PLANNED).when(done, reason="any")
    life.when(pay(100, LATER, "p-new"))
    no = life.refused(undone, reason="our_error")
    assert no.code == "not_latest"
    assert "p-new" in no.detail


@EACH
def test_it_is_taken_back_once_with_a_reason_and_not_before_its_day(
    done: Command, undone: Command
) -> None:
    life = late().when(done, reason="any")
    assert life.refused(undone).code == "reason_missing"
    early = replace(undone, effective_on=days_after(ON, -1))
    assert life.refused(early, reason="our_error").code == "effective_out_of_range"
    life.when(undone, reason="our_error")
    assert life.refused(undone, reason="our_error").code == "nothing_to_reverse"


def test_an_id_names_one_plan_and_no_other() -> None:
    life = late().when(re_age(), reason="hardship over")
    other = c.ReAmortiseLoan(loan_id=LOAN, effective_on=LATER, re_amortisation_id="a-1")
    assert life.refused(other, reason="any").code == "already_recorded"
    assert life.refused(un_amortise(), reason="any").code == "nothing_to_reverse"
