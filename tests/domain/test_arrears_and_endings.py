"""Late, changed, lost, recovered: close of a day, restructuring, charge-off, recovery."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.commands import changes as cc
from domain.commands import ending as ce
from domain.events import arrears as ea
from domain.events import ending as ee
from domain.events import servicing as es
from domain.events.ending import RestructureKind
from domain.loan.booking import standing_on
from domain.loan.state import LoanStatus
from domain.loan.terms import Conditions, RepaymentMethod
from domain.postings import Account
from domain.servicing import facts as f
from domain.servicing.values import Status
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    PLANNED,
    Life,
    booked,
    close,
    days_after,
    disbursed,
    month,
    pay,
    reverse,
)
from tests.support.lives import ties_to_the_ledger as ties

LEVEL = 33_214


def test_on_the_due_date_nothing_is_late() -> None:
    disbursed().when(close(month(1))).then()


def test_the_day_after_the_due_date_the_payment_is_missed() -> None:
    life = disbursed().when(close(days_after(month(1), 1)))
    life.then(ea.PaymentMissed, ea.DelinquencyBucketChanged)
    missed, bucket = life.last
    assert isinstance(missed, ea.PaymentMissed)
    assert isinstance(bucket, ea.DelinquencyBucketChanged)
    assert (missed.instalment, missed.unpaid_minor) == (1, LEVEL)
    assert (bucket.before, bucket.after, bucket.days_past_due) == ("current", "1-29", 1)


def test_what_was_published_is_not_published_again() -> None:
    life = disbursed().when(close(days_after(month(1), 1)))
    life.when(close(days_after(month(1), 2))).then()


def test_a_partial_payment_does_not_cure() -> None:
    life = disbursed().when(close(days_after(month(1), 1)))
    life.when(pay(LEVEL - 1, days_after(month(1), 2)))
    life.when(close(days_after(month(1), 3))).then()
    assert life.state.in_arrears


def test_paying_the_arrears_cures() -> None:
    life = disbursed().when(close(days_after(month(1), 1)))
    life.when(pay(LEVEL, days_after(month(1), 2)))
    life.when(close(days_after(month(1), 2))).then(ea.ArrearsCured, ea.DelinquencyBucketChanged)
    assert not life.state.in_arrears
    assert life.state.bucket == "current"


def test_buckets_change_at_their_edges() -> None:
    life = disbursed().when(close(days_after(month(1), 1)))
    life.when(close(days_after(month(1), 29)))
    assert not any(isinstance(event, ea.DelinquencyBucketChanged) for event in life.last)
    life.when(close(days_after(month(1), 30)))
    assert life.state.bucket == "30-59"


def test_paying_the_oldest_moves_the_anchor_to_the_next_unpaid() -> None:
    life = disbursed()
    late = days_after(month(2), 5)
    life.when(close(late))
    life.when(pay(LEVEL, late)).when(close(late))
    assert life.state.bucket == "1-29"
    assert life.state.missed == frozenset({2})


def test_a_close_that_runs_late_says_what_an_early_one_would() -> None:
    early = disbursed().when(close(days_after(month(1), 1)))
    late = disbursed().when(pay(LEVEL, days_after(month(1), 10)))
    late.when(close(days_after(month(1), 1)))
    assert late.last == early.last


def test_a_shortfall_within_the_tolerance_is_not_overdue() -> None:
    tolerant = replace(CONDITIONS, arrears_tolerance_minor=5)
    life = disbursed(conditions=tolerant).when(pay(LEVEL - 5, month(1)))
    life.when(close(days_after(month(1), 1))).then()


def test_a_reversal_brings_the_arrears_back() -> None:
    life = disbursed().when(pay(LEVEL, month(1), "p"))
    life.when(close(days_after(month(1), 1))).then()
    life.when(reverse("p", days_after(month(1), 2)))
    life.when(close(days_after(month(1), 2))).then(ea.PaymentMissed, ea.DelinquencyBucketChanged)


def _extension(on: date, **change: object) -> ce.RestructureLoan:
    command = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=on,
        restructure_id="r",
        kind=RestructureKind.EXTENSION,
        first_due_on=on + timedelta(days=30),
        instalments=48,
        rate_annual=Decimal("0.10"),
        financial_difficulty=True,
    )
    return replace(command, **change)  # type: ignore[arg-type]


def test_the_small_business_owner_is_late_for_ninety_days_extended_and_pays_in_full() -> None:
    """Row 16 of the brief: 逾期90多天, 延期方案, 还清."""
    life = disbursed().when(pay(LEVEL, month(1)))
    life.when(close(days_after(month(2), 92)))
    assert life.state.bucket == "90-119"
    on = days_after(month(2), 92)
    assert life.refused(_extension(on)).code == "reason_missing"
    life.when(_extension(on), reason="hardship").then(ee.LoanRestructured, es.ScheduleChanged)
    restructured = life.last[0]
    assert isinstance(restructured, ee.LoanRestructured)
    assert restructured.before.days_past_due == 92
    assert restructured.after.days_past_due == 0
    life.when(close(on))
    assert life.state.bucket == "current"
    rows = life.state.rows[1:]
    for number, row in enumerate(rows):
        life.when(pay(row.due_minor, row.due_on, f"x{number}"))
    assert life.state.status is LoanStatus.SETTLED


def test_a_restructuring_keeps_every_cent() -> None:
    life = disbursed().when(pay(LEVEL + 100, month(1)))
    on = days_after(month(3), 3)
    owed = life.state.balances.principal_minor
    life.when(_extension(on, waive_interest_minor=50), reason="hardship")
    restructured = life.last[0]
    assert isinstance(restructured, ee.LoanRestructured)
    fresh = [row for row in life.state.rows if row.met_on is None]
    capitalised = sum(row.principal_minor for row in fresh) - owed
    assert capitalised > 0
    assert life.state.balances.principal_minor == owed + capitalised
    assert [row.number for row in life.state.rows] == list(range(1, len(life.state.rows) + 1))


def test_nothing_is_dated_before_a_restructuring() -> None:
    life = disbursed().when(pay(LEVEL, month(1)))
    on = days_after(month(2), 40)
    life.when(_extension(on), reason="hardship")
    no = life.refused(pay(1, days_after(on, -1)))
    assert no.code == "before_restructuring"
    assert life.refused(reverse(f"pay-{month(1)}-{LEVEL}", on)).code == "before_restructuring"


def _charge_off(on: date) -> ce.ChargeOffLoan:
    return ce.ChargeOffLoan(loan_id=LOAN, effective_on=on, cause="120_days")


def test_a_charged_off_loan_is_still_owed_and_recovered_to_the_last_cent() -> None:
    life = disbursed()
    on = days_after(month(1), 121)
    life.when(close(on)).when(_charge_off(on)).then(ee.LoanChargedOff, es.ScheduleChanged)
    assert life.state.balances.principal_minor == 1_000_000
    assert life.refused(pay(1, on)).code == "wrong_status"
    recovery = ce.RecordRecovery(
        loan_id=LOAN, effective_on=on, recovery_id="rec", amount_minor=100_000, cost_minor=10_000
    )
    life.when(recovery).then(ee.RecoveryReceived, es.PaymentAllocated)
    assert life.state.balances.owed_minor < 1_000_000 + 200_000
    life.when(close(days_after(on, 1))).then()
    rest = replace(recovery, recovery_id="rest", amount_minor=2_000_000, cost_minor=0)
    life.when(rest).then(ee.RecoveryReceived, es.PaymentAllocated, ee.LoanSettled)


def test_a_written_off_loan_stays_in_memo_and_recoveries_still_post() -> None:
    life = disbursed()
    on = days_after(month(1), 121)
    write_off = ce.WriteOffLoan(loan_id=LOAN, effective_on=on, cause="uncollectable")
    assert life.refused(write_off, reason="policy").code == "wrong_status"
    life.when(_charge_off(on))
    assert life.refused(write_off).code == "reason_missing"
    life.when(write_off, reason="policy").then(ee.LoanWrittenOff)
    recovery = ce.RecordRecovery(
        loan_id=LOAN, effective_on=on, recovery_id="rec", amount_minor=5_000
    )
    life.when(recovery).then(ee.RecoveryReceived)


def test_a_write_off_ends_the_time_line_and_what_is_owed_stays_in_memo() -> None:
    life = disbursed()
    on = days_after(month(1), 121)
    life.when(_charge_off(on))
    owed = life.state.balances
    write_off = ce.WriteOffLoan(loan_id=LOAN, effective_on=on, cause="uncollectable")
    life.when(write_off, reason="policy")
    assert life.state.timeline is not None
    assert isinstance(life.state.timeline.newest, f.WrittenOff)
    assert life.state.timeline.account.status is Status.CLOSED_WRITTEN_OFF
    assert life.state.balances == owed
    told = life.last[0]
    assert isinstance(told, ee.LoanWrittenOff)
    assert told.amount_minor == owed.owed_minor
    before = life.state.timeline
    recovery = ce.RecordRecovery(
        loan_id=LOAN, effective_on=on, recovery_id="rec", amount_minor=5_000
    )
    assert life.when(recovery).state.timeline is before  # a memo moves nothing on the books


def _undo(on: date) -> ce.ReverseChargeOff:
    return ce.ReverseChargeOff(loan_id=LOAN, effective_on=on, cause="found")


@pytest.mark.parametrize("conditions", [PLANNED, CONDITIONS], ids=["planned", "continuous"])
def test_a_charge_off_that_is_reversed_never_was(conditions: Conditions) -> None:
    """Source: domain rules, 2.8, 9.9 S-21: accrual resumes, also for the time between."""
    never = disbursed(conditions=conditions).when(pay(33_214, month(1), "p-1"))
    life = disbursed(conditions=conditions).when(pay(33_214, month(1), "p-1"))
    on = days_after(month(3), 5)
    life.when(_charge_off(month(3)))
    assert life.refused(_undo(on)).code == "reason_missing"
    assert life.refused(_undo(month(2)), reason="any").code == "before_last_fact"
    life.when(_undo(on), reason="found").then(ee.ChargeOffReversed, es.ScheduleChanged)
    assert life.state.status is LoanStatus.ACTIVE
    assert never.state.timeline is not None
    assert life.state.rows == standing_on(never.state.timeline, on).rows
    ties(life)
    stands = booked(life.events)
    assert stands[Account.CHARGE_OFF_EXPENSE] == 0
    life.when(pay(life.payoff(on), on, "all"))
    assert life.state.status is LoanStatus.SETTLED
    ties(life)


def test_a_loan_may_be_charged_off_again() -> None:
    life = disbursed().when(_charge_off(month(3))).when(_undo(month(3)), reason="found")
    assert life.refused(_undo(month(3)), reason="any").code == "wrong_status"
    life.when(_charge_off(month(4)))
    assert life.state.status is LoanStatus.CHARGED_OFF
    assert booked(life.events)[Account.LOAN_PORTFOLIO] == 0


def test_recoveries_are_reversed_before_a_charge_off_is() -> None:
    life = disbursed().when(_charge_off(month(3)))
    life.when(
        ce.RecordRecovery(
            loan_id=LOAN, effective_on=month(3), recovery_id="rec", amount_minor=5_000
        )
    )
    assert life.refused(_undo(month(3)), reason="found").code == "recovered_since"
    life.when(reverse("rec", month(3))).when(_undo(month(3)), reason="found")
    ties(life)
    assert booked(life.events)[Account.RECOVERY_INCOME] == 0


def _terminate(on: date) -> ce.TerminateContract:
    return ce.TerminateContract(loan_id=LOAN, effective_on=on, cause="breach")


@pytest.mark.parametrize("conditions", [PLANNED, CONDITIONS], ids=["planned", "continuous"])
def test_a_terminated_contract_is_due_at_once_and_earns_no_more(conditions: Conditions) -> None:
    """Source: domain rules, 9.9 S-24."""
    life = disbursed(conditions=conditions).when(pay(33_214, month(1), "p-1"))
    on = days_after(month(2), 14)
    owed = life.payoff(on)
    life.when(_terminate(on), reason="breach").then(ee.ContractTerminated, es.ScheduleChanged)
    told = life.last[0]
    assert isinstance(told, ee.ContractTerminated)
    assert told.principal_minor == life.state.balances.principal_minor
    assert life.state.rows[-1].due_on == on
    assert len(life.state.rows) == 3
    if conditions is CONDITIONS:  # planned interest is owed whole if one pays, not if one is told
        assert life.state.balances.owed_minor == owed
    ties(life)
    life.when(close(days_after(on, 40)))
    assert life.state.in_arrears
    assert life.payoff(days_after(on, 40)) == life.state.balances.owed_minor
    life.when(pay(life.state.balances.owed_minor, days_after(on, 40), "all"))
    assert life.state.status is LoanStatus.SETTLED
    ties(life)


@pytest.mark.parametrize("conditions", [PLANNED, CONDITIONS], ids=["planned", "continuous"])
def test_what_was_paid_into_instalments_that_go_is_paid_again(conditions: Conditions) -> None:
    life = disbursed(conditions=conditions).when(pay(3 * 33_214, month(1), "p-1"))
    life.when(_terminate(days_after(month(1), 3)), reason="breach")
    ties(life)
    assert sum(row.principal_minor for row in life.state.rows) == 1_000_000
    assert sum(row.paid_minor for row in life.state.rows) == 3 * 33_214
    life.when(reverse("p-1", days_after(month(1), 4)))
    ties(life)


def test_what_was_paid_far_ahead_is_paid_again_after_a_new_rate() -> None:
    life = disbursed().when(pay(110_000, days_after(month(0), 1), "ahead"))
    rate = cc.ChangeRate(
        loan_id=LOAN, effective_on=month(2), change_id="r-1", rate_annual=Decimal("0.25")
    )
    life.when(rate, reason="any").when(pay(1_000, month(2), "p-1"))
    life.when(_terminate(days_after(month(2), 20)), reason="breach")
    assert sum(row.principal_minor for row in life.state.rows) == 1_000_000
    ties(life)


def test_what_a_new_plan_capitalised_stays_when_payments_are_made_again() -> None:
    """The fold begins with the terms agreed at first, not with those of the new plan."""
    conditions = replace(CONDITIONS, method=RepaymentMethod.INTEREST_ONLY)
    new_plan = replace(_extension(days_after(month(3), 3)), rate_annual=Decimal("0.3"))
    life = disbursed(conditions=conditions).when(new_plan, reason="hardship")
    capitalised = life.state.balances.principal_minor
    life.when(pay(300_000, month(6), "ahead"))
    left = life.state.balances.principal_minor
    life.when(_terminate(days_after(month(7), 3)), reason="breach")
    assert sum(row.principal_minor for row in life.state.rows) == capitalised
    assert life.state.balances.principal_minor == left
    ties(life)


def test_what_was_paid_before_a_new_plan_is_not_paid_again() -> None:
    """It went to instalment 36 of the old plan; the one of the new plan goes with the contract."""
    conditions = replace(CONDITIONS, method=RepaymentMethod.INTEREST_ONLY)
    life = disbursed(conditions=conditions).when(pay(310_000, month(1), "ahead"))
    assert life.state.rows[35].paid_minor == 300_000
    life.when(_extension(days_after(month(3), 3)), reason="hardship")
    owed = life.state.balances.principal_minor
    life.when(_terminate(days_after(month(7), 3)), reason="breach")
    assert life.state.balances.principal_minor == owed
    ties(life)


def test_the_terms_of_a_terminated_contract_do_not_change() -> None:
    life = disbursed().when(_terminate(month(1)), reason="breach")
    assert life.refused(_terminate(month(1)), reason="any").code == "contract_terminated"
    extend = cc.ExtendTerm(loan_id=LOAN, effective_on=month(1), change_id="x", instalments=1)
    assert life.refused(extend, reason="any").code == "contract_terminated"
    assert life.refused(_extension(month(1)), reason="any").code == "contract_terminated"
    life.when(_charge_off(month(5)))
    assert booked(life.events)[Account.LOAN_PORTFOLIO] == 0


def test_an_end_is_not_dated_before_money_moved() -> None:
    life = disbursed().when(pay(33_214, month(1), "p-1"))
    before = days_after(month(1), -1)
    for end in (_terminate(before), _charge_off(before)):
        refused = life.refused(end, reason="breach")
        assert (refused.code, refused.field) == ("before_last_fact", "effective_on")
    assert life.refused(_terminate(month(1))).code == "reason_missing"


def test_a_recovery_costs_no_more_than_it_brings() -> None:
    life: Life = disbursed().when(_charge_off(month(2)))
    recovery = ce.RecordRecovery(
        loan_id=LOAN, effective_on=month(2), recovery_id="rec", amount_minor=5, cost_minor=6
    )
    assert life.refused(recovery).code == "amount_out_of_range"
