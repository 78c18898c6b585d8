"""罚息 and 复利 in the life of a loan: golden file, bands, the heavier of two, misuse, the cap."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.daycount import DayCount
from domain.errors import Rejected
from domain.money import parse_amount
from domain.servicing import facts as f
from domain.servicing import operations as op
from domain.servicing.account import Account, Amounts
from domain.servicing.fold import open_ledger
from domain.servicing.ledger import Ledger
from domain.servicing.penalising import penalise
from domain.servicing.penalty import (
    Breach,
    PenaltyPolicy,
    PenaltyTerms,
    cap_charge,
    consumer_cap,
    penalty_rate,
    private_lending_cap,
)
from domain.servicing.row import I, N, P, PenaltyInterest
from domain.servicing.simulation import simulate
from domain.servicing.term_parts import CustomInstalment
from domain.servicing.terms import LoanTerms
from domain.servicing.timeline import Timeline
from domain.servicing.values import (
    Amortisation,
    Component,
    DueClass,
    Kind,
    OverdueInterest,
    Recalculation,
    Status,
)
from tests.domain.golden_methods import table
from tests.domain.servicing.plans import START, terms
from tests.domain.servicing.properties import facts_of, recorded, shown

AGREED = PenaltyTerms(overdue_markup=Decimal("0.50"), misuse_markup=Decimal("1.00"))
YEARS = {"360": DayCount.ACT_360, "365": DayCount.ACT_365F}
DUE, SECOND = date(2024, 2, 15), date(2024, 3, 15)
LATE = DUE + timedelta(days=30)


def penalised(**changes: Any) -> LoanTerms:  # noqa: ANN401 - any field of the terms
    """100,000.00 at 6 % ACT/360, all due a month later, +50 % when overdue, +100 % if misused."""
    given: dict[str, Any] = {
        "principal_minor": 100_000_00,
        "rate_annual": Decimal("0.06"),
        "instalments": 1,
        "day_count": DayCount.ACT_360,
        "penalty": AGREED,
    }
    return terms(**(given | changes))


def opened(*steps: op.Operation, of: LoanTerms | None = None) -> Account:
    loan = of or penalised()
    out = op.Disburse(on=START, amount_minor=loan.principal_minor)
    return simulate(loan, [op.SetBusinessDate(on=START), out, *steps]).final.account


def owed_on(account_of: LoanTerms, on: date) -> Amounts:
    out = f.Disbursed(
        id="1", effective_on=START, entered_on=START, amount_minor=account_of.principal_minor
    )
    return Timeline.start(account_of).record(out).account_as_of(on).outstanding


def in_arrears(row: dict[str, str]) -> tuple[Ledger, date]:
    """One instalment that is overdue since a day, with unpaid parts as given."""
    since = date.fromisoformat(row["from_on"])
    loan = penalised(
        rate_annual=Decimal(row["rate_annual"]),
        expected_disbursement_on=since - timedelta(days=30),
        amortisation=Amortisation.CUSTOM,
        custom=(CustomInstalment(due_on=since),),
        penalty=PenaltyTerms(
            overdue_markup=Decimal(row["markup"]),
            misuse_markup=Decimal(row["markup"]),
            day_count=YEARS[row["year"]],
            policy=PenaltyPolicy(compound_on_penalty=row["compound_on_penalty"] == "yes"),
        ),
    )
    ledger = open_ledger(loan, loan.expected_disbursement_on)
    overdue = ledger.rows[0]
    for component, name in ((P, "principal"), (I, "interest"), (N, "penalty")):
        overdue.ask(component, parse_amount(row[name], "CNY"), None)
    overdue.penalty_interest = PenaltyInterest(asked=overdue.due[N], settled=overdue.due[N])
    ledger.penalised_through = since
    return ledger, date.fromisoformat(row["until_on"])


@pytest.mark.parametrize("row", table("penalty_and_compound.csv"), ids=str)
def test_penalty_runs_on_principal_and_compound_interest_on_unpaid_interest(
    row: dict[str, str],
) -> None:
    """Source: PBC 银发[2003]251号, article 3; domain rules, 5.4. The file was computed apart."""
    ledger, until = in_arrears(row)
    penalise(ledger, until)
    found = ledger.rows[0].penalty_interest
    assert found is not None
    kinds = ("penalty_interest", "compound_interest")
    halves = [
        (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
        for exact in (found.penalty, found.compound)
    ]
    assert halves == [parse_amount(row[kind], "CNY") for kind in kinds]


@pytest.mark.parametrize(
    ("principal_minor", "rate_annual", "days", "penalty_minor"),
    [(3_75, "0.13", 32, 7), (6_00, "0.104", 25, 7), (18_00, "0.13", 20, 20)],
)
def test_half_a_cent_of_penalty_rounds_up(
    principal_minor: int, rate_annual: str, days: int, penalty_minor: int
) -> None:
    """3.75 at 13 % + 50 % for 32 days of 360 is 6.5 cents exactly; no digit is lost on the way."""
    loan = penalised(principal_minor=principal_minor, rate_annual=Decimal(rate_annual))
    ledger = open_ledger(loan, START)
    ledger.rows[0].ask(P, principal_minor, None)
    penalise(ledger, DUE + timedelta(days=days))
    assert ledger.rows[0].due[N] == penalty_minor


def test_an_overdue_loan_owes_penalty_on_principal_and_compound_interest() -> None:
    """516.67 interest; 30 days at 9 %: 750.00 on principal, 3.88 on the unpaid interest."""
    owed = owed_on(penalised(), LATE)
    assert (owed.principal, owed.interest, owed.penalties) == (100_000_00, 516_67, 750_00 + 3_88)


def test_only_matured_principal_is_overdue_until_the_loan_is_accelerated() -> None:
    """Source: domain rules, 5.4 (acceleration); overdue is from the day after it is due."""
    loan = penalised(instalments=2, amortisation=Amortisation.EQUAL_PRINCIPAL)
    assert owed_on(loan, DUE).penalties == 0
    assert owed_on(loan, DUE + timedelta(days=8)).penalties == 100_00 + 1_03
    ended = opened(
        op.SetBusinessDate(on=DUE),
        op.Terminate(),
        op.SetBusinessDate(on=DUE + timedelta(days=8)),
        op.CloseDays(),
        of=loan,
    )
    assert ended.outstanding.penalties == 200_00 + 1_03


def test_a_payment_stops_what_it_pays_and_penalties_are_paid_first() -> None:
    """30 days late 753.88 is owed; what is left of 50,000.00 lowers what runs on from there."""
    half = op.Transact(kind=Kind.REPAYMENT, on=LATE, amount_minor=50_000_00)
    account = opened(op.SetBusinessDate(on=LATE), half)
    split = account.transactions[-1].split
    assert (split.penalties, split.interest, split.principal) == (753_88, 516_67, 48_729_45)
    later = opened(
        op.SetBusinessDate(on=LATE),
        half,
        op.SetBusinessDate(on=LATE + timedelta(days=30)),
        op.CloseDays(),
    )
    left = 100_000_00 - 48_729_45
    assert later.outstanding.penalties == round(left * 0.09 * 30 / 360)


@pytest.mark.parametrize("recalculation", [Recalculation.NONE, Recalculation.CONTINUOUS])
@pytest.mark.parametrize("days", [1, 17, 400])
def test_a_payoff_pays_the_penalties_of_its_day(days: int, recalculation: Recalculation) -> None:
    loan = penalised(
        recalculation=recalculation, overdue_interest=OverdueInterest.DOES_NOT_EARN, instalments=3
    )
    account = opened(
        op.SetBusinessDate(on=START), op.PayOff(on=DUE + timedelta(days=days)), of=loan
    )
    assert account.status is Status.CLOSED_OBLIGATIONS_MET


def test_misused_funds_cost_the_heavier_rate_also_before_they_are_due() -> None:
    """16 days at 6 % beside the contract's 6 %: 266.67; then 10 days at 12 % on what is overdue."""
    misuse = op.ReportMisuse(on=DUE - timedelta(days=16))
    in_time = opened(misuse, op.SetBusinessDate(on=DUE), op.CloseDays())
    assert in_time.outstanding.penalties == 266_67
    late = opened(misuse, op.SetBusinessDate(on=DUE + timedelta(days=10)), op.CloseDays())
    assert late.outstanding.penalties == 266_67 + 333_33 + 1_72
    cured = op.ReportMisuse(on=DUE - timedelta(days=6), cured=True)
    ended = opened(misuse, cured, op.SetBusinessDate(on=DUE), op.CloseDays())
    assert ended.outstanding.penalties == 166_67


