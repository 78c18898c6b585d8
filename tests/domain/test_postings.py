"""Every posting balances, and the ledger's totals are the sum over the loans."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.commands import ending as ce
from domain.commands import servicing as cs
from domain.errors import Rejected
from domain.events.ending import RestructureKind
from domain.loan.state import LoanStatus
from domain.loan.terms import Component
from domain.postings import Account
from tests.support.lives import LOAN, START, Life, booked, charge, disbursed, month, pay, reverse


def ties(life: Life) -> None:
    """The portfolio is the principal owed, the liability is the credit, cash is what moved."""
    balance = booked(life.events)
    owed = life.state.balances
    assert sum(balance.values()) == 0
    if life.state.charged_off:
        assert balance[Account.LOAN_PORTFOLIO] == 0
        return
    assert balance[Account.LOAN_PORTFOLIO] == owed.principal_minor
    assert balance[Account.OVERPAYMENT_LIABILITY] == -owed.overpaid_minor
    assert balance[Account.FEE_RECEIVABLE] == owed.fee_minor
    assert balance[Account.PENALTY_RECEIVABLE] == owed.penalty_minor


def test_a_payout_moves_cash_into_the_portfolio() -> None:
    balance = booked(disbursed().events)
    assert balance == {Account.LOAN_PORTFOLIO: 1_000_000, Account.FUND_SOURCE: -1_000_000}


def test_a_payment_lowers_portfolio_and_receivable() -> None:
    balance = booked(disbursed().when(pay(33_214, month(1))).events)
    assert balance[Account.FUND_SOURCE] == 33_214 - 1_000_000
    assert balance[Account.INTEREST_RECEIVABLE] == -10_000


def test_a_restatement_posts_the_differences_only() -> None:
    life = disbursed().when(pay(33_214, month(2), "second")).when(pay(33_214, month(1), "first"))
    ties(life)
    ties(life.when(reverse("second", month(2))))


def test_a_charge_off_empties_the_books_and_recoveries_are_income() -> None:
    life = disbursed().when(ce.ChargeOffLoan(loan_id=LOAN, effective_on=month(5), cause="120_days"))
    recovery = ce.RecordRecovery(
        loan_id=LOAN, effective_on=month(5), recovery_id="r", amount_minor=900, cost_minor=100
    )
    balance = booked(life.when(recovery).events)
    assert balance[Account.LOAN_PORTFOLIO] == 0
    assert balance[Account.CHARGE_OFF_EXPENSE] == 1_000_000
    assert balance[Account.RECOVERY_INCOME] == -900
    assert balance[Account.COLLECTION_EXPENSE] == 100


def test_a_restructuring_capitalises_interest() -> None:
    life = disbursed()
    command = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=month(3),
        restructure_id="r",
        kind=RestructureKind.RESCHEDULE,
        first_due_on=month(4),
        instalments=36,
        waive_interest_minor=1_000,
        financial_difficulty=False,
    )
    ties(life.when(command, reason="hardship"))


steps = st.lists(
    st.tuples(
        st.sampled_from(["pay", "reverse", "charge", "waive", "refund"]),
        st.integers(min_value=1, max_value=400_000),
        st.integers(min_value=0, max_value=170),
    ),
    max_size=15,
)


@given(steps)
def test_any_life_ties_to_its_ledger(made: list[tuple[str, int, int]]) -> None:
    life = disbursed()
    life.now = START + timedelta(days=170)
    for number, (what, amount, day) in enumerate(made):
        on = START + timedelta(days=day)
        penalty = charge(
            amount % 5_000 + 1,
            life.now,
            amount % 36 + 1,
            Component.PENALTY,
            f"c{number}",
        )
        waiver = cs.Waive(
            loan_id=LOAN,
            effective_on=life.now,
            waiver_id=f"w{number}",
            component=Component.PENALTY,
            amount_minor=amount % 900 + 1,
            instalment=amount % 36 + 1,
        )
        refund = cs.RefundCreditBalance(
            loan_id=LOAN, effective_on=life.now, refund_id=f"r{number}", amount_minor=amount
        )
        command = {
            "pay": pay(amount, on, f"p{number}"),
            "reverse": reverse(f"p{amount % 15}", life.now),
            "charge": penalty,
            "waive": waiver,
            "refund": replace(refund, amount_minor=min(amount, 50_000)),
        }[what]
        try:
            life.when(command, reason="test")
        except Rejected:
            continue
        ties(life)
    assert life.state.status in {LoanStatus.ACTIVE, LoanStatus.SETTLED}
