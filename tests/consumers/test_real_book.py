"""The real book's rules on single rows: a published loan in, the commands of its life out."""

import lzma
import pickle
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from consumers.real_book.dataset import PublishedLoan, PublishedStatus, read_published
from consumers.real_book.frame import UnreadableTable, read_frame
from consumers.real_book.life import CHECKER, conditions, life_of, plan_of, products
from consumers.real_book.publisher import against_publisher
from consumers.real_book.snapshot import SNAPSHOT_ON, estimate
from consumers.stream import Entry
from domain.commands import name_of
from domain.commands.servicing import ReceivePayment
from domain.context import Context, ProductVersion
from domain.decide import decide_loan
from domain.loan.arrears import days_past_due, overdue
from domain.loan.evolve import evolve
from domain.loan.state import Loan, LoanStatus

BEFORE_THE_MONEY = [
    "loan.apply",
    "loan.review",
    "loan.disclose_cost",
    "loan.accept_offer",
    "loan.prepare_disbursement",
    "loan.check_disbursement",
    "loan.disburse",
]


def published(**changes: object) -> PublishedLoan:
    """A current loan of January 2018 that has paid five instalments of 332.15 to the cent."""
    loan = PublishedLoan(
        row=1,
        state="NJ",
        purpose="moving",
        grade="B",
        sub_grade="B3",
        home_ownership="rent",
        employment_years=3,
        income_annual_minor=9_000_000,
        debt_to_income=Decimal("0.18"),
        inquiries_12m=1,
        delinquencies_24m=0,
        credit_lines_open=10,
        issue_month=date(2018, 1, 1),
        amount_minor=1_000_000,
        instalments=36,
        rate_annual=Decimal("0.12"),
        instalment_minor=33_215,
        status=PublishedStatus.CURRENT,
        balance_minor=0,
        paid_principal_minor=0,
        paid_interest_minor=0,
        paid_late_fees_minor=0,
        paid_total=Decimal(0),
    )
    return replace(loan, **changes)  # type: ignore[arg-type]


def having_paid(instalments: int, **changes: object) -> PublishedLoan:
    """The same loan after so many planned instalments."""
    rows = plan_of(published())[:instalments]
    return published(
        paid_principal_minor=sum(row.principal_minor for row in rows),
        paid_interest_minor=sum(row.interest_minor for row in rows),
        **changes,
    )


def lived(loan: PublishedLoan) -> Loan:
    """Give the life's commands to the domain and return where the loan ends up."""
    state: Loan | None = None
    product = ProductVersion(code="P", version=1, conditions=conditions(loan.instalments))
    for entry in life_of(loan):
        context = Context(
            actor=entry.actor,
            business_date=entry.on,
            reason_code=entry.reason_code,
            product=product,
        )
        for event in decide_loan(state, entry.command, context):
            state = evolve(state, event)
    assert state is not None
    return state


def days_late(loan: Loan) -> int:
    return days_past_due(overdue(loan.rows, SNAPSHOT_ON, loan.conditions), SNAPSHOT_ON)


def names(entries: list[Entry]) -> list[str]:
    return [name_of(type(entry.command)) for entry in entries]


def payments(loan: PublishedLoan) -> list[ReceivePayment]:
    return [e.command for e in life_of(loan) if isinstance(e.command, ReceivePayment)]


def test_a_current_loan_is_applied_for_checked_paid_out_and_pays_every_month() -> None:
    life = life_of(having_paid(5))
    assert names(life) == [*BEFORE_THE_MONEY, *["loan.receive_payment"] * 5]
    assert [entry.on for entry in life] == sorted(entry.on for entry in life)
    assert {entry.reason_code for entry in life} == {"derived"}
    assert len({entry.key for entry in life}) == len(life)
    maker, checker = life[4].actor, life[5].actor
    assert checker == CHECKER != maker


def test_a_payment_lies_on_its_due_date_and_carries_the_observed_split() -> None:
    paid = payments(having_paid(5))
    issued_on = life_of(having_paid(5))[6].on
    assert [p.effective_on.day for p in paid] == [issued_on.day] * 5
    assert all(p.split and p.split.total_minor == p.amount_minor for p in paid)
    loan = lived(having_paid(5))
    assert days_late(loan) == 0
    assert [row.met_on is not None for row in loan.rows[:6]] == [True] * 5 + [False]


def test_a_loan_one_instalment_short_of_the_peak_is_issued_after_the_snapshot_day() -> None:
    issued_on = life_of(having_paid(4))[6].on
    assert issued_on.day > SNAPSHOT_ON.day
    assert days_late(lived(having_paid(4))) == 0


@pytest.mark.parametrize(
    ("status", "met", "low", "high"),
    [
        (PublishedStatus.IN_GRACE, 4, 1, 15),
        (PublishedStatus.LATE_16, 4, 16, 30),
        (PublishedStatus.LATE_31, 2, 31, 120),
        (PublishedStatus.LATE_31, 1, 31, 120),
    ],
)
def test_a_late_loan_is_as_late_as_its_publisher_says(
    status: PublishedStatus, met: int, low: int, high: int
) -> None:
    for row in range(40):  # whichever issue day it is dealt
        loan = lived(having_paid(met, status=status, row=row))
        assert low <= days_late(loan) <= high


