"""Whatever is done to a loan in whatever order: the books tie, and the engine says the same."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.commands import changes as ch
from domain.commands import crediting as cr
from domain.commands import disbursement as cd
from domain.commands import ending as ce
from domain.commands import servicing as cs
from domain.commands import undoing as cu
from domain.commands.registry import Command
from domain.errors import Rejected
from domain.events.arrears import LoanClass
from domain.events.ending import LoanChargedOff, LoanRestructured, RestructureKind
from domain.events.servicing import PaymentKind
from domain.loan.booking import standing_on
from domain.loan.state import LoanStatus
from domain.loan.terms import (
    ChargeOffBehaviour,
    Component,
    Conditions,
    DownPaymentConditions,
    DueDays,
    FloatingConditions,
    OverdueInterest,
    PenaltyConditions,
    Recalculation,
    RefundKind,
    RepaymentMethod,
    ResetRule,
    Unit,
)
from domain.postings import Account
from domain.replay import replay
from domain.servicing.values import ReAgeInterest, ReAmortiseInterest
from tests.support.charge_rules import (
    AGREED_FEES,
    CHARGE_RULES,
    INSTALMENT_FEES,
    YEARLY_FEES,
)
from tests.support.conventions import CONVENTIONS
from tests.support.incomes import INCOME_SHAPE, INCOME_TURNS, deferral_ties, standing_income
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    METHODS,
    START,
    Life,
    booked,
    close,
    disbursed,
    folded_again,
    pay,
    ties_to_the_ledger,
    told_of,
)
from tests.support.on_record import on_record
from tests.support.penal import PRINCIPAL_FIRST
from tests.support.turns import Turn

PRODUCTS = [
    replace(
        CONDITIONS,
        payouts_max=1_000,
        four_eyes_from_minor=10**9,
        method=method,
        recalculation=recalculation,
        backdating_days_max=2_000,
        interest_refunded_with=()
        if recalculation is Recalculation.NONE
        else (RefundKind.MERCHANT, RefundKind.PAYOUT),
    )
    for method, recalculation in METHODS
]
SHAPES: list[dict[str, Any]] = [
    {},
    {"repayment_unit": Unit.WEEKS, "repayment_every": 2},
    {"repayment_unit": Unit.DAYS, "repayment_every": 10},
    {"repayment_unit": Unit.QUARTERS},
    {"grace_on_principal": 2},
    {"interest_free_periods": 2},
    {"overdue_interest": OverdueInterest.DOES_NOT_EARN},
    {"full_term_tranches": True},
    {"charge_off": ChargeOffBehaviour.ZERO_INTEREST},
    {"charge_rules": CHARGE_RULES},
    {"down_payment": DownPaymentConditions(percent=Decimal(20), automatic=True)},
    {"down_payment": DownPaymentConditions(percent=Decimal(35))},
    {"charge_rules": INSTALMENT_FEES},
    {"charge_rules": YEARLY_FEES, "charge_off": ChargeOffBehaviour.ACCELERATE_MATURITY},
    {"charge_off": ChargeOffBehaviour.ACCELERATE_MATURITY},
    {"due_days": DueDays(earliest=31)},
    *CONVENTIONS,
    {"rate_steps_max": 1},
    INCOME_SHAPE,
    {"floating": FloatingConditions(reference="LPR-1Y", reset=ResetRule.MONTHLY)},
    {
        "overdue_interest": OverdueInterest.DOES_NOT_EARN,
        "penalty": PenaltyConditions(overdue_markup=Decimal("0.5"), misuse_markup=Decimal(1)),
        "non_performing_allocation": PRINCIPAL_FIRST,
    },
]
"""What is changed of a product beside its method."""


MAKERS: dict[str, Callable[[Turn], Command]] = {
    "pay": lambda t: pay(1 + t.n * 97, t.on, t.name),
    "down payment": lambda t: replace(
        pay(1 + t.n * 97, t.on, t.name), kind=PaymentKind.DOWN_PAYMENT
    ),
    "instalment": lambda t: pay(t.next_unpaid, t.on, t.name),
    "pay out": lambda t: t.make(
        cd.DisburseLoan, disbursement_id=t.name, amount_minor=1 + t.n * 101
    ),
    "return payout": lambda t: t.make(
        cd.ReturnDisbursement, disbursement_id=t.last_payout, cause="x"
    ),
    "reverse": lambda t: t.make(cs.ReversePayment, payment_id=t.fact, cause="x"),
    "charge": lambda t: t.make(
        cs.AssessCharge,
        charge_id=t.name,
        code="LATE",
        component=Component.FEE if t.n % 2 else Component.PENALTY,
        amount_minor=1 + t.n,
        instalment=t.number,
    ),
    "agreed charge": lambda t: t.make(
        cs.AssessCharge,
        charge_id=t.name,
        code="NSF",
        component=Component.FEE,
        instalment=t.number,
    ),
    "waive": lambda t: t.make(
        cs.Waive,
        waiver_id=t.name,
        component=(Component.INTEREST, Component.FEE, Component.PENALTY)[t.n % 3],
        amount_minor=1 + t.n,
        instalment=t.number,
    ),
    "refund credit": lambda t: t.make(
        cs.RefundCreditBalance, refund_id=t.name, amount_minor=1 + t.n
    ),
    "goodwill": lambda t: t.make(cr.CreditGoodwill, credit_id=t.name, amount_minor=1 + t.n * 13),
    "refund": lambda t: t.make(
        cr.ReceiveRefund,
        refund_id=t.name,
        kind=RefundKind.MERCHANT if t.n % 2 else RefundKind.PAYOUT,
        amount_minor=1 + t.n * 89,
    ),
    "adjust": lambda t: t.make(
        cr.AdjustCharge,
        adjustment_id=t.name,
        charge_id=t.fact,
        amount_minor=1 + t.n // 9,
    ),
    "charge back": lambda t: t.make(
        cr.ChargeBack,
        chargeback_id=t.name,
        payment_id=t.fact,
        amount_minor=1 + t.n * 7,
    ),
    "take chargeback back": lambda t: t.make(cr.ReverseChargeback, chargeback_id=t.fact, cause="x"),
    "rate": lambda t: t.make(ch.ChangeRate, change_id=t.name, rate_annual=Decimal(t.n % 40) / 100),
    "reprice": lambda t: t.make(ce.RepriceLoan),
    "pause": lambda t: t.make(
        ch.PauseInterest, change_id=t.name, until_on=t.on + timedelta(days=t.n % 90)
    ),
    "extend": lambda t: t.make(ch.ExtendTerm, change_id=t.name, instalments=1 + t.n % 12),
    "move": lambda t: t.make(
        ch.MoveDueDate,
        change_id=t.name,
        instalment=t.number,
        due_on=t.life.state.rows[t.number - 1].due_on + timedelta(days=t.n % 60 - 20),
    ),
    "grace": lambda t: t.make(
        ch.GrantGrace, change_id=t.name, principal=t.n % 3, interest=t.n // 3 % 3
    ),
    "defer": lambda t: t.make(ch.DeferPayments, change_id=t.name, months=1 + t.n % 4),
    "re-age": lambda t: t.make(
        ch.ReAgeLoan,
        re_age_id=t.name,
        first_due_on=t.on + timedelta(days=1 + t.n % 40),
        instalments=1 + t.n % 30,
        interest=list(ReAgeInterest)[t.n % 4],
        willing_and_able=True,
    ),
    "re-amortise": lambda t: t.make(
        ch.ReAmortiseLoan,
        re_amortisation_id=t.name,
        interest=list(ReAmortiseInterest)[t.n % 3],
    ),
    "restructure": lambda t: t.make(
        ce.RestructureLoan,
        restructure_id=t.name,
        kind=RestructureKind.RESCHEDULE,
        first_due_on=t.on + timedelta(days=1 + t.n % 40),
        instalments=1 + t.n % 30,
        financial_difficulty=False,
    ),
    "undo re-age": lambda t: t.make(cu.ReverseReAgeing, re_age_id=t.newest, cause="x"),
    "undo re-amortise": lambda t: t.make(
        cu.ReverseReAmortisation, re_amortisation_id=t.newest, cause="x"
    ),
    "undo terminate": lambda t: t.make(cu.ReverseTermination, cause="x"),
    "terminate": lambda t: t.make(ce.TerminateContract, cause="x"),
    "charge off": lambda t: t.make(ce.ChargeOffLoan, cause="x"),
    "undo charge-off": lambda t: t.make(ce.ReverseChargeOff, cause="x"),
    "recover": lambda t: t.make(ce.RecordRecovery, recovery_id=t.name, amount_minor=1 + t.n * 31),
    "misuse": lambda t: t.make(cd.ReportMisuse, category="x"),
    "end misuse": lambda t: t.make(cd.EndMisuse, cause="x"),
    "classify": lambda t: t.make(cs.ClassifyLoan, loan_class=list(LoanClass)[t.n % 5]),
    "close": lambda t: close(t.on),
    **INCOME_TURNS,
}

steps = st.lists(
    st.tuples(
        st.sampled_from([*MAKERS, *["instalment", "pay"] * 3]),
        st.integers(min_value=0, max_value=75),  # days that go by
        st.one_of(st.just(0), st.integers(min_value=0, max_value=90)),  # how far it is dated back
        st.integers(min_value=0, max_value=2_000),
    ),
    min_size=1,
    max_size=20,
)


def principal_sums(life: Life) -> None:
    """What the rows ask for is what went out and became principal, and what was charged back."""
    if any(isinstance(event, LoanRestructured) for event in life.events):
        return  # rows with their history are cut down to what was paid, and interest is capitalised
    back = life.state.chargebacks
    lent = life.state.paid_out_minor + standing_income(life)
    asked = sum(row.principal_minor for row in life.state.rows) - lent
    assert sum(x.principal_minor for x in back) <= asked <= sum(x.amount_minor for x in back)


def off_the_books(life: Life) -> None:
    """A charge-off leaves none of what is owed on the books, whatever it does to the schedule."""
    stands = booked(life.events)
    cleared = (Account.LOAN_PORTFOLIO, Account.FEE_RECEIVABLE, Account.PENALTY_RECEIVABLE)
    assert [stands[account] for account in cleared] == [0, 0, 0]
    told = life.last[0]
    assert isinstance(told, LoanChargedOff)
    if life.conditions.charge_off is not ChargeOffBehaviour.ZERO_INTEREST:  # parts may move then
        assert told.principal_minor == life.state.balances.principal_minor


def holds(life: Life) -> None:
    state = life.state
    if not state.charged_off:
        ties_to_the_ledger(life)
    elif life.last and isinstance(life.last[0], LoanChargedOff):
        off_the_books(life)
    deferral_ties(life)
    assert state.timeline is not None
    shown = standing_on(state.timeline, life.now)
    assert shown.balances.principal_minor == state.balances.principal_minor
    assert shown.balances.overpaid_minor == state.balances.overpaid_minor
    assert (state.status is LoanStatus.SETTLED) == (state.balances.owed_minor == 0)
    for row in state.rows:
        left = (row.principal_left_minor, row.interest_left_minor, row.fee_left_minor)
        assert min(*left, row.penalty_left_minor) >= 0, row
        assert (row.met_on is not None) == (row.unpaid_minor == 0), row


Told = list[tuple[str, int, int, int]]

lives = st.tuples(st.sampled_from(PRODUCTS), st.sampled_from(SHAPES), steps)


NOT_OFFERED: dict[RepaymentMethod, set[str]] = {
    RepaymentMethod.BULLET: {"grace_on_principal", "rate_steps_max", "fixed_length"},
    RepaymentMethod.EQUAL_AMORTISATION: {"floating", "rate_steps_max"},
    RepaymentMethod.FIXED_INSTALMENT: {"grace_on_principal", "fixed_length"},
    RepaymentMethod.CUSTOM: {"grace_on_principal", "fixed_length", "due_days", "calendar"},
    RepaymentMethod.REVOLVING: {"down_payment"},
}


def paid_out(conditions: Conditions, shape: dict[str, Any]) -> Life:
    """Begin a life; what a method does not offer is left out of the shape."""
    method = conditions.method
    left_out = NOT_OFFERED.get(method, set[str]())
    if method not in {RepaymentMethod.ANNUITY, RepaymentMethod.FLAT}:
        left_out = left_out | {"full_term_tranches"}
    if method is RepaymentMethod.REVOLVING and shape.get("charge_rules") in AGREED_FEES:
        left_out = left_out | {"charge_rules"}
    shape = {name: n for name, n in shape.items() if name not in left_out}
    return disbursed(conditions=replace(conditions, **shape), approved=5_000_000)


def turns(life: Life, told: Told) -> Iterator[Life]:
    """Lead a life on, command by command, as long as it lasts; what is refused is passed over."""
    for number, (what, days, back, n) in enumerate(told):
        life.now += timedelta(days=days)
        on = max(START, life.now - timedelta(days=back))
        if life.state.status is LoanStatus.WRITTEN_OFF:
            break
        try:
            life.when(MAKERS[what](Turn(life, on, f"{what}-{number}", n)), reason="any")
        except Rejected:
            continue
        yield life


@given(lives)
def test_closing_a_day_twice_is_closing_it_once(
    drawn: tuple[Conditions, dict[str, Any], Told],
) -> None:
    conditions, shape, told = drawn
    life = paid_out(conditions, shape)
    for _ in turns(life, told):
        life.when(close(life.now)).when(close(life.now)).then()


@given(lives)
def test_the_books_tie_whatever_is_done(
    drawn: tuple[Conditions, dict[str, Any], Told],
) -> None:
    conditions, shape, told = drawn
    life = paid_out(conditions, shape)
    for _ in turns(life, told):
        holds(life)
        principal_sums(life)
    again = folded_again(life)
    assert again.timeline is not None
    assert life.state.timeline is not None
    assert standing_on(again.timeline, life.now) == standing_on(life.state.timeline, life.now)


@given(lives, st.integers(min_value=0, max_value=2_000))
def test_what_was_known_at_an_instant_never_changes(
    drawn: tuple[Conditions, dict[str, Any], Told], days: int
) -> None:
    conditions, shape, told = drawn
    life = paid_out(conditions, shape)
    as_of = START + timedelta(days=days)
    instant = datetime(2030, 1, 1, tzinfo=UTC)
    record = [on_record(LOAN, event, instant) for event in life.events]
    answers = {instant: (life.state, replay(record, as_of=as_of))}
    for _ in turns(life, told):
        instant += timedelta(seconds=1)
        record += [on_record(LOAN, event, instant) for event in life.last]
        answers[instant] = (life.state, replay(record, as_of=as_of))
    for known_at, (then, seen) in answers.items():
        again = replay(record, as_of=as_of, known_at=known_at)
        assert (again.events, again.days_past_due) == (seen.events, seen.days_past_due)
        assert told_of(again.loan) == told_of(seen.loan)
        assert told_of(replay(record, known_at=known_at).loan) == told_of(then)
