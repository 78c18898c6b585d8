"""Every figure explains itself, and its parts add up to it to the cent."""

from datetime import date
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.daycount import DayCount
from domain.servicing import operations as op
from domain.servicing.explain import explain_interest, explain_payment, restated
from domain.servicing.facts import Paid
from domain.servicing.simulation import Simulation, simulate
from domain.servicing.values import Component, Kind, Recalculation
from tests.domain.servicing.plans import START, terms
from tests.domain.servicing.properties import MONEY_IN, ordinary_life

SEEDS = st.integers(min_value=0, max_value=2**63)
FEB, MARCH = date(2024, 2, 15), date(2024, 3, 15)


def drawn(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - a seeded run


def lived(*steps: op.Operation) -> Simulation:
    loan = terms(day_count=DayCount.ACT_365F, recalculation=Recalculation.CONTINUOUS, instalments=3)
    opened = [op.SetBusinessDate(on=START), op.Disburse(on=START, amount_minor=1_000_00)]
    return simulate(loan, [*opened, *steps])


def test_interest_is_explained_by_stretches_of_days() -> None:
    """Source: domain rules, 9.17 (14): sub-period, balance, days, factor."""
    change = op.ChangeRate(on=date(2024, 1, 25), rate_annual=Decimal("0.24"))
    first = explain_interest(lived(change).final.account)[0]
    assert [(s.days, s.balance_minor, s.rate_annual, s.basis) for s in first.stretches] == [
        (10, 1_000_00, Decimal("0.12"), "act/365f"),
        (21, 1_000_00, Decimal("0.24"), "act/365f"),
    ]
    assert round(first.exact, 4) == round(
        1_000_00 * (10 * Decimal("0.12") + 21 * Decimal("0.24")) / 365, 4
    )
    assert first.earned_minor == first.due_minor == 17_10
    assert first.rounding == "ROUND_HALF_UP"


def test_a_payment_is_explained_by_the_rules_that_took_its_parts() -> None:
    steps = [
        op.SetBusinessDate(on=FEB),
        op.Transact(kind=Kind.REPAYMENT, on=FEB, amount_minor=100_00),
    ]
    payment = lived(*steps).final.account.transactions[-1]
    parts = [(p.instalment, p.component, p.amount_minor, p.rule) for p in explain_payment(payment)]
    assert parts == [
        (1, Component.INTEREST, 10_19, "default:due:interest"),
        (1, Component.PRINCIPAL, 89_81, "default:due:principal"),
    ]


def test_a_payment_dated_back_says_what_it_restated() -> None:
    """Source: domain rules, 4.2, T-44: differences, and nothing that stayed."""
    late = [
        op.SetBusinessDate(on=MARCH),
        op.Transact(kind=Kind.REPAYMENT, on=MARCH, amount_minor=340_00),
    ]
    back = op.Transact(kind=Kind.REPAYMENT, on=FEB, amount_minor=340_00)
    before, after = lived(*late, back).states[-2:]
    changed = restated(before.account, after.account)
    repaid = next(t for t in before.account.transactions if t.kind is Kind.REPAYMENT)
    moved = {x.part: (x.before_minor, x.after_minor) for x in changed if x.of == repaid.id}
    assert moved["interest"][0] > moved["interest"][1]
    assert sum(a - b for b, a in moved.values()) == 0
    assert all(x.before_minor != x.after_minor for x in changed)


@given(SEEDS)
def test_an_explanation_adds_up_to_its_figure(seed: int) -> None:
    account = ordinary_life(drawn(seed)).account
    explained = explain_interest(account)
    assert [x.due_minor for x in explained] == [r.due.interest for r in account.instalments]
    for x in explained:
        earned = x.earned_minor + x.fixed_minor + x.from_later_minor
        carried = x.carried_in_minor - x.carried_out_minor
        assert earned + carried + x.kept_minor + x.by_action_minor == x.due_minor
        assert abs(x.exact - x.earned_minor) <= Decimal("0.5") or not x.stretches
        assert sum(s.days for s in x.stretches) in {0, (x.due_on - x.from_on).days}
    for payment in account.transactions:
        if payment.kind in MONEY_IN:
            parts = explain_payment(payment)
            assert sum(part.amount_minor for part in parts) == payment.amount_minor


@given(SEEDS)
def test_what_is_restated_is_the_difference_and_nothing_else(seed: int) -> None:
    r = drawn(seed)
    life = ordinary_life(r)
    before = life.account
    on = life.today
    assert restated(before, before) == ()
    later = life.timeline.record(_payment(on, r.randint(1, 90_000))).account
    found = {
        (x.kind, x.of, x.part): (x.before_minor, x.after_minor) for x in restated(before, later)
    }
    for old, new in zip(before.instalments, later.instalments, strict=False):
        if old.due_on == new.due_on:
            for part in ("principal", "interest", "fees", "penalties"):
                was, became = getattr(old.due, part), getattr(new.due, part)
                known = found.get(("instalment", str(old.number), part), (was, was))
                assert known == (was, became)


def _payment(on: date, amount: int) -> Paid:
    return Paid(id="late", effective_on=on, entered_on=on, kind=Kind.REPAYMENT, amount_minor=amount)