def test_misuse_needs_an_agreed_rate() -> None:
    with pytest.raises(Rejected) as refusal:
        opened(op.ReportMisuse(on=START), of=penalised(penalty=None))
    assert refusal.value.code == "change_not_offered"


def test_unpaid_penalty_bears_nothing_by_default() -> None:
    """Source: domain rules, 5.4: contested in court, so off unless the product says otherwise."""
    assert not PenaltyPolicy().compound_on_penalty
    bears = PenaltyTerms(
        overdue_markup=Decimal("0.50"),
        misuse_markup=Decimal("1.00"),
        policy=PenaltyPolicy(compound_on_penalty=True),
    )
    look = [op.SetBusinessDate(on=DUE + timedelta(days=n)) for n in (100, 200)]
    pays = op.Transact(kind=Kind.REPAYMENT, on=DUE + timedelta(days=100), amount_minor=1)
    without, with_it = (
        opened(look[0], pays, look[1], op.CloseDays(), of=penalised(penalty=agreed))
        for agreed in (AGREED, bears)
    )
    assert with_it.outstanding.penalties > without.outstanding.penalties


@pytest.mark.parametrize(
    ("overdue", "misuse", "sound"),
    [
        ("0.30", "0.50", True),
        ("0.50", "1.00", True),
        ("0.29", "0.50", False),
        ("0.51", "0.50", False),
        ("0.30", "0.49", False),
        ("0.30", "1.01", False),
        ("0", "1.00", False),
    ],
)
def test_a_markup_outside_its_band_is_refused(overdue: str, misuse: str, *, sound: bool) -> None:
    """Source: PBC 银发[2003]251号: overdue +30 % to +50 %, misuse +50 % to +100 %."""
    agreed = PenaltyTerms(overdue_markup=Decimal(overdue), misuse_markup=Decimal(misuse))
    refused = [(x.field, x.code) for x in penalised(penalty=agreed).validate()]
    assert refused == ([] if sound else [("penalty", "penalty_rate_outside_band")])


