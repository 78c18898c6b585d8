"""A copy of the engine's working state holds every field, and shares nothing that changes."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.servicing import facts as f
from domain.servicing import timeline
from domain.servicing.fold import Past, apply
from domain.servicing.ledger import Entry, Ledger
from domain.servicing.period import Period, Sub
from domain.servicing.plan import Plan
from domain.servicing.row import COMPONENTS, Row
from domain.servicing.terms import LoanTerms
from domain.servicing.timeline import CHECKPOINT_EVERY, Timeline
from domain.servicing.values import Kind, Recalculation

FROM, DUE = date(2024, 1, 15), date(2024, 2, 15)
TERMS = LoanTerms(
    principal_minor=10_000,
    rate_annual=Decimal("0.12"),
    instalments=1,
    expected_disbursement_on=FROM,
)


@pytest.mark.parametrize(
    "original", [Sub(FROM, DUE), Period(FROM, DUE), Row(FROM, DUE), Plan(TERMS, [(FROM, DUE)])]
)
def test_a_copy_holds_every_field(original: Sub | Period | Row | Plan) -> None:
    copy = original.copy()
    assert copy is not original
    for name in type(original).__slots__:
        if name not in {"subs", "periods"}:
            assert getattr(copy, name) == getattr(original, name), name


def test_what_happens_to_a_copy_of_a_row_leaves_the_row_alone() -> None:
    row = Row(FROM, DUE)
    copy = row.copy()
    beside = (copy.beside.waived, copy.beside.written_off, copy.beside.credited)
    for parts in (copy.due, copy.paid, *beside):
        parts.update(dict.fromkeys(COMPONENTS, 1))
    assert row.total_due == row.total_paid == row.outstanding == sum(row.credited.values()) == 0


def test_what_was_given_up_of_a_copy_of_a_row_is_given_up_of_it_alone() -> None:
    row = Row(FROM, DUE)
    row.beside.waived[COMPONENTS[0]] = 1
    row.copy().beside.waived[COMPONENTS[0]] = 2
    assert row.waived[COMPONENTS[0]] == 1


def test_a_row_of_which_nothing_was_given_up_says_so_and_cannot_be_changed_by_that() -> None:
    waived: Any = Row(FROM, DUE).waived
    assert waived[COMPONENTS[0]] == 0
    with pytest.raises(TypeError):
        waived[COMPONENTS[0]] = 1


def test_what_happens_to_a_copy_of_a_period_leaves_the_period_alone() -> None:
    period = Period(FROM, DUE)
    period.copy().subs[0].correction = 1
    assert period.subs[0].correction == 0


def test_a_copy_of_a_transaction_is_equal_and_independent() -> None:
    entry = Entry(
        id="1", kind=Kind.REPAYMENT, on=DUE, amount=5, entered_on=DUE, overpayment=1, source_id="0"
    )
    entry.shown = "as it was"
    copy = entry.copy()
    assert copy == entry
    assert copy.shown is None
    copy.parts[COMPONENTS[0]] = 5
    copy.lines.clear()
    assert entry.parts[COMPONENTS[0]] == 0


def _paid_half() -> Ledger:
    """Four of eight instalments paid on their days, and the fifth begun."""
    loan = replace(TERMS, instalments=8, recalculation=Recalculation.CONTINUOUS)
    timeline = Timeline.start(loan).record(
        f.Disbursed(id="0", effective_on=FROM, entered_on=FROM, amount_minor=10_000)
    )
    for row in timeline.account.instalments[:5]:
        on, amount = row.due_on, row.due.total - (row.number == 5)
        timeline = timeline.record(
            f.Paid(
                id=str(row.number),
                effective_on=on,
                entered_on=on,
                kind=Kind.REPAYMENT,
                amount_minor=amount,
            )
        )
    return timeline.account.ledger


def test_copies_share_what_is_over_and_nothing_else() -> None:
    ledger = _paid_half()
    copy = ledger.copy()
    assert ledger.settled == ledger.plan.settled == 4
    for mine, other in (
        (ledger.rows, copy.rows),
        (ledger.plan.periods, copy.plan.periods),
    ):
        assert [a is b for a, b in zip(mine, other, strict=True)] == [True] * 4 + [False] * 4


def test_what_is_over_can_be_opened_again_and_then_is_shared_no_more() -> None:
    ledger = _paid_half()
    copy = ledger.copy()
    copy.open_again()
    assert copy.settled == copy.plan.settled == 0
    assert not any(row in ledger.rows for row in copy.rows)
    assert not any(period in ledger.plan.periods for period in copy.plan.periods)


def test_sums_of_what_is_over_are_those_of_its_periods() -> None:
    over, opened = _paid_half(), _paid_half().copy()
    opened.open_again()
    assert over.outstanding() == opened.outstanding()
    for name in (
        "total_asked",
        "total_due_interest",
        "total_due_principal",
        "total_paid_interest",
        "total_paid_principal",
        "total_credited_principal",
        "total_money_out",
    ):
        assert getattr(over.plan, name) == getattr(opened.plan, name), name


def test_a_change_on_a_day_that_is_over_opens_it_and_all_after_it() -> None:
    ledger = _paid_half()
    shared = ledger.copy().plan
    changed = ledger.plan
    changed.move_money(changed.periods[2].due_on, correction=1)
    assert changed.settled == 2
    assert shared.periods[2].subs[-1].correction != changed.periods[2].subs[-1].correction


@pytest.mark.parametrize("looked_at_each", [True, False])
def test_a_day_behind_is_folded_from_the_checkpoint_before_it(
    monkeypatch: pytest.MonkeyPatch, *, looked_at_each: bool
) -> None:
    """Source: ADR 0012; whether facts were folded one by one or many at once."""
    told = Timeline.start(replace(TERMS, instalments=3))
    told = told.record(f.Disbursed(id="0", effective_on=FROM, entered_on=FROM, amount_minor=10_000))
    for number in range(1, 3 * CHECKPOINT_EVERY):
        on = FROM + timedelta(days=number)
        paid = f.Paid(
            id=str(number), effective_on=on, entered_on=on, kind=Kind.REPAYMENT, amount_minor=1
        )
        told = told.record(paid)
        if looked_at_each:
            told.read(lambda ledger: ledger.overpaid)
    told.read(lambda ledger: ledger.overpaid)
    folded: list[f.Fact] = []

    def seen(ledger: Ledger, fact: f.Fact, past: Past) -> None:
        folded.append(fact)
        apply(ledger, fact, past)

    monkeypatch.setattr(timeline, "apply", seen)
    told.read(lambda ledger: ledger.overpaid, FROM + timedelta(days=3 * CHECKPOINT_EVERY - 3))
    assert len(folded) < CHECKPOINT_EVERY


def test_a_look_at_a_loan_past_its_maturity_copies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is overdue earns up to the maturity: no later day changes the account."""
    loan = replace(TERMS, instalments=2, recalculation=Recalculation.CONTINUOUS)
    told = Timeline.start(loan).record(
        f.Disbursed(id="0", effective_on=FROM, entered_on=FROM, amount_minor=10_000)
    )
    for number in (1, 2):
        on = FROM + timedelta(days=100 * number)
        paid = f.Paid(
            id=str(number), effective_on=on, entered_on=on, kind=Kind.REPAYMENT, amount_minor=9
        )
        told = told.record(paid)
    shown = told.read(lambda ledger: ledger.outstanding())
    copies: list[Ledger] = []

    def copied(ledger: Ledger) -> Ledger:
        copies.append(ledger)
        return copy(ledger)

    copy = Ledger.copy
    monkeypatch.setattr(Ledger, "copy", copied)
    assert told.read(lambda ledger: ledger.outstanding()) == shown
    assert not copies
