"""Misuse of funds (挪用) and the class of a loan (五级分类): what they cost, and who is paid first.

The loan of `tests.support.penal`: 10,000.00 at 12 %; misuse costs 3.33 1/3 a day above it.
"""

from dataclasses import replace
from datetime import date, timedelta

from domain.commands import disbursement as cd
from domain.commands import servicing as cs
from domain.commands.registry import Command
from domain.events.arrears import (
    LoanClass,
    LoanClassified,
)
from domain.events.disbursement import MisuseEnded, UseOfFundsBreached
from domain.events.servicing import (
    PaymentAllocated,
    PenaltyInterestCharged,
    ScheduleChanged,
)
from domain.loan.payoff import payoff_quote
from tests.support.lives import (
    LOAN,
    PLANNED,
    START,
    close,
    disbursed,
    pay,
)
from tests.support.penal import (
    MONTH_END,
    PENAL,
    PRINCIPAL_FIRST,
    allocated,
    by_days,
    charged,
    holds,
    penal,
)


def report(on: date) -> Command:
    return cd.ReportMisuse(loan_id=LOAN, effective_on=on, category="shares")


def end_of_misuse(on: date) -> Command:
    return cd.EndMisuse(loan_id=LOAN, effective_on=on, cause="sold")


def classify(loan_class: LoanClass, on: date) -> Command:
    return cs.ClassifyLoan(loan_id=LOAN, effective_on=on, loan_class=loan_class)


# --- misuse


def test_misused_money_costs_more_before_it_is_due() -> None:
    life = penal().when(report(START + timedelta(days=10))).then(UseOfFundsBreached)
    life.when(close(date(2018, 1, 31))).then(PenaltyInterestCharged)
    assert charged(holds(life)) == [(date(2018, 1, 31), 2_000, 0)]
    # 21 days to the due date; after it the heavier rate on principal and interest, not both.
    life.when(close(MONTH_END))
    assert sum(penalty for _, penalty, _ in charged(life)) == 7_000 + 8_667
    assert sum(compound for _, _, compound in charged(life)) == 87


def test_misuse_that_ended_costs_nothing_from_then_on() -> None:
    life = penal().when(report(START + timedelta(days=10)))
    life.when(end_of_misuse(START + timedelta(days=16))).then(PenaltyInterestCharged, MisuseEnded)
    life.when(close(date(2018, 1, 31))).then()
    assert charged(holds(life)) == [(START + timedelta(days=16), 2_000, 0)]


def test_a_wrong_report_is_ended_on_its_own_day() -> None:
    found = START + timedelta(days=10)
    life = penal().when(report(found)).when(close(date(2018, 1, 31)))
    life.when(end_of_misuse(found)).then(MisuseEnded, ScheduleChanged, PenaltyInterestCharged)
    assert charged(life)[-1] == (date(2018, 1, 31), -2_000, 0)
    assert holds(life).state.balances.penalty_minor == 0


def test_misuse_that_comes_out_late_costs_from_its_day() -> None:
    life = penal()
    life.now = date(2018, 2, 10)
    life.when(report(START + timedelta(days=10)))
    assert payoff_quote(life.state, date(2018, 2, 10)).penalty_minor == round(16 * 1_000 / 3)


def test_misuse_is_reported_and_ended_in_turn() -> None:
    day = [START + timedelta(days=n) for n in range(30)]
    life = penal()
    assert life.refused(end_of_misuse(day[3])).code == "not_misused"
    life.when(report(day[10]))
    assert life.refused(report(day[12])).code == "already_misused"
    assert life.refused(end_of_misuse(day[9])).code == "before_last_fact"
    life.when(end_of_misuse(day[15]))
    no = life.refused(report(day[14]))
    assert (no.code, no.field) == ("before_last_fact", "effective_on")
    life.when(report(day[15]))


def test_misuse_without_an_agreed_rate_is_a_note() -> None:
    life = disbursed(conditions=PLANNED)
    life.when(report(START)).then(UseOfFundsBreached)
    life.when(report(START)).then(UseOfFundsBreached)
    assert life.refused(end_of_misuse(START)).code == "not_misused"


# --- 先本后息


def test_a_non_performing_loan_is_paid_principal_first_from_its_class_on() -> None:
    life = penal(replace(PENAL, non_performing_allocation=PRINCIPAL_FIRST), instalments=3)
    life.when(pay(5_000, by_days(1), "before"))
    life.when(classify(LoanClass.SUBSTANDARD, by_days(91)), reason="overdue").then(
        PenaltyInterestCharged, LoanClassified
    )
    before, rows = life.state.balances, life.state.rows
    overdue = sum(row.principal_left_minor for row in rows)
    life.when(pay(overdue + 1, by_days(91), "after"))
    lines = allocated(life)
    assert sum(line.principal_minor for line in lines) == overdue
    assert sum(line.interest_minor for line in lines) == 1
    assert holds(life).state.balances.penalty_minor == before.penalty_minor
    first = next(e for e in life.events if isinstance(e, PaymentAllocated))
    assert first.lines[0].interest_minor > 0


def test_a_loan_that_performs_again_is_paid_as_before() -> None:
    life = penal(replace(PENAL, non_performing_allocation=PRINCIPAL_FIRST))
    life.when(classify(LoanClass.LOSS, by_days(1)), reason="r")
    life.when(classify(LoanClass.SPECIAL_MENTION, by_days(2)), reason="r")
    life.when(pay(1_000, by_days(2)))
    (line,) = allocated(life)
    assert (line.penalty_minor, line.principal_minor) == (1_000, 0)


def test_a_class_is_no_news_twice_and_never_dated_back() -> None:
    life = penal().when(pay(1_000, by_days(10)))
    assert life.refused(classify(LoanClass.DOUBTFUL, by_days(9)), reason="r").code == (
        "before_last_fact"
    )
    assert life.refused(classify(LoanClass.DOUBTFUL, by_days(10))).code == "reason_missing"
    life.when(classify(LoanClass.DOUBTFUL, by_days(10)), reason="r")
    no = life.refused(classify(LoanClass.DOUBTFUL, by_days(11)), reason="r")
    assert (no.code, no.field) == ("unchanged", "loan_class")