def test_principal_above_the_plan_comes_off_the_end_and_leaves_the_due_dates() -> None:
    source = having_paid(5)
    extra = replace(source, paid_principal_minor=source.paid_principal_minor + 200_000)
    loan = lived(extra)
    assert loan.balances.principal_minor == 1_000_000 - extra.paid_principal_minor
    assert loan.rows[5].due_minor == plan_of(extra)[5].due_minor
    assert loan.rows[-1].due_minor == 0
    assert min(row.principal_minor for row in loan.rows) >= 0
    assert days_late(loan) == 0


def test_a_first_period_that_is_shorter_or_longer_shows_in_the_first_payment() -> None:
    source = having_paid(5)
    for difference in (-900, 900):
        loan = replace(source, paid_interest_minor=source.paid_interest_minor + difference)
        first, *others = payments(loan)
        assert first.split
        assert first.split.interest_minor == 10_000 + difference
        assert sum(p.split.interest_minor for p in others if p.split) == (
            source.paid_interest_minor - 10_000
        )
        assert days_late(lived(loan)) == 0


def test_payments_a_little_short_still_count() -> None:
    source = having_paid(5)
    short = replace(source, paid_principal_minor=source.paid_principal_minor - 9_000)
    loan = lived(short)
    assert days_late(loan) == 0
    assert loan.balances.principal_minor == 1_000_000 - short.paid_principal_minor


def test_a_fully_paid_loan_is_settled_on_the_day_its_interest_reaches() -> None:
    source = having_paid(2)
    loan = replace(
        source,
        status=PublishedStatus.FULLY_PAID,
        paid_principal_minor=1_000_000,
        paid_interest_minor=source.paid_interest_minor + 4_800,
    )
    paid = payments(loan)
    assert len(paid) == 3
    assert 13 <= (paid[2].effective_on - paid[1].effective_on).days <= 16
    state = lived(loan)
    assert state.status is LoanStatus.SETTLED
    assert state.balances.owed_minor == 0


def test_a_loan_repaid_at_once_is_settled_the_day_after() -> None:
    loan = published(status=PublishedStatus.FULLY_PAID, paid_principal_minor=1_000_000)
    (paid,) = payments(loan)
    assert (paid.effective_on - life_of(loan)[6].on).days == 1


def test_a_late_fee_is_charged_and_the_instalment_paid_sixteen_days_late() -> None:
    life = life_of(having_paid(5, paid_late_fees_minor=1_500))
    charge = names(life).index("loan.assess_charge")
    assert life[charge].on == life[charge + 1].on
    loan = lived(having_paid(5, paid_late_fees_minor=1_500))
    (late,) = [row for row in loan.rows if row.penalty_paid_minor]
    assert late.penalty_paid_minor == 1_500
    assert late.met_on
    assert (late.met_on - late.due_on).days == 16
    assert days_late(loan) == 0


def test_a_charged_off_loan_keeps_its_debt() -> None:
    loan = lived(having_paid(2, status=PublishedStatus.CHARGED_OFF))
    assert loan.status is LoanStatus.CHARGED_OFF
    assert loan.balances.principal_minor == 1_000_000 - having_paid(2).paid_principal_minor


def test_a_loan_that_never_paid_has_no_payment() -> None:
    loan = published(status=PublishedStatus.LATE_31, issue_month=date(2018, 3, 1))
    assert payments(loan) == []
    assert 31 <= days_late(lived(loan)) <= 120


def test_the_products_round_the_instalment_up() -> None:
    defined = [entry.command for entry in products()]
    assert [getattr(command, "code", None) for command in defined] == ["LC36", "LC60"]
    assert plan_of(published())[0].due_minor == 33_215


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    nonsense = tmp_path / "x"
    for content in (b"nonsense", lzma.compress(b"nonsense"), lzma.compress(pickle.dumps([1]))):
        nonsense.write_bytes(content)
        with pytest.raises(UnreadableTable):
            read_frame(nonsense)


def test_nothing_that_a_pickle_names_is_run(tmp_path: Path) -> None:
    hostile = tmp_path / "hostile"
    hostile.write_bytes(lzma.compress(b"cbuiltins\nprint\n(S'run'\ntR."))
    with pytest.raises(UnreadableTable, match="builtins"):
        read_frame(hostile)


@pytest.fixture(scope="session")
def book() -> list[PublishedLoan]:
    return read_published()


def test_the_whole_book_is_read(book: list[PublishedLoan]) -> None:
    assert len(book) == 10_000
    assert Counter(loan.status for loan in book)[PublishedStatus.CURRENT] == 9_375
    assert sum(loan.amount_minor for loan in book) == 16_361_922_500


def test_the_snapshot_date_is_the_one_that_fits_the_book_best(book: list[PublishedLoan]) -> None:
    assert estimate(book) == SNAPSHOT_ON


@pytest.mark.slow
def test_the_engine_agrees_with_the_publisher(book: list[PublishedLoan]) -> None:
    instalments, principals = against_publisher(book)
    assert (instalments.ok, instalments.actual) == (True, "9997")
    assert (principals.ok, principals.actual) == (True, "8683")


def test_every_hundredth_loan_ends_as_published(book: list[PublishedLoan]) -> None:
    for loan in book[::100]:
        state = lived(loan)
        if loan.status is not PublishedStatus.CHARGED_OFF:
            assert state.balances.principal_minor == loan.balance_minor, loan.row
        assert state.balances.overpaid_minor == 0
        assert all(row.unpaid_minor >= 0 for row in state.rows)