def test_overdue_principal_earns_one_rate_and_not_two() -> None:
    refused = penalised(recalculation=Recalculation.CONTINUOUS).validate()
    assert [(x.field, x.code) for x in refused] == [("overdue_interest", "rate_given_twice")]


@pytest.mark.parametrize(
    ("breaches", "rate"),
    [
        (set[Breach](), "0.06"),
        ({Breach.OVERDUE}, "0.09"),
        ({Breach.MISUSE}, "0.12"),
        ({Breach.OVERDUE, Breach.MISUSE}, "0.12"),
    ],
)
def test_overdue_and_misused_pays_the_heavier_and_not_both(
    breaches: set[Breach], rate: str
) -> None:
    """Source: domain rules, 5.4 (择其重, 不能并处)."""
    assert penalty_rate(Decimal("0.06"), AGREED, breaches) == Decimal(rate)


@given(st.integers(min_value=0, max_value=2**63))
def test_looking_on_a_day_changes_no_penalty(seed: int) -> None:
    """Source: domain rules, 5.3, 10: kept exactly, rounded as a whole, a function of time."""
    r = Random(seed)  # noqa: S311 - a seeded run
    loan = penalised(principal_minor=1_000_00, instalments=r.randint(1, 5))
    facts = facts_of(r)
    looked_at = Timeline.start(loan)
    for fact in facts:
        looked_at = looked_at.record(fact)
        assert looked_at.account_as_of(fact.effective_on).outstanding.penalties >= 0
        assert looked_at.account.outstanding.penalties >= 0
    assert shown(looked_at.account) == shown(recorded(loan, facts).account)


# --- payments into a non-performing loan


def test_a_non_performing_loan_is_paid_principal_first() -> None:
    """Source: domain rules, 5.5: PPP...III...CCC, for later payments and not for earlier ones."""
    npl = tuple(
        (due, component)
        for component in (Component.PRINCIPAL, Component.INTEREST, Component.FEE, Component.PENALTY)
        for due in DueClass
    )
    loan = penalised(
        instalments=3, amortisation=Amortisation.EQUAL_PRINCIPAL, non_performing_order=npl
    )
    today = SECOND + timedelta(days=1)
    pays = op.Transact(kind=Kind.REPAYMENT, on=today, amount_minor=1_000_00)
    account = opened(
        op.SetBusinessDate(on=today), pays, op.Classify(non_performing=True), pays, of=loan
    )
    before, after = [t for t in account.transactions if t.kind is Kind.REPAYMENT]
    assert before.split.principal < 1_000_00
    assert after.split == Amounts(principal=1_000_00)
    assert {line.rule for line in after.lines} == {"non_performing:past_due:principal"}


# --- the cap


def test_a_charge_is_cut_to_what_the_cap_allows() -> None:
    """Source: domain rules, 5.4 (rate_cap_policy): 24 % of 100,000 for 30 days is 1,972.60."""
    allowed = int(100_000_00 * consumer_cap().rate_annual * 30 / 365)
    assert allowed == 1_972_60
    charged = cap_charge(500_00, charged_minor=1_600_00, allowed_minor=allowed)
    assert (charged.uncapped_minor, charged.capped_minor) == (500_00, 372_60)


def test_private_lending_is_capped_at_four_times_the_lpr_of_the_contract() -> None:
    """Source: domain rules, 5.4."""
    assert private_lending_cap(Decimal("0.0345")).rate_annual == Decimal("0.1380")


AMOUNTS = st.integers(min_value=0, max_value=10**12)


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_a_cap_never_adds_and_never_lets_through_too_much(
    wanted: int, charged: int, allowed: int
) -> None:
    capped = cap_charge(wanted, charged, allowed)
    assert 0 <= capped.capped_minor <= wanted == capped.uncapped_minor
    assert capped.capped_minor == 0 or charged + capped.capped_minor <= allowed


def test_a_negative_amount_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="not negative"):
        cap_charge(-1, 0, 0)
